//! Copies of an SQLite database, and bringing them back. A PostgreSQL database has programs of its
//! own for that. Compiled for the command line.

use std::path::Path;

use super::Store;
use super::sqlite::{backup, restore};
use crate::error::Problem;

pub use super::sqlite::draft::Draft;
pub use backup::Rows;
pub use restore::Restore;

impl Store {
    /// Copies a database file into a draft of `to` while others use it, and checks the copy. `show`
    /// gets the share that is copied, in percent. What was acknowledged before the call is in it.
    pub fn back_up(
        file: &Path,
        to: &Path,
        show: &mut dyn FnMut(u64),
    ) -> Result<(Draft, Rows), Problem> {
        backup::copy(file, to, show)
    }

    /// An error if a backup to this place would overwrite what is no backup.
    pub fn may_back_up_to(to: &Path) -> Result<(), Problem> {
        backup::must_be_replaceable(to)
    }

    /// Begins to put a copy in the place of a database file.
    pub fn restore(from: &Path, file: &Path) -> Result<Restore, Problem> {
        Restore::begin(from, file)
    }
}
