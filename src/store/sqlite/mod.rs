//! The driver of an SQLite file. Knows no rule about people.
//!
//! One connection writes, behind a lock; as many read as threads want to, each with its own
//! prepared statements. The file is in WAL mode, so readers never wait for the writer. Threads that
//! wait to write share a transaction and its sync.
//!
//! | file | owns |
//! |---|---|
//! | `open`, `new_file` | opening a file, or making it; whom a new one belongs to |
//! | `alone` | a file that one process has to itself |
//! | `connect` | the settings of every connection |
//! | `backup`, `draft` | a checked copy of a file that is in use; a file without its name yet |
//! | `restore`, `swap` | a copy in the place of a database; the step that no crash can halve |
//! | `foreign` | a table of another program's file, read without a trace |
//! | `identity` | whether the file that is open is still the one at its path |
//! | `inspect` | looking at a file without changing it |
//! | `beside`, `own_log` | the files beside it; whether the write-ahead log is its own |
//! | `problems` | why a file cannot be opened, in words |
//! | `schema` | the versions of the schema |
//! | `soundness` | the check after an unclean end, and what its finding stops |
//! | `upgrade`, `emails` | bringing an older version to the current one |
//! | `statements` | values, rows, and errors told apart |
//! | `turns` | whose turn it is to write |
//! | `writer` | the connection that writes, and what stands between two transactions |
//! | `group` | writers that share a transaction |
//! | `readers` | the connections that read |
//! | `anchor` | what makes reading cheap |
//! | `mapping` | when the readers map the file into memory |
//! | `checkpoint` | the size of the write-ahead log |
//! | `staging` | a temporary file with the accounts that an import has read |

#[cfg(any(test, feature = "cli"))]
pub(super) mod alone;
mod anchor;
#[cfg(feature = "cli")]
pub(super) mod backup;
mod beside;
mod checkpoint;
mod connect;
#[cfg(feature = "cli")]
pub(super) mod draft;
mod emails;
#[cfg(any(test, feature = "cli"))]
pub(super) mod foreign;
mod group;
mod identity;
pub(super) mod inspect;
mod mapping;
mod new_file;
pub(super) mod open;
mod own_log;
#[cfg(test)]
mod plans;
mod problems;
mod readers;
#[cfg(feature = "cli")]
pub(super) mod restore;
mod schema;
mod soundness;
#[cfg(any(test, feature = "cli"))]
pub(super) mod staging;
mod statements;
mod swap;
#[cfg(test)]
mod tests;
mod turns;
mod upgrade;
mod writer;

use std::panic::resume_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::identity::Identity;
use self::readers::Readers;
use self::soundness::{Soundness, keep_log};
use self::statements::{Statements, fault};
use self::turns::{Kind, Turn, Turns};
use self::writer::Writer;
use super::driver::{Abort, Concurrency, Driver, Fault, PROBE, Reading, Watch, Writing};
use crate::error::Error;

/// How long a transaction waits for another process's lock and for other threads, in all.
const BUSY: Duration = Duration::from_secs(5);
/// The same for a write that is no probe. Tests wait longer, because their machine may be busy.
const PATIENCE: Duration = if cfg!(test) { Duration::from_secs(60) } else { BUSY };
/// Threads that can usefully wait for the same sync of the disk.
const WRITERS: usize = 64;

/// An SQLite file that is open.
#[derive(Debug)]
pub(super) struct Sqlite {
    // Dropped in this order: the last connection to close cleans up, and it must be able to write.
    readers: Readers,
    writer: Mutex<Writer>,
    /// Whose turn it is to write.
    turns: Turns,
    /// Whether a check has found damage, or is to be made.
    soundness: Soundness,
    /// Which files are open.
    identity: Identity,
}

impl Driver for Sqlite {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        let done = work(&mut Statements(&self.readers.take()));
        done.inspect_err(|fault| self.note(fault))
    }

    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.transact(Kind::Joins, PATIENCE, work)
    }

    fn write_briefly(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.transact(Kind::Joins, PROBE, work)
    }

    /// A transaction that others would wait for too long has none of them in it.
    #[cfg(any(test, feature = "cli"))]
    fn write_long(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.transact(Kind::Alone, PATIENCE, work)
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency { reads: None, checks: 1, writes: WRITERS }
    }

    fn share_reader(&self) {
        readers::share();
    }

    /// A damaged file has no leader: what cannot be deleted from the outbox would be sent again and
    /// again.
    fn leads(&self) -> bool {
        !self.soundness.is_damaged()
    }

    fn check(&self, watch: Watch) {
        if self.soundness.check(watch)
            && let Err(failed) = self.with_connection(|connection| keep_log(connection, false))
        {
            log::debug!("the next start checks the database again: {failed:?}");
        }
    }

    fn is_damaged(&self) -> bool {
        self.soundness.is_damaged()
    }

    fn watch(&self) -> bool {
        self.identity.watch();
        // The log says what is wrong.
        let _ = self.identity.check();
        true
    }

    fn upkeep(&self, busy: bool) {
        let mut writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            // A panic while writing; the transaction was undone.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // The current writer renews the anchor itself.
            Err(TryLockError::WouldBlock) => return,
        };
        writer.upkeep(busy);
        if busy
            && self.readers.mapping().is_allowed()
            && let Ok(view) = writer.anchor.view()
        {
            self.readers.remap(view);
        }
    }

    fn allow_mapping(&self, bytes: u64) {
        self.readers.mapping().allow(bytes);
    }

    fn settle(&self) -> Result<(), Fault> {
        if !self.soundness.is_sound() {
            // The log tells the next start to check the file.
            return Ok(());
        }
        // The row says whether a reader was in the way, which the next start makes up for.
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.with_connection(|connection| connection.query_row(sql, [], |_| Ok(())))
    }
}

impl Sqlite {
    /// Remembers damage that a statement has met.
    fn note(&self, fault: &Fault) {
        if let Fault::Corrupt(why) = fault {
            self.soundness.set_damaged(why.text());
        }
    }

    fn must_not_be_damaged(&self) -> Result<(), Abort> {
        match self.soundness.is_damaged() {
            true => Err(Abort::Rule(Error::Damaged)),
            false => Ok(()),
        }
    }

    /// Runs `work` in a transaction, which others can join unless `kind` says otherwise, and waits
    /// for the commit.
    ///
    /// Waits for locks for `limit` in all, the wait for other threads included. Once a transaction
    /// has given up on another process after [`BUSY`], one that begins after that waits only for a
    /// moment, until the lock is gone: or logins would fill their queue. A thread whose work was run
    /// waits for the outcome, however long the disk takes.
    fn transact(&self, kind: Kind, limit: Duration, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.must_not_be_damaged()?;
        self.identity.check()?;
        let begun = Instant::now();
        let turn = self.turn(kind, begun, limit)?;
        let mut writer = self.writer();
        writer.open_group(begun, limit, &self.readers).map_err(fault)?;
        let done = writer.run(&mut |queries| {
            // It may have been found while this thread waited for its turn.
            self.must_not_be_damaged()?;
            work(queries)
        });
        let passed = match writer.join(kind, &turn, &done) {
            Some(outcome) => {
                drop(writer);
                turn.pass().map(|()| outcome)
            }
            None => {
                drop(writer);
                Err(turn)
            }
        };
        let outcome = match passed {
            Ok(outcome) => outcome.wait(),
            Err(turn) => self.writer().end_group(&turn, &done, &self.readers),
        };
        if let (Err(fault), _) | (_, Ok(Err(Abort::Fault(fault)))) = (&outcome, &done) {
            self.note(fault);
        }
        match done {
            Err(panic) => resume_unwind(panic),
            Ok(Ok(())) => Ok(outcome?),
            // It may have failed because of what others wrote, which is lost then.
            Ok(Err(abort)) => Err(outcome.map_or_else(Abort::Fault, |()| abort)),
        }
    }

    /// Runs `act` with the writing connection, between two transactions.
    fn with_connection<T>(
        &self,
        act: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Fault> {
        let begun = Instant::now();
        let _turn = self.turn(Kind::Alone, begun, PATIENCE)?;
        self.writer().alone(begun, &self.readers, act).map_err(fault)
    }

    /// Waits for the turn to write, since `begun` and for `patience` at most.
    fn turn(&self, kind: Kind, begun: Instant, patience: Duration) -> Result<Turn<'_>, Fault> {
        let turn = self.turns.take(kind, begun + patience);
        turn.ok_or_else(|| Fault::Unavailable("the writer is busy".into()))
    }

    /// The writer, for the thread that has the turn. Only `upkeep` can hold the lock now, and only
    /// for a moment.
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
