//! Accounts, as the program speaks of them.

use super::audit::Entry;
use super::authority::Authority;
use super::sessions::NewSession;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::Language;
use crate::values::{Email, Fragment, PasswordHash, Roles, Username};

/// What a token check needs to know of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The user's id.
    pub id: i64,
    /// The name as the user wrote it.
    pub name: String,
    /// The user's roles.
    pub roles: Roles,
    /// Whether the user may do anything at all.
    pub active: bool,
}

/// What a login needs to know.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Whose they are.
    pub person: Person,
    /// What the password is compared to.
    pub hash: PasswordHash,
    /// Failed logins up to then do not count.
    pub unlocked: Timestamp,
    /// Wrong passwords since the last session that began.
    pub failures: u32,
    /// When all sessions were last ended at once.
    pub tokens_after: Timestamp,
}

/// What an administrator sees of a user.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user.
    pub person: Person,
    /// The address that also serves as a login name.
    pub email: Option<String>,
    /// When the account was made.
    pub created: Timestamp,
    /// Whether logins must give a second factor.
    pub second_factor: bool,
    /// Until when the address is waited for that somebody has registered with.
    pub unconfirmed: Option<Timestamp>,
}

/// Which accounts are asked for.
#[derive(Debug, Clone, Copy)]
pub struct UserQuery<'a> {
    /// Only those with this in their name or address.
    pub fragment: Option<&'a Fragment>,
    /// Only those with a greater id: the next page.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
}

/// A user who is not there yet.
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
    /// What mails are written in.
    pub language: Language,
}

/// A change to one user, with what follows from it for the user's sessions, tickets and
/// invitations: those of somebody who no longer administrates are void.
#[derive(Debug)]
pub enum Change<'a> {
    /// A new password; ends all sessions.
    Password {
        /// The new one.
        hash: &'a PasswordHash,
        /// The session that begins with it.
        session: Option<&'a NewSession<'a>>,
    },
    /// Other roles.
    Roles(&'a Roles),
    /// May act, or may not; the latter ends all sessions.
    Active(bool),
    /// Failed logins up to now are forgotten.
    Unlocked,
}

/// The accounts. Whatever changes one takes the audit entry that tells of it, and writes both or
/// neither.
pub trait Users {
    /// The user with this id.
    fn person(&self, id: i64) -> Result<Option<Person>, Error>;

    /// The user who logs in with `login`: an e-mail address or a username.
    fn credentials(&self, login: &str) -> Result<Option<Credentials>, Error>;

    /// The same by id, for somebody who is logged in.
    fn credentials_of(&self, id: i64) -> Result<Option<Credentials>, Error>;

    /// Makes a user, with a session if one is given, and says the id. [`Error::UsernameTaken`],
    /// or [`Error::BadRequest`] when the e-mail address is.
    fn add(
        &self,
        user: &NewUser<'_>,
        session: Option<&NewSession<'_>>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<i64, Error>;

    /// Puts a stronger hash of the same password in the place of `old`; false if that has changed.
    fn strengthen(&self, id: i64, old: &PasswordHash, new: &PasswordHash) -> Result<bool, Error>;

    /// The user with this name.
    fn account(&self, name: &Username) -> Result<Option<Account>, Error>;

    /// The user with this id.
    fn account_of(&self, id: i64) -> Result<Option<Account>, Error>;

    /// Shows every user, in the order in which they came.
    fn accounts(&self, show: &mut dyn FnMut(Account)) -> Result<(), Error>;

    /// The accounts that are sought, in the order in which they came.
    fn seek(&self, sought: &UserQuery<'_>) -> Result<Vec<Account>, Error>;

    /// Changes a user; false if there is none with this id. [`Error::LastAdmin`] if no active
    /// administrator would be left.
    fn change(
        &self,
        id: i64,
        change: &Change<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Deletes a user, and tells them by mail; false if there is none with this id. The id is not
    /// given out again. [`Error::LastAdmin`] if no active administrator would be left.
    fn delete(
        &self,
        id: i64,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;
}
