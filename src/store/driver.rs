//! What a database gives to the store: transactions, statements with values, rows, and faults told
//! apart. A driver knows no table and no rule; the statements stand in `store/rows` and the rules
//! beside this file.
//!
//! Statements are written once, in the SQL that SQLite and PostgreSQL have in common: parameters
//! are `$1`, `$2`, …, each as often and in whatever order it is needed; the column `user` is
//! written `"user"`; no `ifnull`, `iif`, scalar `max`, `instr`, `GLOB`, negative `LIMIT` or
//! `last_insert_rowid` (`RETURNING id` instead). A statement's text is `'static`, so that a driver
//! can keep it prepared.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Cause, Error};

/// A value that is bound to a statement's parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    /// NULL.
    Null,
    /// A 64-bit integer; also a time, in seconds since 1970.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
    /// Several texts, for `= ANY ($1)`; only where [`Queries::dialect`] says that there is such a
    /// thing.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    Texts(&'a [&'a str]),
}

/// The SQL of a database, for the few statements that the databases cannot have in common; each
/// says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// One row of an answer. Columns count from 0. A column of another type than asked for is
/// [`Fault::Damaged`].
pub(crate) trait Row {
    /// An integer; `None` for NULL.
    fn integer(&self, column: usize) -> Result<Option<i64>, Fault>;
    /// A boolean; NULL is false.
    fn boolean(&self, column: usize) -> Result<bool, Fault>;
    /// Text; `None` for NULL.
    fn text(&self, column: usize) -> Result<Option<&str>, Fault>;
    /// Bytes; `None` for NULL.
    fn blob(&self, column: usize) -> Result<Option<&[u8]>, Fault>;
}

/// Runs statements, inside one transaction or one read.
pub(crate) trait Queries {
    /// Whose SQL it is.
    fn dialect(&self) -> Dialect;

    /// Runs a statement that answers no rows; returns how many rows it changed.
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, Fault>;

    /// Runs a statement, and hands each row of its answer to `row`, in order. A fault of `row`
    /// ends it.
    fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault>;

    /// Like [`query`](Queries::query), for a check of tokens: it finds few rows by their keys, and
    /// must not take as long as a list may.
    fn query_keys(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.query(sql, values, row)
    }

    /// Runs a statement, and hands the first row of its answer to `row`, if there is one.
    fn query_first(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault>;

    /// Runs a statement that answers no rows once for each of `sets`, in one batch where the
    /// database is across a network.
    fn execute_each(&mut self, sql: &'static str, sets: &[&[Value<'_>]]) -> Result<(), Fault>;
}

/// What runs inside a read.
pub(crate) type Reading<'a> = dyn FnMut(&mut dyn Queries) -> Result<(), Fault> + 'a;

/// What runs inside a transaction.
pub(crate) type Writing<'a> = dyn FnMut(&mut dyn Queries) -> Result<(), Abort> + 'a;

/// Called now and then while a database is checked; returns whether the check must stop.
pub(crate) type Watch = Box<dyn FnMut() -> bool + Send>;

/// How long a read or a write waits that only finds out whether it works. One of each is done within
/// the two seconds of `lictor health`.
pub(crate) const PROBE: Duration = Duration::from_millis(700);

/// A database that is open.
pub(crate) trait Driver: Send + Sync + fmt::Debug {
    /// Runs `work` once, outside of a transaction; it only reads.
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault>;

    /// Runs `work` like [`read`](Driver::read), beside a transaction that is open; returns whether
    /// it was done. Takes no longer than a moment: `work` does not run if that would need to wait
    /// for others, and a failure has no consequence. The default does nothing.
    fn read_beside(&self, _work: &mut Reading<'_>) -> bool {
        false
    }

    /// Runs `work` in one serializable transaction, which is durable when this returns `Ok`: what
    /// `work` reads stays true until the commit. An error of `work` undoes everything. `work` runs
    /// again if the database asks for that ([`Fault::Retry`]), so it must keep nothing of an
    /// earlier run. A commit whose outcome is unknown, since the connection was lost, is
    /// [`Fault::Unavailable`] and is never run again.
    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort>;

    /// Runs `work` like [`read`](Driver::read), but waits for [`PROBE`] at most.
    fn read_briefly(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        self.read(work)
    }

    /// Runs `work` like [`write`](Driver::write), but waits for locks for [`PROBE`] at most.
    fn write_briefly(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.write(work)
    }

    /// Runs `work` like [`write`](Driver::write), when it adds so many rows that it takes seconds or
    /// minutes.
    #[cfg(any(test, feature = "cli"))]
    fn write_long(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.write(work)
    }

    /// How many threads can usefully wait for it.
    fn concurrency(&self) -> Concurrency;

    /// Says that this thread is one of many that mostly wait for writes. A driver in which threads
    /// have connections of their own gives it none.
    fn share_reader(&self) {}

    /// Lets the connections that read map this many bytes of the database into memory. Does nothing
    /// where there is no file to map.
    fn allow_mapping(&self, _bytes: u64) {}

    /// Whether this is the one process, of all that have the database open, that delivers mails and
    /// deletes what has expired.
    fn leads(&self) -> bool;

    /// Checks the database if its last end was not clean, beside the work, until `watch` says to
    /// stop. Afterwards, writes to a damaged one are refused with [`Error::Damaged`]. The default
    /// does nothing: a server checks its own files.
    fn check(&self, _watch: Watch) {}

    /// Whether a check has found damage, so that nothing is written any more.
    fn is_damaged(&self) -> bool {
        false
    }

    /// Looks whether what is open is still what its name says; a log line says if not. Called every
    /// few seconds; false if there is nothing to look at.
    fn watch(&self) -> bool {
        false
    }

    /// Called a few times a second while requests may come (`busy`), and once when none may any
    /// more.
    fn upkeep(&self, busy: bool);

    /// Puts everything in its final place; called when the server ends.
    fn settle(&self) -> Result<(), Fault>;
}

/// How many threads can usefully wait for a database at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// For reads by key; `None` if such a read is as quick as memory, so that nobody waits.
    pub reads: Option<usize>,
    /// For checks of tokens, many at once ([`Store::standings`](super::Store::standings)); means
    /// nothing if reads are quick.
    pub checks: usize,
    /// For writes.
    pub writes: usize,
}

/// The result of inspecting a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inspection {
    /// Nothing, an empty file, or a server without our schema: it can be made.
    Absent,
    /// One of ours, of this version.
    Current,
    /// One of ours, of an older version: opening it will bring it to this one.
    Older(i64),
}

/// A column whose value belongs to one user alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unique {
    /// `users.name_key`
    Username,
    /// `users.email_key`
    Email,
}

/// Why a statement failed.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The value belongs to another user.
    Taken(Unique),
    /// Another transaction was in the way; the same one may succeed when it is run again.
    // SQLite waits for the one writer before a transaction begins.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    Retry(Cause),
    /// Passing trouble of the machine, of the network or of another process.
    Unavailable(Cause),
    /// The pages of the database are damaged.
    Corrupt(Cause),
    /// A row holds what the schema does not allow, or the statement is wrong.
    Damaged(Cause),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        match fault {
            Fault::Taken(Unique::Username) => Error::UsernameTaken,
            Fault::Taken(Unique::Email) => Error::EmailTaken,
            Fault::Retry(why) | Fault::Unavailable(why) => {
                Error::Unavailable(why.within("database"))
            }
            // The driver has logged it.
            Fault::Corrupt(_) => Error::Damaged,
            Fault::Damaged(why) => Error::Internal(why.within("database")),
        }
    }
}

/// Why a transaction is undone.
#[derive(Debug)]
pub(crate) enum Abort {
    /// The database failed.
    Fault(Fault),
    /// A rule of the store forbids it.
    Rule(Error),
}

impl From<Fault> for Abort {
    fn from(fault: Fault) -> Abort {
        Abort::Fault(fault)
    }
}

impl From<Abort> for Error {
    fn from(abort: Abort) -> Error {
        match abort {
            Abort::Fault(fault) => fault.into(),
            Abort::Rule(error) => error,
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Integer(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Value::Integer(number.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Boolean(value)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(at: Timestamp) -> Self {
        Value::Integer(at.0)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Value::Blob(bytes)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// A type that a column can be read as.
pub(crate) trait Column: Sized {
    /// Reads the column of a row.
    fn read(row: &dyn Row, column: usize) -> Result<Self, Fault>;
}

impl dyn Row + '_ {
    /// Reads a column.
    pub(crate) fn get<T: Column>(&self, column: usize) -> Result<T, Fault> {
        T::read(self, column)
    }
}

fn not_null<T>(value: Option<T>, column: usize) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::Damaged(format!("column {column} is NULL").into()))
}

impl Column for Option<i64> {
    fn read(row: &dyn Row, column: usize) -> Result<Self, Fault> {
        row.integer(column)
    }
}

impl Column for i64 {
    fn read(row: &dyn Row, column: usize) -> Result<Self, Fault> {
        not_null(row.integer(column)?, column)
    }
}

impl Column for u32 {
    fn read(row: &dyn Row, column: usize) -> Result<Self, Fault> {
        let number = row.get::<i64>(column)?;
        let wrong = |_| Fault::Damaged(format!("column {column} is out of range: {number}").into());
        u32::try_from(number).map_err(wrong)
    }
}

impl Column for Timestamp {
    fn read(row: &dyn Row, column: usize) -> Result<Self, Fault> {
        row.get(column).map(Timestamp)
    }
}

impl Column for Option<Timestamp> {
    fn read(row: &dyn Row, column: usize) -> Result<Self, Fault> {
        Ok(row.integer(column)?.map(Timestamp))
    }
}

impl Column for bool {
    fn read(row: &dyn Row, column: usize) -> Result<Self, Fault> {
        row.boolean(column)
    }
}

impl Column for String {
    fn read(row: &dyn Row, column: usize) -> Result<Self, Fault> {
        not_null(row.text(column)?, column).map(str::to_owned)
    }
}

impl Column for Option<String> {
    fn read(row: &dyn Row, column: usize) -> Result<Self, Fault> {
        Ok(row.text(column)?.map(str::to_owned))
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: &dyn Row, column: usize) -> Result<Self, Fault> {
        let bytes = not_null(row.blob(column)?, column)?;
        let wrong = |_| Fault::Damaged(format!("column {column} has {} bytes", bytes.len()).into());
        bytes.try_into().map_err(wrong)
    }
}
