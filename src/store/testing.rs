//! A database across a network, for tests: that of a file, whose reads count as waits, and which
//! can be cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Store;
use super::driver::{
    Abort, Concurrency, Dialect, Driver, Fault, Queries, Reading, Row, Value, Writing,
};

/// The network between a store and its database.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// Whether nothing gets through.
    pub(crate) down: AtomicBool,
    /// How often something was read, and how often written.
    pub(crate) reads: AtomicUsize,
    pub(crate) writes: AtomicUsize,
    /// How many rows were read.
    pub(crate) rows: AtomicUsize,
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

/// Counts the rows of answers.
struct Counting<'a> {
    queries: &'a mut dyn Queries,
    rows: &'a AtomicUsize,
}

impl Queries for Counting<'_> {
    fn dialect(&self) -> Dialect {
        self.queries.dialect()
    }

    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, Fault> {
        self.queries.execute(sql, values)
    }

    fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let rows = self.rows;
        self.queries.query(sql, values, &mut |found| {
            rows.fetch_add(1, Ordering::SeqCst);
            row(found)
        })
    }

    fn query_first(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let rows = self.rows;
        self.queries.query_first(sql, values, &mut |found| {
            rows.fetch_add(1, Ordering::SeqCst);
            row(found)
        })
    }

    fn execute_each(&mut self, sql: &'static str, sets: &[&[Value<'_>]]) -> Result<(), Fault> {
        self.queries.execute_each(sql, sets)
    }
}

impl Driver for Remote {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        let network = &self.network;
        network.pass(&network.reads)?;
        self.driver.read(&mut |queries| work(&mut Counting { queries, rows: &network.rows }))
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
