//! What an app shares with the one that a reload puts in its place: the database, the hasher, and what
//! is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};

use super::broken;
use super::seen::Seen;
use super::seldom::Warnings;
use super::setup::Setup;
use crate::config::Config;
use crate::error::Problem;
use crate::guard::{Attempts, Hasher};
use crate::store::Store;

/// What sweeps have done since the start.
#[derive(Debug, Default)]
pub(crate) struct Sweeps {
    /// How many there were, and how many rows they have deleted.
    pub(crate) count: AtomicU64,
    pub(crate) rows: AtomicU64,
    /// When the last one was; 0 if there was none.
    pub(crate) last: AtomicI64,
}

/// What an app shares with the one that takes its place.
pub(super) struct Shared {
    pub(super) store: Arc<Store>,
    pub(super) hasher: Arc<Hasher>,
    pub(super) attempts: Arc<Attempts>,
    pub(super) busy: Arc<AtomicBool>,
    pub(super) background: Arc<AtomicBool>,
    pub(super) stopping: Arc<AtomicBool>,
    pub(super) sweeps: Arc<Sweeps>,
    pub(super) seen: Arc<Seen>,
    pub(super) warnings: Arc<Warnings>,
    pub(super) setup: Arc<Setup>,
}

impl Shared {
    pub(super) fn open(config: &Config) -> Result<Shared, Problem> {
        Ok(Shared {
            store: Arc::new(open_store(config)?),
            hasher: Arc::new(hasher(config)?),
            attempts: Arc::new(Attempts::new(config.throttle)),
            busy: Arc::default(),
            background: Arc::default(),
            stopping: Arc::default(),
            sweeps: Arc::default(),
            seen: Arc::default(),
            warnings: Arc::default(),
            setup: Arc::default(),
        })
    }
}

/// Makes what hashes passwords.
fn hasher(config: &Config) -> Result<Hasher, Problem> {
    let (threads, cost) = (config.engine.slow_workers, config.hash_cost()?);
    Hasher::with(threads, cost, config.hash_kernel).map_err(broken)
}

/// Opens the database.
fn open_store(config: &Config) -> Result<Store, Problem> {
    // The threads that read a file: the workers, those that hash, one that writes, one that mails;
    // that of the metrics, whose counts take long.
    let metrics = usize::from(config.metrics.is_some());
    let readers = config.engine.workers + config.engine.slow_workers + 2 + metrics;
    let store = Store::open(&config.database, readers)?;
    store.allow_mapping(config.database_map);
    // The server says that it runs, even one that starts no background threads: a copy of the
    // database is refused meanwhile.
    store.leads();
    Ok(store)
}
