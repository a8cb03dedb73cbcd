//! Wrong passwords, as the program speaks of them.

use std::net::IpAddr;

use super::audit::Entry;
use crate::clock::Timestamp;
use crate::error::Error;

/// What is counted of each account: wrong passwords since the last login, and since another
/// password, an administrator's `unlock` and activation. A token of another program is no login.
pub trait Failures {
    /// Keeps the entry of a login that failed, and counts it at the entry's user if fewer than
    /// `limit` are counted there. When it is the [`GUARDED`](crate::store::GUARDED)th, the user
    /// is told, once. Takes the same time whether there is such a user or not.
    fn fail(&self, entry: &Entry<'_>, limit: u32, now: Timestamp) -> Result<(), Error>;

    /// Whether a session of the user that is kept began at this address or was refreshed there,
    /// since all sessions were ended last. Reads the user's sessions: ask when a try was admitted.
    fn was_at(&self, user: i64, address: IpAddr) -> Result<bool, Error>;
}
