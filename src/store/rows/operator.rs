//! Statements that only the command line runs.

use super::counters;
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};
use crate::store::imported::MAX_ID;

/// Ids of users that a restored database does not give out: more than people can register between
/// two backups.
const SKIPPED_IDS: i64 = 1_000_000;

/// Ends all sessions, and voids one-time tokens and the mails with their links. Foreign tokens that
/// were issued up to `now` are not adopted any more.
pub(in crate::store) fn end_everything(
    queries: &mut dyn Queries,
    now: Timestamp,
) -> Result<(), Fault> {
    for (sql, values) in [
        ("UPDATE sessions SET ended = $1 WHERE ended IS NULL", &[now.into()][..]),
        ("UPDATE users SET tokens_after = $1 WHERE tokens_after < $1", &[now.into()]),
        ("DELETE FROM tickets", &[]),
        ("DELETE FROM outbox WHERE jti IS NOT NULL", &[]),
    ] {
        queries.execute(sql, values)?;
    }
    Ok(())
}

/// Raises the counter of users' ids in a database that is restored: somebody who registered after
/// the backup may still have tokens with the next id. Near [`MAX_ID`] it takes half of what is left.
pub(in crate::store) fn skip_ids(queries: &mut dyn Queries) -> Result<(), Fault> {
    let last = counters::last_user(queries)?;
    let left = MAX_ID.saturating_sub(last).max(0);
    counters::raise_users(queries, last + SKIPPED_IDS.min(left / 2))
}
