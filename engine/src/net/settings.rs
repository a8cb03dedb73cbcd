//! The size of the engine.

use std::time::Duration;

use super::Watchdog;
use crate::http::{Limits, Pool};

/// The size of the engine.
///
/// ```
/// # use lictor_engine as lictor;
/// let mut settings = lictor::net::Settings::default();
/// settings.max_connections = 500;
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Settings {
    /// Threads that answer requests; 2 or the number of cores, whichever is more.
    pub workers: usize,
    /// Threads that hash passwords; the number of cores.
    pub slow_workers: usize,
    /// The nice value of pool threads (10), so that workers come first.
    pub slow_nice: i32,
    /// Requests that may wait for each pool (256); more are answered 503.
    pub slow_queue: usize,
    /// How many of them may be of one client, an IPv6 /64 counting as one client (64).
    pub slow_per_ip: usize,
    /// Open connections (10,000); lowered at start to what the descriptor limit allows.
    pub max_connections: usize,
    /// Open connections of one client, an IPv6 /64 counting as one client (1,024).
    pub max_per_ip: u32,
    /// How long requests under way may take to finish after the stop (10 s).
    pub drain_time: Duration,
    /// How long after the request to stop new connections are still accepted and everything is
    /// answered (0 s), so that a load balancer can notice; a second request to stop ends it.
    pub drain_delay: Duration,
    /// Whether the engine serves only a monitor: then it logs its stop at `debug` (no).
    #[doc(hidden)]
    pub quiet: bool,
    /// The watchdog to feed; none by default.
    pub watchdog: Option<Watchdog>,
    /// What one connection may cost.
    pub limits: Limits,
}

impl Settings {
    /// A pool whose queue is as long as these settings say.
    pub fn pool(&self, name: &'static str, threads: usize) -> Pool {
        let (queue, per_client) = (self.slow_queue, self.slow_per_ip);
        Pool { queue, per_client, ..Pool::new(name, threads) }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Settings {
            workers: cores.max(2),
            slow_workers: cores,
            slow_nice: 10,
            slow_queue: 256,
            slow_per_ip: 64,
            max_connections: 10_000,
            max_per_ip: 1_024,
            drain_time: Duration::from_secs(10),
            drain_delay: Duration::ZERO,
            quiet: false,
            watchdog: None,
            limits: Limits::default(),
        }
    }
}
