//! Time, which the edges of the program read and pass to everything else.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since the Unix epoch, as in the claims of a token (RFC 7519, NumericDate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads the system's clock. Only the edges (engine, background, command line) call this.
    pub fn now() -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
            // A machine without a battery starts before 1970: everything counts as new.
            Err(_) => Timestamp(0),
        }
    }

    /// This time, or the first second after `since` if that is later: an event in the same second as
    /// `since` must not count as later than it.
    pub fn after(self, since: Timestamp) -> Timestamp {
        self.max(Timestamp(since.0.saturating_add(1)))
    }
}
