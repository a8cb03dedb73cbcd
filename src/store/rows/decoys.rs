//! Statements about the account whose hash stands in for that of an unknown name.

use super::first;
use crate::store::driver::{Fault, Queries};
use crate::values::PasswordHash;

/// The highest id of an account; 0 if there is none.
pub(in crate::store) fn last_id(queries: &mut dyn Queries) -> Result<i64, Fault> {
    let sql = "SELECT coalesce(max(id), 0) FROM users";
    Ok(first(queries, sql, &[], |row| row.get(0))?.unwrap_or(0))
}

/// The hash of the first account from this id on.
pub(in crate::store) fn hash_from(
    queries: &mut dyn Queries,
    id: i64,
) -> Result<Option<PasswordHash>, Fault> {
    let sql = "SELECT password FROM users WHERE id >= $1 ORDER BY id LIMIT 1";
    first(queries, sql, &[id.into()], |row| Ok(PasswordHash::stored(row.get(0)?)))
}
