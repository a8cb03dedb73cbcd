//! Why a statement or a connection failed.

use std::fmt;

use crate::error::Cause;
use crate::store::driver::Fault;

/// Why the server or the connection did not do it.
#[derive(Debug)]
pub(in crate::store::postgres) enum Failure {
    /// The server refused a statement; the connection goes on, unless [`Refusal::fatal`].
    Refused(Refusal),
    /// The connection is lost, or cannot be used any more: closed, too slow, or nonsense came.
    Lost(Cause),
    /// The reader of a row failed; the connection goes on, unless the row did not fit.
    Row(Fault),
}

/// What the server said.
#[derive(Debug, Clone)]
pub(in crate::store::postgres) struct Refusal {
    /// The SQLSTATE.
    pub(in crate::store::postgres) code: [u8; 5],
    /// What it says; without values of rows.
    pub(in crate::store::postgres) message: String,
    /// The constraint that was violated, if one was.
    pub(in crate::store::postgres) constraint: Option<String>,
    /// The server ends the connection.
    pub(in crate::store::postgres) fatal: bool,
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

/// A connection that cannot be used any more.
pub(super) fn lost(why: impl Into<Cause>) -> Failure {
    Failure::Lost(why.into())
}
