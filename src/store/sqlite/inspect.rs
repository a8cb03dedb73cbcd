//! Looks at a file without changing it: whose it is, of which version, and whether it is sound.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::ops::Range;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::connect::connect;
use super::problems::{cannot_open, cannot_reach, damaged, directory, newer, not_a_file, not_ours};
use super::schema::{APPLICATION_ID, VERSION, is_of_version, number};
use crate::error::Problem;
use crate::store::Inspection;

/// Bytes of the header of a file of SQLite, and where the application's number is in it.
const HEADER: u64 = 100;
const APPLICATION: Range<usize> = 68..72;

/// Says whose the file is, and of which version.
pub(in crate::store) fn inspect(path: &Path) -> Result<Inspection, Problem> {
    undo_half_made(path);
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && directory(path).is_dir() => {
            return Ok(Inspection::Absent);
        }
        Err(error) => return Err(cannot_reach(path, error)),
        Ok(meta) if meta.is_file() && meta.len() == 0 => return Ok(Inspection::Absent),
        Ok(meta) if !meta.is_file() => return Err(not_a_file(path)),
        Ok(_) => {}
    }
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    if number(&connection, "application_id").map_err(failed)? != APPLICATION_ID {
        return Err(not_ours(path));
    }
    match number(&connection, "user_version").map_err(failed)? {
        VERSION => Ok(Inspection::Current),
        older @ 1..VERSION => Ok(Inspection::Older(older)),
        version => Err(newer(path, version, VERSION)),
    }
}

/// If a process was killed while it made the tables, the file has a rollback journal, and only a
/// connection that may write can undo what was begun; the file is empty then. If that fails, so does
/// what follows, and says why.
fn undo_half_made(path: &Path) {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    if Path::new(&journal).exists() && may_be_ours(path) {
        let _ = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .and_then(|connection| number(&connection, "user_version"));
    }
}

/// Whether the header of the file says that it is lictor's, or nothing yet: the tables and the
/// header are written in one transaction. Another program's file is not opened for writing, since
/// that would undo what its journal says.
fn may_be_ours(path: &Path) -> bool {
    let mut header = Vec::new();
    // No connection of this process to a file with a journal is open yet, whose locks this would
    // drop: lictor's own are in WAL mode.
    let read = File::open(path).and_then(|file| file.take(HEADER).read_to_end(&mut header));
    if read.is_err() {
        return false;
    }
    let ours = &APPLICATION_ID.to_be_bytes()[4..];
    header.get(APPLICATION) == Some(ours) || header.iter().all(|&byte| byte == 0)
}

/// How a file is checked.
#[derive(Clone, Copy)]
pub(super) enum Check {
    /// All pages; quick enough for every start.
    Quick,
    /// Also whether each row is in the indices: a copy finds rows by them.
    #[cfg(any(test, feature = "cli"))]
    Indices,
}

/// Reads the whole file, and says whether it is as it should be.
pub(in crate::store) fn check(path: &Path) -> Result<(), Problem> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    // Never through std::fs: closing a file of our own would drop the locks that SQLite has on it,
    // in the whole process.
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    must_be_sound(path, &connection, Check::Quick)
}

/// The same over a connection that is open.
pub(super) fn must_be_sound(
    path: &Path,
    connection: &Connection,
    check: Check,
) -> Result<(), Problem> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    let sql = match check {
        Check::Quick => "PRAGMA quick_check(1)",
        #[cfg(any(test, feature = "cli"))]
        Check::Indices => "PRAGMA integrity_check(1)",
    };
    let sound: String = connection.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
    let version = number(connection, "user_version").map_err(failed)?;
    let ours = is_of_version(connection, version).map_err(failed)?;
    match sound == "ok" && ours {
        true => Ok(()),
        false => Err(damaged(path, &sound)),
    }
}
