//! Where a row is.

use std::fmt;

use crate::error::Problem;
use crate::store::source::Cell;

/// Where a row is. Its `Display` is "row 17", or "row 17 (line 19)".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position<'a> {
    /// The number of the row, from 1; the header of a CSV file does not count.
    pub(crate) row: u64,
    /// The line on which it begins, from 1; `None` for a database.
    pub(crate) line: Option<u64>,
    /// Bytes of the file that have been read so far; 0 for a database.
    pub(crate) read: u64,
    /// The line of JSON Lines as it is; `None` if it is not UTF-8 or too long.
    pub(crate) raw: Option<&'a str>,
}

impl fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row)?;
        self.line.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
}

/// Takes a row: its cells in the order of the columns that were asked for, or why the row as a whole
/// cannot be read (then the next rows can). A problem ends the reading.
pub(crate) type OnRow<'a> =
    &'a mut dyn FnMut(Position<'_>, Result<&[Cell<'_>], &str>) -> Result<(), Problem>;
