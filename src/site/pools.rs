//! The pools of a site, and which of them answers a route.

use super::Site;
use crate::http::Pool;
use crate::route::Blocking;

/// The numbers of the pools: for hashes and searches, for writes; with a database across a network
/// also for reads, and for checks of tokens.
pub(super) const HASH: usize = 0;
pub(super) const WRITE: usize = 1;
pub(super) const READ: usize = 2;
pub(super) const CHECK: usize = 3;
/// Their names, in the order of their numbers.
pub(crate) const NAMES: [&str; 4] = ["hash", "write", "read", "check"];

/// Tokens that are checked in one query, at most.
const CHECKS: usize = 256;

impl Site {
    /// Returns the pool that answers what waits like this; `None` is the worker itself.
    pub(super) fn pool(&self, blocking: Blocking) -> Option<usize> {
        match blocking {
            Blocking::Nothing => None,
            Blocking::Read => self.concurrency.reads.map(|_| READ),
            Blocking::Search => Some(self.concurrency.reads.map_or(HASH, |_| READ)),
            Blocking::Write => Some(WRITE),
            Blocking::Hash => Some(HASH),
        }
    }

    /// Returns all pools, in the order of their numbers.
    pub(crate) fn all_pools(&self) -> Vec<Pool> {
        let app = self.app.get();
        let mut settings = app.config.engine;
        if !app.config.throttle {
            // Load tests come from one IP address.
            settings.slow_per_ip = settings.slow_queue;
        }
        let hash = settings.pool(NAMES[HASH], settings.slow_workers);
        // Many threads only wait for the same sync of the disk; idle, there is one.
        let mut write = settings.pool(NAMES[WRITE], self.concurrency.writes);
        write.started = 1;
        let mut pools = vec![hash, write];
        if let Some(threads) = self.concurrency.reads {
            pools.push(settings.pool(NAMES[READ], threads));
            // No shares of clients: with 64 connections a client may well have 64 requests under
            // way. A check costs little, and connections are limited for each client.
            pools.push(Pool::batched(NAMES[CHECK], self.concurrency.checks, CHECKS));
        }
        pools
    }
}
