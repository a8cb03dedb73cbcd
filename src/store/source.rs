//! A table in the database of another program, read only.

use super::Database;
use crate::error::Problem;

/// A table, and the columns of it that are read.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name; the schema before a dot, if there is one.
    pub name: String,
    /// The columns.
    pub columns: Vec<String>,
}

/// The value of a column, as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// NULL, or a field that is missing.
    Null,
    /// Text.
    Text(&'a str),
    /// Something that cannot be read as text; says why.
    Unreadable(&'static str),
}

/// The tables of a database, with their columns.
pub fn tables(database: &Database) -> Result<Vec<Table>, Problem> {
    let _ = database;
    Err(Problem::new("not yet", "wait"))
}

/// Hands each row of the table to `row`, with its number from 1. A problem of `row` ends it.
pub fn read_table(
    database: &Database,
    table: &Table,
    row: &mut dyn FnMut(u64, &[Cell<'_>]) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let _ = (database, table, row);
    Err(Problem::new("not yet", "wait"))
}

/// The highest number that the database has given out for a column; `None` if it does not count.
pub fn last_id(database: &Database, table: &Table, column: &str) -> Result<Option<i64>, Problem> {
    let _ = (database, table, column);
    Ok(None)
}
