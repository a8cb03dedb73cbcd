//! Copies every row from one database to another, and reads them back. Both are open, in a
//! transaction each, and nobody else writes to either.

use super::page::{Cell, Digest, Page};
use super::statements::{self, Statements};
use crate::error::{Error, Problem};
use crate::store::driver::{Dialect, Fault, Queries};
use crate::store::rows::counters;

/// How far a copy is.
#[derive(Debug, Clone, Copy)]
pub struct CopyProgress {
    /// The table that is copied or read back.
    pub table: &'static str,
    /// Whether its rows are read back.
    pub checking: bool,
    /// How many of its rows are done.
    pub rows: u64,
    /// How many it has.
    pub of: u64,
}

/// A table that was copied, and read back with the same result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// Its name.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// The SHA-256 of all its rows, the same whatever the database.
    pub digest: [u8; 32],
}

/// A database that takes part, and its name for messages.
pub(super) struct Side<'a> {
    pub(super) queries: &'a mut dyn Queries,
    pub(super) name: String,
}

/// Copies everything; the caller commits the destination's transaction after that.
pub(super) fn transfer(
    source: &mut Side<'_>,
    destination: &mut Side<'_>,
    show: &mut dyn FnMut(CopyProgress),
) -> Result<Vec<CopiedTable>, Problem> {
    must_be_empty(destination)?;
    if destination.queries.dialect() == Dialect::Postgres {
        must_have_no_nul(source)?;
    }
    let mut copied = Vec::new();
    for statements in statements::all() {
        copied.push(copy_table(source, destination, statements, show)?);
    }
    for (statements, copied) in statements::all().iter().zip(&copied) {
        read_back(destination, statements, copied, show)?;
    }
    let given = counters::read(source.queries)
        .map_err(|fault| source.failed("read the numbers given out in", fault))?;
    counters::raise(destination.queries, &given)
        .map_err(|fault| destination.failed("set the numbers given out in", fault))?;
    Ok(copied)
}

/// Refuses a database that has rows.
fn must_be_empty(destination: &mut Side<'_>) -> Result<(), Problem> {
    for Statements { table, any, .. } in statements::all() {
        let mut found = false;
        let read = destination.queries.query_first(any, &[], &mut |_| {
            found = true;
            Ok(())
        });
        read.map_err(|fault| destination.failed(&format!("read {} in", table.name), fault))?;
        if found {
            return Err(Problem::new(
                format!("{} is not empty: {} has rows", destination.name, table.name),
                "copy into a new database; this one was not touched",
            ));
        }
    }
    Ok(())
}

/// Refuses texts that PostgreSQL cannot keep. PostgreSQL itself has none.
pub(super) fn must_have_no_nul(source: &mut Side<'_>) -> Result<(), Problem> {
    if source.queries.dialect() == Dialect::Postgres {
        return Ok(());
    }
    for Statements { table, with_nul, .. } in statements::all() {
        let Some(with_nul) = with_nul else { continue };
        let mut found = None;
        let read = source.queries.query_first(with_nul, &[], &mut |row| {
            found = Some(Cell::read(row, 0, table.columns[0].1)?);
            Ok(())
        });
        read.map_err(|fault| source.failed(&format!("read {} in", table.name), fault))?;
        if let Some(key) = found {
            return Err(Problem::new(
                format!(
                    "{} has a text with a NUL character, which PostgreSQL cannot keep: {}, {} {key}",
                    source.name, table.name, table.columns[0].0
                ),
                "change or delete that row, and copy again; nothing was copied",
            ));
        }
    }
    Ok(())
}

fn copy_table(
    source: &mut Side<'_>,
    destination: &mut Side<'_>,
    statements: &'static Statements,
    show: &mut dyn FnMut(CopyProgress),
) -> Result<CopiedTable, Problem> {
    let table = statements.table.name;
    let from = source.name.clone();
    let unreadable = |fault| failed(&from, &format!("read {table} in"), fault);
    let of = count(source.queries, statements).map_err(&unreadable)?;
    let mut digest = Digest::default();
    Page::each(source.queries, statements, unreadable, |page| {
        show(CopyProgress { table, checking: false, rows: digest.rows(), of });
        digest.add(page);
        page.insert(destination.queries, statements)
            .map_err(|fault| destination.failed(&format!("write {table} in"), fault))
    })?;
    let (rows, digest) = digest.finish();
    if rows != of {
        // Pages follow an index; one that lacks rows would leave them out.
        return Err(Problem::new(
            format!("{} gives {rows} rows of {table}, but counts {of}", source.name),
            "nothing was copied; its indices may be damaged: restore a backup, or rebuild them with \
             REINDEX",
        ));
    }
    Ok(CopiedTable { table, rows, digest })
}

fn read_back(
    destination: &mut Side<'_>,
    statements: &'static Statements,
    copied: &CopiedTable,
    show: &mut dyn FnMut(CopyProgress),
) -> Result<(), Problem> {
    let (table, name) = (copied.table, destination.name.clone());
    let unreadable = |fault| failed(&name, &format!("read {table} back in"), fault);
    let mut digest = Digest::default();
    Page::each(destination.queries, statements, unreadable, |page| {
        show(CopyProgress { table, checking: true, rows: digest.rows(), of: copied.rows });
        digest.add(page);
        Ok(())
    })?;
    let (rows, digest) = digest.finish();
    if (rows, digest) == (copied.rows, copied.digest) {
        return Ok(());
    }
    let how = match rows == copied.rows {
        true => "other values than were written".to_owned(),
        false => format!("{rows} rows instead of {}", copied.rows),
    };
    Err(Problem::new(
        format!("{name} gives back {table} with {how}"),
        "nothing was copied; check the disk and the memory of its machine, or report a bug of lictor",
    ))
}

fn count(queries: &mut dyn Queries, statements: &'static Statements) -> Result<u64, Fault> {
    let mut rows = 0;
    queries.query_first(&statements.count, &[], &mut |row| {
        rows = row.get::<i64>(0)?;
        Ok(())
    })?;
    Ok(u64::try_from(rows).unwrap_or(0))
}

impl Side<'_> {
    fn failed(&self, doing: &str, fault: Fault) -> Problem {
        failed(&self.name, doing, fault)
    }
}

fn failed(name: &str, doing: &str, fault: Fault) -> Problem {
    let error = match fault {
        // Both databases have the same unique columns.
        Fault::Taken(unique) => Error::Internal(format!("two users have one {unique:?}").into()),
        fault => Error::from(fault),
    };
    let next = match error {
        Error::Unavailable(_) => "nothing was copied; try again",
        _ => "nothing was copied; look at those rows, or restore a backup",
    };
    Problem::new(format!("cannot {doing} {name}: {error}"), next).with_source(error)
}
