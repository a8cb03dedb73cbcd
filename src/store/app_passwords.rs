//! App passwords: how many a user may have, and what ends them. They end with the account, with a
//! new password unless the user keeps them, and by themselves once they have expired.

use super::driver::Abort;
use super::entry::Entry;
use super::rows::app_passwords::{self, AppPasswordInfo, AppPasswordStanding, NewAppPassword};
use super::rows::users;
use super::transaction::Transaction;
use super::{Authority, Store};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::CodeHash;

/// App passwords that a user can have.
pub(super) const MAX_PER_USER: i64 = 50;

impl NewAppPassword<'_> {
    /// Seconds for which an app password that expires is good at most: ten years.
    pub const MAX_LIFESPAN: i64 = 3_653 * 24 * 3600;
}

impl Store {
    /// The app password with this hash and its user, if it has not expired.
    pub fn app_password(
        &self,
        hash: &CodeHash,
        now: Timestamp,
    ) -> Result<Option<AppPasswordStanding>, Error> {
        self.read(|queries| app_passwords::standing(queries, hash, now))
    }

    /// The app passwords of a user that have not expired, the newest first.
    pub fn app_passwords(&self, user: i64, now: Timestamp) -> Result<Vec<AppPasswordInfo>, Error> {
        self.read(|queries| app_passwords::of_user(queries, user, now))
    }

    /// Keeps an app password of a user. [`Error::TooManyAppPasswords`] if the user has too many.
    pub fn add_app_password(
        &self,
        user: i64,
        new: &NewAppPassword<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            if users::person_of(transaction, user)?.is_none() {
                return Err(Abort::Rule(Error::MissingUser));
            }
            make_room(transaction, user)?;
            app_passwords::insert(transaction, user, new, now)?;
            record(transaction, entry, &new.hash.name(), new.name)
        })
    }

    /// Deletes an app password of a user; false if the user has none with this id.
    pub fn delete_app_password(
        &self,
        user: i64,
        id: &str,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let Some(name) = app_passwords::delete(transaction, user, id)? else {
                return Ok(false);
            };
            record(transaction, entry, id, &name)?;
            Ok(true)
        })
    }
}

/// Makes sure that there is room for one more. Those that have expired make room: the sweep, which
/// trusts the clock less, may leave them for an hour.
fn make_room(transaction: &mut Transaction<'_>, user: i64) -> Result<(), Abort> {
    if app_passwords::count_of(transaction, user)? < MAX_PER_USER {
        return Ok(());
    }
    let now = transaction.now;
    app_passwords::delete_expired_of(transaction, user, now)?;
    match app_passwords::count_of(transaction, user)? < MAX_PER_USER {
        true => Ok(()),
        false => Err(Abort::Rule(Error::TooManyAppPasswords)),
    }
}

/// Records an entry with the id and the name of an app password.
fn record(
    transaction: &mut Transaction<'_>,
    entry: &Entry<'_>,
    id: &str,
    name: &str,
) -> Result<(), Abort> {
    let detail = &[id, name].join(" ");
    Ok(transaction.record(&Entry { detail, ..entry.clone() })?)
}
