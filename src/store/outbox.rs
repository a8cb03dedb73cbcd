//! The outbox: mails are put there in the transaction of what causes them. Whom a mail goes to, and
//! whether it still goes to anybody, is decided when it is sent; so a request takes the same time
//! whether its e-mail address belongs to an account or not.

use super::driver::{Abort, Fault};
use super::entry::{Entry, Event};
use super::mail_kind::MailKind;
use super::notices::MAX_NOTICES;
use super::rows::outbox::{self, MailState, NewMail};
use super::transaction::Transaction;
use super::{Authority, Store, rows};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::Email;

/// Mails with a link that can wait at the same time. Strangers can cause them. Beyond this, a
/// request that would cause another one is refused for now.
pub(super) const MAX_WAITING: i64 = 10_000;

/// A mail with a link that can be used once.
#[derive(Debug, Clone, Copy)]
pub struct LinkMail<'a> {
    /// The address that it goes to.
    pub email: &'a Email,
    /// The `jti` claim of the token in its link; for an invitation, what its code is derived from.
    pub jti: &'a str,
    /// The last second in which the link can be used.
    pub expires: Timestamp,
}

/// Seconds for which a server that sends no mail keeps a notice. Another server on the same
/// database may send it, or this one after a start with the right settings.
const UNSENT_NOTICE_AGE: i64 = 3_600;

impl Store {
    /// Queues the mail that resets the password of the account with this e-mail address.
    /// The mailer looks the account up when it sends the mail.
    pub fn request_reset(
        &self,
        mail: &LinkMail<'_>,
        client: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(now, |transaction| {
            must_have_room(transaction)?;
            Ok(put(transaction, MailKind::Reset, None, mail, client)?)
        })
    }

    /// Queues a mail that shows whether mail arrives; returns its number.
    pub fn test_mail(
        &self,
        user: i64,
        email: &Email,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<i64, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            if !transaction.has_room(MAX_NOTICES, outbox::count_waiting_notices)? {
                return Err(Abort::Rule(Error::Unavailable("the outbox is full".into())));
            }
            let message = transaction.message_id()?;
            let (kind, user, email) = (MailKind::Test, Some(user), email.as_str());
            let mail = NewMail { message: &message, kind, user, email, link: None, detail: "" };
            let id = outbox::insert(transaction, &mail, now)?;
            transaction.mailed();
            transaction.record(entry)?;
            Ok(id)
        })
    }

    /// How far a test mail is that a user has asked for; `None` if there is none with this number, or
    /// it was deleted before it was sent.
    pub fn test_mail_state(&self, id: i64, user: i64) -> Result<Option<MailState>, Error> {
        self.read(|queries| {
            if let Some(state) = outbox::state(queries, id, MailKind::Test)? {
                return Ok(Some(state));
            }
            let is_sent = rows::audit::has(queries, user, Event::TestMail, &sent(id))?;
            Ok(is_sent.then_some(MailState::Sent))
        })
    }

    /// Deletes notices that are [`UNSENT_NOTICE_AGE`] old, for a server that sends no mail; returns
    /// how many.
    pub fn discard_notices(&self, now: Timestamp) -> Result<usize, Error> {
        let before = Timestamp(now.0.saturating_sub(UNSENT_NOTICE_AGE));
        // A read first, so that no transaction begins while there is nothing to delete.
        match self.read(|queries| outbox::has_notices(queries, before))? {
            true => self.write_rows(|queries| outbox::delete_notices(queries, before)),
            false => Ok(0),
        }
    }
}

/// The detail of the audit entry about a test mail that was sent.
pub(super) fn sent(id: i64) -> String {
    format!("mail {id} was sent")
}

/// Refuses the request if no further mail with a link may wait.
pub(super) fn must_have_room(transaction: &mut Transaction<'_>) -> Result<(), Abort> {
    match transaction.has_room(MAX_WAITING, outbox::count_waiting_links)? {
        true => Ok(()),
        false => Err(Abort::Rule(Error::Unavailable("the outbox is full".into()))),
    }
}

/// Puts a mail with a link into the outbox.
pub(super) fn put(
    transaction: &mut Transaction<'_>,
    kind: MailKind,
    user: Option<i64>,
    mail: &LinkMail<'_>,
    detail: &str,
) -> Result<(), Fault> {
    let message = transaction.message_id()?;
    let (email, link) = (mail.email.as_str(), Some((mail.jti, mail.expires)));
    let mail = NewMail { message: &message, kind, user, email, link, detail };
    let now = transaction.now;
    outbox::insert(transaction, &mail, now)?;
    transaction.mailed();
    Ok(())
}
