//! What only the command line calls: inspecting a database without opening it, all accounts, all
//! mails, and what an operator does to either. Compiled for the command line.

#[cfg(feature = "cli")]
use super::driver::Abort;
use super::driver::Watch;
use super::entry::Entry;
#[cfg(feature = "postgres")]
use super::postgres;
use super::rows::queue::{self, QueuedMail};
use super::rows::search::UserQuery;
#[cfg(feature = "cli")]
use super::rows::users;
use super::rows::users::Account;
use super::sqlite::inspect;
#[cfg(feature = "cli")]
use super::sqlite::open;
#[cfg(feature = "cli")]
use super::users::{Change, change};
use super::{Database, Inspection, Store};
use crate::clock::Timestamp;
use crate::error::{Error, Problem};
#[cfg(feature = "cli")]
use crate::values::Roles;

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

    /// Whether there are tokens that a key of the server has signed: somebody has logged in, or was
    /// sent a link. False if there is no database yet.
    #[cfg(feature = "cli")]
    pub fn has_tokens(database: &Database) -> Result<bool, Problem> {
        match database {
            Database::File(path) => inspect::has_tokens(path),
            #[cfg(feature = "postgres")]
            Database::Postgres(target) => postgres::inspect::has_tokens(target),
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

    /// Shows every account, in the order in which they came.
    pub fn accounts(&self, show: &mut dyn FnMut(Account)) -> Result<(), Error> {
        let mut query = UserQuery { limit: PAGE, ..UserQuery::default() };
        loop {
            let page = self.seek(&query)?;
            page.rows.into_iter().for_each(&mut *show);
            match page.next {
                None => return Ok(()),
                next => query.from = next,
            }
        }
    }

    /// Adds and removes roles of a user; returns those that it has then, `None` if there is no user
    /// with this id. [`Error::LastAdmin`] if no active administrator with a password would be left.
    #[cfg(feature = "cli")]
    pub fn edit_roles(
        &self,
        id: i64,
        add: &Roles,
        remove: &Roles,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<Option<Roles>, Error> {
        self.write(now, |transaction| {
            let Some(person) = users::person_of(transaction, id)? else { return Ok(None) };
            let all = person.roles.iter().chain(add.iter());
            let all = all.filter(|role| remove.iter().all(|removed| removed != *role));
            let roles = Roles::of(all).map_err(Abort::Rule)?;
            let entry = Entry { detail: roles.as_str(), ..entry.clone() };
            change(transaction, id, &Change::Roles(&roles), &entry)?;
            Ok(Some(roles))
        })
    }

    /// Hands each mail in the outbox to `show`, the oldest first.
    pub fn mails(&self, show: &mut dyn FnMut(QueuedMail)) -> Result<(), Error> {
        let mut next = Some(0);
        while let Some(after) = next {
            let page = self.mails_after(after, PAGE)?;
            page.rows.into_iter().for_each(&mut *show);
            next = page.next;
        }
        Ok(())
    }

    /// Makes all mails due at once, but those whose link has expired; returns how many. The entry says
    /// so, if there are any.
    pub fn retry_mails(&self, entry: &Entry<'_>, now: Timestamp) -> Result<usize, Error> {
        self.write(now, |transaction| {
            let mails = queue::retry(transaction, None, now)?;
            if mails > 0 {
                transaction.mailed();
                transaction.record(&Entry { detail: "all", ..entry.clone() })?;
            }
            Ok(mails)
        })
    }
}
