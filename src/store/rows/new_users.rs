//! Statements that add accounts.

use super::first;
use super::sessions::NewSession;
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};
use crate::values::{Email, Language, PasswordHash, Roles, Username};

/// A user to be added.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// Must be free.
    pub name: &'a Username,
    /// Must be free, if given.
    pub email: Option<&'a Email>,
    /// The password, hashed.
    pub hash: &'a PasswordHash,
    /// Roles from the start.
    pub roles: &'a Roles,
    /// The language of mails to the user.
    pub language: Language,
}

/// See [`insert`].
macro_rules! insert {
    ($on_conflict:literal) => {
        concat!(
            "INSERT INTO users
             (name, name_key, email, email_key, password, roles, created, tokens_after, language,
              last_login, last_login_address)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ",
            $on_conflict,
            " RETURNING id"
        )
    };
}

/// Adds a user, perhaps with a first login; returns the id.
pub(in crate::store) fn insert(
    queries: &mut dyn Queries,
    user: &NewUser<'_>,
    (session, now): (Option<&NewSession<'_>>, Timestamp),
) -> Result<i64, Fault> {
    let id = inserted(queries, insert!(""), user, (session, now))?;
    id.ok_or_else(|| Fault::Damaged("an insertion returned no id".into()))
}

/// Adds a user like [`insert`], unless another user has the name; returns the id.
pub(in crate::store) fn insert_if_free(
    queries: &mut dyn Queries,
    user: &NewUser<'_>,
    (session, now): (Option<&NewSession<'_>>, Timestamp),
) -> Result<Option<i64>, Fault> {
    let sql = insert!("ON CONFLICT (name_key) DO NOTHING");
    inserted(queries, sql, user, (session, now))
}

fn inserted(
    queries: &mut dyn Queries,
    sql: &'static str,
    user: &NewUser<'_>,
    (session, now): (Option<&NewSession<'_>>, Timestamp),
) -> Result<Option<i64>, Fault> {
    let login = session.map_or(Timestamp(0), |session| session.issued);
    let ip = session.and_then(|session| session.origin.ip).map(|ip| ip.to_string());
    let values = [
        user.name.as_str().into(),
        user.name.key().into(),
        user.email.map(Email::as_str).into(),
        user.email.map(Email::key).into(),
        user.hash.as_str().into(),
        user.roles.as_str().into(),
        now.into(),
        // An older token of another program with this id names somebody else.
        now.into(),
        user.language.code().into(),
        login.into(),
        ip.as_deref().into(),
    ];
    first(queries, sql, &values, |row| row.get(0))
}
