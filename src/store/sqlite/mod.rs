//! The driver of an SQLite file. Knows no rule about people.
//!
//! One connection writes, behind a lock; as many read as threads want to, each with its own
//! prepared statements. The file is in WAL mode, so readers never wait for the writer.
//!
//! | file | owns |
//! |---|---|
//! | `open` | opening a file, or making it |
//! | `alone` | a file that one process has to itself |
//! | `connect` | the settings of every connection |
//! | `foreign` | a table of another program's file, read without a trace |
//! | `inspect` | looking at a file without changing it |
//! | `problems` | why a file cannot be opened, in words |
//! | `schema` | the versions of the schema |
//! | `upgrade`, `emails` | bringing an older version to the current one |
//! | `statements` | values, rows, and errors told apart |
//! | `turns` | whose turn it is to write |
//! | `readers` | the connections that read |
//! | `anchor` | what makes reading cheap |
//! | `mapping` | when the readers map the file into memory |
//! | `checkpoint` | the size of the write-ahead log |
//! | `staging` | a temporary file with the accounts that an import has read |

#[cfg(any(test, feature = "cli"))]
pub(super) mod alone;
mod anchor;
mod checkpoint;
mod connect;
mod emails;
#[cfg(any(test, feature = "cli"))]
pub(super) mod foreign;
pub(super) mod inspect;
mod mapping;
mod open;
#[cfg(test)]
mod plans;
mod problems;
mod readers;
mod schema;
#[cfg(any(test, feature = "cli"))]
pub(super) mod staging;
mod statements;
#[cfg(test)]
mod tests;
mod turns;
mod upgrade;

use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use self::anchor::Anchor;
use self::checkpoint::LogSize;
use self::readers::Readers;
use self::statements::{Statements, fault};
use self::turns::Turns;
use super::driver::{Abort, Concurrency, Driver, Fault, Reading, Writing};
use crate::error::Cause;

/// How long a transaction waits for another process's lock and for other threads, in all.
const BUSY: Duration = Duration::from_secs(5);
/// How long it waits when the lock had been in the way for [`BUSY`] before the transaction began.
const BUSY_AGAIN: Duration = Duration::from_millis(50);

/// An SQLite file that is open.
#[derive(Debug)]
pub(super) struct Sqlite {
    // Dropped in this order: the last connection to close cleans up, and it must be able to write.
    readers: Readers,
    writer: Mutex<Writer>,
    /// Whose turn it is to write.
    turns: Turns,
}

#[derive(Debug)]
struct Writer {
    anchor: Anchor,
    connection: Connection,
    log: LogSize,
    /// Set while another process keeps the file locked.
    locked: Option<Locked>,
}

/// A lock of another process that writers gave up on.
#[derive(Debug, Clone, Copy)]
struct Locked {
    /// When the first gave up.
    since: Instant,
    /// When the last gave up.
    seen: Instant,
}

/// Why something was not written.
#[derive(Debug)]
enum Failed {
    /// SQLite refused to begin or to end the transaction.
    Sqlite(rusqlite::Error),
    /// Something inside of it failed.
    Inside(Abort),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Failed {
        Failed::Sqlite(error)
    }
}

impl From<Abort> for Failed {
    fn from(abort: Abort) -> Failed {
        Failed::Inside(abort)
    }
}

impl Failed {
    /// Whether another process has the file locked.
    fn is_busy(&self) -> bool {
        let Failed::Sqlite(error) = self else { return false };
        error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
    }
}

impl From<Failed> for Abort {
    fn from(failed: Failed) -> Abort {
        match failed {
            Failed::Sqlite(error) => Abort::Fault(fault(error)),
            Failed::Inside(abort) => abort,
        }
    }
}

impl Driver for Sqlite {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        work(&mut Statements(&self.readers.take()))
    }

    /// Waits for locks for [`BUSY`] in all, the wait for other threads included. Once a
    /// transaction has given up, one that begins after that waits only for [`BUSY_AGAIN`], until
    /// the lock is gone: or logins would fill their queue.
    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        let written = self.with_writer(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            work(&mut Statements(&transaction))?;
            Ok(transaction.commit()?)
        });
        Ok(written?)
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency { reads: None, checks: 1, writes: 1 }
    }

    fn leads(&self) -> bool {
        true
    }

    fn upkeep(&self, busy: bool) {
        let writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            // A panic while writing; the transaction was undone.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // The current writer renews the anchor itself.
            Err(TryLockError::WouldBlock) => return,
        };
        // Release the read transaction even if a new one follows: only a new one sees later writes.
        writer.anchor.release();
        if busy {
            writer.anchor.hold();
        }
        if busy
            && self.readers.mapping().is_allowed()
            && let Ok(view) = writer.anchor.view()
        {
            self.readers.remap(view);
        }
    }

    fn allow_mapping(&self, bytes: u64) {
        let mapping = Arc::clone(self.readers.mapping());
        mapping.allow(bytes);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = move || {
            mapping.end();
            // The commit goes on.
            false
        };
        // Commits of other processes are seen by `upkeep`, and these would be too.
        if let Err(error) = writer.connection.commit_hook(Some(ended)) {
            log::debug!("mappings end late: {error}");
        }
    }

    fn settle(&self) -> Result<(), Fault> {
        // The row says whether a reader was in the way, which the next start makes up for.
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let settled = self.with_writer(|writer| Ok(writer.query_row(sql, [], |_| Ok(()))?));
        settled.map_err(|failed| match failed {
            Failed::Sqlite(error) => fault(error),
            Failed::Inside(Abort::Fault(fault)) => fault,
            Failed::Inside(Abort::Rule(error)) => {
                Fault::Damaged(Cause::new(error.to_string(), error))
            }
        })
    }
}

impl Sqlite {
    /// Runs `act` with the writing connection once it is this thread's turn.
    fn with_writer<T>(
        &self,
        act: impl FnOnce(&mut Connection) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let begun = Instant::now();
        let Some(_turn) = self.turns.take(begun + BUSY) else {
            return Err(Abort::Fault(Fault::Unavailable("the writer is busy".into())).into());
        };
        // Only `upkeep` can hold this lock now, and only for a moment.
        let mut guard = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let writer = &mut *guard;
        writer.connection.busy_timeout(writer.patience(begun))?;
        // Reads that begin while this is written may cost a little more.
        let held = writer.anchor.release();
        let done = act(&mut writer.connection);
        writer.log.bound(&writer.connection, &self.readers);
        if held {
            writer.anchor.hold();
        }
        let busy = done.as_ref().is_err_and(Failed::is_busy);
        let seen = Instant::now();
        let since = writer.still_locked(seen).map_or(seen, |locked| locked.since);
        writer.locked = busy.then_some(Locked { since, seen });
        done
    }
}

impl Writer {
    /// Returns another process's lock, if a writer gave up on it less than [`BUSY`] ago.
    fn still_locked(&self, now: Instant) -> Option<Locked> {
        self.locked.filter(|locked| now.duration_since(locked.seen) < BUSY)
    }

    /// Returns how long a transaction may still wait, if it began to wait at `begun`.
    fn patience(&self, begun: Instant) -> Duration {
        let now = Instant::now();
        match self.still_locked(now) {
            Some(locked) if locked.since <= begun => BUSY_AGAIN,
            _ => BUSY.saturating_sub(now.duration_since(begun)).max(BUSY_AGAIN),
        }
    }
}
