//! One connection to a PostgreSQL server: bytes, TLS, who we are, statements and rows. Every step has
//! a deadline, and everything that the server sends has a limit. Knows no transaction and no table.

use std::fmt;
use std::time::Instant;

use super::target::{Host, Target};
use crate::error::Cause;
use crate::store::driver::{Fault, Row, Value};

/// An open connection, with its prepared statements.
#[derive(Debug)]
pub(super) struct Connection {}

/// One statement of a batch.
#[derive(Clone, Copy)]
pub(super) struct Statement<'a> {
    pub(super) sql: &'static str,
    pub(super) values: &'a [Value<'a>],
}

/// Why the server or the connection did not do it.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server refused a statement; the connection goes on, unless [`Refusal::fatal`].
    Refused(Refusal),
    /// The connection is lost, or cannot be used any more: closed, too slow, or nonsense came.
    Lost(Cause),
    /// The reader of a row failed; the connection goes on.
    Row(Fault),
}

/// What the server said.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// The SQLSTATE.
    pub(super) code: [u8; 5],
    /// What it says; without values of rows.
    pub(super) message: String,
    /// The constraint that was violated, if one was.
    pub(super) constraint: Option<String>,
    /// The server ends the connection.
    pub(super) fatal: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(refusal) => {
                let code = std::str::from_utf8(&refusal.code).unwrap_or("?????");
                write!(f, "{} ({code})", refusal.message)
            }
            Failure::Lost(cause) => f.write_str(cause.text()),
            Failure::Row(_) => f.write_str("a row is damaged"),
        }
    }
}

impl Connection {
    /// Connects to one server and logs in.
    pub(super) fn open(
        target: &Target,
        host: &Host,
        deadline: Instant,
    ) -> Result<Connection, Failure> {
        let _ = (target, host, deadline);
        Err(Failure::Lost("not built yet".into()))
    }

    /// Runs several statements in one round trip, each prepared once and kept. `row` gets the
    /// number of the statement with each row. Returns how many rows each changed or answered. If
    /// one fails, those after it are not run; if `row` fails, all are run.
    pub(super) fn run(
        &mut self,
        batch: &[Statement<'_>],
        deadline: Instant,
        row: &mut dyn FnMut(usize, &dyn Row) -> Result<(), Fault>,
    ) -> Result<Vec<u64>, Failure> {
        let _ = (batch, deadline, row);
        Err(Failure::Lost("not built yet".into()))
    }

    /// Runs a script of statements without values, in one round trip; answers of rows are skipped.
    pub(super) fn script(&mut self, sql: &str, deadline: Instant) -> Result<(), Failure> {
        let _ = (sql, deadline);
        Err(Failure::Lost("not built yet".into()))
    }

    /// Whether a transaction is open, by what the server said last.
    pub(super) fn in_transaction(&self) -> bool {
        false
    }

    /// Whether the connection can still be used.
    pub(super) fn is_usable(&self) -> bool {
        false
    }
}
