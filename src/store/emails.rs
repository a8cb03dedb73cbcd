//! How an account gets its e-mail address: a link that is mailed there and followed in time, at
//! registration and for a new address.

use super::driver::{Abort, Fault};
use super::entry::Entry;
use super::mail_kind::{MailKind, NO_EMAIL};
use super::notices::Notice;
use super::outbox::{self, LinkMail};
use super::rows::tickets::{Confirmation, TicketPurpose};
use super::rows::users::Credentials;
use super::transaction::Transaction;
use super::{Authority, NewSession, NewUser, Store, rows, sessions, users};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{Email, PasswordHash, Username};

impl Store {
    /// Makes an account that is inactive until its e-mail address is confirmed, and deleted if that
    /// does not happen in time, with the mail. Whether the address belongs to another account makes
    /// no difference here. Returns the id. [`Error::UsernameTaken`].
    pub fn register(
        &self,
        user: &NewUser<'_>,
        mail: &LinkMail<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<i64, Error> {
        self.write(now, |transaction| {
            outbox::must_have_room(transaction)?;
            let id = users::add_unconfirmed(transaction, user, mail.email, entry)?;
            rows::emails::await_confirmation(transaction, id, mail.expires, now)?;
            insert_ticket(transaction, TicketPurpose::Registration, id, mail)?;
            outbox::put(transaction, MailKind::Registration, Some(id), mail, "")?;
            Ok(id)
        })
    }

    /// The account that waits for its confirmation under this name, if the name is still kept for it:
    /// for some time from everybody, and then from who gives the same address `email`.
    pub fn waiting(
        &self,
        name: &Username,
        email: &Email,
        now: Timestamp,
    ) -> Result<Option<Credentials>, Error> {
        let before = users::reserved_before(now);
        self.read(|queries| rows::waiting::kept(queries, name, email, before, now))
    }

    /// Sends the link of a registration once more, perhaps to another address: the person has shown
    /// the password, whose hash is `hash`. Earlier links become void. [`Error::UsernameTaken`] if the
    /// account no longer waits, or if the address is that of an earlier registration with its name.
    pub fn register_again(
        &self,
        (id, hash): (i64, &PasswordHash),
        mail: &LinkMail<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(now, |transaction| {
            outbox::must_have_room(transaction)?;
            if !rows::waiting::is_waiting_with(transaction, id, hash)?
                || rows::waiting::is_former(transaction, id, mail.email, now)?
            {
                return Err(Abort::Rule(Error::UsernameTaken));
            }
            let registration = TicketPurpose::Registration;
            rows::tickets::delete_of_user_for(transaction, id, registration)?;
            rows::emails::await_confirmation(transaction, id, mail.expires, now)?;
            insert_ticket(transaction, registration, id, mail)?;
            outbox::put(transaction, MailKind::Registration, Some(id), mail, "")?;
            Ok(transaction.record(&Entry { user: Some(id), ..entry.clone() })?)
        })
    }

    /// Does what a registration with a taken name does, and fails like it. So the time does not tell
    /// that the name belongs to an account that waits.
    pub fn register_in_vain(
        &self,
        user: &NewUser<'_>,
        email: &Email,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Error {
        let refused = self.write(now, |transaction| {
            outbox::must_have_room(transaction)?;
            users::add_unconfirmed(transaction, user, email, entry)?;
            Err::<(), _>(Abort::Rule(Error::UsernameTaken))
        });
        refused.err().unwrap_or(Error::UsernameTaken)
    }

    /// Asks a user to confirm a new e-mail address, in the place of one that was proposed before;
    /// false if there is no such user, or the user is inactive.
    pub fn propose_email(
        &self,
        user: i64,
        mail: &LinkMail<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            outbox::must_have_room(transaction)?;
            let addressee = rows::emails::addressee(transaction, user)?;
            if !addressee.is_some_and(|addressee| addressee.person.active) {
                return Ok(false);
            }
            rows::tickets::delete_of_user_for(transaction, user, TicketPurpose::NewEmail)?;
            insert_ticket(transaction, TicketPurpose::NewEmail, user, mail)?;
            outbox::put(transaction, MailKind::NewEmail, Some(user), mail, "")?;
            transaction.record(entry)?;
            Ok(true)
        })
    }

    /// Gives a user another e-mail address, or none, on behalf of an administrator; false if there is
    /// no such user. The former address is told, and links that went there become void.
    /// [`Error::EmailTaken`]; [`Error::UserInactive`] while the account waits for its confirmation.
    pub fn set_email(
        &self,
        user: i64,
        email: Option<&Email>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let Some(account) = rows::users::account_of(transaction, user)? else {
                return Ok(false);
            };
            if account.unconfirmed.is_some() {
                return Err(Abort::Rule(Error::UserInactive));
            }
            let detail = email.map_or(NO_EMAIL, Email::as_str);
            // Goes to the former address, which the account still has.
            transaction.tell(&Notice { kind: MailKind::EmailChanged, user, detail })?;
            rows::emails::replace(transaction, user, email)?;
            for purpose in [TicketPurpose::NewEmail, TicketPurpose::Reset] {
                rows::tickets::delete_of_user_for(transaction, user, purpose)?;
            }
            transaction.record(entry)?;
            Ok(true)
        })
    }

    /// The e-mail address that a ticket confirms, if it can be used.
    pub fn confirmation(&self, jti: &str, now: Timestamp) -> Result<Option<Confirmation>, Error> {
        self.read(|queries| rows::tickets::confirmation(queries, jti, now))
    }

    /// Uses a ticket: from now on the e-mail address is the user's, and a user who registers is
    /// active and logged in with `session`. False if the ticket can no longer be used, if another
    /// account has got the address, or if the account no longer waits for its confirmation.
    // Long: one transaction, step by step.
    pub fn confirm_email(
        &self,
        jti: &str,
        session: Option<&NewSession<'_>>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let confirmed = self.write(now, |transaction| {
            let Some(found) = rows::tickets::confirmation(transaction, jti, now)? else {
                return Ok(false);
            };
            let Ok(email) = Email::parse(&found.email) else { return Ok(false) };
            let id = found.person.id;
            // Every login passes this check. The link carries no code, so it logs nobody in whose
            // account has a second factor.
            if session.is_some() && !(found.registration && transaction.admit(id, None, entry)?) {
                return Ok(false);
            }
            if !found.registration {
                // Goes to the former address, which the account still has.
                transaction.tell(&Notice {
                    kind: MailKind::EmailChanged,
                    user: id,
                    detail: email.as_str(),
                })?;
            }
            rows::emails::set(transaction, id, &email, found.registration)?;
            // A person who can still read the old mailbox must not set a password with a link there.
            rows::tickets::delete_of_user_for(transaction, id, TicketPurpose::Reset)?;
            rows::tickets::delete(transaction, jti)?;
            if let Some(session) = session {
                sessions::insert(transaction, id, session)?;
                rows::users::logged_in(transaction, id, session)?;
            }
            transaction.record(entry)?;
            Ok(true)
        });
        match confirmed {
            // Another account has the address: the database says so, and undoes all of it.
            Err(Error::EmailTaken) => Ok(false),
            confirmed => confirmed,
        }
    }
}

/// Keeps the ticket of a mail that confirms an e-mail address.
fn insert_ticket(
    transaction: &mut Transaction<'_>,
    purpose: TicketPurpose,
    user: i64,
    mail: &LinkMail<'_>,
) -> Result<(), Fault> {
    let row = rows::tickets::Row {
        jti: mail.jti,
        user,
        purpose,
        expires: mail.expires,
        email: Some(mail.email.as_str()),
        creator: None,
    };
    rows::tickets::insert(transaction, &row)
}
