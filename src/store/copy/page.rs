//! A page of rows in memory: reading it, writing it, and the digest of all rows of a table.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::statements::{PAGE, Statements};
use super::tables::{Kind, Table};
use crate::store::driver::{Fault, Queries, Row, Value};

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Boolean(bool),
    Text(String),
    Bytes(Vec<u8>),
}

/// Some rows of a table, in the order of its key.
#[derive(Debug)]
pub(super) struct Page {
    /// One row after the other.
    cells: Vec<Cell>,
    width: usize,
}

impl Page {
    /// Hands every row of the table to `each`, page by page, in the order of the key.
    pub(super) fn each<E>(
        queries: &mut dyn Queries,
        statements: &'static Statements,
        failed: impl Fn(Fault) -> E,
        mut each: impl FnMut(&Page) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut page =
            Page::read(queries, statements.table, &statements.first, &[]).map_err(&failed)?;
        while let Some(last) = page.rows().next_back() {
            each(&page)?;
            if page.rows().len() < PAGE {
                break;
            }
            let key: Vec<Value<'_>> =
                last[..statements.table.key].iter().map(Cell::value).collect();
            page =
                Page::read(queries, statements.table, &statements.after, &key).map_err(&failed)?;
        }
        Ok(())
    }

    fn read(
        queries: &mut dyn Queries,
        table: &Table,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Page, Fault> {
        let width = table.columns.len();
        let mut cells = Vec::with_capacity(PAGE * width);
        queries.query(sql, values, &mut |row| {
            for (column, (_, kind)) in table.columns.iter().enumerate() {
                cells.push(Cell::read(row, column, *kind)?);
            }
            Ok(())
        })?;
        Ok(Page { cells, width })
    }

    pub(super) fn rows(&self) -> std::slice::ChunksExact<'_, Cell> {
        self.cells.chunks_exact(self.width)
    }

    /// Adds the rows to the same table of another database.
    pub(super) fn insert(
        &self,
        queries: &mut dyn Queries,
        statements: &'static Statements,
    ) -> Result<(), Fault> {
        let values: Vec<Value<'_>> = self.cells.iter().map(Cell::value).collect();
        let sets: Vec<&[Value<'_>]> = values.chunks_exact(self.width).collect();
        queries.execute_each(&statements.insert, &sets)
    }
}

impl Cell {
    pub(super) fn read(row: &dyn Row, column: usize, kind: Kind) -> Result<Cell, Fault> {
        Ok(match kind {
            Kind::Integer => row.integer(column)?.map_or(Cell::Null, Cell::Integer),
            Kind::Boolean => Cell::Boolean(row.boolean(column)?),
            Kind::Text => row.text(column)?.map_or(Cell::Null, |text| Cell::Text(text.into())),
            Kind::Bytes => row.blob(column)?.map_or(Cell::Null, |bytes| Cell::Bytes(bytes.into())),
        })
    }

    fn value(&self) -> Value<'_> {
        match self {
            Cell::Null => Value::Null,
            Cell::Integer(number) => Value::Integer(*number),
            Cell::Boolean(value) => Value::Boolean(*value),
            Cell::Text(text) => Value::Text(text),
            Cell::Bytes(bytes) => Value::Blob(bytes),
        }
    }
}

/// A value of a key, for a message.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => f.write_str("NULL"),
            Cell::Integer(number) => number.fmt(f),
            Cell::Boolean(value) => value.fmt(f),
            Cell::Text(text) => text.escape_debug().fmt(f),
            Cell::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// Counts rows, and makes a SHA-256 of them that does not depend on the database.
#[derive(Debug, Default)]
pub(super) struct Digest {
    rows: u64,
    hash: Sha256,
}

impl Digest {
    pub(super) fn add(&mut self, page: &Page) {
        for row in page.rows() {
            self.rows += 1;
            row.iter().for_each(|cell| self.add_cell(cell));
        }
    }

    /// A letter for the kind, and the value; before bytes their number, so that no two rows give
    /// the same bytes.
    fn add_cell(&mut self, cell: &Cell) {
        let mut with_length = |kind: &[u8; 1], bytes: &[u8]| {
            self.hash.update(kind);
            self.hash.update((bytes.len() as u64).to_be_bytes());
            self.hash.update(bytes);
        };
        match cell {
            Cell::Null => self.hash.update(b"n"),
            Cell::Boolean(value) => self.hash.update([b'b', u8::from(*value)]),
            Cell::Integer(number) => {
                self.hash.update(b"i");
                self.hash.update(number.to_be_bytes());
            }
            Cell::Text(text) => with_length(b"t", text.as_bytes()),
            Cell::Bytes(bytes) => with_length(b"x", bytes),
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many rows there were, and their SHA-256.
    pub(super) fn finish(self) -> (u64, [u8; 32]) {
        (self.rows, self.hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(cells: Vec<Cell>, width: usize) -> (u64, [u8; 32]) {
        let mut digest = Digest::default();
        digest.add(&Page { cells, width });
        digest.finish()
    }

    #[test]
    fn different_rows_have_different_digests() {
        let text = |text: &str| Cell::Text(text.into());
        let rows = [
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![text(""), text("abc")],
            vec![text("abc"), text("")],
            vec![text("abc"), Cell::Null],
            vec![text("c"), text("ab")],
            vec![Cell::Bytes(b"ab".to_vec()), text("c")],
            vec![Cell::Integer(1), Cell::Boolean(false)],
            vec![Cell::Boolean(true), Cell::Integer(0)],
            vec![Cell::Integer(1), Cell::Integer(0)],
        ];
        for (number, one) in rows.iter().enumerate() {
            for other in &rows[..number] {
                assert_ne!(digest(one.clone(), 2), digest(other.clone(), 2), "{one:?} {other:?}");
            }
            assert_eq!(digest(one.clone(), 2).0, 1);
            assert_eq!(digest(one.clone(), 1).0, 2);
        }
    }
}
