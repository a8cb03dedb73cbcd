//! Time as the rest of the program sees it: passed in, never asked for.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since the Unix epoch, as in the claims of a token (RFC 7519, NumericDate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads the system's clock. Only the edges (engine, command line) call this.
    pub fn now() -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
            // A clock before 1970 is a machine without a battery; everything counts as new.
            Err(_) => Timestamp(0),
        }
    }

    /// This time, or else the first that is later than `since`. Times are in seconds, and what
    /// came just before `since` in the same second must not count for later.
    pub(crate) fn after(self, since: Timestamp) -> Timestamp {
        self.max(Timestamp(since.0.saturating_add(1)))
    }
}
