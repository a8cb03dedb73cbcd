//! What only the command line calls: inspecting a database without opening it, all accounts, all
//! mails, and what an operator does to either. Compiled for the command line.

use super::driver::Watch;
use super::entry::Entry;
#[cfg(feature = "postgres")]
use super::postgres;
use super::rows::delivery;
use super::rows::operator::{self, QueuedMail};
use super::rows::search::UserQuery;
use super::rows::users::{self, Account};
use super::sqlite::inspect;
#[cfg(feature = "cli")]
use super::sqlite::open;
use super::{Database, Inspection, Store};
use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::values::Username;

/// Accounts that are read at once. Between two reads nothing is held open, however slowly they are
/// shown.
pub(super) const PAGE: u32 = 1_000;

impl Store {
    /// Says whose the database is, and of which version, without changing it.
    pub fn inspect(database: &Database) -> Result<Inspection, Problem> {
        match database {
            Database::File(path) => inspect::inspect(path),
            #[cfg(feature = "postgres")]
            Database::Postgres(target) => postgres::inspect::inspect(target),
        }
    }

    /// Says whether a database that is absent could be made, as far as that shows without a try.
    #[cfg(feature = "cli")]
    pub fn can_make(database: &Database) -> Result<(), Problem> {
        match database {
            Database::File(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Database::Postgres(target) => postgres::inspect::can_make(target),
        }
    }

    /// Says whether the database is as it should be, as far as that shows quickly.
    #[cfg(feature = "cli")]
    pub fn check(database: &Database) -> Result<(), Problem> {
        match database {
            Database::File(path) => open::check(path),
            #[cfg(feature = "postgres")]
            Database::Postgres(target) => postgres::inspect::check(target),
        }
    }

    /// Reads the whole database, without changing it, and says whether it is as it should be. Calls
    /// `watch` now and then.
    pub(crate) fn check_deep(database: &Database, watch: Watch) -> Result<(), Problem> {
        match database {
            Database::File(path) => inspect::check_deep(path, watch),
            #[cfg(feature = "postgres")]
            Database::Postgres(target) => postgres::inspect::check(target),
        }
    }

    /// The account with this name.
    pub fn account(&self, name: &Username) -> Result<Option<Account>, Error> {
        self.read(|queries| match users::credentials_by_name(queries, name)? {
            Some(found) => users::account_of(queries, found.person.id),
            None => Ok(None),
        })
    }

    /// Shows every account, in the order in which they came.
    pub fn accounts(&self, show: &mut dyn FnMut(Account)) -> Result<(), Error> {
        let mut next = Some(0);
        while let Some(after) = next {
            let page = self.seek(&UserQuery { fragment: None, after, limit: PAGE })?;
            page.rows.into_iter().for_each(&mut *show);
            next = page.next;
        }
        Ok(())
    }

    /// Forgets failed logins of a user up to now; false if there is none with this id.
    pub fn unlock(&self, id: i64, entry: &Entry<'_>, now: Timestamp) -> Result<bool, Error> {
        self.write(now, |transaction| {
            if !operator::unlock(transaction, id, now)? {
                return Ok(false);
            }
            transaction.record(entry)?;
            Ok(true)
        })
    }

    /// Hands each mail in the outbox to `show`, the oldest first.
    pub fn mails(&self, show: &mut dyn FnMut(QueuedMail)) -> Result<(), Error> {
        self.read(|queries| operator::mails(queries, show))
    }

    /// Makes a mail, or all, due at once; returns how many.
    pub fn retry_mail(&self, id: Option<i64>, now: Timestamp) -> Result<usize, Error> {
        self.write_rows(|queries| operator::retry_mail(queries, id, now))
    }

    /// Deletes a mail that is not to be sent; false if there is none with this number.
    pub fn drop_mail(&self, id: i64) -> Result<bool, Error> {
        self.write_rows(|queries| delivery::delete(queries, id))
    }
}
