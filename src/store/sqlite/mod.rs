//! The store in an SQLite file: the only SQL of the program.
//!
//! One connection writes, behind a lock; as many read as threads want to, each with its own
//! prepared statements. The file is in WAL mode, so readers never wait for the writer.

mod anchor;
mod audit;
mod authority;
mod checkpoint;
mod emails;
mod failures;
mod invitations;
mod new_device;
mod open;
mod outbox;
mod readers;
mod second_factors;
mod sessions;
mod tickets;
mod turns;
mod users;

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, TransactionBehavior};

use self::anchor::Anchor;
use self::checkpoint::LogSize;
use self::readers::Readers;
use self::turns::Turns;
use super::Store;
use crate::clock::Timestamp;
use crate::error::Error;

pub use open::Inspection;

/// How long a transaction waits for another process's lock and for other threads, in all.
const BUSY: Duration = Duration::from_secs(5);
/// How long it waits when the lock had been in the way for [`BUSY`] before the transaction began.
const BUSY_AGAIN: Duration = Duration::from_millis(50);
/// Seconds that a mail is kept that could not be sent.
const MAIL_KEPT: i64 = 7 * 24 * 3600;
/// Rows of one table that are thrown away at once; nobody waits long for so few.
const SWEPT_AT_ONCE: i64 = 500;

/// The store in a file.
#[derive(Debug)]
pub struct Sqlite {
    // Dropped in this order: the last connection to close cleans up, and it must be able to write.
    readers: Readers,
    writer: Mutex<Writer>,
    /// Whose turn it is to write.
    turns: Turns,
    /// Whether users are told by mail what happens to their accounts.
    mails: bool,
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

/// Why a transaction is undone.
#[derive(Debug)]
enum Abort {
    /// SQLite could not.
    Sql(rusqlite::Error),
    /// Our rules forbid it.
    Rule(Error),
}

impl From<rusqlite::Error> for Abort {
    fn from(error: rusqlite::Error) -> Abort {
        Abort::Sql(error)
    }
}

impl Sqlite {
    /// From now on users are told by mail, or not, what happens to their accounts.
    pub fn with_mail(mut self, mails: bool) -> Sqlite {
        self.mails = mails;
        self
    }

    /// Does one transaction. It waits for locks for [`BUSY`] in all, its wait for other threads
    /// included. Once somebody has given up, whoever begins after that waits only for
    /// [`BUSY_AGAIN`], until the lock is gone: or logins would fill their queue.
    fn write<T>(&self, act: impl FnOnce(&Connection) -> Result<T, Abort>) -> Result<T, Error> {
        self.with_writer(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = act(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }

    fn with_writer<T>(
        &self,
        act: impl FnOnce(&mut Connection) -> Result<T, Abort>,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        let Some(_turn) = self.turns.take(begun + BUSY) else {
            return Err(Error::Unavailable("database: the writer is busy".into()));
        };
        // Held by nobody else but `upkeep`, which is done soon.
        let mut guard = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let writer = &mut *guard;
        writer.connection.busy_timeout(writer.patience(begun)).map_err(fault)?;
        // What is read while this is written may cost a little more.
        let held = writer.anchor.release();
        let done = act(&mut writer.connection);
        writer.log.bound(&writer.connection, &self.readers);
        if held {
            writer.anchor.hold();
        }
        let busy = matches!(&done, Err(Abort::Sql(error))
            if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        let seen = Instant::now();
        let since = writer.still_locked(seen).map_or(seen, |locked| locked.since);
        writer.locked = busy.then_some(Locked { since, seen });
        done.map_err(|abort| match abort {
            Abort::Sql(error) => fault(error),
            Abort::Rule(error) => error,
        })
    }

    /// A connection for reading; each thread comes back to the same one.
    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.readers.take()
    }
}

impl Writer {
    /// The lock that was in the way a moment ago.
    fn still_locked(&self, now: Instant) -> Option<Locked> {
        self.locked.filter(|locked| now.duration_since(locked.seen) < BUSY)
    }

    /// How long a transaction may still wait that began to wait at `begun`.
    fn patience(&self, begun: Instant) -> Duration {
        let now = Instant::now();
        match self.still_locked(now) {
            Some(locked) if locked.since <= begun => BUSY_AGAIN,
            _ => BUSY.saturating_sub(now.duration_since(begun)).max(BUSY_AGAIN),
        }
    }
}

impl Store for Sqlite {
    fn ping(&self) -> Result<(), Error> {
        let reader = self.reader();
        let mut query = reader
            .prepare_cached("SELECT id FROM users ORDER BY id DESC LIMIT 1")
            .map_err(fault)?;
        query.query_row([], |_| Ok(())).optional().map_err(fault)?;
        Ok(())
    }

    fn upkeep(&self, busy: bool) {
        let writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            // Somebody panicked while writing, and was undone.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Who is writing sees to the anchor himself.
            Err(TryLockError::WouldBlock) => return,
        };
        // Let go even to take hold again: of what has been written since.
        writer.anchor.release();
        if busy {
            writer.anchor.hold();
        }
    }

    fn sweep(&self, audit_since: Timestamp, now: Timestamp) -> Result<usize, Error> {
        self.write(|writer| {
            let mut gone = audit::sweep(writer, audit_since)?;
            for (table, key, ends, before) in [
                ("sessions", "jti", "expires", now.0),
                ("tickets", "jti", "expires", now.0),
                ("invitations", "id", "expires", now.0),
                ("users", "id", "unconfirmed", now.0),
                ("outbox", "id", "created", now.0.saturating_sub(MAIL_KEPT)),
            ] {
                let mut delete = writer.prepare_cached(&format!(
                    "DELETE FROM {table} WHERE {key} IN
                     (SELECT {key} FROM {table} WHERE {ends} < ?1 LIMIT ?2)"
                ))?;
                gone += delete.execute([before, SWEPT_AT_ONCE])?;
            }
            Ok(gone)
        })
    }

    fn settle(&self) -> Result<(), Error> {
        // The row says whether a reader was in the way, which the next start makes up for.
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.with_writer(|writer| Ok(writer.query_row(sql, [], |_| Ok(()))?))
    }
}

/// A failure while running: passing troubles of the machine or of another process are told apart
/// from faults.
fn fault(error: rusqlite::Error) -> Error {
    let text = format!("database: {error}");
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::OutOfMemory,
        ) => Error::Unavailable(text.into()),
        _ => Error::Internal(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;
    use crate::store::{Actor, Authority, ClientInfo, Entry, Event, NewSession, NewUser, Proof};
    use crate::store::{Sessions as _, Users as _};
    use crate::values::Language;
    use crate::values::{Email, PasswordHash, Roles, Username};

    /// A private directory that goes away with the value.
    pub(super) struct Place(pub(super) PathBuf);

    impl Place {
        pub(in super::super) fn new(name: &str) -> Place {
            let path = std::env::temp_dir().join(format!("lictor-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Place(path)
        }

        pub(in super::super) fn file(&self) -> PathBuf {
            self.0.join("lictor.db")
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    /// The entry that goes with whatever a test does.
    pub(super) const NOTE: Entry<'static> = Entry {
        event: Event::UserAdded,
        user: None,
        name: None,
        actor: Actor::Operator,
        detail: "",
    };

    /// Who does it.
    pub(super) const BY: Authority<'static> = Authority::Operator;

    pub(super) fn add(store: &Sqlite, name: &str, email: Option<&str>) -> Result<i64, Error> {
        let email = email.map(|email| Email::parse(email).unwrap());
        let user = NewUser {
            name: &Username::parse(name).unwrap(),
            email: email.as_ref(),
            hash: &PasswordHash::stored("hash".into()),
            roles: &Roles::parse("a,b").unwrap(),
            language: Language::English,
        };
        store.add(&user, None, &NOTE, Timestamp(5))
    }

    /// Begins a session of this name, for a user with the password of [`add`].
    pub(super) fn log_in(store: &Sqlite, user: i64, jti: &str, at: i64) {
        let origin = ClientInfo { address: None, agent: "" };
        let (issued, expires) = (Timestamp(at), Timestamp(1_000_000));
        let session = NewSession { jti, issued, expires, origin };
        let proof =
            Proof { password: &PasswordHash::stored("hash".into()), second: None, notice: false };
        assert!(store.begin(user, &session, &proof, &NOTE, issued).unwrap());
    }

    /// An administrator with this session.
    pub(super) fn admin(id: i64, session: &str) -> Authority<'_> {
        Authority::Admin { id, session, since: Timestamp(0) }
    }

    pub(super) fn found(store: &Sqlite, login: &str) -> Option<String> {
        store.credentials(login).unwrap().map(|c| c.person.name)
    }

    #[test]
    fn the_writer_is_durable_and_in_wal_mode() {
        let place = Place::new("pragmas");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let writer = &store.writer.lock().unwrap().connection;
        for (pragma, expected) in
            [("synchronous", "2"), ("foreign_keys", "1"), ("journal_mode", "wal")]
        {
            let value: rusqlite::types::Value =
                writer.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
            let value = match value {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                other => panic!("{other:?}"),
            };
            assert_eq!(value, expected, "{pragma}");
        }
    }

    #[test]
    fn one_thread_that_wrote_without_a_pause_kept_the_others_out() {
        let place = Place::new("turns");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let (turns, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let hold = |_: &mut Connection| {
                        turns.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(5));
                        Ok(())
                    };
                    store.with_writer(hold).unwrap();
                }
            });
            while turns.load(Ordering::Relaxed) < 2 {
                std::thread::yield_now();
            }
            let waited = (0..9).map(|_| {
                let before = turns.load(Ordering::Relaxed);
                let waited = store.with_writer(|_| Ok(turns.load(Ordering::Relaxed) - before));
                // Its turn comes again.
                while turns.load(Ordering::Relaxed) == before {
                    std::thread::yield_now();
                }
                waited
            });
            let waited: Vec<_> = waited.collect();
            over.store(true, Ordering::Relaxed);
            let mut waited: Vec<_> = waited.into_iter().map(Result::unwrap).collect();
            // On a busy machine some turns may pass between the count and the wait.
            waited.sort_unstable();
            assert!(waited[waited.len() / 2] <= 2, "turns of the other: {waited:?}");
        });
    }

    #[test]
    fn after_a_panic_no_anchor_was_held_again() {
        let place = Place::new("poisoned");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        store.upkeep(true);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _ = store.write(|_| -> Result<(), Abort> { panic!("a bug in a transaction") });
        }));
        assert!(panicked.is_err());
        add(&store, "ada", None).unwrap();
        store.upkeep(true);
        let writer = store.writer.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(writer.anchor.release(), "it was not held");
    }
}
