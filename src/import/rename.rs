//! New names for accounts: the file of `--rename`, a CSV of two columns.

use std::path::Path;

use crate::error::Problem;

/// New names by old ones.
#[derive(Debug, Default)]
pub(crate) struct Renames {}

impl Renames {
    /// Reads the file: at most 10 MiB; each old name once, no new name empty.
    pub(crate) fn read(path: &Path) -> Result<Renames, Problem> {
        let _ = path;
        Ok(Renames::default())
    }

    /// The new name, if the old one has one; notes that it was asked for.
    pub(crate) fn get(&mut self, old: &str) -> Option<&str> {
        let _ = old;
        None
    }

    /// The line and the old name of each line that was never asked for, in the order of lines.
    pub(crate) fn unused(&self) -> Vec<(u64, &str)> {
        Vec::new()
    }
}
