//! What the program asks of a store, in its own words. No SQL here.

mod sqlite;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Email, PasswordHash, Roles, Username};

pub use sqlite::{Inspection, Sqlite};

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
}

/// A change to one user.
#[derive(Debug)]
pub enum Change<'a> {
    /// A new password.
    Password(&'a PasswordHash),
    /// Other roles.
    Roles(&'a Roles),
    /// May act, or may not.
    Active(bool),
}

/// Where users are kept. What a method acknowledged is not lost, whatever happens to the process
/// or the machine afterwards. Every method may answer [`Error::Unavailable`].
pub trait Store: Send + Sync {
    /// The user with this id.
    fn person(&self, id: i64) -> Result<Option<Person>, Error>;

    /// The user who logs in with `login`: an e-mail address or a username.
    fn credentials(&self, login: &str) -> Result<Option<Credentials>, Error>;

    /// Makes a user, and says the id. [`Error::UsernameTaken`], or [`Error::BadRequest`] when the
    /// e-mail address is.
    fn add(&self, user: &NewUser<'_>, now: Timestamp) -> Result<i64, Error>;

    /// Puts a stronger hash of the same password in the place of `old`, unless that has changed.
    fn strengthen(&self, id: i64, old: &PasswordHash, new: &PasswordHash) -> Result<(), Error>;

    /// The user with this name.
    fn account(&self, name: &Username) -> Result<Option<Account>, Error>;

    /// Shows every user, in the order in which they came.
    fn accounts(&self, show: &mut dyn FnMut(Account)) -> Result<(), Error>;

    /// Changes a user; false if there is none with this id.
    fn change(&self, id: i64, change: &Change<'_>) -> Result<bool, Error>;

    /// Deletes a user; false if there is none with this id. The id is not given out again.
    fn delete(&self, id: i64) -> Result<bool, Error>;

    /// Whether reading works.
    fn ping(&self) -> Result<(), Error>;

    /// Called a few times a second while requests may come (`busy`), and once when none may any
    /// more.
    fn upkeep(&self, busy: bool);

    /// Puts everything in its final place; called when the server ends.
    fn settle(&self) -> Result<(), Error>;
}
