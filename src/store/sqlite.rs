//! Users in an SQLite file: the only SQL of the program.
//!
//! One connection writes, behind a lock; as many read as threads want to, each with its own
//! prepared statements. The file is in WAL mode, so readers never wait for the writer.

use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row, TransactionBehavior, params,
};

use super::{Account, Change, Credentials, NewUser, Person, Store};
use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::guard::{Email, PasswordHash, Roles, Username};

const SCHEMA: &str = include_str!("../../schema.sql");
/// The number at the top of `schema.sql`.
const VERSION: i64 = 1;
/// "LICT", big-endian.
const APPLICATION_ID: i64 = 0x4C49_4354;
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
    connection: Connection,
    /// When the file was last found locked by somebody else, if nothing was written since.
    locked: Option<Instant>,
}

/// What a look at a file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inspection {
    /// No file, or an empty one: it can be made.
    Absent,
    /// One of ours, of this version.
    Current,
}

impl Sqlite {
    /// Opens the file, or makes it. `readers` threads can read without waiting for one another.
    /// A file that is not ours, damaged, or newer than this program is refused, and not touched.
    pub fn open(path: &Path, readers: usize) -> Result<Sqlite, Problem> {
        let found = Sqlite::inspect(path)?;
        match found {
            Inspection::Absent => create_file(path)?,
            Inspection::Current => Sqlite::check(path)?,
        }
        let failed = |error: rusqlite::Error| cannot_open(path, &error);
        let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
        if writer.is_readonly("main").map_err(failed)? {
            return Err(Problem::new(
                format!("the database {} cannot be written", path.display()),
                "let the user that runs lictor write the file and its directory",
            ));
        }
        if found == Inspection::Absent {
            create_schema(&mut writer).map_err(failed)?;
        }
        let mode: String =
            writer.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
        if mode != "wal" {
            return Err(Problem::new(
                format!("the database {} cannot use a write-ahead log", path.display()),
                "put it on a local file system; network file systems cannot share memory",
            ));
        }
        writer
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
            .map_err(failed)?;
        let reader = |_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map(Mutex::new);
        let readers: Result<_, _> = (0..readers.max(1)).map(reader).collect();
        Ok(Sqlite {
            readers: readers.map_err(failed)?,
            writer: Mutex::new(Writer { connection: writer, locked: None }),
        })
    }

    /// Looks whose the file is and of which version, without changing it.
    pub fn inspect(path: &Path) -> Result<Inspection, Problem> {
        match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound && directory(path).is_dir() => {
                return Ok(Inspection::Absent);
            }
            Err(error) => return Err(cannot_reach(path, &error)),
            Ok(meta) if meta.is_file() && meta.len() == 0 => return Ok(Inspection::Absent),
            Ok(meta) if !meta.is_file() => {
                return Err(Problem::new(
                    format!("{} is not a file", path.display()),
                    "give the path of a database file with --database",
                ));
            }
            Ok(_) => {}
        }
        let failed = |error: rusqlite::Error| cannot_open(path, &error);
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        let number = |pragma: &str| -> Result<i64, Problem> {
            connection.query_row(pragma, [], |row| row.get(0)).map_err(failed)
        };
        if number("PRAGMA application_id")? != APPLICATION_ID {
            return Err(not_ours(path));
        }
        match number("PRAGMA user_version")? {
            VERSION => {}
            version => {
                return Err(Problem::new(
                    format!(
                        "the database {} is of version {version}; this lictor knows version \
                         {VERSION}",
                        path.display()
                    ),
                    "run the newer lictor that made it, or give another file with --database",
                ));
            }
        }
        Ok(Inspection::Current)
    }

    /// Reads the whole file, without changing it, and says whether it is as it should be.
    pub fn check(path: &Path) -> Result<(), Problem> {
        let failed = |error: rusqlite::Error| cannot_open(path, &error);
        // Never through std::fs: closing a file of our own would drop the locks that SQLite has
        // on it, in the whole process.
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        let sound: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
        if sound != "ok" || !has_our_schema(&connection).map_err(failed)? {
            return Err(damaged(path, &sound));
        }
        Ok(())
    }

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
        let done = act(&writer.connection);
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

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // Each connection is behind a lock of ours, so SQLite need not take one of its own.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// Makes the file before SQLite does, and readable by its owner only. One that is there, but
/// empty, keeps its mode: whoever made it has chosen.
fn create_file(path: &Path) -> Result<(), Problem> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(cannot_reach(path, &error)),
    }
}

fn create_schema(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another lictor may have done it between our look and our lock.
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == 0 {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

/// Whether the tables and indices are exactly those of `schema.sql`, apart from what SQLite keeps
/// for itself.
fn has_our_schema(connection: &Connection) -> rusqlite::Result<bool> {
    let statements = |connection: &Connection| -> rusqlite::Result<Vec<String>> {
        connection
            .prepare(
                "SELECT sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*' ORDER BY type, name",
            )?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let model = Connection::open_in_memory()?;
    model.execute_batch(SCHEMA)?;
    Ok(statements(connection)? == statements(&model)?)
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

fn cannot_reach(path: &Path, error: &std::io::Error) -> Problem {
    let shown = path.display();
    let directory = directory(path);
    let next = if directory.is_dir() {
        format!(
            "let the user that runs lictor write in {}, or give another place with --database",
            directory.display()
        )
    } else {
        format!("make the directory: mkdir -p {}", directory.display())
    };
    Problem::new(format!("cannot open the database {shown}: {error}"), next)
}

fn directory(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn cannot_open(path: &Path, error: &rusqlite::Error) -> Problem {
    let shown = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_ours(path),
        Some(ErrorCode::DatabaseCorrupt) => damaged(path, &error.to_string()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Problem::new(
            format!("the database {shown} is locked by another program"),
            "end that program, or wait until it is done",
        ),
        _ => Problem::new(
            format!("cannot open the database {shown}: {error}"),
            "let the user that runs lictor write the file and its directory",
        ),
    }
}

fn not_ours(path: &Path) -> Problem {
    Problem::new(
        format!("{} is not a lictor database", path.display()),
        "it was not touched; give another path with --database",
    )
}

fn damaged(path: &Path, how: &str) -> Problem {
    let how = if how == "ok" { "its tables are not lictor's" } else { how };
    Problem::new(
        format!("the database {} is damaged: {how}", path.display()),
        "it was not touched; restore a backup, or try `sqlite3 FILE .recover`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A private directory that goes away with the value.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            let path = std::env::temp_dir().join(format!("lictor-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Place(path)
        }

        fn file(&self) -> PathBuf {
            self.0.join("lictor.db")
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn add(store: &Sqlite, name: &str, email: Option<&str>) -> Result<i64, Error> {
        let email = email.map(|email| Email::parse(email).unwrap());
        let user = NewUser {
            name: &Username::parse(name).unwrap(),
            email: email.as_ref(),
            hash: &PasswordHash::stored("hash".into()),
            roles: &Roles::parse("a,b").unwrap(),
        };
        store.add(&user, Timestamp(5))
    }

    fn found(store: &Sqlite, login: &str) -> Option<String> {
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
    fn a_file_is_made_private_and_opens_again() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = Place::new("open");
        assert_eq!(Sqlite::inspect(&place.file()), Ok(Inspection::Absent));
        add(&Sqlite::open(&place.file(), 1).unwrap(), "ada", None).unwrap();
        assert_eq!(Sqlite::inspect(&place.file()), Ok(Inspection::Current));
        let again = Sqlite::open(&place.file(), 1).unwrap();
        assert_eq!(found(&again, "ada"), Some("ada".into()));
        let mode = fs::metadata(place.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
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
    fn statistics_for_the_planner_are_no_damage() {
        let place = Place::new("analyze");
        add(&Sqlite::open(&place.file(), 1).unwrap(), "ada", None).unwrap();
        Connection::open(place.file()).unwrap().execute_batch("ANALYZE").unwrap();
        assert_eq!(Sqlite::check(&place.file()), Ok(()));
    }

    #[test]
    fn a_second_look_from_the_same_process_loses_nothing() {
        let place = Place::new("locks");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        add(&store, "ada", None).unwrap();
        Sqlite::inspect(&place.file()).unwrap();
        Sqlite::check(&place.file()).unwrap();
        // Another process comes and goes; it must see that we are still here.
        let count = |expected: &str| {
            let script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1])\
                          .execute('SELECT count(*) FROM users').fetchone()[0])";
            let output = std::process::Command::new("python3")
                .args(["-c", script])
                .arg(place.file())
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected, "{output:?}");
        };
        count("1");
        add(&store, "bob", None).unwrap();
        count("2");
    }

    #[test]
    fn files_that_are_not_ours_are_refused_untouched() {
        let place = Place::new("foreign");
        let file = place.file();
        let ours = || {
            let _ = fs::remove_file(&file);
            drop(Sqlite::open(&file, 1).unwrap());
        };
        let with_sql = |sql: &str| Connection::open(&file).unwrap().execute_batch(sql).unwrap();
        type Make<'a> = (&'a str, Box<dyn Fn() + 'a>);
        let cases: [Make<'_>; 6] = [
            ("is not a lictor database", Box::new(|| fs::write(&file, "hello\n").unwrap())),
            ("is not a lictor database", Box::new(|| fs::write(&file, [0; 8192]).unwrap())),
            (
                "is not a lictor database",
                Box::new(|| {
                    fs::remove_file(&file).unwrap();
                    with_sql("CREATE TABLE users (id); PRAGMA user_version = 1;");
                }),
            ),
            (
                "is of version 2",
                Box::new(|| {
                    ours();
                    with_sql("PRAGMA user_version = 2");
                }),
            ),
            (
                "is damaged",
                Box::new(|| {
                    ours();
                    with_sql("ALTER TABLE users ADD COLUMN x TEXT");
                }),
            ),
            (
                "is damaged",
                Box::new(|| {
                    ours();
                    let mut bytes = fs::read(&file).unwrap();
                    bytes[4096..].fill(0x5a);
                    fs::write(&file, bytes).unwrap();
                }),
            ),
        ];
        for (expected, make) in cases {
            make();
            let before = fs::read(&file).unwrap();
            let problem = Sqlite::open(&file, 1).unwrap_err();
            assert!(problem.what.contains(expected), "{problem}");
            assert!(!problem.next.is_empty());
            assert_eq!(fs::read(&file).unwrap(), before, "{problem}");
        }
    }
}
