//! A table in an SQLite file of another program, read only. The file may be made to attack its
//! reader: SQLite is told to trust nothing in it, and each step has a limit.

mod traces;

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use self::traces::Mode;
use super::schema::{APPLICATION_ID, number};
use crate::error::Problem;
use crate::store::foreign::{
    Cell, Counter, MAX_FIELD, MAX_SHOWN, MAX_SHOWN_COLUMNS, OnRow, TOO_LONG, Table, no_column,
    no_table, pick, quoted,
};

/// How long the other program may keep the file locked.
const BUSY: Duration = Duration::from_secs(5);
/// How long SQLite may work for one row.
const PATIENCE: Duration = Duration::from_secs(60);
/// Instructions of SQLite's machine between two looks at the clock.
const LOOK: i32 = 100_000;
/// Bytes of a value, a row or a statement of the schema that SQLite handles, at most. A longer value
/// in a column that is not read does no harm.
const MAX_LENGTH: i32 = 4 << 20;
/// Instructions of a statement, at most: a view may be large.
const MAX_INSTRUCTIONS: i32 = 50_000;

/// Bytes of the header of a file, and where its encoding is in it.
const HEADER: usize = 100;
const ENCODING: Range<usize> = 56..60;

/// The tables and views. A table without pages of its own is virtual: it would run the code of an
/// extension.
const TABLES: &str = "SELECT name FROM main.sqlite_schema
WHERE (type = 'view' OR type = 'table' AND rootpage > 0) AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
ORDER BY rowid";
const COLUMNS: &str = "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 1";
/// There is no such table before the first AUTOINCREMENT.
const HAS_COUNTERS: &str = "SELECT count(*) FROM main.sqlite_schema WHERE name = 'sqlite_sequence'";
const COUNTER: &str = "SELECT seq FROM main.sqlite_sequence WHERE name = ?1";

/// A file that is open, and what its errors are told with.
struct File<'a> {
    path: &'a Path,
    connection: Connection,
    clock: Clock,
}

/// When SQLite must have finished the current step.
#[derive(Clone)]
struct Clock {
    begun: Instant,
    /// Milliseconds after `begun`.
    limit: Arc<AtomicU64>,
}

impl Clock {
    fn start() -> Clock {
        let clock = Clock { begun: Instant::now(), limit: Arc::default() };
        clock.extend();
        clock
    }

    fn extend(&self) {
        self.limit.store(self.elapsed() + PATIENCE.as_millis() as u64, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.elapsed() > self.limit.load(Ordering::Relaxed)
    }

    fn elapsed(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64
    }
}

/// The tables and views of a file, with their columns.
pub(in crate::store) fn tables(path: &Path) -> Result<Vec<Table>, Problem> {
    File::read_at_once(path, |file| {
        let mut left = MAX_SHOWN_COLUMNS;
        let mut found = Vec::new();
        for name in file.names(TABLES, None, MAX_SHOWN)? {
            // A view of a table that is gone has no columns.
            let columns = file.names(COLUMNS, Some(&name), left.min(MAX_SHOWN)).unwrap_or_default();
            left -= columns.len();
            found.push(Table { name, columns });
        }
        Ok(found)
    })
}

/// Finds a table or a view.
pub(in crate::store) fn find(path: &Path, name: &str) -> Result<Option<Table>, Problem> {
    File::read_at_once(path, |file| file.find(name))
}

/// Whether the file is a database of lictor.
pub(in crate::store) fn is_lictor(path: &Path) -> Result<bool, Problem> {
    File::read_at_once(path, |file| {
        let id = number(&file.connection, "application_id").map_err(|error| file.failed(error))?;
        Ok(id == APPLICATION_ID)
    })
}

/// The highest number that AUTOINCREMENT has given out for a table.
pub(in crate::store) fn last_id(path: &Path, table: &Table) -> Result<Counter, Problem> {
    File::read_at_once(path, |file| file.last_id(table).map_err(|error| file.failed(error)))
}

/// Hands each row to `row`. They are those of one moment.
pub(in crate::store) fn read_table(
    path: &Path,
    table: &Table,
    order: Option<&str>,
    row: OnRow<'_>,
) -> Result<(), Problem> {
    File::read_at_once(path, |file| {
        let all = file.find(&table.name)?.ok_or_else(|| no_table(table))?;
        let mut asked = table.columns.iter().map(String::as_str).chain(order);
        if let Some(unknown) = asked.find(|name| !all.columns.iter().any(|it| it == name)) {
            return Err(no_column(&all, unknown));
        }
        let mut after = 0;
        file.read(&select(&all.name, &table.columns, order), table.columns.len(), &mut after, row)
            .map_err(|stop| match stop {
                Stop::Row(problem) => problem,
                Stop::Sqlite(error) => file.failed_after(after, error),
            })
    })
}

/// The statement that reads the columns, each as two: the value, or NULL if it is too long; and
/// whether it is too long. SQLite knows a value's length without reading it.
fn select(table: &str, columns: &[String], order: Option<&str>) -> String {
    let mut sql = String::from("SELECT 1");
    for column in columns {
        let column = quoted(column);
        // Writing into a String cannot fail.
        let _ = write!(
            sql,
            ", CASE WHEN octet_length(t.{column}) <= {MAX_FIELD} THEN t.{column} END, \
             octet_length(t.{column}) > {MAX_FIELD}"
        );
    }
    let _ = write!(sql, " FROM main.{} AS t", quoted(table));
    if let Some(order) = order {
        let _ = write!(sql, " ORDER BY t.{}", quoted(order));
    }
    sql
}

/// Why reading rows ended early.
enum Stop {
    Sqlite(rusqlite::Error),
    Row(Problem),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Stop {
        Stop::Sqlite(error)
    }
}

impl File<'_> {
    /// Reads something of a file. Refuses it if the file was changed meanwhile, and SQLite's locks
    /// did not keep it as it was.
    fn read_at_once<T>(
        path: &Path,
        read: impl FnOnce(&File<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let (mode, clock) = (Mode::of(path)?, Clock::start());
        let found = match connect(path, &mode, clock.clone()) {
            Ok(connection) => read(&File { path, connection, clock }),
            Err(error) => Err(failed(path, None, error)),
        };
        mode.unchanged(path)?;
        found
    }

    fn last_id(&self, table: &Table) -> rusqlite::Result<Counter> {
        let there: i64 = self.connection.query_row(HAS_COUNTERS, [], |row| row.get(0))?;
        if there == 0 {
            return Ok(Counter::Absent);
        }
        let mut statement = self.connection.prepare(COUNTER)?;
        let mut rows = statement.query([&table.name])?;
        // Another type is no counter.
        let last = rows.next()?.and_then(|row| row.get(0).ok());
        Ok(last.map_or(Counter::Absent, |last: i64| Counter::At(last.max(0))))
    }

    fn find(&self, name: &str) -> Result<Option<Table>, Problem> {
        // All of them, in order to know whether a name in other case is unique.
        let tables = self.names(TABLES, None, usize::MAX)?;
        let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
        let Some(name) = pick(&tables, name) else { return Ok(None) };
        let columns = self.names(COLUMNS, Some(name), usize::MAX)?;
        Ok(Some(Table { name: name.to_owned(), columns }))
    }

    /// The first column of an answer. A name that is not UTF-8, or holds a NUL, is left out.
    fn names(
        &self,
        sql: &'static str,
        value: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Problem> {
        self.clock.extend();
        let read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(value))?;
            let mut names = Vec::new();
            while names.len() < limit {
                let Some(row) = rows.next()? else { break };
                if let ValueRef::Text(bytes) = row.get_ref(0)?
                    && let Cell::Text(name) = Cell::of(bytes)
                {
                    names.push(name.to_owned());
                }
            }
            Ok(names)
        };
        read().map_err(|error| self.failed(error))
    }

    fn read(
        &self,
        sql: &str,
        columns: usize,
        after: &mut u64,
        on_row: OnRow<'_>,
    ) -> Result<(), Stop> {
        self.clock.extend();
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut numbers = vec![String::new(); columns];
        while let Some(row) = rows.next()? {
            for (column, number) in numbers.iter_mut().enumerate() {
                write_number(row.get_ref(1 + 2 * column)?, number);
            }
            let mut cells = Vec::with_capacity(columns);
            for (column, number) in numbers.iter().enumerate() {
                cells.push(match row.get_ref(1 + 2 * column)? {
                    ValueRef::Null if row.get_ref(2 + 2 * column)? == ValueRef::Integer(1) => {
                        Cell::Unreadable(TOO_LONG)
                    }
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(_) | ValueRef::Real(_) => Cell::Text(number),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Cell::of(bytes),
                });
            }
            on_row(*after + 1, &cells).map_err(Stop::Row)?;
            *after += 1;
            self.clock.extend();
        }
        Ok(())
    }

    fn failed(&self, error: rusqlite::Error) -> Problem {
        failed(self.path, None, error)
    }

    fn failed_after(&self, row: u64, error: rusqlite::Error) -> Problem {
        failed(self.path, Some(row), error)
    }
}

fn write_number(value: ValueRef<'_>, text: &mut String) {
    text.clear();
    // Writing into a String cannot fail.
    let _ = match value {
        ValueRef::Integer(number) => write!(text, "{number}"),
        // A whole one is written as 1.0.
        ValueRef::Real(number) => write!(text, "{number:?}"),
        _ => Ok(()),
    };
}

/// Opens a file to read it, as <https://www.sqlite.org/security.html> says for files of strangers.
fn connect(path: &Path, mode: &Mode, clock: Clock) -> rusqlite::Result<Connection> {
    let mut access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    access.set(OpenFlags::SQLITE_OPEN_URI, matches!(mode, Mode::Unlocked(_)));
    let mut connection = Connection::open_with_flags(mode.name(path), access)?;
    for (config, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        // Else a column that is not there would be a text.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    ] {
        connection.set_db_config(config, value)?;
    }
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, MAX_LENGTH),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_LENGTH),
        (Limit::SQLITE_LIMIT_VDBE_OP, MAX_INSTRUCTIONS),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    connection.progress_handler(LOOK, Some(move || clock.is_over()))?;
    connection.busy_timeout(BUSY)?;
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;",
    )?;
    // The first read: opening alone looks at nothing.
    number(&connection, "schema_version")?;
    Ok(connection)
}

/// Says what is wrong with the file; `after` is the number of the last row that was read.
fn failed(path: &Path, after: Option<u64>, error: rusqlite::Error) -> Problem {
    let shown = path.display();
    let at = after.map_or(String::new(), |row| format!(" after row {row}"));
    let (why, next) = reason(path, &error);
    Problem::new(format!("cannot read {shown}{at}: {why}"), next).with_source(error)
}

/// Why SQLite failed, and what to do.
// Long: a table.
fn reason(path: &Path, error: &rusqlite::Error) -> (String, &'static str) {
    let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
    match error.sqlite_error_code() {
        _ if extended == ffi::SQLITE_READONLY_ROLLBACK => (
            format!(
                "the last write to it did not finish, and must be undone first ({}-journal)",
                path.display()
            ),
            "open it once with the program that it belongs to, or with `sqlite3 FILE .tables`",
        ),
        Some(ErrorCode::ReadOnly) => (traces::WHY.into(), traces::NEXT),
        Some(ErrorCode::CannotOpen) => {
            (error.to_string(), "let the user that runs lictor read the file and its folder")
        }
        Some(ErrorCode::NotADatabase) => {
            ("it is not an SQLite database, or it is encrypted".into(), "give another file")
        }
        // Where SQLite is built without UTF-16, the schema is nonsense to it.
        Some(ErrorCode::DatabaseCorrupt) if is_utf16(path) => (
            "its text is in UTF-16".into(),
            "convert it: `sqlite3 FILE .dump > x.sql`, then `sqlite3 NEW < x.sql`",
        ),
        Some(ErrorCode::DatabaseCorrupt) => (
            format!("the file is damaged: {error}"),
            "restore a backup, or try `sqlite3 FILE .recover`, and import from that",
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            ("it is locked by another program".into(), "end that program, or wait until it is done")
        }
        Some(ErrorCode::OperationInterrupted) => (
            format!("SQLite worked on one row for {} seconds", PATIENCE.as_secs()),
            "read a table instead of a view, or copy the rows that you want into a table",
        ),
        Some(ErrorCode::TooBig) => (
            format!("{error} (lictor reads rows of at most {} MiB)", MAX_LENGTH >> 20),
            "copy the columns that you want into another table, and import that",
        ),
        _ => (error.to_string(), "check the name of the table, and the file"),
    }
}

/// Whether the header of the file says that its text is in UTF-16. The file is closed at once, which
/// drops SQLite's locks on it: only where reading has failed.
fn is_utf16(path: &Path) -> bool {
    let mut header = [0; HEADER];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && matches!(header[ENCODING], [0, 0, 0, 2 | 3])
}

#[cfg(test)]
mod tests;
