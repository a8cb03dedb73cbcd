//! How a database file is opened, made, looked at and refused.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::anchor::Anchor;
use super::checkpoint::LogSize;
use super::readers::Readers;
use super::turns::Turns;
use super::{BUSY, Sqlite, Writer, audit, emails};
use crate::error::Problem;

const SCHEMA: &str = include_str!("../../../schema.sql");
/// Those of the versions before, from the first on.
const OLDER: [&str; VERSION as usize - 1] = [
    include_str!("versions/1.sql"),
    include_str!("versions/2.sql"),
    include_str!("versions/3.sql"),
];
/// The number at the top of `schema.sql`.
const VERSION: i64 = 4;
/// The first version whose keys of e-mail addresses are made as today.
const KEYS_OF_TODAY: i64 = 4;
/// Prepared statements that a connection keeps: more than there are.
const STATEMENTS: usize = 128;
/// "LICT", big-endian.
const APPLICATION_ID: i64 = 0x4C49_4354;

/// What a look at a file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inspection {
    /// No file, or an empty one: it can be made.
    Absent,
    /// One of ours, of this version.
    Current,
    /// One of ours, of an older version: opening it will bring it to this one.
    Older(i64),
}

impl Sqlite {
    /// Opens the file, or makes it. `readers` threads can read without waiting for one another.
    /// A file that is not ours, damaged, or newer than this program is refused, and not touched.
    pub fn open(path: &Path, readers: usize) -> Result<Sqlite, Problem> {
        let found = Sqlite::inspect(path)?;
        match found {
            Inspection::Absent => create_file(path)?,
            Inspection::Current | Inspection::Older(_) => Sqlite::check(path)?,
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
        if let Inspection::Older(version) = found {
            upgrade(&mut writer).map_err(failed)?;
            log::info!("the database was brought from version {version} to {VERSION}");
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
        let log = LogSize::watch(path, &writer).map_err(failed)?;
        let reader = |_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let readers: Result<_, _> = (0..readers.max(1)).map(reader).collect();
        Ok(Sqlite {
            readers: Readers::new(readers.map_err(failed)?),
            writer: Mutex::new(Writer {
                anchor: Anchor::new(
                    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?,
                ),
                connection: writer,
                log,
                locked: None,
            }),
            turns: Turns::default(),
            mails: false,
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
            VERSION => Ok(Inspection::Current),
            older @ 1..VERSION => Ok(Inspection::Older(older)),
            version => Err(Problem::new(
                format!(
                    "the database {} is of version {version}; this lictor knows version \
                         {VERSION}",
                    path.display()
                ),
                "run the newer lictor that made it, or give another file with --database",
            )),
        }
    }

    /// Reads the whole file, without changing it, and says whether it is as it should be.
    pub fn check(path: &Path) -> Result<(), Problem> {
        let failed = |error: rusqlite::Error| cannot_open(path, &error);
        // Never through std::fs: closing a file of our own would drop the locks that SQLite has
        // on it, in the whole process.
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        let sound: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
        let version: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        let ours = has_our_schema(&connection, version).map_err(failed)?;
        match sound == "ok" && ours {
            true => Ok(()),
            false => Err(damaged(path, &sound)),
        }
    }
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // Each connection is behind a lock of ours, so SQLite need not take one of its own.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A plan does not depend on the values that are bound; else SQLite, built with STAT4, plans a
    // cached statement anew each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
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

/// Brings an older file to the current schema, in one transaction: the old tables step aside, the
/// new ones are made exactly as `schema.sql` says, and the rows move over. What is new in a table
/// has a default.
fn upgrade(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON;")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another lictor may have done it between our look and our lock.
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version < VERSION {
        for index in names(&transaction, "index")? {
            transaction.execute_batch(&format!("DROP INDEX {index}"))?;
        }
        let tables = names(&transaction, "table")?;
        for table in &tables {
            transaction.execute_batch(&format!("ALTER TABLE {table} RENAME TO old_{table}"))?;
        }
        transaction.execute_batch(SCHEMA)?;
        for table in &tables {
            move_over(&transaction, table)?;
        }
        audit::divide(&transaction)?;
        if version < KEYS_OF_TODAY {
            emails::make_keys_anew(&transaction)?;
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    connection.execute_batch("PRAGMA legacy_alter_table = OFF;")
}

/// Tables or indices, apart from those that SQLite keeps for itself.
fn names(connection: &Connection, what: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = ?1 AND name NOT GLOB 'sqlite_*'")?
        .query_map([what], |row| row.get(0))?
        .collect()
}

fn move_over(connection: &Connection, table: &str) -> rusqlite::Result<()> {
    let columns: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_info(?1)")?
        .query_map([format!("old_{table}")], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let columns = columns.join(", ");
    connection.execute_batch(&format!(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM old_{table};
         -- The highest id ever given out.
         UPDATE sqlite_sequence SET seq = ifnull((SELECT seq FROM sqlite_sequence
             WHERE name = 'old_{table}'), seq) WHERE name = '{table}';
         DROP TABLE old_{table};"
    ))
}

/// Whether the tables and indices are exactly those of the version, apart from what SQLite keeps
/// for itself.
fn has_our_schema(connection: &Connection, version: i64) -> rusqlite::Result<bool> {
    let statements = |connection: &Connection| -> rusqlite::Result<Vec<String>> {
        connection
            .prepare(
                "SELECT sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*' ORDER BY type, name",
            )?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let older = usize::try_from(version - 1).ok().and_then(|index| OLDER.get(index));
    let model = Connection::open_in_memory()?;
    model.execute_batch(older.unwrap_or(&SCHEMA))?;
    Ok(statements(connection)? == statements(&model)?)
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
    use rusqlite::Error;
    let shown = path.display();
    if let Error::FromSqlConversionFailure(..)
    | Error::InvalidColumnType(..)
    | Error::Utf8Error(..) = error
    {
        return damaged(path, &error.to_string());
    }
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
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::tests::{Place, add, found};
    use super::*;
    use crate::clock::Timestamp;
    use crate::store::{Sessions as _, Tickets as _, Users as _};
    use crate::values::Username;

    /// Rows of tables that came in after the first version.
    const ROWS: [(&str, &str); 5] = [
        (
            "outbox",
            "(message, kind, user, email, created, detail, attempts, failure)
             VALUES ('m', 'password-changed', 1, 'a@b', 5, 'd', 3, 'busy')",
        ),
        (
            "audit",
            "(at, event, user, name, actor, address, detail)
             VALUES (5, 'login', 1, 'Ada', 2, '::1', 'd')",
        ),
        (
            "invitations",
            "(id, hash, roles, created, expires, creator) VALUES ('i', x'01', 'a', 5, 100, 1)",
        ),
        (
            "second_factors",
            "(user, secret, created, confirmed, last_step) VALUES (1, x'02', 5, 6, 7)",
        ),
        ("recovery_codes", "(user, hash) VALUES (1, x'03')"),
    ];

    /// All rows, by table and number, each with its values by column.
    fn contents(connection: &Connection) -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        for table in names(connection, "table").unwrap() {
            let mut query = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns: Vec<String> = query.column_names().map(Into::into).collect();
            let mut rows = query.query([]).unwrap();
            for number in 0.. {
                let Some(row) = rows.next().unwrap() else { break };
                let value = |(at, name)| format!("{name} {:?}", row.get_ref(at).unwrap());
                let values = columns.iter().enumerate().map(value).collect();
                found.insert(format!("{table} {number}"), values);
            }
        }
        found
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
    fn every_older_version_ends_at_exactly_the_current_schema() {
        for (version, schema) in (1..).zip(OLDER) {
            let place = Place::new(&format!("version-{version}"));
            let old = Connection::open(place.file()).unwrap();
            old.execute_batch(schema).unwrap();
            old.execute_batch(
                "INSERT INTO users (name, name_key, password, roles, created) VALUES
                 ('Ada', 'ada', 'hash', 'a,b', 5), ('Bob', 'bob', 'hash', '', 6),
                 ('Carol', 'carol', 'hash', '', 7);
                 DELETE FROM users WHERE name = 'Carol';",
            )
            .unwrap();
            if version > 1 {
                old.execute_batch(
                    "INSERT INTO sessions (jti, user, created, newest, expires, address, agent)
                     VALUES ('session', 1, 5, 5, 100, '', '');
                     INSERT INTO tickets (jti, user, purpose, expires)
                     VALUES ('ticket', 2, 'reset', 100);",
                )
                .unwrap();
            }
            for (table, row) in ROWS {
                if names(&old, "table").unwrap().iter().any(|one| one == table) {
                    old.execute_batch(&format!("INSERT INTO {table} {row}")).unwrap();
                }
            }
            let before = contents(&old);
            old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
            old.pragma_update(None, "user_version", version).unwrap();
            // Something that somebody has added is not thrown away.
            old.execute_batch("CREATE INDEX theirs ON users (created)").unwrap();
            let refused = Sqlite::open(&place.file(), 1).unwrap_err();
            assert!(refused.what.contains("is damaged"), "{refused}");
            old.execute_batch("DROP INDEX theirs").unwrap();
            drop(old);
            assert_eq!(Sqlite::inspect(&place.file()), Ok(Inspection::Older(version)));
            let store = Sqlite::open(&place.file(), 1).unwrap();
            assert_eq!(Sqlite::inspect(&place.file()), Ok(Inspection::Current));
            assert_eq!(Sqlite::check(&place.file()), Ok(()));
            let after = contents(&Connection::open(place.file()).unwrap());
            for (row, values) in &before {
                let now = after.get(row).unwrap_or_else(|| panic!("version {version}: no {row}"));
                assert!(values.is_subset(now), "version {version}: {row} is {now:?}");
            }
            assert_eq!(after.len(), before.len());
            assert_eq!(found(&store, "ada"), Some("Ada".into()));
            assert_eq!(found(&store, "bob"), Some("Bob".into()));
            assert_eq!(add(&store, "dora", None).unwrap(), 4, "Carol's id was given out again");
            let kept = version > 1;
            assert_eq!(!store.sessions(1, Timestamp(6)).unwrap().is_empty(), kept);
            assert_eq!(store.holder("ticket", Timestamp(6)).unwrap().is_some(), kept);
            let keys: i64 = store
                .with_writer(|w| Ok(w.query_row("PRAGMA foreign_keys", [], |row| row.get(0))?))
                .unwrap();
            assert_eq!(keys, 1);
        }
    }

    #[test]
    fn addresses_from_before_version_4_have_the_keys_of_today() {
        let place = Place::new("keys");
        let old = Connection::open(place.file()).unwrap();
        old.execute_batch(OLDER[2]).unwrap();
        let rows = [
            ("mike", Some("mike@example.org"), Some("mike@example.org")),
            ("ada", Some("Ada@B\u{fc}cher.example"), Some("Ada@B\u{fc}cher.example")),
            // The same mailbox; the older account keeps it.
            ("bob", Some("a@\u{ff45}xample.org"), Some("a@\u{ff45}xample.org")),
            ("carol", Some("a@e\u{ff58}ample.org"), None),
            // A younger account with the plain spelling gives way as well.
            ("dora", Some("a@example.org"), None),
            // This one had the key of mike@mail.example.
            ("kelvin", Some("mi\u{212a}e@mail.example"), Some("mi\u{212a}e@mail.example")),
            ("erin", None, None),
            // No address any more, but nothing is lost.
            ("frank", Some("f@\u{5d0}a.example"), Some("f@\u{5d0}a.example")),
        ];
        for (name, email, _) in rows {
            let sql = "INSERT INTO users (name, name_key, email, email_key, password, created)
                       VALUES (?1, ?1, ?2, ?3, 'hash', 5)";
            let key = email.map(str::to_lowercase);
            old.execute(sql, rusqlite::params![name, email, key]).unwrap();
        }
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", 3).unwrap();
        drop(old);
        let store = Sqlite::open(&place.file(), 1).unwrap();
        for (name, _, email) in rows {
            let account = store.account(&Username::parse(name).unwrap()).unwrap().unwrap();
            assert_eq!(account.email.as_deref(), email, "{name}");
        }
        for (login, expected) in [
            ("mike@example.org", Some("mike")),
            ("mi\u{212a}e@example.org", None),
            ("mike@mail.example", None),
            ("MI\u{212a}E@mail.example", Some("kelvin")),
            ("ada@xn--bcher-kva.example", Some("ada")),
            ("a@example.org", Some("bob")),
            ("A@EXAMPL\u{ff25}.org", Some("bob")),
            ("frank", Some("frank")),
        ] {
            assert_eq!(found(&store, login).as_deref(), expected, "{login}");
        }
        assert_eq!(Sqlite::check(&place.file()), Ok(()));
    }

    #[test]
    fn an_address_that_is_no_text_was_said_to_be_a_file_that_cannot_be_written() {
        let place = Place::new("no-text");
        let old = Connection::open(place.file()).unwrap();
        old.execute_batch(OLDER[2]).unwrap();
        old.execute_batch(
            "INSERT INTO users (name, name_key, email, email_key, password, created)
             VALUES ('ada', 'ada', CAST(x'ff40' AS TEXT), 'a@b', 'hash', 5)",
        )
        .unwrap();
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", 3).unwrap();
        drop(old);
        let problem = Sqlite::open(&place.file(), 1).unwrap_err();
        assert!(problem.what.contains("is damaged"), "{problem}");
        assert!(problem.next.contains("restore a backup"), "{problem}");
        // It was not touched, as it says.
        assert_eq!(Sqlite::inspect(&place.file()), Ok(Inspection::Older(3)));
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
                "is of version 5",
                Box::new(|| {
                    ours();
                    with_sql("PRAGMA user_version = 5");
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
