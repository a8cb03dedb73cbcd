//! Counts the wrong passwords of each account since its last login, its last change of password,
//! the last `unlock` and the last activation. A token of another program is no login.

use super::Store;
use super::consecutive::GUARDED;
use super::entry::{Entry, Event};
use super::mail_kind::MailKind;
use super::notices::Notice;
use super::rows::failures;
use crate::clock::Timestamp;
use crate::error::Error;

impl Store {
    /// Keeps the entry of a login that failed, and counts it at the entry's user if fewer than
    /// `limit` are counted there. The user is told of the [`GUARDED`]th, once. Takes the same time
    /// whether there is such a user or not. The entry is logged even if it cannot be kept.
    pub fn fail(&self, entry: &Entry<'_>, limit: u32, now: Timestamp) -> Result<(), Error> {
        let written = self.write(now, |transaction| {
            let count = failures::count(transaction, entry.user, limit)?;
            transaction.record(entry)?;
            if let (Some(user), Some(GUARDED)) = (entry.user, count) {
                transaction.record(&Entry {
                    event: Event::Guarded,
                    detail: "",
                    ..entry.clone()
                })?;
                transaction.tell(&Notice::new(MailKind::Guarded, user))?;
            }
            Ok(())
        });
        written.inspect_err(|_| entry.log())
    }
}
