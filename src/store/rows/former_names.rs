//! Statements about the names that users had before an import.

use super::all;
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};

/// A name that a user had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct FormerName {
    pub(in crate::store) name: String,
    pub(in crate::store) user: i64,
}

/// The former name with this text or, if there is none, with this key, unless its user was told the
/// present name.
pub(in crate::store) fn untold(
    queries: &mut dyn Queries,
    text: &str,
    key: &str,
) -> Result<Option<FormerName>, Fault> {
    let sql = "SELECT name, \"user\" FROM former_names WHERE name IN ($1, $2) AND told IS NULL";
    let mut found = all(queries, sql, &[text.into(), key.into()], |row| {
        Ok(FormerName { name: row.get(0)?, user: row.get(1)? })
    })?;
    let place = found.iter().position(|found| found.name == text).unwrap_or_default();
    Ok((place < found.len()).then(|| found.swap_remove(place)))
}

/// Notes that the user of a former name was told the present one.
pub(in crate::store) fn set_told(
    queries: &mut dyn Queries,
    name: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "UPDATE former_names SET told = $2 WHERE name = $1";
    queries.execute(sql, &[name.into(), now.into()])?;
    Ok(())
}
