//! The driver of a PostgreSQL server. Knows no rule about people.
//!
//! | file | owns |
//! |---|---|
//! | `target` | which server, database and user, as a value |
//! | `settings` | reads a target: a URL, completed as libpq does |
//! | `url`, `environment`, `passfile` | the parts of a URL; the variables and the password file that complete it |
//! | `schema` | the tables: making them, bringing older ones to the current version |
//! | `inspect` | looking at a database without changing it |
//! | `wire/` | one connection: sockets, TLS, passwords, messages, statements |
//! | `alone` | a database that one process has to itself |
//! | `foreign` | a table of another program |
//! | `fault` | what a SQLSTATE means |
//! | `connect` | the servers in their order, and how a session begins |
//! | `identity` | which server it is: cluster, timeline, start |
//! | `pool` | the connections, and whether there is a server |
//! | `commits` | statements and commits that the server does not finish in time |
//! | `keeper` | the thread that looks for a server, and the locks between processes |
//! | `holders` | who holds an advisory lock |
//! | `statements` | statements on a connection |
//! | `transaction` | transactions that write, and when they are run again |
//! | `turn` | how a run of one begins: beside others, alone, or as an import |
//! | `reading` | reads |

#[cfg(any(test, feature = "cli"))]
pub(in crate::store) mod alone;
mod commits;
mod connect;
#[cfg(test)]
mod databases;
mod environment;
mod fault;
#[cfg(any(test, feature = "cli"))]
pub(in crate::store) mod foreign;
mod holders;
mod identity;
#[cfg(any(test, feature = "cli"))]
pub(in crate::store) mod inspect;
mod keeper;
mod passfile;
#[cfg(test)]
mod plans;
mod pool;
mod reading;
mod schema;
mod settings;
mod statements;
mod target;
#[cfg(test)]
mod tests;
mod transaction;
mod turn;
mod url;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::connect::Role;
use self::keeper::Keeper;
use self::pool::Pool;
use self::transaction::Patience;
use super::driver::{Abort, Concurrency, Driver, Fault, PROBE, Reading, Writing};
use super::signal::Signal;
use crate::error::Problem;

#[cfg(test)]
pub(super) use self::databases::TestDatabase;
pub use target::Target;
#[cfg(feature = "cli")]
pub(in crate::store) use url::has_password;
pub(in crate::store) use url::is_scheme;

/// How long making or upgrading the tables may take.
const MAKING: Duration = Duration::from_secs(600);

/// A database of a PostgreSQL server that is open.
#[derive(Debug)]
pub(super) struct Postgres {
    pool: Arc<Pool>,
    keeper: Keeper,
    concurrency: Concurrency,
}

impl Postgres {
    /// Connects, and makes or upgrades the schema. `outbox_signal` is notified now and then while
    /// this process leads.
    pub(super) fn open(target: &Target, outbox_signal: &Arc<Signal>) -> Result<Postgres, Problem> {
        let mut found = connect::first(target, Role::Setup)?;
        schema::open(&mut found.connection, target, Instant::now() + MAKING)?;
        if !found.writable {
            log::warn!("the database takes no writes: requests that write are refused");
        }
        let concurrency = shares(target.connections);
        let reads = concurrency.reads.unwrap_or(1);
        let limits = [concurrency.writes, reads, concurrency.checks];
        let pool = Arc::new(Pool::new(target.clone(), limits, &found));
        let keeper = Keeper::new(Arc::clone(&pool), Arc::clone(outbox_signal));
        Ok(Postgres { pool, keeper, concurrency })
    }
}

impl Postgres {
    fn read_within(&self, longest: Duration, work: &mut Reading<'_>) -> Result<(), Fault> {
        let read = reading::read(&self.pool, longest, work);
        if read.is_err() {
            self.keeper.attend();
        }
        read
    }

    fn write_within(&self, patience: Patience, work: &mut Writing<'_>) -> Result<(), Abort> {
        let written = transaction::write(&self.pool, patience, work);
        if written.is_err() {
            self.keeper.attend();
        }
        written
    }
}

#[cfg(test)]
impl Postgres {
    /// Runs `work` like [`write`](Driver::write), for as long as a busy machine may need.
    fn write_patiently(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.write_within(Patience::Test, work)
    }
}

/// Divides the connections: two thirds write, one checks tokens, and the others read. Each kind
/// has one at least.
fn shares(connections: usize) -> Concurrency {
    let writes = (connections * 2 / 3).min(connections.saturating_sub(2)).max(1);
    let reads = connections.saturating_sub(writes + 1).max(1);
    Concurrency { reads: Some(reads), checks: 1, writes }
}

impl Driver for Postgres {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        self.read_within(Duration::MAX, work)
    }

    fn read_briefly(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        self.read_within(PROBE, work)
    }

    fn read_beside(&self, work: &mut Reading<'_>) -> bool {
        reading::read_beside(&self.pool, work)
    }

    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.write_within(Patience::Short, work)
    }

    fn write_briefly(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.write_within(Patience::Probe, work)
    }

    #[cfg(any(test, feature = "cli"))]
    fn write_long(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.write_within(Patience::Import, work)
    }

    fn concurrency(&self) -> Concurrency {
        self.concurrency
    }

    fn leads(&self) -> bool {
        self.keeper.serve();
        self.keeper.leads()
    }

    fn upkeep(&self, busy: bool) {
        if busy {
            self.keeper.serve();
        }
    }

    fn settle(&self) -> Result<(), Fault> {
        Ok(())
    }
}
