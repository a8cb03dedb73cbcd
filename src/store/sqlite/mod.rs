//! Users in an SQLite file: the only SQL of the program.
//!
//! One connection writes, behind a lock; as many read as threads want to, each with its own
//! prepared statements. The file is in WAL mode, so readers never wait for the writer.

mod anchor;
mod open;

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params};

use self::anchor::Anchor;
use super::{Account, Change, Credentials, NewUser, Person, Store};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Email, PasswordHash, Roles, Username};

pub use open::Inspection;

/// How long another process's lock is waited for.
const BUSY: Duration = Duration::from_secs(3);
/// How long it is waited for when it was in the way a moment ago.
const BUSY_AGAIN: Duration = Duration::from_millis(50);
/// How often it is looked whether another thread has finished writing.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The store in a file.
#[derive(Debug)]
pub struct Sqlite {
    // Dropped in this order: the last connection to close cleans up, and it must be able to write.
    readers: Vec<Mutex<Connection>>,
    writer: Mutex<Writer>,
}

#[derive(Debug)]
struct Writer {
    anchor: Anchor,
    connection: Connection,
    /// When the file was last found locked by somebody else, if nothing was written since.
    locked: Option<Instant>,
}

impl Sqlite {
    /// Does one write. All in all it waits for a lock as long as [`BUSY`]; but while somebody
    /// else keeps the file locked, only the first writer waits that long, or those behind it
    /// would add up.
    fn write<T>(&self, act: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let begun = Instant::now();
        let mut writer = loop {
            match self.writer.try_lock() {
                Ok(writer) => break writer,
                Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
                Err(TryLockError::WouldBlock) if begun.elapsed() < BUSY => {
                    std::thread::sleep(LOOK_AGAIN);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Unavailable("database: the writer is busy".into()));
                }
            }
        };
        let locked = writer.locked.is_some_and(|since| since.elapsed() < BUSY);
        let patience = if locked { BUSY_AGAIN } else { BUSY.saturating_sub(begun.elapsed()) };
        writer.connection.busy_timeout(patience.max(BUSY_AGAIN)).map_err(fault)?;
        // What is read while this is written may cost a little more.
        let held = writer.anchor.release();
        let done = act(&writer.connection);
        if held {
            writer.anchor.hold();
        }
        let code = done.as_ref().err().and_then(rusqlite::Error::sqlite_error_code);
        let locked = code == Some(ErrorCode::DatabaseBusy);
        writer.locked = locked.then(Instant::now);
        done.map_err(fault)
    }

    /// A connection for reading; each thread comes back to the same one.
    fn reader(&self) -> MutexGuard<'_, Connection> {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static SEAT: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed));
        }
        let seat = SEAT.get() % self.readers.len();
        self.readers[seat].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Sqlite {
    fn person(&self, id: i64) -> Result<Option<Person>, Error> {
        let reader = self.reader();
        let mut query = reader
            .prepare_cached("SELECT id, name, roles, active FROM users WHERE id = ?1")
            .map_err(fault)?;
        query.query_row([id], person).optional().map_err(fault)
    }

    fn credentials(&self, login: &str) -> Result<Option<Credentials>, Error> {
        // An address is looked for first: it belongs to its owner, while a name that looks like
        // an address belongs to whoever took it.
        if let Ok(email) = Email::parse(login)
            && let Some(found) = self.credentials_where("email_key = ?1", email.key())?
        {
            return Ok(Some(found));
        }
        match Username::parse(login) {
            Ok(name) => self.credentials_where("name_key = ?1", name.key()),
            Err(_) => Ok(None),
        }
    }

    fn add(&self, user: &NewUser<'_>, now: Timestamp) -> Result<i64, Error> {
        let mut taken = None;
        let inserted = self.write(|writer| {
            let inserted = writer.execute(
                "INSERT INTO users (name, name_key, email, email_key, password, roles, created)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    user.name.as_str(),
                    user.name.key(),
                    user.email.map(Email::as_str),
                    user.email.map(Email::key),
                    user.hash.as_str(),
                    user.roles.as_str(),
                    now.0
                ],
            );
            taken = inserted.as_ref().err().and_then(who_is_taken);
            inserted.map(|_| writer.last_insert_rowid())
        });
        match taken {
            Some(taken) => Err(taken),
            None => inserted,
        }
    }

    fn strengthen(&self, id: i64, old: &PasswordHash, new: &PasswordHash) -> Result<(), Error> {
        let sql = "UPDATE users SET password = ?3 WHERE id = ?1 AND password = ?2";
        self.write(|writer| writer.execute(sql, params![id, old.as_str(), new.as_str()]))?;
        Ok(())
    }

    fn account(&self, name: &Username) -> Result<Option<Account>, Error> {
        let sql = "SELECT id, name, roles, active, email, created FROM users WHERE name_key = ?1";
        self.reader().query_row(sql, [name.key()], account).optional().map_err(fault)
    }

    fn accounts(&self, show: &mut dyn FnMut(Account)) -> Result<(), Error> {
        let reader = self.reader();
        let mut query = reader
            .prepare("SELECT id, name, roles, active, email, created FROM users ORDER BY id")
            .map_err(fault)?;
        for found in query.query_map([], account).map_err(fault)? {
            show(found.map_err(fault)?);
        }
        Ok(())
    }

    fn change(&self, id: i64, change: &Change<'_>) -> Result<bool, Error> {
        let changed = self.write(|writer| match change {
            Change::Password(hash) => writer.execute(
                "UPDATE users SET password = ?2 WHERE id = ?1",
                params![id, hash.as_str()],
            ),
            Change::Roles(roles) => writer
                .execute("UPDATE users SET roles = ?2 WHERE id = ?1", params![id, roles.as_str()]),
            Change::Active(active) => {
                writer.execute("UPDATE users SET active = ?2 WHERE id = ?1", params![id, active])
            }
        })?;
        Ok(changed == 1)
    }

    fn delete(&self, id: i64) -> Result<bool, Error> {
        Ok(self.write(|writer| writer.execute("DELETE FROM users WHERE id = ?1", [id]))? == 1)
    }

    fn ping(&self) -> Result<(), Error> {
        let reader = self.reader();
        let mut query = reader
            .prepare_cached("SELECT id FROM users ORDER BY id DESC LIMIT 1")
            .map_err(fault)?;
        query.query_row([], |_| Ok(())).optional().map_err(fault)?;
        Ok(())
    }

    fn upkeep(&self, busy: bool) {
        // Who is writing sees to the anchor himself.
        let Ok(writer) = self.writer.try_lock() else { return };
        // Let go even to take hold again: of what has been written since.
        writer.anchor.release();
        if busy {
            writer.anchor.hold();
        }
    }

    fn settle(&self) -> Result<(), Error> {
        // The row says whether a reader was in the way, which the next start makes up for.
        self.write(|writer| writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
    }
}

impl Sqlite {
    fn credentials_where(&self, condition: &str, key: &str) -> Result<Option<Credentials>, Error> {
        let sql = format!("SELECT id, name, roles, active, password FROM users WHERE {condition}");
        let reader = self.reader();
        let mut query = reader.prepare_cached(&sql).map_err(fault)?;
        let credentials = |row: &Row<'_>| {
            let hash = PasswordHash::stored(row.get(4)?);
            Ok(Credentials { person: person(row)?, hash })
        };
        query.query_row([key], credentials).optional().map_err(fault)
    }
}

/// What an insertion failed at, if it is something that belongs to another user.
fn who_is_taken(error: &rusqlite::Error) -> Option<Error> {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) if text.contains("users.name_key") => {
            Some(Error::UsernameTaken)
        }
        Some(ErrorCode::ConstraintViolation) if text.contains("users.email_key") => {
            Some(Error::BadRequest("email: this address belongs to another user".into()))
        }
        _ => None,
    }
}

/// Columns: id, name, roles, active.
fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    let roles = row.get_ref(2)?.as_str()?;
    // The schema's CHECK lets nothing else in; a file that was tampered with grants no role.
    let roles = Roles::parse(roles).unwrap_or_default();
    Ok(Person { id: row.get(0)?, name: row.get(1)?, roles, active: row.get(3)? })
}

/// Columns: those of [`person`], email, created.
fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let person = person(row)?;
    Ok(Account { person, email: row.get(4)?, created: Timestamp(row.get(5)?) })
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
        ) => Error::Unavailable(text),
        _ => Error::Internal(text),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

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

    pub(super) fn add(store: &Sqlite, name: &str, email: Option<&str>) -> Result<i64, Error> {
        let email = email.map(|email| Email::parse(email).unwrap());
        let user = NewUser {
            name: &Username::parse(name).unwrap(),
            email: email.as_ref(),
            hash: &PasswordHash::stored("hash".into()),
            roles: &Roles::parse("a,b").unwrap(),
        };
        store.add(&user, Timestamp(5))
    }

    pub(super) fn found(store: &Sqlite, login: &str) -> Option<String> {
        store.credentials(login).unwrap().map(|c| c.person.name)
    }

    #[test]
    fn users_come_change_and_go() {
        let place = Place::new("users");
        let store = Sqlite::open(&place.file(), 2).unwrap();
        assert_eq!(add(&store, "Ada", None).unwrap(), 1);
        assert!(matches!(add(&store, "aDA", None), Err(Error::UsernameTaken)));
        assert_eq!(add(&store, "bob@example.org", Some("Bob@work.example")).unwrap(), 3 - 1);
        assert!(matches!(add(&store, "x", Some("bob@WORK.example")), Err(Error::BadRequest(_))));
        assert_eq!(found(&store, "ADA"), Some("Ada".into()));
        assert_eq!(found(&store, "bob@work.example"), Some("bob@example.org".into()));
        assert_eq!(found(&store, "BOB@example.org"), Some("bob@example.org".into()));
        // The owner of an address comes before a name that looks like it.
        add(&store, "carol", Some("bob@example.org")).unwrap();
        assert_eq!(found(&store, "bob@example.org"), Some("carol".into()));
        for nobody in ["", "a b", "nobody", "\0", &"x".repeat(100_000)] {
            assert_eq!(found(&store, nobody), None, "{nobody:?}");
        }

        let ada = store.person(1).unwrap().unwrap();
        assert_eq!((ada.name.as_str(), ada.roles.as_str(), ada.active), ("Ada", "a,b", true));
        assert!(store.change(1, &Change::Active(false)).unwrap());
        assert!(store.change(1, &Change::Roles(&Roles::default())).unwrap());
        let ada = store.person(1).unwrap().unwrap();
        assert_eq!((ada.roles.as_str(), ada.active), ("", false));
        assert!(!store.change(99, &Change::Active(true)).unwrap());

        let hash = |text: &str| PasswordHash::stored(text.into());
        store.strengthen(1, &hash("other"), &hash("new")).unwrap();
        assert_eq!(store.credentials("ada").unwrap().unwrap().hash, hash("hash"));
        store.strengthen(1, &hash("hash"), &hash("new")).unwrap();
        assert_eq!(store.credentials("ada").unwrap().unwrap().hash, hash("new"));
    }

    #[test]
    fn the_id_of_a_deleted_user_is_not_given_out_again() {
        let place = Place::new("ids");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let last = add(&store, "ada", None).unwrap();
        assert!(store.delete(last).unwrap());
        assert!(!store.delete(last).unwrap());
        assert!(add(&store, "ada", None).unwrap() > last);
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
}
