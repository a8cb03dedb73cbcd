//! Opens a database file, or makes it.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Mutex;

use rusqlite::{Connection, OpenFlags};

use super::Sqlite;
use super::anchor::Anchor;
use super::checkpoint::LogSize;
use super::connect::connect;
use super::inspect::{check, inspect};
use super::problems::{cannot_open, cannot_reach, no_shared_memory, read_only};
use super::readers::Readers;
use super::schema::{VERSION, number};
use super::turns::Turns;
use super::upgrade::{create, upgrade};
use super::writer::Writer;
use crate::error::Problem;
use crate::store::Inspection;

impl Sqlite {
    /// Opens the file, or makes it. `readers` threads can read without waiting for one another.
    /// A file that is not ours, damaged, or newer than this program is refused, and not touched.
    pub(in crate::store) fn open(path: &Path, readers: usize) -> Result<Sqlite, Problem> {
        let found = inspect(path)?;
        match found {
            Inspection::Absent => {
                create_file(path)?;
            }
            Inspection::Current | Inspection::Older(_) => check(path)?,
        }
        let failed = |error: rusqlite::Error| cannot_open(path, error);
        let mut connection = writer(path, found)?;
        let log = LogSize::watch(&mut connection).map_err(failed)?;
        let reader = || connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let readers: Result<_, _> = (0..readers.max(1)).map(|_| reader()).collect();
        let anchor = Anchor::new(reader().map_err(failed)?);
        Ok(Sqlite {
            readers: Readers::new(readers.map_err(failed)?),
            writer: Mutex::new(Writer::new(connection, anchor, log)),
            turns: Turns::default(),
        })
    }
}

/// The connection that writes, to a file that has the current schema afterwards.
fn writer(path: &Path, found: Inspection) -> Result<Connection, Problem> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    if writer.is_readonly("main").map_err(failed)? {
        return Err(read_only(path));
    }
    match found {
        Inspection::Absent => create(&mut writer).map_err(failed)?,
        Inspection::Current => {}
        Inspection::Older(version) => {
            upgrade(&mut writer).map_err(failed)?;
            log::info!("the database was brought from version {version} to {VERSION}");
        }
    }
    let mode: String =
        writer.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        return Err(no_shared_memory(path));
    }
    writer
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;",
        )
        .map_err(failed)?;
    // The first read takes a lock on the file and keeps it: from then on `alone` sees that a server
    // has the file open.
    number(&writer, "user_version").map_err(failed)?;
    Ok(writer)
}

/// Makes the file before SQLite does, and readable by its owner only. One that is there, but
/// empty, keeps its mode: the person who made it has chosen. Says whether it was made.
pub(super) fn create_file(path: &Path) -> Result<bool, Problem> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(cannot_reach(path, error)),
    }
}

#[cfg(test)]
mod tests;
