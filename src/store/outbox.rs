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

impl Store {
    /// Keeps that a client wants to reset the password of the account with this e-mail address.
    /// The account is looked for when the mail is sent.
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

    /// Deletes all notices, for a server that sends no mail; returns how many.
    pub fn discard_notices(&self) -> Result<usize, Error> {
        self.write_rows(outbox::delete_notices)
    }
}

/// Refuses the request if no further mail with a link may wait.
pub(super) fn must_have_room(transaction: &mut Transaction<'_>) -> Result<(), Abort> {
    match outbox::count_waiting_links(transaction)? < MAX_WAITING {
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
