//! A database across a network, for tests: that of a file, whose reads count as waits, and which
//! can be cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Store;
use super::driver::{Abort, Concurrency, Driver, Fault, Reading, Writing};

/// The network between a store and its database.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// Whether nothing gets through.
    pub(crate) down: AtomicBool,
    /// How often something was read, and how often written.
    pub(crate) reads: AtomicUsize,
    pub(crate) writes: AtomicUsize,
}

#[derive(Debug)]
struct Remote {
    driver: Box<dyn Driver>,
    network: Arc<Network>,
}

impl Store {
    /// The same store with its database across a network.
    pub(crate) fn across(self, network: &Arc<Network>) -> Store {
        let driver = Box::new(Remote { driver: self.driver, network: Arc::clone(network) });
        Store { driver, ..self }
    }
}

impl Network {
    fn pass(&self, count: &AtomicUsize) -> Result<(), Fault> {
        count.fetch_add(1, Ordering::SeqCst);
        match self.down.load(Ordering::SeqCst) {
            true => Err(Fault::Unavailable("the network is down".into())),
            false => Ok(()),
        }
    }
}

impl Driver for Remote {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        self.network.pass(&self.network.reads)?;
        self.driver.read(work)
    }

    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.network.pass(&self.network.writes)?;
        self.driver.write(work)
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency { reads: Some(2), checks: 1, writes: 2 }
    }

    fn leads(&self) -> bool {
        self.driver.leads()
    }

    fn upkeep(&self, busy: bool) {
        self.driver.upkeep(busy);
    }

    fn settle(&self) -> Result<(), Fault> {
        self.driver.settle()
    }
}
