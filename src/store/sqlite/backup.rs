//! A copy of a whole file as it was at one moment, made while others read and write it, and checked.
//!
//! SQLite's backup API copies the pages as they are, a few at a time, inside one read transaction.
//! In WAL mode that holds up no writer, and no commit changes what it sees, so the copy never starts
//! again; only the write-ahead log cannot begin anew meanwhile. `VACUUM INTO` would be consistent
//! as well, but it rebuilds the tables: it takes longer, and hides damage of indices, which a copy
//! of pages shows.
//!
//! The copy is one file: it is not in WAL mode. Every file that a server has opened is, so a copy
//! can be told from a database that was in use.

use std::fs::{self, File};
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::connect::connect;
use super::draft::Draft;
use super::inspect::{look, must_be_whole};
use super::problems::{absent, cannot_open, cannot_write, in_the_way, locked, name_of_a_restore};
use super::schema::{names, number};
use super::swap::is_of_a_restore;
use crate::error::Problem;

/// Pages that are copied between two looks at the progress: 1 MiB.
const STEP: std::ffi::c_int = 256;
/// Where the header of a file says whether it is in WAL mode (1: no, 2: yes), to writers and to
/// readers; and whose it is.
const MODE: Range<usize> = 18..20;
const APPLICATION: Range<usize> = 68..72;

/// How many rows each table has.
pub type Rows = Vec<(String, u64)>;

/// Copies a file into a draft, `target` with another ending, and checks the copy. `show` gets the share that is
/// copied, in percent; 100 while it is checked. A file of an older version stays of that version.
pub(in crate::store) fn copy(
    path: &Path,
    target: &Path,
    show: &mut dyn FnMut(u64),
) -> Result<(Draft, Rows), Problem> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    let (_, Some(source)) = look(path)? else { return Err(absent(path)) };
    let draft = Draft::begin(target)?;
    // A page of a mapping that cannot be read would end the process.
    source.execute_batch("PRAGMA mmap_size = 0; BEGIN").map_err(failed)?;
    number(&source, "user_version").map_err(failed)?;
    let mut copy = open_draft(draft.path(), target)?;
    copy_pages((&source, path), (&mut copy, target), show)?;
    drop(source);
    must_be_whole(path, &copy)?;
    let rows = count(&copy).map_err(failed)?;
    let mode = copy.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0));
    mode.map_err(|error| not_written(target, error))?;
    Ok((draft, rows))
}

/// Opens the file of a draft. Nothing in it needs to survive before it has its name.
pub(super) fn open_draft(path: &Path, target: &Path) -> Result<Connection, Problem> {
    let opened = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|draft| {
        draft.execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;",
        )?;
        Ok(draft)
    });
    opened.map_err(|error| not_written(target, error))
}

fn copy_pages(
    (source, path): (&Connection, &Path),
    (copy, target): (&mut Connection, &Path),
    show: &mut dyn FnMut(u64),
) -> Result<(), Problem> {
    // SQLite's error may be about either file.
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => cannot_open(path, error),
        _ => not_written(target, error),
    };
    let backup = Backup::new(source, copy).map_err(failed)?;
    loop {
        let step = backup.step(STEP).map_err(failed)?;
        let (left, all) = (backup.progress().remaining, backup.progress().pagecount.max(1));
        show(u64::try_from(100 - i64::from(left) * 100 / i64::from(all)).unwrap_or(0));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // The draft is ours alone, and readers wait for nobody.
            _ => return Err(locked(path)),
        }
    }
}

pub(super) fn not_written(target: &Path, error: rusqlite::Error) -> Problem {
    cannot_write(target, std::io::Error::other(error))
}

pub(super) fn count(connection: &Connection) -> rusqlite::Result<Rows> {
    let rows = |table: String| {
        let sql = format!("SELECT count(*) FROM {table}");
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok((table, u64::try_from(rows).unwrap_or(0)))
    };
    names(connection, "table")?.into_iter().map(rows).collect()
}

/// An error if `target` is there and is not a copy that was never opened by a server: it would be
/// lost.
pub(in crate::store) fn must_be_replaceable(target: &Path) -> Result<(), Problem> {
    if is_of_a_restore(target) {
        return Err(name_of_a_restore(target));
    }
    match fs::metadata(target) {
        // Reading from a pipe would wait for somebody who writes.
        Ok(found) if !found.is_file() => return Err(in_the_way(target)),
        Ok(found) if found.len() > 0 => {}
        _ => return Ok(()),
    }
    let mut header = Vec::new();
    // No connection of this process has this file open.
    let read = File::open(target).and_then(|file| file.take(100).read_to_end(&mut header));
    let ours = header.get(APPLICATION) == Some(b"LICT") && header.get(MODE) == Some(&[1, 1]);
    match read.is_ok() && ours {
        true => Ok(()),
        false => Err(in_the_way(target)),
    }
}
