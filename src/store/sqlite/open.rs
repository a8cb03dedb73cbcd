//! Opens a database file, or makes it.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OpenFlags};

use super::Sqlite;
use super::anchor::Anchor;
use super::beside::has_log;
use super::checkpoint::LogSize;
use super::connect::connect;
use super::identity::{Identity, id};
use super::inspect::{Check, look, must_be_sound, must_have_our_tables};
use super::mapping::Mapping;
use super::new_file;
use super::problems::{cannot_open, cannot_reach, no_shared_memory, read_only, replaced_meanwhile};
use super::readers::Readers;
use super::schema::{VERSION, number};
use super::soundness::{Soundness, is_marked, keep_log, unmark};
use super::turns::Turns;
use super::upgrade::{create, upgrade};
use super::writer::Writer;
use crate::error::Problem;
use crate::store::Inspection;

impl Sqlite {
    /// Opens the file, or makes it. `readers` threads can read without waiting for one another. A
    /// file that is not ours, or newer than this program, or whose damage shows at once, is refused
    /// and not touched. Reads little, however large the file is, unless it is upgraded or an earlier
    /// check has found damage.
    pub(in crate::store) fn open(path: &Path, readers: usize) -> Result<Sqlite, Problem> {
        // Asked once: a mark that another process sets from now on was not looked at here.
        let (unclean, marked) = (has_log(path), is_marked(path));
        // The connection stays open until the others are.
        let (found, first) = look(path)?;
        if found == Inspection::Absent {
            create_file(path)?;
        }
        if let Some(first) = &first {
            must_be_fit(path, found, marked, first)?;
        }
        let failed = |error: rusqlite::Error| cannot_open(path, error);
        let before = id(path);
        let mut connection = writer(path, found, unclean)?;
        // A restore has put another file there while this waited for its lock.
        if id(path) != before {
            return Err(replaced_meanwhile(path));
        }
        if marked {
            unmark(path);
        }
        let mapping = Arc::<Mapping>::default();
        let log = LogSize::watch(&mut connection, Arc::clone(&mapping)).map_err(failed)?;
        let reader = || connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let readers: Result<_, _> = (0..readers.max(1)).map(|_| reader()).collect();
        let anchor = Anchor::new(reader().map_err(failed)?);
        Ok(Sqlite {
            readers: Readers::new(readers.map_err(failed)?, mapping),
            writer: Mutex::new(Writer::new(connection, anchor, log)),
            turns: Turns::default(),
            soundness: Soundness::new(path, unclean),
            identity: Identity::of(path),
        })
    }
}

/// Says whether the file could be opened, as far as its content decides that.
#[cfg(feature = "cli")]
pub(in crate::store) fn check(path: &Path) -> Result<(), Problem> {
    let (found, connection) = look(path)?;
    let marked = is_marked(path);
    connection.map_or(Ok(()), |connection| must_be_fit(path, found, marked, &connection))
}

/// Looks at what does not grow; reads the whole file if it is to be upgraded, or if an earlier check
/// has found damage.
fn must_be_fit(
    path: &Path,
    found: Inspection,
    marked: bool,
    connection: &Connection,
) -> Result<(), Problem> {
    match marked || found != Inspection::Current {
        true => must_be_sound(path, connection, Check::Quick),
        false => must_have_our_tables(path, connection),
    }
}

/// The connection that writes, to a file that has the current schema afterwards.
fn writer(path: &Path, found: Inspection, unclean: bool) -> Result<Connection, Problem> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    if writer.is_readonly("main").map_err(failed)? {
        return Err(read_only(path));
    }
    // The last connection to be closed would empty the log and remove it.
    keep_log(&writer, unclean).map_err(failed)?;
    match found {
        Inspection::Absent => create(&mut writer).map_err(failed)?,
        Inspection::Current => {}
        Inspection::Older(version) => {
            log::info!(
                "the database is brought from version {version} to {VERSION}; with a million users \
                 that takes up to a minute"
            );
            upgrade(&mut writer).map_err(failed)?;
            log::info!("the database has version {VERSION} now");
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

/// Makes the file before SQLite does: readable by its owner only, who is the owner of the directory if
/// root makes it. One that is there, but empty, keeps its mode and owner: the person who made it has
/// chosen. Says whether it was made.
pub(super) fn create_file(path: &Path) -> Result<bool, Problem> {
    match new_file::make(path) {
        Ok(file) => {
            // Root can use it all the same.
            if let Err(error) = new_file::give_to_owner_of_directory(&file, path) {
                let path = path.display();
                log::warn!("cannot give {path} to the owner of its directory: {error}");
            }
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(cannot_reach(path, error)),
    }
}

#[cfg(test)]
mod tests;
