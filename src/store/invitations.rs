//! Invitations: codes that let one person each register, as the program speaks of them.

use super::audit::Entry;
use super::authority::Authority;
use super::sessions::NewSession;
use super::users::NewUser;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{CodeHash, Roles};

/// An invitation that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewInvitation<'a> {
    /// Of its code.
    pub hash: CodeHash,
    /// What the account will have.
    pub roles: &'a Roles,
    /// The last second in which it can be used.
    pub expires: Timestamp,
}

impl NewInvitation<'_> {
    /// Seconds for which one is good where nobody says otherwise.
    pub const LIFESPAN: i64 = 7 * 24 * 3600;
    /// Seconds at most.
    pub const MAX_LIFESPAN: i64 = 366 * 24 * 3600;

    /// What the audit says of it: its name, and the roles.
    pub fn detail(&self) -> String {
        [&*self.hash.name(), self.roles.as_str()].join(" ").trim_end().to_owned()
    }
}

/// An invitation that nobody has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// What it is called; see [`CodeHash::name`].
    pub id: String,
    /// What the account will have.
    pub roles: Roles,
    /// When it was made.
    pub created: Timestamp,
    /// The last second in which it can be used.
    pub expires: Timestamp,
    /// The administrator who made it; nobody on the command line.
    pub creator: Option<i64>,
}

/// The invitations. An administrator's are void when they no longer administrate.
pub trait Invitations {
    /// Keeps one. [`Error::TooManyInvitations`] if there are too many that nobody has used.
    fn invite(
        &self,
        invitation: &NewInvitation<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<(), Error>;

    /// Those that can be used, the newest first.
    fn invitations(&self, now: Timestamp) -> Result<Vec<Invitation>, Error>;

    /// The one of a code, if it can be used.
    fn invitation(&self, code: &CodeHash, now: Timestamp) -> Result<Option<Invitation>, Error>;

    /// Takes one back; false if there is none of this name.
    fn revoke_invitation(
        &self,
        id: &str,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Makes a user as [`Users::add`](super::Users::add) does, and uses the invitation up with
    /// it: both or neither. Nothing if it cannot be used any more.
    fn accept(
        &self,
        code: &CodeHash,
        user: &NewUser<'_>,
        session: Option<&NewSession<'_>>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<Option<i64>, Error>;
}
