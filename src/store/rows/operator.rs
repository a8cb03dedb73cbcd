//! Statements that only the command line runs.

use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};

/// Ends all sessions, and voids one-time tokens and the mails with their links. Foreign tokens that
/// were issued up to `now` are not adopted any more.
#[cfg(feature = "cli")]
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
