//! Statements about wrong passwords.

use super::first;
use crate::store::driver::{Fault, Queries};

/// Counts one more wrong password of a user who has fewer than `limit`; returns how many there are
/// then, or nothing if it was not counted.
pub(in crate::store) fn count(
    queries: &mut dyn Queries,
    user: i64,
    limit: u32,
) -> Result<Option<u32>, Fault> {
    let sql = "UPDATE users SET failures = failures + 1 WHERE id = $1 AND failures < $2
               RETURNING failures";
    first(queries, sql, &[user.into(), limit.into()], |row| row.get(0))
}

/// Changes the row of any user and changes it back, so that as much is written as by [`count`].
pub(in crate::store) fn pretend_to_count(queries: &mut dyn Queries) -> Result<(), Fault> {
    for sql in [
        "UPDATE users SET failures = failures + 1 WHERE id = (SELECT min(id) FROM users)",
        "UPDATE users SET failures = failures - 1 WHERE id = (SELECT min(id) FROM users)",
    ] {
        queries.execute(sql, &[])?;
    }
    Ok(())
}

/// Forgets the wrong passwords of a user.
pub(in crate::store) fn forget(queries: &mut dyn Queries, user: i64) -> Result<(), Fault> {
    let sql = "UPDATE users SET failures = 0 WHERE id = $1 AND failures <> 0";
    queries.execute(sql, &[user.into()])?;
    Ok(())
}
