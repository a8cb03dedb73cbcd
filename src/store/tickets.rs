//! Tickets that set a new password: tokens that can each be used once. A ticket is good while its
//! row is there, and void when its user is deactivated or gets another password.

use super::driver::Fault;
use super::entry::{Entry, Event};
use super::mail_kind::MailKind;
use super::notices::Notice;
use super::outbox::{self, LinkMail};
use super::rows::tickets::{self, TicketPurpose};
use super::transaction::Transaction;
use super::{Authority, Change, NewSession, NewUser, Person, Store, rows, users};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{Email, FactorUse, PasswordHash};

/// A ticket with which a user can set a new password.
#[derive(Debug, Clone, Copy)]
pub struct Ticket<'a> {
    /// The `jti` claim of the token.
    pub jti: &'a str,
    /// The user's id.
    pub user: i64,
    /// The last second in which it can be used.
    pub expires: Timestamp,
}

/// What comes with a ticket that is used.
#[derive(Debug, Clone, Copy)]
pub struct PasswordReset<'a> {
    /// The new password.
    pub hash: &'a PasswordHash,
    /// The code of the second factor that is used up.
    pub second: Option<&'a FactorUse>,
    /// The session that begins with it; all others end.
    pub session: &'a NewSession<'a>,
}

impl Store {
    /// Keeps a ticket, in the place of another one of the user, and mails it to `email` if that is
    /// given; false if there is no such user, or the user is inactive.
    pub fn hand_out(
        &self,
        ticket: &Ticket<'_>,
        email: Option<&Email>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let user = rows::emails::addressee(transaction, ticket.user)?;
            if !user.is_some_and(|user| user.person.active) {
                return Ok(false);
            }
            // A user who needs a second ticket may have lost the first to somebody else.
            tickets::delete_of_user_for(transaction, ticket.user, TicketPurpose::Reset)?;
            insert(transaction, ticket, by)?;
            if let Some(email) = email {
                outbox::must_have_room(transaction)?;
                let mail = LinkMail { email, jti: ticket.jti, expires: ticket.expires };
                outbox::put(transaction, MailKind::Reset, Some(ticket.user), &mail, "")?;
            }
            transaction.record(entry)?;
            Ok(true)
        })
    }

    /// Makes an account without a password for another person, as [`Store::add`] does, and keeps the
    /// ticket that sets one, whose user becomes the new one.
    pub fn add_with_ticket(
        &self,
        user: &NewUser<'_>,
        ticket: &Ticket<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<i64, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let id = users::add(transaction, user, None, entry)?;
            insert(transaction, &Ticket { user: id, ..*ticket }, by)?;
            let event = Event::ResetLink;
            transaction.record(&Entry { event, user: Some(id), detail: "", ..entry.clone() })?;
            Ok(id)
        })
    }

    /// The user of a ticket that can set a password, if it can be used.
    pub fn holder(&self, jti: &str, now: Timestamp) -> Result<Option<Person>, Error> {
        self.read(|queries| tickets::holder(queries, jti, now))
    }

    /// Uses a ticket: sets the password, ends all sessions and begins one, all or nothing. False if
    /// the ticket can no longer be used, or the second factor cannot be used up.
    pub fn reset(
        &self,
        jti: &str,
        reset: &PasswordReset<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            // Of two who use the ticket at once, the second finds none: the new password voids it.
            let Some(Person { id, .. }) = tickets::holder(transaction, jti, now)? else {
                return Ok(false);
            };
            if !transaction.admit(id, reset.second, entry)? {
                return Ok(false);
            }
            let change = Change::Password {
                hash: reset.hash,
                session: Some(reset.session),
                keep_app_passwords: false,
            };
            users::apply(transaction, id, &change)?;
            rows::users::logged_in(transaction, id, reset.session)?;
            transaction.tell(&Notice::new(MailKind::PasswordChanged, id))?;
            transaction.record(entry)?;
            Ok(true)
        })
    }
}

/// Keeps a ticket that sets a password.
pub(super) fn insert(
    transaction: &mut Transaction<'_>,
    ticket: &Ticket<'_>,
    by: &Authority<'_>,
) -> Result<(), Fault> {
    let row = tickets::Row {
        jti: ticket.jti,
        user: ticket.user,
        purpose: TicketPurpose::Reset,
        expires: ticket.expires,
        email: None,
        creator: by.admin(),
    };
    tickets::insert(transaction, &row)
}
