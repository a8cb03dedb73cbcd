//! How a run of a transaction takes its turn: beside others, alone, or as an import. Why there are
//! turns is said in `transaction`.
//!
//! **An import is never waited for.** It holds its shared lock on `turn` for seconds or minutes. A
//! transaction that waited to be alone would wait for it, until the time limit of a lock, and every
//! transaction that begins later would wait behind both. So an import also holds a lock on `version`,
//! by which others know of it: while it does, nobody asks to be alone, and a transaction that could
//! not be serialized is run beside others again. If an import begins between the look at that lock and
//! the lock on `turn`, the two wait all the same, no longer than that limit.

use std::time::Instant;

use super::fault;
use super::wire::{Connection, Failure, Statement};

const BEGIN: Statement<'static> = plain("BEGIN ISOLATION LEVEL SERIALIZABLE");
const SHARED: Statement<'static> = plain("LOCK TABLE turn IN ROW SHARE MODE");

/// How a run of a transaction takes its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Beside others.
    Beside,
    /// Alone, after all others.
    Alone,
    /// Beside others, which know that it takes long.
    #[cfg(any(test, feature = "cli"))]
    Import,
}

impl Turn {
    /// How a transaction begins, in one round trip with its first statement. No statement here takes
    /// a snapshot.
    pub(super) fn opening(self) -> &'static [Statement<'static>] {
        const BESIDE: &[Statement<'static>] = &[BEGIN, SHARED];
        const ALONE: &[Statement<'static>] = &[BEGIN, plain("LOCK TABLE turn IN EXCLUSIVE MODE")];
        #[cfg(any(test, feature = "cli"))]
        const IMPORT: &[Statement<'static>] =
            &[BEGIN, plain("LOCK TABLE version IN ROW SHARE MODE"), SHARED];
        match self {
            Turn::Beside => BESIDE,
            Turn::Alone => ALONE,
            #[cfg(any(test, feature = "cli"))]
            Turn::Import => IMPORT,
        }
    }
}

/// Whether an import is under way. Takes the lock that an import shares, for a moment; another
/// transaction that does the same at that moment counts as an import. After an error there is none:
/// the run that follows meets the error again.
pub(super) fn is_import_under_way(connection: &mut Connection, deadline: Instant) -> bool {
    const LOOK: [Statement<'static>; 3] =
        [plain("BEGIN"), plain("LOCK TABLE version IN EXCLUSIVE MODE NOWAIT"), plain("ROLLBACK")];
    let looked = run(connection, &LOOK, deadline);
    if connection.in_transaction() {
        // If this fails, so does the run that follows.
        let _ = run(connection, &LOOK[2..], deadline);
    }
    looked.is_err_and(|failure| fault::is_locked(&failure))
}

fn run(
    connection: &mut Connection,
    batch: &[Statement<'static>],
    deadline: Instant,
) -> Result<(), Failure> {
    connection.run(batch, deadline, &mut |_, _| Ok(())).map(drop)
}

const fn plain(sql: &'static str) -> Statement<'static> {
    Statement { sql, values: &[] }
}
