//! Deletes what has expired, a little at a time.

use super::Store;
use super::audit;
use super::rows::expired::{self, Expiring};
use crate::clock::Timestamp;
use crate::error::Error;

/// Seconds for which a mail that could not be sent is kept.
pub(super) const MAIL_KEPT: i64 = 7 * 24 * 3600;

/// Rows of one table that are deleted in one step: few, so that nobody waits long for the writer. Among
/// a million sessions each is on pages of its own.
const SWEPT_AT_ONCE: i64 = 200;

impl Store {
    /// Deletes rows that expired before `now`, and audit entries from before `audit_since`, in one
    /// small step; returns how many. Zero means that nothing is left to delete.
    pub fn sweep(&self, audit_since: Timestamp, now: Timestamp) -> Result<usize, Error> {
        let mails_before = Timestamp(now.0.saturating_sub(MAIL_KEPT));
        self.write(now, |transaction| {
            let mut deleted = audit::sweep(transaction, audit_since, SWEPT_AT_ONCE)?;
            for (what, before) in [
                (Expiring::Sessions, now),
                (Expiring::Tickets, now),
                (Expiring::AppPasswords, now),
                (Expiring::Invitations, now),
                (Expiring::Unconfirmed, now),
                (Expiring::Mails, mails_before),
            ] {
                deleted += expired::delete(transaction, what, before, SWEPT_AT_ONCE)?;
            }
            Ok(deleted)
        })
    }
}
