//! Accounts: credentials, changes and what they end, and the last administrator. Each method that
//! changes an account takes the audit entry of the change, and writes both or neither.

use super::Store;
use super::authority::Authority;
use super::driver::{Abort, Fault};
use super::entry::Entry;
use super::mail_kind::MailKind;
use super::notices::Notice;
use super::rows::new_users::{self, NewUser};
use super::rows::search::{self, UserPage, UserQuery};
use super::rows::sessions::NewSession;
use super::rows::tickets::TicketPurpose;
use super::rows::users::{Account, Credentials, LoginKeys, Person};
use super::rows::{app_passwords, invitations, sessions, tickets, users, waiting};
use super::sessions::{end_all, insert as insert_session};
use super::transaction::Transaction;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{Email, PasswordHash, Roles, Username};

/// A change to one user, with what follows from it for the user's sessions, tickets and
/// invitations: those of a user who no longer administrates are void.
#[derive(Debug)]
pub enum Change<'a> {
    /// A new password; ends all sessions, and app passwords unless they are kept.
    Password {
        /// The new one.
        hash: &'a PasswordHash,
        /// The session that begins with it.
        session: Option<&'a NewSession<'a>>,
        /// Whether the user keeps the app passwords.
        keep_app_passwords: bool,
    },
    /// Other roles.
    Roles(&'a Roles),
    /// Activates or deactivates the user; deactivation ends all sessions.
    Active(bool),
}

impl Store {
    /// The user with this id.
    pub fn person(&self, id: i64) -> Result<Option<Person>, Error> {
        self.read(|queries| users::person_of(queries, id))
    }

    /// The user who logs in with `login`: an e-mail address or a username.
    pub fn credentials(&self, login: &str) -> Result<Option<Credentials>, Error> {
        match keys_of(login) {
            (None, None) => Ok(None),
            (email, name) => self.read(|queries| {
                users::credentials_by_login(queries, email.as_ref(), name.as_ref())
            }),
        }
    }

    /// The time up to which all sessions of the user `id` were ended, if `login` is the name or the
    /// e-mail address of this user. Reads the row of this user alone, so its time says nothing of
    /// other accounts.
    pub fn tokens_after(&self, id: i64, login: &str) -> Result<Option<Timestamp>, Error> {
        let (email, name) = keys_of(login);
        let found = self.read(|queries| users::login_keys_of(queries, id))?;
        let is_named = |keys: &LoginKeys| {
            let email = email.is_some_and(|email| keys.email.as_deref() == Some(email.key()));
            email || name.is_some_and(|name| keys.name == name.key())
        };
        Ok(found.filter(is_named).map(|keys| keys.tokens_after))
    }

    /// The same by id, for a user who is logged in.
    pub fn credentials_of(&self, id: i64) -> Result<Option<Credentials>, Error> {
        self.read(|queries| users::credentials_of(queries, id))
    }

    /// Makes an account for another person; returns the id. [`Error::UsernameTaken`] or
    /// [`Error::EmailTaken`].
    pub fn add(
        &self,
        user: &NewUser<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<i64, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            add(transaction, user, None, entry)
        })
    }

    /// Makes the account of a person who registers, with the first session; returns the id. The
    /// errors are those of [`Store::add`].
    pub fn register_with_session(
        &self,
        user: &NewUser<'_>,
        session: &NewSession<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<i64, Error> {
        self.write(now, |transaction| add(transaction, user, Some(session), entry))
    }

    /// Puts a stronger hash of the same password in the place of `old`, and keeps the entry that
    /// tells of it, if there is one; false if the hash has changed.
    pub fn strengthen(
        &self,
        id: i64,
        old: &PasswordHash,
        new: &PasswordHash,
        entry: Option<&Entry<'_>>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            let replaced = users::replace_hash(transaction, id, old, new)?;
            if let Some(entry) = entry.filter(|_| replaced) {
                transaction.record(entry)?;
            }
            Ok(replaced)
        })
    }

    /// The account with this id.
    pub fn account_of(&self, id: i64) -> Result<Option<Account>, Error> {
        self.read(|queries| users::account_of(queries, id))
    }

    /// The account with this name.
    pub fn account(&self, name: &Username) -> Result<Option<Account>, Error> {
        self.read(|queries| match users::credentials_by_name(queries, name)? {
            Some(found) => users::account_of(queries, found.person.id),
            None => Ok(None),
        })
    }

    /// A page of the accounts that a search finds.
    pub fn seek(&self, query: &UserQuery<'_>) -> Result<UserPage, Error> {
        self.read(|queries| search::search(queries, query))
    }

    /// Changes a user; false if there is none with this id. [`Error::LastAdmin`] if no active
    /// administrator with a password would be left.
    pub fn change(
        &self,
        id: i64,
        change: &Change<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            self::change(transaction, id, change, entry)
        })
    }

    /// Forgets failed logins of a user up to now; false if there is none with this id.
    pub fn unlock(
        &self,
        id: i64,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let found = users::unlock(transaction, id, now)?;
            if found {
                transaction.record(entry)?;
            }
            Ok(found)
        })
    }

    /// Deletes a user, and tells them by mail; false if there is none with this id. The id is not
    /// given out again. [`Error::LastAdmin`] if no active administrator with a password would be
    /// left.
    pub fn delete(
        &self,
        id: i64,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            transaction.tell_of_deletion(id)?;
            let was_admin = users::is_usable_admin(transaction, id)?;
            revoke_promises(transaction, id)?;
            if !users::delete(transaction, id)? {
                return Ok(false);
            }
            if was_admin {
                must_have_an_admin(transaction)?;
            }
            transaction.record(entry)?;
            Ok(true)
        })
    }
}

/// What `login` can be: an e-mail address, a username, or both. As both, it is the e-mail address of
/// one account before it is the name of another.
fn keys_of(login: &str) -> (Option<Email>, Option<Username>) {
    let email = Email::parse(login).ok();
    // A name that is an e-mail address is reached by every spelling of this address: the throttle
    // counts all of them as one.
    let is_one = |name: &Username| match &email {
        Some(email) => Email::parse(name.key()).is_ok_and(|named| named.key() == email.key()),
        None => true,
    };
    let name = Username::parse(login).ok().filter(is_one);
    (email, name)
}

/// Seconds for which a name is kept for a person who has registered and not yet confirmed an e-mail
/// address. After that, whoever takes the name first with another address has it.
const RESERVED: i64 = 3_600;

/// The time up to which a registration no longer keeps its name.
pub(in crate::store) fn reserved_before(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(RESERVED))
}

/// Makes a user, in the transaction of whatever else is written with it; returns the id.
pub(in crate::store) fn add(
    transaction: &mut Transaction<'_>,
    user: &NewUser<'_>,
    session: Option<&NewSession<'_>>,
    entry: &Entry<'_>,
) -> Result<i64, Abort> {
    insert(transaction, user, session, entry, &mut |transaction| {
        let now = transaction.now;
        waiting::free_name(transaction, user.name, reserved_before(now), now)
    })
}

/// The same for a user who must confirm the e-mail address `email`. A waiting account that was mailed
/// at this address keeps its name. Otherwise its address is remembered, and no mail goes there to
/// confirm the new account.
pub(in crate::store) fn add_unconfirmed(
    transaction: &mut Transaction<'_>,
    user: &NewUser<'_>,
    email: &Email,
    entry: &Entry<'_>,
) -> Result<i64, Abort> {
    let mut earlier = Vec::new();
    let id = insert(transaction, user, None, entry, &mut |transaction| {
        let now = transaction.now;
        let before = reserved_before(now);
        earlier = waiting::free_name_for(transaction, user.name, email, before, now)?;
        Ok(())
    })?;
    waiting::keep_former(transaction, id, &earlier)?;
    Ok(id)
}

/// Inserts a user. `free` runs only if the name is taken: what it reads would make registrations
/// conflict that have nothing to do with each other.
fn insert(
    transaction: &mut Transaction<'_>,
    user: &NewUser<'_>,
    session: Option<&NewSession<'_>>,
    entry: &Entry<'_>,
    free: &mut dyn FnMut(&mut Transaction<'_>) -> Result<(), Fault>,
) -> Result<i64, Abort> {
    let now = transaction.now;
    let id = match new_users::insert_if_free(transaction, user, (session, now))? {
        Some(id) => id,
        None => {
            free(transaction)?;
            new_users::insert(transaction, user, (session, now))?
        }
    };
    if let Some(session) = session {
        sessions::insert(transaction, id, session)?;
    }
    transaction.record(&Entry { user: Some(id), ..entry.clone() })?;
    Ok(id)
}

/// Makes a change with its entry and its notice, in the transaction of whatever else is written with
/// it; false if there is no such user.
pub(in crate::store) fn change(
    transaction: &mut Transaction<'_>,
    id: i64,
    change: &Change<'_>,
    entry: &Entry<'_>,
) -> Result<bool, Abort> {
    let was_admin = users::is_usable_admin(transaction, id)?;
    if !apply(transaction, id, change)? {
        return Ok(false);
    }
    if matches!(change, Change::Password { .. }) {
        transaction.tell(&Notice::new(MailKind::PasswordChanged, id))?;
    }
    if was_admin && !users::is_usable_admin(transaction, id)? {
        must_have_an_admin(transaction)?;
    }
    transaction.record(entry)?;
    Ok(true)
}

/// Makes a change, in the transaction of whatever else is written with it; false if there is no
/// such user.
pub(in crate::store) fn apply(
    transaction: &mut Transaction<'_>,
    id: i64,
    change: &Change<'_>,
) -> Result<bool, Fault> {
    let changed = match change {
        Change::Password { hash, .. } => users::set_password(transaction, id, hash)?,
        Change::Roles(roles) => users::set_roles(transaction, id, roles)?,
        // The address of a registration is no longer waited for: an administrator has decided.
        Change::Active(true) => users::activate(transaction, id)?,
        Change::Active(false) => users::deactivate(transaction, id)?,
    };
    if !changed {
        return Ok(false);
    }
    end_what_depends(transaction, id, change)?;
    if !users::is_admin(transaction, id)? {
        revoke_promises(transaction, id)?;
    }
    Ok(true)
}

/// Ends what a change ends of the user's sessions, app passwords and tickets, and begins the session
/// that comes with it.
fn end_what_depends(
    transaction: &mut Transaction<'_>,
    id: i64,
    change: &Change<'_>,
) -> Result<(), Fault> {
    match change {
        Change::Password { session, keep_app_passwords, .. } => {
            if !keep_app_passwords {
                app_passwords::delete_of_user(transaction, id)?;
            }
            end_all(transaction, id)?;
            tickets::delete_of_user(transaction, id)?;
            if let Some(session) = session {
                insert_session(transaction, id, session)?;
            }
        }
        Change::Active(false) => {
            end_all(transaction, id)?;
            tickets::delete_of_user(transaction, id)?;
        }
        // Nobody has shown since that the address of the registration is the user's.
        Change::Active(true) => {
            tickets::delete_of_user_for(transaction, id, TicketPurpose::Registration)?;
        }
        Change::Roles(_) => {}
    }
    Ok(())
}

/// Voids the invitations and reset links of a user who no longer administrates.
fn revoke_promises(transaction: &mut Transaction<'_>, creator: i64) -> Result<(), Fault> {
    invitations::delete_of_creator(transaction, creator)?;
    tickets::delete_of_creator(transaction, creator)
}

/// Undoes a transaction that left no active administrator with a password. One without cannot log in,
/// and its reset link may expire or be void, so that nobody could administrate.
fn must_have_an_admin(transaction: &mut Transaction<'_>) -> Result<(), Abort> {
    match users::any_admin(transaction)? {
        true => Ok(()),
        false => Err(Abort::Rule(Error::LastAdmin)),
    }
}
