//! Looks at a file without changing it: whose it is and of which version, by what does not grow; and
//! whether all of it is sound.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::ops::Range;
use std::path::Path;

#[cfg(any(test, feature = "cli"))]
use rusqlite::OptionalExtension as _;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::connect::connect;
use super::identity::id;
use super::own_log::must_own_log;
#[cfg(any(test, feature = "cli"))]
use super::problems::absent;
use super::problems::{
    cannot_open, cannot_reach, damaged, directory, newer, not_a_file, not_ours, replaced_meanwhile,
};
use super::schema::{APPLICATION_ID, VERSION, is_of_version, number};
use super::swap::finish_interrupted;
use crate::error::Problem;
use crate::store::Inspection;
#[cfg(any(test, feature = "cli"))]
use crate::store::driver::Watch;

/// Bytes of the header of a file of SQLite, and where the application's number is in it.
const HEADER: u64 = 100;
const APPLICATION: Range<usize> = 68..72;
/// Steps of SQLite's machine, or pages, between two calls of a [`Watch`](crate::store::driver::Watch).
pub(super) const WATCH_EVERY: std::ffi::c_int = 1_000;

/// Says whose the file is, and of which version. Reads only what does not grow with the rows.
#[cfg(any(test, feature = "cli"))]
pub(in crate::store) fn inspect(path: &Path) -> Result<Inspection, Problem> {
    look(path).map(|(found, _)| found)
}

/// Whether somebody is logged in, or was sent a link; of a file of any version. False if there is no
/// file; an error if it cannot be read.
#[cfg(feature = "cli")]
pub(in crate::store) fn has_tokens(path: &Path) -> Result<bool, Problem> {
    let (found, connection) = look(path)?;
    let Some(connection) = connection else { return Ok(false) };
    // The first version has no such tables.
    if found == Inspection::Older(1) {
        return Ok(false);
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM sessions WHERE ended IS NULL) OR EXISTS (SELECT 1 FROM tickets)";
    connection.query_row(sql, [], |row| row.get(0)).map_err(|error| cannot_open(path, error))
}

/// The same as [`inspect`], with the connection that looked. As long as it is open, the next one need not read the
/// write-ahead log again that an unclean end has left.
pub(super) fn look(path: &Path) -> Result<(Inspection, Option<Connection>), Problem> {
    finish_interrupted(path)?;
    undo_half_made(path);
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && directory(path).is_dir() => {
            return Ok((Inspection::Absent, None));
        }
        Err(error) => return Err(cannot_reach(path, error)),
        Ok(meta) if meta.is_file() && meta.len() == 0 => return Ok((Inspection::Absent, None)),
        Ok(meta) if !meta.is_file() => return Err(not_a_file(path)),
        Ok(_) => {}
    }
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    must_own_log(path)?;
    let before = id(path);
    // The first read compares the number of pages in the header with the length of the file. It waits
    // while a restore has the file locked.
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    if number(&connection, "application_id").map_err(failed)? != APPLICATION_ID {
        return Err(not_ours(path));
    }
    if id(path) != before {
        return Err(replaced_meanwhile(path));
    }
    let found = match number(&connection, "user_version").map_err(failed)? {
        VERSION => Inspection::Current,
        older @ 1..VERSION => Inspection::Older(older),
        version => return Err(newer(path, version, VERSION)),
    };
    Ok((found, Some(connection)))
}

/// Says whether a file of ours has the tables and indices of its version.
pub(super) fn must_have_our_tables(path: &Path, connection: &Connection) -> Result<(), Problem> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    let version = number(connection, "user_version").map_err(failed)?;
    match is_of_version(connection, version).map_err(failed)? {
        true => Ok(()),
        false => Err(damaged(path, "its tables are not lictor's")),
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
    /// All pages.
    Quick,
    /// Also whether each row is in the indices: a copy finds rows by them.
    #[cfg(any(test, feature = "cli"))]
    Indices,
}

/// Reads the whole file, and says whether it is as it should be.
pub(super) fn must_be_sound(
    path: &Path,
    connection: &Connection,
    check: Check,
) -> Result<(), Problem> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    match first_fault(connection, check).map_err(failed)? {
        None => must_have_our_tables(path, connection),
        Some(fault) => Err(damaged(path, &fault)),
    }
}

/// Reads the whole file; returns what is wrong with it in SQLite's words, `None` if nothing is. An
/// error says nothing about the file.
pub(super) fn first_fault(
    connection: &Connection,
    check: Check,
) -> rusqlite::Result<Option<String>> {
    let sql = match check {
        Check::Quick => "PRAGMA quick_check(1)",
        #[cfg(any(test, feature = "cli"))]
        Check::Indices => "PRAGMA integrity_check(1)",
    };
    match connection.query_row(sql, [], |row| row.get::<_, String>(0)) {
        Ok(sound) if sound == "ok" => Ok(None),
        Ok(fault) if is_failed_read(&fault) => Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR),
            Some(fault),
        )),
        Ok(fault) => Ok(Some(fault)),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Ok(Some(error.to_string()))
            }
            _ => Err(error),
        },
    }
}

/// Whether SQLite says that it could not read a page, which it reports like a fault of the page: the disk
/// may answer next time.
fn is_failed_read(fault: &str) -> bool {
    let code = fault.split_once("unable to get the page. error code=").map(|(_, code)| code);
    let digits = |code: &str| code.chars().take_while(char::is_ascii_digit).collect::<String>();
    let code = code.and_then(|code| digits(code).parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff != rusqlite::ffi::SQLITE_CORRUPT)
}

/// Says whether the file is as it should be, by reading all of it. Calls `watch` now and then.
#[cfg(any(test, feature = "cli"))]
pub(in crate::store) fn check_deep(path: &Path, watch: Watch) -> Result<(), Problem> {
    let (found, connection) = look(path)?;
    let (Inspection::Current | Inspection::Older(_), Some(mut connection)) = (found, connection)
    else {
        return Err(absent(path));
    };
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    connection.execute_batch("PRAGMA mmap_size = 0").map_err(failed)?;
    connection.progress_handler(WATCH_EVERY, Some(watch)).map_err(failed)?;
    must_be_whole(path, &connection)
}

/// Reads the whole file, compares each row with the indices and with the rows that it refers to.
#[cfg(any(test, feature = "cli"))]
pub(super) fn must_be_whole(path: &Path, connection: &Connection) -> Result<(), Problem> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    must_be_sound(path, connection, Check::Indices)?;
    let orphan = connection
        .query_row("PRAGMA foreign_key_check", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?))
        })
        .optional()
        .map_err(failed)?;
    match orphan {
        None => Ok(()),
        Some((table, parent)) => Err(damaged(
            path,
            &format!("a row of {table} refers to a row of {parent} that is gone"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_cannot_be_read_is_told_from_one_that_is_damaged() {
        for (fault, expected) in [
            ("Tree 4 page 7: unable to get the page. error code=10", true),
            ("Tree 4 page 7: unable to get the page. error code=266", true),
            ("Tree 4 page 7: unable to get the page. error code=11", false),
            ("Tree 4 page 7: unable to get the page. error code=", false),
            ("Tree 4 page 7: btreeInitPage() returns error code 11", false),
            ("row 1 missing from index x", false),
        ] {
            assert_eq!(is_failed_read(fault), expected, "{fault}");
        }
    }
}
