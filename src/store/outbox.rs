//! The outbox: mails are put there in the transaction of what causes them. Whom a mail goes to, and
//! whether it still goes to anybody, is decided when it is sent; so a request takes the same time
//! whether its e-mail address belongs to an account or not.

use super::Store;
use super::driver::{Abort, Fault};
use super::mail_kind::MailKind;
use super::rows::outbox::{self, NewMail};
use super::transaction::Transaction;
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
    /// The `jti` claim of the token in its link.
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
