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
use crate::values::{Email, Username};

impl Store {
    /// Keeps the entry of a login that failed, and counts it at the entry's user if fewer than
    /// `limit` are counted there. The user is told of the [`GUARDED`]th, once. Takes the same time
    /// whether there is such a user or not. The entry is logged even if it cannot be kept.
    pub fn fail(&self, entry: &Entry<'_>, limit: u32, now: Timestamp) -> Result<(), Error> {
        self.fail_as(entry, None, limit, now)
    }

    /// Does the same for a name that nobody has. The name itself is not kept.
    pub fn fail_unknown(&self, name: &str, entry: &Entry<'_>, now: Timestamp) -> Result<(), Error> {
        // As a user's names are compared, so that spellings of one name are one.
        let key = match (Email::parse(name), Username::parse(name)) {
            (Ok(email), _) => email.key().to_owned(),
            (_, Ok(name)) => name.key().to_owned(),
            _ => name.to_owned(),
        };
        self.fail_as(entry, Some(&key), 0, now)
    }

    fn fail_as(
        &self,
        entry: &Entry<'_>,
        unknown: Option<&str>,
        limit: u32,
        now: Timestamp,
    ) -> Result<(), Error> {
        let written = self.write(now, |transaction| {
            let count = failures::count(transaction, entry.user, unknown, limit)?;
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
