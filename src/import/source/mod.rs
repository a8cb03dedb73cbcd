//! Where rows come from: a table of another program's database, a CSV file, or JSON Lines, from a
//! file or standard input. Everything that a source says may be hostile. Knows no preset and no rule
//! about accounts.
//!
//! | file | owns |
//! |---|---|
//! | `open` | a source by what the operator typed |
//! | `recognize` | what a file is |
//! | `rows` | the rows of a file, with their columns |
//! | `csv`, `json_lines` | records of the two formats |
//! | `input` | the bytes of a file, piece by piece |
//! | `position` | where a row is |

pub(crate) mod csv;
pub(crate) mod input;
pub(crate) mod json_lines;
#[cfg(feature = "cli")]
mod open;
#[cfg(feature = "cli")]
mod position;
#[cfg(feature = "cli")]
mod recognize;
#[cfg(feature = "cli")]
pub(crate) mod rows;

#[cfg(feature = "cli")]
pub(crate) use {open::Source, position::Position};

/// The format of a source.
#[cfg(feature = "cli")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A database: SQLite or PostgreSQL.
    Database,
    /// CSV with a header.
    Csv,
    /// A JSON object a line.
    JsonLines,
}
