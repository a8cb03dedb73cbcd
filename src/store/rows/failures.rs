//! Statements about wrong passwords.

use super::first;
use crate::store::driver::{Dialect, Fault, Queries};

const COUNT: &str = "UPDATE users SET failures = failures + 1 WHERE id = $1 AND failures < $2
    RETURNING failures";

/// For SQLite: changes the row of any user and changes it back.
const PRETEND: [&str; 2] = [
    "UPDATE users SET failures = failures + 1 WHERE id = (SELECT min(id) FROM users)",
    "UPDATE users SET failures = failures - 1 WHERE id = (SELECT min(id) FROM users)",
];

/// For PostgreSQL: both in one statement, since a second one takes as long as the way to the server
/// and back. The row of a user would be in the way of everybody who changes that user, so strangers
/// change one of 1,024 others. The name chooses it: attempts at one name conflict with one another,
/// whether a user has the name or not.
pub(in crate::store) const COUNT_OR_PRETEND: &str = "WITH
    counted AS (UPDATE users SET failures = failures + 1 WHERE id = $1 AND failures < $2
        RETURNING failures),
    pretended AS (UPDATE unknown_names SET failures = failures + 1
        WHERE number = (hashtext(coalesce($3, CAST($1 AS text))) & 1023)
            AND NOT EXISTS (SELECT 1 FROM counted))
    SELECT failures FROM counted";

/// Counts one more wrong password of a user who has fewer than `limit`; returns how many there are
/// then, or nothing if it was not counted. As much is written in either case. `unknown` is the name
/// if nobody has it.
pub(in crate::store) fn count(
    queries: &mut dyn Queries,
    user: Option<i64>,
    unknown: Option<&str>,
    limit: u32,
) -> Result<Option<u32>, Fault> {
    if queries.dialect() == Dialect::Postgres {
        let values = [user.into(), limit.into(), unknown.into()];
        return first(queries, COUNT_OR_PRETEND, &values, |row| row.get(0));
    }
    let values = [user.into(), limit.into()];
    let counted = first(queries, COUNT, &values, |row| row.get(0))?;
    if counted.is_none() {
        for sql in PRETEND {
            queries.execute(sql, &[])?;
        }
    }
    Ok(counted)
}
