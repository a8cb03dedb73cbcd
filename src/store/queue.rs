//! The outbox as administrators see it: which mails wait or were given up, trying one again at once,
//! and deleting one that is not to be sent.

use super::driver::Abort;
use super::entry::Entry;
use super::rows::Page;
use super::rows::queue::{self, QueuedMail};
use super::{Authority, Store};
use crate::clock::Timestamp;
use crate::error::Error;

/// What to do with a mail in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailChange {
    /// Try to send it now.
    Retry,
    /// Delete it.
    Drop,
}

impl Store {
    /// The mails in the outbox after a number, the oldest first.
    pub fn mails_after(&self, after: i64, limit: u32) -> Result<Page<QueuedMail>, Error> {
        self.read(|queries| queue::after(queries, after, limit))
    }

    /// Changes a mail; false if there is none with this number. The entry gets the account that the
    /// mail is about, and its kind. [`Error::LinkExpired`] if a mail that is to be tried again would have a
    /// link that is good no longer.
    pub fn change_mail(
        &self,
        id: i64,
        change: MailChange,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let Some(mail) = queue::with_id(transaction, id)? else { return Ok(false) };
            match change {
                MailChange::Retry => {
                    if queue::retry(transaction, Some(id), now)? == 0 {
                        return Err(Abort::Rule(Error::LinkExpired));
                    }
                    transaction.mailed();
                }
                MailChange::Drop => drop(queue::delete(transaction, id)?),
            }
            let (user, name) = (mail.user, mail.name.as_deref());
            transaction.record(&Entry { user, name, detail: &mail.kind, ..entry.clone() })?;
            Ok(true)
        })
    }
}
