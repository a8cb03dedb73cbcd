//! The names of the files beside a database: its write-ahead log, and lictor's own.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The path of a file beside the database. If `path` is a link, SQLite has its files beside the
/// target.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(fs::canonicalize(path).unwrap_or_else(|_| path.into()));
    name.push(ending);
    name.into()
}

/// Whether there is a write-ahead log with something in it. Asked before the file is opened.
pub(super) fn has_log(path: &Path) -> bool {
    // By its name: opening and closing it would drop SQLite's locks.
    fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}
