//! Tables in the database of another program, read only. The database may be hostile: names are
//! always identifiers and never SQL, values have a limit, and what cannot be read is an error or a
//! [`Cell::Unreadable`]. Compiled for the command line.

use super::Database;
use super::postgres::foreign as postgres;
use super::sqlite::foreign as sqlite;
use crate::error::Problem;

use super::foreign::MAX_READ;
pub(crate) use super::foreign::{Cell, Counter, MAX_NAME, OnRow, Table};

/// The tables of a database, with their columns: at most 1,000 tables with 1,000 columns each.
/// Tables of lictor are left out.
pub(crate) fn tables(database: &Database) -> Result<Vec<Table>, Problem> {
    match database {
        Database::File(path) => sqlite::tables(path),
        Database::Postgres(target) => postgres::tables(target),
    }
}

/// Finds a table or a view, with all its columns. The name is matched exactly, or in other case if
/// that is unique.
pub(crate) fn find(database: &Database, name: &str) -> Result<Option<Table>, Problem> {
    if name.len() > MAX_NAME || name.contains('\0') {
        return Ok(None);
    }
    match database {
        Database::File(path) => sqlite::find(path, name),
        Database::Postgres(target) => postgres::find(target, name),
    }
}

/// Whether an SQLite file is lictor's own. A PostgreSQL database may have lictor's schema beside the
/// tables of another program; see [`is_lictor_table`].
pub(crate) fn is_lictor(database: &Database) -> Result<bool, Problem> {
    match database {
        Database::File(path) => sqlite::is_lictor(path),
        Database::Postgres(_) => Ok(false),
    }
}

/// Whether a table that [`find`] returned is one of lictor's own in PostgreSQL.
pub(crate) fn is_lictor_table(database: &Database, table: &Table) -> bool {
    match database {
        Database::File(_) => false,
        Database::Postgres(_) => table.name.starts_with("lictor."),
    }
}

/// Hands each row of the table to `row`, ordered by the column `order`, else as the database keeps
/// them. The cells are those of `table.columns`, at most [`MAX_READ`]. A problem of `row` ends it.
pub(crate) fn read_table(
    database: &Database,
    table: &Table,
    order: Option<&str>,
    row: OnRow<'_>,
) -> Result<(), Problem> {
    if table.columns.len() > MAX_READ {
        return Err(Problem::usage(
            format!("{} columns are to be read", table.columns.len()),
            format!("read at most {MAX_READ}"),
        ));
    }
    match database {
        Database::File(path) => sqlite::read_table(path, table, order, row),
        Database::Postgres(target) => postgres::read_table(target, table, order, row),
    }
}

/// The highest number that the database has given out for a column.
pub(crate) fn last_id(
    database: &Database,
    table: &Table,
    column: &str,
) -> Result<Counter, Problem> {
    match database {
        Database::File(path) => sqlite::last_id(path, table),
        Database::Postgres(target) => postgres::last_id(target, table, column),
    }
}
