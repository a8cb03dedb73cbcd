//! Copies a whole database into an empty one, of the same kind or of the other: `lictor database
//! copy`. Compiled for the command line.
//!
//! | file | owns |
//! |---|---|
//! | `tables` | which tables and columns there are |
//! | `statements` | the statements about a table |
//! | `page` | rows in memory, and their digest |
//! | `transfer` | one database after the other: rows, and reading them back |

mod page;
mod statements;
mod tables;
#[cfg(test)]
pub(super) mod tests;
mod transfer;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use self::transfer::{Side, transfer};
use super::driver::Queries;
use super::sqlite;
use super::{Database, Store};
use crate::error::Problem;

pub use transfer::{CopiedTable, CopyProgress};

impl Store {
    /// Copies all of `from` into `to`, which must be absent or empty, in one transaction of `to`:
    /// ids, sessions, and which numbers were ever given out. Refused while a server has either
    /// open. Reads everything back before the commit; if it differs, or anything else fails, `to`
    /// stays as it was. Calls `show` for every thousand rows.
    pub fn copy(
        from: &Database,
        to: &Database,
        show: &mut dyn FnMut(CopyProgress),
    ) -> Result<Vec<CopiedTable>, Problem> {
        must_differ(from, to)?;
        read_alone(from, |source| {
            let mut source = Side { queries: source, name: from.to_string() };
            write_alone(to, |destination| {
                let mut destination = Side { queries: destination, name: to.to_string() };
                transfer(&mut source, &mut destination, show)
            })
        })
    }
}

/// Runs `work` on a database that nobody else has open meanwhile, and that is not changed.
fn read_alone<T>(
    database: &Database,
    work: impl FnOnce(&mut dyn Queries) -> Result<T, Problem>,
) -> Result<T, Problem> {
    match database {
        Database::File(path) => sqlite::alone::read(path, work),
        #[cfg(feature = "postgres")]
        Database::Postgres(target) => super::postgres::alone::read(target, work),
    }
}

/// Runs `work` in one transaction on a database that nobody else has open meanwhile; makes it if it
/// is absent.
fn write_alone<T>(
    database: &Database,
    work: impl FnOnce(&mut dyn Queries) -> Result<T, Problem>,
) -> Result<T, Problem> {
    match database {
        Database::File(path) => sqlite::alone::write(path, work),
        #[cfg(feature = "postgres")]
        Database::Postgres(target) => super::postgres::alone::write(target, work),
    }
}

/// Refuses to copy a database into itself. Two URLs of one database are found out by its lock.
fn must_differ(from: &Database, to: &Database) -> Result<(), Problem> {
    let same = match (from, to) {
        (Database::File(one), Database::File(other)) => one == other || is_same_file(one, other),
        #[cfg(feature = "postgres")]
        (one, other) => one == other,
    };
    match same {
        true => Err(Problem::usage(
            format!("{from} and {to} are the same database"),
            "give the database to copy, and then another one that is absent or empty",
        )),
        false => Ok(()),
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let file = |path| fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).ok();
    file(one).is_some_and(|found| file(other) == Some(found))
}
