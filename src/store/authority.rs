//! On whose behalf something is written, as the program speaks of it.

use super::sessions::Proof;
use crate::clock::Timestamp;

/// On whose behalf something is written, and what was checked of them before. The transaction that
/// writes checks it again: while the request waited for the database, the session may have ended,
/// the password may have changed, or the role may have been taken away.
///
/// A method that takes one answers [`Error::MissingUser`], [`Error::InactiveUser`] or
/// [`Error::Revoked`] for a login that has ended, and [`Error::ReauthenticationRequired`] for one
/// that is too old. With a proof it answers [`Error::WrongPassword`] if the password is another by
/// now, [`Error::OtpRequired`] if the user has a second factor and the proof holds nothing of it,
/// and [`Error::WrongOtp`] if that cannot be used up. An administrator without the role is
/// [`Error::MissingRole`]. Then nothing is written.
///
/// [`Error::MissingUser`]: crate::error::Error::MissingUser
/// [`Error::InactiveUser`]: crate::error::Error::InactiveUser
/// [`Error::Revoked`]: crate::error::Error::Revoked
/// [`Error::ReauthenticationRequired`]: crate::error::Error::ReauthenticationRequired
/// [`Error::WrongPassword`]: crate::error::Error::WrongPassword
/// [`Error::OtpRequired`]: crate::error::Error::OtpRequired
/// [`Error::WrongOtp`]: crate::error::Error::WrongOtp
/// [`Error::MissingRole`]: crate::error::Error::MissingRole
#[derive(Debug, Clone, Copy)]
pub enum Authority<'a> {
    /// Somebody with the command line on the machine: there is nothing to check.
    Operator,
    /// A user, for their own account.
    User {
        /// The user's id.
        id: i64,
        /// The `jti` of the session that the request's token belongs to.
        session: &'a str,
        /// The session must have begun then or later.
        since: Timestamp,
        /// What the user has shown besides the token, where that is asked for.
        proof: Option<Proof<'a>>,
    },
    /// An administrator.
    Admin {
        /// The administrator's id.
        id: i64,
        /// The `jti` of the session that the request's token belongs to.
        session: &'a str,
        /// The session must have begun then or later.
        since: Timestamp,
    },
}

impl Authority<'_> {
    /// The administrator's id, if it is one.
    pub fn admin(&self) -> Option<i64> {
        match *self {
            Authority::Admin { id, .. } => Some(id),
            Authority::Operator | Authority::User { .. } => None,
        }
    }
}
