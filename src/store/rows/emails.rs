//! Statements about the e-mail addresses of accounts.

use super::first;
use super::users::{self, Person};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries, Row};
use crate::values::{Email, Language};

/// The person that a mail is written to.
#[derive(Debug, Clone)]
pub(in crate::store) struct Addressee {
    pub(in crate::store) person: Person,
    pub(in crate::store) language: Language,
}

/// The addressee with this id.
pub(in crate::store) fn addressee(
    queries: &mut dyn Queries,
    user: i64,
) -> Result<Option<Addressee>, Fault> {
    let sql = "SELECT id, name, roles, active, language FROM users WHERE id = $1";
    first(queries, sql, &[user.into()], read_addressee)
}

/// Reads an addressee from the columns id, name, roles, active, language.
pub(super) fn read_addressee(row: &dyn Row) -> Result<Addressee, Fault> {
    let language = Language::of_code(row.text(4)?.unwrap_or_default());
    Ok(Addressee { person: users::person(row)?, language })
}

/// The e-mail address of an account, as its owner wrote it.
pub(in crate::store) fn of_user(
    queries: &mut dyn Queries,
    user: i64,
) -> Result<Option<String>, Fault> {
    let sql = "SELECT email FROM users WHERE id = $1";
    Ok(first(queries, sql, &[user.into()], |row| row.get(0))?.flatten())
}

/// Makes a user inactive until an e-mail address is confirmed, which must happen until `until`.
/// Foreign tokens up to `now` are not adopted.
pub(in crate::store) fn await_confirmation(
    queries: &mut dyn Queries,
    user: i64,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    queries.execute(
        "UPDATE users SET active = FALSE, unconfirmed = $2, tokens_after = $3 WHERE id = $1",
        &[user.into(), until.into(), now.into()],
    )?;
    Ok(())
}

/// Gives a user another e-mail address, or none.
pub(in crate::store) fn replace(
    queries: &mut dyn Queries,
    user: i64,
    email: Option<&Email>,
) -> Result<(), Fault> {
    let sql = "UPDATE users SET email = $2, email_key = $3 WHERE id = $1";
    let (shown, key) = (email.map(Email::as_str), email.map(Email::key));
    queries.execute(sql, &[user.into(), shown.into(), key.into()])?;
    Ok(())
}

/// Gives a user the e-mail address, and ends the wait for a confirmation. `activate` makes the
/// user active too.
pub(in crate::store) fn set(
    queries: &mut dyn Queries,
    user: i64,
    email: &Email,
    activate: bool,
) -> Result<(), Fault> {
    queries.execute(
        "UPDATE users SET email = $2, email_key = $3, active = (active OR $4), unconfirmed = NULL
         WHERE id = $1",
        &[user.into(), email.as_str().into(), email.key().into(), activate.into()],
    )?;
    Ok(())
}
