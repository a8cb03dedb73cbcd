//! One row of an answer, in PostgreSQL's binary format.

use std::cell::Cell;

use super::failure::{Failure, lost};
use super::fields::Fields;
use crate::store::driver::{Fault, Row};

/// Columns of a row, at most; PostgreSQL's own limit on a table is 1,600.
pub(super) const MAX_COLUMNS: usize = 1_664;

/// The numbers of PostgreSQL's types (`pg_type.dat`).
mod oid {
    pub(super) const BOOL: u32 = 16;
    pub(super) const BYTEA: u32 = 17;
    pub(super) const NAME: u32 = 19;
    pub(super) const INT8: u32 = 20;
    pub(super) const INT2: u32 = 21;
    pub(super) const INT4: u32 = 23;
    pub(super) const TEXT: u32 = 25;
    pub(super) const VARCHAR: u32 = 1043;
}

/// Where the columns of a row begin and end in its message; kept from row to row.
#[derive(Debug, Default)]
pub(super) struct Spans(Vec<Option<(usize, usize)>>);

/// A row: its message, and the types of its columns.
pub(super) struct DataRow<'a> {
    body: &'a [u8],
    spans: &'a [Option<(usize, usize)>],
    types: &'a [u32],
    /// A column was asked for that is not there, or is not what it is asked for.
    misfit: Cell<bool>,
}

impl<'a> DataRow<'a> {
    /// Reads a DataRow whose columns have `types`.
    pub(super) fn read(
        body: &'a [u8],
        types: &'a [u32],
        spans: &'a mut Spans,
    ) -> Result<DataRow<'a>, Failure> {
        let spans = &mut spans.0;
        spans.clear();
        let mut fields = Fields::new(body);
        let count = usize::from(fields.u16()?);
        if count != types.len() {
            let wrong =
                format!("the server sent a row of {count} columns instead of {}", types.len());
            return Err(lost(wrong));
        }
        for _ in 0..count {
            let length = fields.i32()?;
            spans.push(match usize::try_from(length) {
                Ok(length) => {
                    fields.bytes(length)?;
                    let end = body.len() - fields.rest().len();
                    Some((end - length, end))
                }
                Err(_) if length == -1 => None,
                Err(_) => return Err(lost("the server sent a column of negative length")),
            });
        }
        fields.end()?;
        Ok(DataRow { body, spans, types, misfit: Cell::new(false) })
    }

    /// Whether the row is not what its reader expects. Then either the server does not answer what it
    /// was asked, or its description of the columns, which the connection keeps, is not true.
    pub(super) fn misfit(&self) -> bool {
        self.misfit.get()
    }

    /// The bytes of a column, if it has one of `types`; `None` for NULL.
    fn column(&self, column: usize, types: &[u32]) -> Result<Option<&[u8]>, Fault> {
        let (Some(span), Some(oid)) = (self.spans.get(column), self.types.get(column)) else {
            return Err(self.damaged(format!("there is no column {column}")));
        };
        if !types.contains(oid) {
            return Err(self.wrong(column));
        }
        Ok(span.map(|(start, end)| &self.body[start..end]))
    }

    fn wrong(&self, column: usize) -> Fault {
        let oid = self.types.get(column).copied().unwrap_or_default();
        self.damaged(format!("column {column} is of another type than expected: {oid}"))
    }

    fn damaged(&self, why: String) -> Fault {
        self.misfit.set(true);
        Fault::Damaged(why.into())
    }
}

impl Row for DataRow<'_> {
    fn integer(&self, column: usize) -> Result<Option<i64>, Fault> {
        let Some(bytes) = self.column(column, &[oid::INT8, oid::INT4, oid::INT2])? else {
            return Ok(None);
        };
        let number = match (self.types[column], bytes) {
            (oid::INT8, &[a, b, c, d, e, f, g, h]) => i64::from_be_bytes([a, b, c, d, e, f, g, h]),
            (oid::INT4, &[a, b, c, d]) => i32::from_be_bytes([a, b, c, d]).into(),
            (oid::INT2, &[a, b]) => i16::from_be_bytes([a, b]).into(),
            _ => return Err(self.wrong(column)),
        };
        Ok(Some(number))
    }

    fn boolean(&self, column: usize) -> Result<bool, Fault> {
        match self.column(column, &[oid::BOOL])? {
            None | Some([0]) => Ok(false),
            Some([1]) => Ok(true),
            Some(_) => Err(self.wrong(column)),
        }
    }

    fn text(&self, column: usize) -> Result<Option<&str>, Fault> {
        let Some(bytes) = self.column(column, &[oid::TEXT, oid::VARCHAR, oid::NAME])? else {
            return Ok(None);
        };
        let wrong = |_| self.damaged(format!("column {column} is not UTF-8"));
        std::str::from_utf8(bytes).map(Some).map_err(wrong)
    }

    fn blob(&self, column: usize) -> Result<Option<&[u8]>, Fault> {
        self.column(column, &[oid::BYTEA])
    }
}
