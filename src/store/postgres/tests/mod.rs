//! The driver with a real server, through a proxy that loses connections. The tests run if
//! `LICTOR_TEST_POSTGRES` is set to the URL of a database of a superuser.

mod commits;
mod imports;
mod outages;
mod proxy;
mod transactions;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) use self::proxy::Proxy;
use super::Postgres;
use super::databases::TestDatabase;
use super::target::{Address, Target};
use super::wire::{Connection, Statement};
use crate::error::Error;
use crate::store::driver::{Abort, Driver, Fault, Queries, Value};
use crate::store::signal::Signal;

/// Time limit on every wait: enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database with a table for the tests.
struct Scratch(TestDatabase);

impl Scratch {
    /// `None` if there is no server for tests.
    fn make() -> Option<Scratch> {
        let database = TestDatabase::empty()?;
        // What an attempt that failed has left may hold locks.
        database.script(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid();
             SET client_min_messages = error; DROP TABLE IF EXISTS public.probe;
             CREATE TABLE public.probe (name text PRIMARY KEY, number bigint NOT NULL)",
        );
        Some(Scratch(database))
    }

    /// The database behind a port of this machine.
    fn target(&self, port: u16) -> Target {
        let mut target = self.0.target.clone();
        target.hosts[0].address = Address::Tcp("127.0.0.1".into());
        target.hosts[0].port = port;
        target
    }

    /// A connection that does not go through the proxy, and that is none of the driver's.
    fn direct(&self) -> Direct {
        Direct(self.0.connect())
    }

    /// Opens the driver through a proxy.
    fn open(&self, proxy: &Proxy) -> Postgres {
        self.open_with(proxy, |_| {}, &Arc::default())
    }

    fn open_with(
        &self,
        proxy: &Proxy,
        change: impl FnOnce(&mut Target),
        signal: &Arc<Signal>,
    ) -> Postgres {
        let mut target = self.target(proxy.port);
        change(&mut target);
        Postgres::open(&target, signal).unwrap()
    }

    fn proxy(&self) -> Proxy {
        Proxy::to(&self.0.target.hosts[0])
    }

    /// Lets all sessions that begin from now on write, or not.
    fn set_read_only(&self, read_only: bool) {
        let name = &self.0.target.name;
        let sql = format!("ALTER DATABASE {name} SET default_transaction_read_only = {read_only}");
        let mut direct = self.direct();
        direct.run("SET default_transaction_read_only = off");
        direct.run(&sql);
    }
}

impl Drop for Scratch {
    /// The next test may get the same database.
    fn drop(&mut self) {
        self.set_read_only(false);
    }
}

/// A connection of the test itself.
struct Direct(Connection);

impl Direct {
    fn run(&mut self, script: &str) {
        self.0.script(script, soon()).unwrap();
    }

    fn number(&mut self, sql: &'static str) -> i64 {
        let mut found = None;
        let batch = [Statement { sql, values: &[] }];
        self.0
            .run(&batch, soon(), &mut |_, row| {
                found = row.integer(0)?;
                Ok(())
            })
            .unwrap();
        found.unwrap()
    }

    /// The number of rows in `probe`.
    fn rows(&mut self) -> i64 {
        self.number("SELECT count(*) FROM public.probe")
    }

    /// Ends all other connections to the database, as an administrator does; returns how many.
    fn end_others(&mut self) -> i64 {
        self.number(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()
             AND application_name = 'lictor'",
        )
    }
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// Waits until something holds.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a test up to three times, until it passes: the time limits of the driver and its keeper are a
/// few seconds, for which a busy machine may stand still. A fault of theirs fails all three.
fn in_one_of_three(test: impl Fn()) {
    let passes = || catch_unwind(AssertUnwindSafe(&test)).is_ok();
    if !passes() && !passes() {
        test();
    }
}

/// Inserts a row into `probe`.
fn insert(queries: &mut dyn Queries, name: &str) -> Result<(), Fault> {
    let values: &[Value<'_>] = &[name.into(), 0_i64.into()];
    queries.execute("INSERT INTO public.probe (name, number) VALUES ($1, $2)", values).map(drop)
}

/// Inserts a row in a transaction; returns how often the transaction was run.
fn write(driver: &Postgres, name: &str) -> (usize, Result<(), Abort>) {
    let mut runs = 0;
    let written = driver.write(&mut |queries| {
        runs += 1;
        Ok(insert(queries, name)?)
    });
    (runs, written)
}

/// Reads the number of rows in `probe`, and in how many runs.
fn read(driver: &Postgres) -> (usize, Result<i64, Fault>) {
    let (mut runs, mut rows) = (0, 0);
    let read = driver.read(&mut |queries| {
        runs += 1;
        queries.query_first("SELECT count(*) FROM public.probe", &[], &mut |row| {
            rows = row.get(0)?;
            Ok(())
        })
    });
    (runs, read.map(|()| rows))
}

fn is_unavailable<T>(result: &Result<T, Abort>) -> bool {
    matches!(result, Err(Abort::Fault(Fault::Unavailable(_))))
}

fn is_logged(fault: Fault) -> bool {
    Error::from(fault).level() == log::Level::Debug
}
