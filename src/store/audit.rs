//! The audit: entries that go with no change, searches, and how many entries are kept.

use super::Store;
use super::driver::Fault;
use super::entry::Entry;
use super::rows::Page;
use super::rows::audit::{self, AuditQuery, AuditRecord};
use super::transaction::Transaction;
use crate::clock::Timestamp;
use crate::error::Error;

/// Entries of failed logins that are kept, however young they are. Strangers cause them, so they
/// have a share of their own and never push out anything else.
pub(super) const MAX_FAILED: i64 = 300_000;

/// All other entries that are kept, however young they are. Both shares together are a few hundred
/// megabytes.
pub(super) const MAX_OTHERS: i64 = 700_000;

impl Store {
    /// Keeps an audit entry that goes with no change, and logs it. The log has it even if it cannot
    /// be kept.
    pub fn record(&self, entry: &Entry<'_>, now: Timestamp) -> Result<(), Error> {
        let kept = self.write(now, |transaction| Ok(transaction.record(entry)?));
        if kept.is_err() {
            entry.log();
            self.count_event(entry.event);
        }
        kept
    }

    /// The audit entries that `query` asks for, the newest first.
    pub fn recorded(&self, query: &AuditQuery<'_>) -> Result<Page<AuditRecord>, Error> {
        self.read(|queries| audit::select(queries, query))
    }
}

/// Deletes entries from before `since`, and entries of a full share, at most `limit` of each kind;
/// returns how many. It costs the same however many entries there are: each step begins at one end
/// of an index.
pub(super) fn sweep(
    transaction: &mut Transaction<'_>,
    since: Timestamp,
    limit: i64,
) -> Result<usize, Fault> {
    let old = audit::delete_old(transaction, since, limit)?;
    let failed = audit::delete_beyond(transaction, true, MAX_FAILED, limit)?;
    let others = audit::delete_beyond(transaction, false, MAX_OTHERS, limit)?;
    Ok(old + failed + others)
}
