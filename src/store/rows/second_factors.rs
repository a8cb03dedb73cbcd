//! Statements about second factors and recovery codes.

use super::{exists, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries, Value};
use crate::values::{CodeHash, Step, TotpSecret};

/// A user's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// What the user's app has too.
    pub secret: TotpSecret,
    /// When it was made.
    pub created: Timestamp,
    /// The user has shown that it arrived; before that it does not count.
    pub confirmed: bool,
    /// The last step whose code was used.
    pub last: Step,
    /// Recovery codes that have not been used.
    pub codes_left: u32,
}

/// A user's second factor, confirmed or not.
pub(in crate::store) fn of_user(
    queries: &mut dyn Queries,
    user: i64,
) -> Result<Option<SecondFactor>, Fault> {
    first(
        queries,
        "SELECT secret, created, confirmed IS NOT NULL, last_step,
         (SELECT count(*) FROM recovery_codes WHERE \"user\" = $1)
         FROM second_factors WHERE \"user\" = $1",
        &[user.into()],
        |row| {
            Ok(SecondFactor {
                secret: TotpSecret::stored(row.get(0)?),
                created: row.get(1)?,
                confirmed: row.get(2)?,
                last: Step(row.get(3)?),
                codes_left: row.get(4)?,
            })
        },
    )
}

/// Whether a user has a confirmed second factor.
pub(in crate::store) fn is_on(queries: &mut dyn Queries, user: i64) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM second_factors WHERE \"user\" = $1 AND confirmed IS NOT NULL";
    exists(queries, sql, &[user.into()])
}

/// Keeps a secret that is still to be confirmed, in the place of another such one; false if there
/// is a confirmed one, or no such user.
pub(in crate::store) fn enrol(
    queries: &mut dyn Queries,
    user: i64,
    secret: &TotpSecret,
    now: Timestamp,
) -> Result<bool, Fault> {
    let kept = queries.execute(
        "INSERT INTO second_factors (\"user\", secret, created)
         SELECT id, $2, $3 FROM users WHERE id = $1
         ON CONFLICT (\"user\") DO UPDATE SET secret = excluded.secret,
         created = excluded.created WHERE second_factors.confirmed IS NULL",
        &[user.into(), secret.bytes()[..].into(), now.into()],
    )?;
    Ok(kept == 1)
}

/// Confirms a secret with the step whose code showed that it arrived; false if there is no such
/// secret to confirm.
pub(in crate::store) fn confirm(
    queries: &mut dyn Queries,
    user: i64,
    secret: &TotpSecret,
    step: Step,
    now: Timestamp,
) -> Result<bool, Fault> {
    let confirmed = queries.execute(
        "UPDATE second_factors SET confirmed = $4, last_step = $3
         WHERE \"user\" = $1 AND secret = $2 AND confirmed IS NULL",
        &[user.into(), secret.bytes()[..].into(), step.0.into(), now.into()],
    )?;
    Ok(confirmed == 1)
}

/// Deletes a user's second factor; false if there is none.
pub(in crate::store) fn delete(queries: &mut dyn Queries, user: i64) -> Result<bool, Fault> {
    let sql = "DELETE FROM second_factors WHERE \"user\" = $1";
    Ok(queries.execute(sql, &[user.into()])? == 1)
}

/// Uses a step up, and those before it; false if that was done already.
pub(in crate::store) fn use_step(
    queries: &mut dyn Queries,
    user: i64,
    secret: &TotpSecret,
    step: Step,
) -> Result<bool, Fault> {
    let used = queries.execute(
        "UPDATE second_factors SET last_step = $3 WHERE \"user\" = $1 AND secret = $2
         AND confirmed IS NOT NULL AND last_step < $3",
        &[user.into(), secret.bytes()[..].into(), step.0.into()],
    )?;
    Ok(used == 1)
}

/// Whether a user has this recovery code.
pub(in crate::store) fn has_code(
    queries: &mut dyn Queries,
    user: i64,
    code: &CodeHash,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM recovery_codes WHERE \"user\" = $1 AND hash = $2";
    exists(queries, sql, &[user.into(), code.bytes()[..].into()])
}

/// Uses a recovery code up; false if that was done already.
pub(in crate::store) fn use_code(
    queries: &mut dyn Queries,
    user: i64,
    code: &CodeHash,
) -> Result<bool, Fault> {
    let sql = "DELETE FROM recovery_codes WHERE \"user\" = $1 AND hash = $2";
    Ok(queries.execute(sql, &[user.into(), code.bytes()[..].into()])? == 1)
}

/// Replaces a user's recovery codes by others.
pub(in crate::store) fn replace_codes(
    queries: &mut dyn Queries,
    user: i64,
    codes: &[CodeHash],
) -> Result<(), Fault> {
    queries.execute("DELETE FROM recovery_codes WHERE \"user\" = $1", &[user.into()])?;
    let values: Vec<[Value<'_>; 2]> =
        codes.iter().map(|code| [user.into(), code.bytes()[..].into()]).collect();
    let sets: Vec<&[Value<'_>]> = values.iter().map(|values| &values[..]).collect();
    let sql = "INSERT INTO recovery_codes (\"user\", hash) VALUES ($1, $2)";
    queries.execute_each(sql, &sets)
}
