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

#[cfg(test)]
mod databases;
mod environment;
pub(in crate::store) mod inspect;
mod passfile;
mod schema;
mod settings;
mod target;
mod url;
mod wire;

use std::sync::Arc;

use super::driver::{Abort, Concurrency, Driver, Fault, Reading, Writing};
use super::signal::Signal;
use crate::error::Problem;

#[cfg(test)]
pub(super) use self::databases::TestDatabase;
pub use target::Target;
#[cfg(any(test, feature = "cli"))]
pub(in crate::store) use url::has_password;
pub(in crate::store) use url::is_scheme;

/// A database of a PostgreSQL server that is open.
#[derive(Debug)]
pub(super) struct Postgres {}

impl Postgres {
    /// Connects, and makes or upgrades the schema. `outbox_signal` is notified now and then while
    /// this process leads.
    pub(super) fn open(target: &Target, outbox_signal: &Arc<Signal>) -> Result<Postgres, Problem> {
        let _ = (target, outbox_signal);
        Err(Problem::new("not built yet", "wait"))
    }
}

impl Driver for Postgres {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        let _ = work;
        Err(Fault::Unavailable("not built yet".into()))
    }

    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        let _ = work;
        Err(Fault::Unavailable("not built yet".into()).into())
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency { reads: Some(4), checks: 1, writes: 8 }
    }

    fn leads(&self) -> bool {
        false
    }

    fn upkeep(&self, _: bool) {}

    fn settle(&self) -> Result<(), Fault> {
        Ok(())
    }
}
