//! A table in the database of another program, read only.

use super::Database;
use crate::error::Problem;

/// A table, and columns of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name; the schema before a dot, if it needs one.
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

/// The highest number that a database has given out for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// It does not count.
    Absent,
    /// It counts, but this user may not read how far.
    Hidden,
    /// The number; 0 if none was given out yet.
    At(i64),
}

/// The tables of a database, with their columns: at most 1,000 tables with 1,000 columns each.
pub fn tables(database: &Database) -> Result<Vec<Table>, Problem> {
    let _ = database;
    Err(Problem::new("not yet", "wait"))
}

/// Finds a table, with all its columns. Its name is matched exactly, or in other case if that is
/// unique.
pub fn find(database: &Database, name: &str) -> Result<Option<Table>, Problem> {
    let _ = (database, name);
    Err(Problem::new("not yet", "wait"))
}

/// Whether it is a table of lictor itself.
pub fn is_lictor(database: &Database, table: &Table) -> bool {
    let _ = (database, table);
    false
}

/// Hands each row of the table to `row`, with its number from 1, ordered by the column `order`. A
/// problem of `row` ends it.
pub fn read_table(
    database: &Database,
    table: &Table,
    order: Option<&str>,
    row: &mut dyn FnMut(u64, &[Cell<'_>]) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let _ = (database, table, order, row);
    Err(Problem::new("not yet", "wait"))
}

/// The highest number that the database has given out for a column.
pub fn last_id(database: &Database, table: &Table, column: &str) -> Result<Counter, Problem> {
    let _ = (database, table, column);
    Ok(Counter::Absent)
}
