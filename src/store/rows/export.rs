//! Statements that read accounts with all that goes with them out again, page by page. Compiled for
//! the command line.

use super::all;
use crate::store::driver::{Fault, Queries, Value};
use crate::store::imported::{ExportedUser, ImportedFactor};
use crate::values::{Language, PasswordHash, TotpSecret};

/// An account, and whether it waits for the confirmation of its e-mail address. What other tables
/// have of it is missing.
pub(in crate::store) fn users(
    queries: &mut dyn Queries,
    after: i64,
    limit: u32,
) -> Result<Vec<(ExportedUser, bool)>, Fault> {
    all(
        queries,
        "SELECT id, name, email, password, roles, active, created, language,
         unconfirmed IS NOT NULL FROM users WHERE id > $1 ORDER BY id LIMIT $2",
        &[after.into(), limit.into()],
        |row| {
            let user = ExportedUser {
                id: row.get(0)?,
                name: row.get(1)?,
                email: row.get(2)?,
                hash: PasswordHash::stored(row.get(3)?),
                roles: row.get(4)?,
                active: row.get(5)?,
                created: row.get(6)?,
                language: Language::of_code(row.text(7)?.unwrap_or_default()),
                former_names: Vec::new(),
                factor: None,
                recovery_codes: Vec::new(),
            };
            Ok((user, row.get(8)?))
        },
    )
}

/// The second factors of users with an id after the first and up to the second, by id.
pub(in crate::store) fn factors(
    queries: &mut dyn Queries,
    ids: [i64; 2],
) -> Result<Vec<(i64, ImportedFactor)>, Fault> {
    all(
        queries,
        "SELECT \"user\", secret, created, confirmed, last_step FROM second_factors
         WHERE \"user\" > $1 AND \"user\" <= $2 ORDER BY \"user\"",
        &ids.map(Value::from),
        |row| {
            let factor = ImportedFactor {
                secret: TotpSecret::stored(row.get(1)?),
                created: row.get(2)?,
                confirmed: row.get(3)?,
                last_step: row.get(4)?,
            };
            Ok((row.get(0)?, factor))
        },
    )
}

/// Their recovery codes, by id and hash.
pub(in crate::store) fn codes(
    queries: &mut dyn Queries,
    ids: [i64; 2],
) -> Result<Vec<(i64, [u8; 32])>, Fault> {
    all(
        queries,
        "SELECT \"user\", hash FROM recovery_codes
         WHERE \"user\" > $1 AND \"user\" <= $2 ORDER BY \"user\", hash",
        &ids.map(Value::from),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Their former names, by id and name.
pub(in crate::store) fn former_names(
    queries: &mut dyn Queries,
    ids: [i64; 2],
) -> Result<Vec<(i64, String)>, Fault> {
    all(
        queries,
        "SELECT \"user\", name FROM former_names
         WHERE \"user\" > $1 AND \"user\" <= $2 ORDER BY \"user\", name",
        &ids.map(Value::from),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
