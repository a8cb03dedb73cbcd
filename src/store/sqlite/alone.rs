//! A file that this process has to itself, from the first look to the commit: copying a database.
//!
//! In WAL mode every connection that has used the file keeps a shared lock on it until it is closed.
//! `locking_mode = EXCLUSIVE` takes the exclusive lock instead, and so fails while any other
//! connection is open, even an idle one; while it is held, no other can read. The system drops both
//! kinds when a process ends, however it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::connect::connect;
use super::inspect::{Check, inspect, must_be_sound};
use super::open::create_file;
use super::problems::{absent, cannot_open, in_use, no_shared_memory, older, read_only};
use super::schema::VERSION;
use super::soundness::keep_log;
use super::statements::Statements;
use super::upgrade::create;
use crate::error::Problem;
use crate::store::Inspection;
use crate::store::driver::Queries;

/// How long to wait for others to close the file: a command that is about to end may have it open.
const PATIENCE: Duration = Duration::from_secs(1);
/// KiB of pages kept while rows are added: most of the indices of a million users.
const CACHE: i64 = 128 * 1024;

/// Runs `work` on a file of the current version. Other processes cannot open the file meanwhile.
pub(in crate::store) fn read<T>(
    path: &Path,
    work: impl FnOnce(&mut dyn Queries) -> Result<T, Problem>,
) -> Result<T, Problem> {
    match inspect(path)? {
        Inspection::Current => {}
        Inspection::Older(version) => return Err(older(path, version, VERSION)),
        Inspection::Absent => return Err(absent(path)),
    }
    let connection = begin(path)?;
    must_be_sound(path, &connection, Check::Indices)?;
    keep_log(&connection, false).map_err(|error| cannot_open(path, error))?;
    // Dropping the connection ends the transaction, in which nothing was written.
    work(&mut Statements(&connection))
}

/// Runs `work` in one transaction on a file of the current version, which is made if it is absent.
/// If anything fails, the file is as before; if it was absent, it is so again, or an empty database.
/// Other processes cannot open it meanwhile.
pub(in crate::store) fn write<T>(
    path: &Path,
    work: impl FnOnce(&mut dyn Queries) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let made = match inspect(path)? {
        Inspection::Current => false,
        Inspection::Older(version) => return Err(older(path, version, VERSION)),
        Inspection::Absent => {
            // If the tables cannot be made, the empty file stays: another process may have opened it
            // in the meantime. The next copy goes into it.
            let made = create_file(path)?;
            make_tables(path)?;
            made
        }
    };
    let connection = begin(path)?;
    let written = write_rows(path, &connection, work);
    if made && written.is_err() {
        // While the file is locked: nobody else has it open.
        remove(path);
    }
    written
}

fn make_tables(path: &Path) -> Result<(), Problem> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    create(&mut connection).map_err(failed)?;
    // So that a copy that ends in the middle leaves an empty database that can be opened.
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
    if mode == "wal" { Ok(()) } else { Err(no_shared_memory(path)) }
}

fn write_rows<T>(
    path: &Path,
    connection: &Connection,
    work: impl FnOnce(&mut dyn Queries) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    must_be_sound(path, connection, Check::Quick)?;
    keep_log(connection, false).map_err(failed)?;
    let done = work(&mut Statements(connection))?;
    connection.execute_batch("COMMIT").map_err(failed)?;
    Ok(done)
}

/// Opens the file and begins a transaction, with the file locked for everybody else.
fn begin(path: &Path) -> Result<Connection, Problem> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            in_use(path).with_source(error)
        }
        _ => cannot_open(path, error),
    };
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    if connection.is_readonly("main").map_err(failed)? {
        return Err(read_only(path));
    }
    // Until the file is known to be sound, the log of an unclean end stays, or the next start would not
    // know of that end.
    keep_log(&connection, true).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(failed)?;
    let settings = format!(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -{CACHE};
         BEGIN EXCLUSIVE;"
    );
    connection.execute_batch(&settings).map_err(failed)?;
    Ok(connection)
}

/// Removes the files that this process has made and still has locked for everybody else. What cannot be
/// removed is an empty database, into which the next copy goes.
fn remove(path: &Path) {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let _ = fs::remove_file(PathBuf::from(name));
    }
}
