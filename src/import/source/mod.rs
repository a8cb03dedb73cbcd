//! Where rows come from: a table of another program's database, a CSV file, or JSON Lines, from a
//! file or standard input. Everything that a source says may be hostile. Knows no preset and no rule
//! about accounts.
//!

use crate::error::Problem;
use crate::store::source::{Cell, Counter, Table};

/// The format of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A database: SQLite or PostgreSQL.
    Database,
    /// CSV with a header.
    Csv,
    /// A JSON object a line.
    JsonLines,
}

/// Where a row is. Its `Display` is "row 17", or "row 17 (line 19)".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position<'a> {
    /// The number of the row, from 1; the header of a CSV file does not count.
    pub(crate) row: u64,
    /// The line on which it begins, from 1; `None` for a database.
    pub(crate) line: Option<u64>,
    /// Bytes of the file that have been read so far; 0 for a database.
    pub(crate) read: u64,
    /// The line of JSON Lines as it is, if it is UTF-8 and not too long.
    pub(crate) raw: Option<&'a str>,
}

/// Takes a row: its cells in the order of the columns that were asked for, or why the row as a whole
/// cannot be read (then the next rows can). A problem ends the reading.
pub(crate) type OnRow<'a> =
    &'a mut dyn FnMut(Position<'_>, Result<&[Cell<'_>], &str>) -> Result<(), Problem>;

/// A source that is open.
#[derive(Debug)]
pub(crate) struct Source {}

impl Source {
    /// Opens a source by what the operator typed: a URL of PostgreSQL, a path, or `-`. Recognizes
    /// the format of a file unless it is given. Refuses a file of lictor itself, and what is none of
    /// the formats, with its name.
    pub(crate) fn open(name: &str, format: Option<Format>) -> Result<Source, Problem> {
        let _ = (name, format);
        Err(Problem::new("not yet", "wait"))
    }

    /// Its format.
    pub(crate) fn format(&self) -> Format {
        Format::Csv
    }

    /// The tables of a database, at most 1,000 with 1,000 columns each; none for a file.
    pub(crate) fn tables(&self) -> Result<Vec<Table>, Problem> {
        Ok(Vec::new())
    }

    /// Chooses the table of a database that is read: its name as it is, or in other case if only one
    /// table has it; `schema.table` for PostgreSQL. False if there is none. A table of lictor is
    /// refused with a pointer to `lictor database copy`.
    pub(crate) fn choose(&mut self, table: &str) -> Result<bool, Problem> {
        let _ = table;
        Ok(false)
    }

    /// The columns: of the table that was chosen, all that it has; of CSV those of the header; of
    /// JSON Lines the keys of the first row, which later rows need not have. `None` if that row
    /// cannot be read, or no table was chosen.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        None
    }

    /// The source for people, without a password: `users.csv`, or
    /// `postgres://app@127.0.0.1:5432/app, table users`.
    pub(crate) fn describe(&self) -> String {
        String::new()
    }

    /// Bytes of the file, for [`Position::read`]; `None` for a database, a pipe or standard input.
    pub(crate) fn size(&self) -> Option<u64> {
        None
    }

    /// The highest number that a database has given out for a column of the chosen table.
    pub(crate) fn last_id(&self, column: &str) -> Result<Counter, Problem> {
        let _ = column;
        Ok(Counter::Absent)
    }

    /// Hands each row to `row`; returns how many there were. A column that a row of JSON Lines has not
    /// is [`Cell::Null`]; one that a table or CSV has not is a problem. `order` names the column that
    /// orders the rows of a table. A file can be read once.
    ///
    /// A source that ends in the middle of a row, a connection that is lost, and quotes that do not
    /// match are a problem: it says after which row.
    pub(crate) fn rows(
        &mut self,
        columns: &[&str],
        order: Option<&str>,
        row: OnRow<'_>,
    ) -> Result<u64, Problem> {
        let _ = (columns, order, row);
        Err(Problem::new("not yet", "wait"))
    }
}

/// "row 17", or "row 17 (line 19)".
impl std::fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "row {}", self.row)?;
        self.line.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
}
