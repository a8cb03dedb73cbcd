//! The authority for a write (which user, which session), checked inside the writing transaction.

use super::driver::Abort;
use super::entry::Entry;
use super::rows;
use super::rows::authority::Grounds;
use super::transaction::Transaction;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{FactorUse, PasswordHash};

/// The password and second factor that a user gave for a login or for a change of the account.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    /// The stored hash that the password was compared to.
    pub password: &'a PasswordHash,
    /// The code of the second factor that the write uses up; `None` if the user gave none.
    pub second: Option<&'a FactorUse>,
}

/// On whose behalf something is written, and what was checked of them before. The transaction that
/// writes checks it again: while the request waited for the database, the session may have ended,
/// the password may have changed, or the role may have been taken away.
///
/// A method that takes one answers [`Error::MissingUser`], [`Error::InactiveUser`] or
/// [`Error::Revoked`] for a login that has ended, and [`Error::ReauthenticationRequired`] for one
/// that is too old. With a proof it answers [`Error::WrongPassword`] if the password has changed,
/// [`Error::OtpRequired`] if the user has a second factor and the proof holds nothing of it, and
/// [`Error::WrongOtp`] if that cannot be used up. An administrator without the role is
/// [`Error::MissingRole`]. Then nothing is written.
#[derive(Debug, Clone, Copy)]
pub enum Authority<'a> {
    /// The command line, or the program that embeds this crate: there is nothing to check.
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

impl<'a> Authority<'a> {
    /// The administrator's id, if it is one.
    pub fn admin(&self) -> Option<i64> {
        match *self {
            Authority::Admin { id, .. } => Some(id),
            Authority::Operator | Authority::User { .. } => None,
        }
    }

    fn proof(&self) -> Option<Proof<'a>> {
        match *self {
            Authority::User { proof, .. } => proof,
            Authority::Operator | Authority::Admin { .. } => None,
        }
    }
}

impl Transaction<'_> {
    /// Checks `by` and uses its second factor up. Every write for a logged-in user starts here.
    /// `entry` is the audit entry of the write.
    pub(in crate::store) fn authorize(
        &mut self,
        by: &Authority<'_>,
        entry: &Entry<'_>,
    ) -> Result<(), Abort> {
        let (id, session, since) = match *by {
            Authority::Operator => return Ok(()),
            Authority::User { id, session, since, .. }
            | Authority::Admin { id, session, since } => (id, session, since),
        };
        let found = rows::authority::grounds(self, id, session)?;
        let found = found.ok_or(Abort::Rule(Error::MissingUser))?;
        if let Some(error) = refusal(&found, since, by) {
            return Err(Abort::Rule(error));
        }
        let Some(Proof { second, .. }) = by.proof() else { return Ok(()) };
        match self.admit(id, second, entry)? {
            true => Ok(()),
            false if second.is_none() => Err(Abort::Rule(Error::OtpRequired)),
            false => Err(Abort::Rule(Error::WrongOtp)),
        }
    }
}

/// Returns the error that forbids the write, if any. Does not check the second factor.
fn refusal(found: &Grounds, since: Timestamp, by: &Authority<'_>) -> Option<Error> {
    if !found.active {
        return Some(Error::InactiveUser);
    }
    match found.began {
        None => return Some(Error::Revoked),
        Some(began) if began < since => return Some(Error::ReauthenticationRequired),
        Some(_) => {}
    }
    if by.admin().is_some() && !found.admin {
        return Some(Error::MissingRole("admin".into()));
    }
    let changed = by.proof().is_some_and(|proof| *proof.password != found.password);
    changed.then_some(Error::WrongPassword)
}
