//! The first administrator: whether there is one, and making one without an administrator's leave.

use super::driver::Abort;
use super::entry::Entry;
use super::rows::users::any_admin;
use super::{NewSession, NewUser, Store, users};
use crate::clock::Timestamp;
use crate::error::Error;

impl Store {
    /// Whether an active user with a password has the role `admin`. Others do not count: with them
    /// alone, nobody can administrate.
    pub fn has_admin(&self) -> Result<bool, Error> {
        self.read(any_admin)
    }

    /// Makes the account and the first session of the first administrator; returns the id.
    /// [`Error::SetupDone`] if there is an administrator by now, else the errors of [`Store::add`].
    pub fn set_up(
        &self,
        user: &NewUser<'_>,
        session: &NewSession<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<i64, Error> {
        self.write(now, |transaction| {
            // Of two who use their links at once, perhaps those of two servers, one is first.
            if any_admin(transaction)? {
                return Err(Abort::Rule(Error::SetupDone));
            }
            users::add(transaction, user, Some(session), entry)
        })
    }
}
