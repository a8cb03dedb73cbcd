//! Tickets: tokens that can each be used once, as the program speaks of them. A ticket is good as
//! long as it is kept, and void when its user is deactivated or has another password; that of a
//! registration also when an administrator activates the user.

use super::audit::Entry;
use super::authority::Authority;
use super::sessions::NewSession;
use super::users::Person;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{FactorUse, PasswordHash};

/// A ticket with which a user can set a new password.
#[derive(Debug, Clone, Copy)]
pub struct Ticket<'a> {
    /// The `jti` claim of the token.
    pub jti: &'a str,
    /// Whose.
    pub user: i64,
    /// The last second in which it can be used.
    pub expires: Timestamp,
}

/// What comes with a ticket that is used.
#[derive(Debug, Clone, Copy)]
pub struct PasswordReset<'a> {
    /// The new password.
    pub hash: &'a PasswordHash,
    /// What there is to use up of the second factor.
    pub second: Option<&'a FactorUse>,
    /// The session that begins with it; all others end.
    pub session: &'a NewSession<'a>,
}

/// An address that can be confirmed.
#[derive(Debug, Clone)]
pub struct Confirmation {
    /// Whose it will be.
    pub person: Person,
    /// The address.
    pub email: String,
    /// Whether it is that of somebody who registers: with it, a session begins.
    pub registration: bool,
}

/// The tickets.
pub trait Tickets {
    /// Keeps a ticket, in the place of another one that the user may have; false if there is no
    /// such user, or not an active one.
    fn hand_out(
        &self,
        ticket: &Ticket<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Whose ticket it is, if it can be used.
    fn holder(&self, jti: &str, now: Timestamp) -> Result<Option<Person>, Error>;

    /// Uses a ticket: sets the password, ends all sessions and begins one, all or nothing. False
    /// if the ticket cannot be used any more, or the second factor cannot be used up.
    fn reset(
        &self,
        jti: &str,
        reset: &PasswordReset<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// What a ticket confirms, if it can be used.
    fn confirmation(&self, jti: &str, now: Timestamp) -> Result<Option<Confirmation>, Error>;

    /// Uses a ticket: the address is the user's from now on, and whoever registered can act and
    /// is logged in with `session`. False if the ticket cannot be used any more, if the address
    /// has become somebody else's, or if whoever registered does not wait any more.
    fn confirm_address(
        &self,
        jti: &str,
        session: Option<&NewSession<'_>>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;
}
