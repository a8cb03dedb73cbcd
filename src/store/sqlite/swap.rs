//! Puts a restored file in the place of a database, so that every crash leaves the one or the other.
//!
//! The restored file lies complete beside the database, as `FILE-restored`: from that moment on it
//! counts. Then the files of the old database get another name, the database itself last, and the
//! restored one gets its name. Whoever opens the database finds `FILE-restored` if that was
//! interrupted, and finishes it. Without that, the old write-ahead log could be replayed into the
//! restored file, or the old file be opened without its log.
//!
//! A second name of the same file, `FILE-restoring`, shows that a restore has put it there: one that
//! somebody gave this name by hand is refused.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use super::beside::beside;
use super::identity::{id, is_at};
use super::new_file;
use super::problems::{
    cannot_open, cannot_reach, cannot_write, directory, in_use, not_of_a_restore,
};
use crate::error::Problem;

/// What is at the end of the name of a file that is to take the place of a database.
const RESTORED: &str = "-restored";
/// What is at the end of its second name.
const RESTORING: &str = "-restoring";
/// What SQLite and lictor keep beside a database.
const COMPANIONS: [&str; 4] = ["-wal", "-shm", "-journal", "-damaged"];

/// A database that no other process has open, as long as this value lives. What is in the file does
/// not matter.
#[derive(Debug)]
pub(super) struct Alone {
    path: PathBuf,
    file: File,
    /// Whether the file was made for the lock, and is to be deleted if nothing takes its place.
    made: bool,
}

impl Alone {
    /// Locks the file. Every connection of SQLite in WAL mode keeps a lock on some bytes of it. If
    /// there is none, makes an empty one, so that a server that starts meanwhile finds a lock.
    pub(super) fn lock(path: &Path) -> Result<Alone, Problem> {
        let failed = |error| cannot_reach(path, error);
        let (file, made) = match OpenOptions::new().read(true).write(true).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => (make(path)?, true),
            opened => (opened.map_err(failed)?, false),
        };
        let locked = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive);
        locked.map_err(|why| match why {
            Errno::AGAIN | Errno::ACCESS => in_use(path),
            why => failed(why.into()),
        })?;
        // Another restore may have put another file there since this one was opened.
        if !is_at(&file, path) {
            return Err(in_use(path));
        }
        Ok(Alone { path: path.to_owned(), file, made })
    }

    /// Whom the file belongs to.
    #[cfg(feature = "cli")]
    pub(super) fn owner(&self) -> Result<(u32, u32), Problem> {
        let found = self.file.metadata().map_err(|error| cannot_reach(&self.path, error))?;
        Ok((found.uid(), found.gid()))
    }

    /// Puts the restored file in place. Returns the new name of what was there.
    pub(super) fn finish(mut self) -> Result<Option<PathBuf>, Problem> {
        let restored = restored(&self.path);
        let failed = |error| cannot_write(&self.path, error);
        let (kept, last) = names_for_old(&self.path, &restored)?;
        // The log of a file that was deleted may still be there.
        for ending in COMPANIONS {
            match fs::rename(beside(&self.path, ending), beside(&kept, ending)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                moved => moved.map_err(failed)?,
            }
        }
        // After a power cut, the log must not be left behind, nor the new database have the old log.
        sync_directory(&self.path).map_err(failed)?;
        let is_empty = self.file.metadata().map_err(failed)?.len() == 0;
        if !is_empty {
            fs::rename(&self.path, &kept).map_err(failed)?;
            sync_directory(&self.path).map_err(failed)?;
        }
        fs::rename(&restored, &self.path).map_err(failed)?;
        self.made = false;
        let _ = fs::remove_file(beside(&self.path, RESTORING));
        sync_directory(&self.path).map_err(failed)?;
        Ok(if is_empty { last } else { Some(kept) })
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if self.made && is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes an empty file that belongs to the owner of its directory.
fn make(path: &Path) -> Result<File, Problem> {
    let failed = |error| cannot_reach(path, error);
    let file = new_file::make(path).map_err(|error| match error.kind() {
        // A server that has started meanwhile.
        ErrorKind::AlreadyExists if path.exists() => in_use(path),
        _ => failed(error),
    })?;
    new_file::give_to_owner_of_directory(&file, path).map_err(failed)?;
    Ok(file)
}

/// Where the restored file waits for its name.
pub(super) fn restored(path: &Path) -> PathBuf {
    beside(path, RESTORED)
}

/// Whether the name is one of those that a restore gives its file.
#[cfg(feature = "cli")]
pub(super) fn is_of_a_restore(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(RESTORED) || name.ends_with(RESTORING)
}

/// Gives the file that is to be restored its second name, before it is [`restored`].
#[cfg(feature = "cli")]
pub(super) fn mark(draft: &Path, path: &Path) {
    let mark = beside(path, RESTORING);
    // What a restore has left that was killed.
    let _ = fs::remove_file(&mark);
    // Not every file system has links. Without one, an interrupted restore is refused, and not lost.
    let _ = fs::hard_link(draft, &mark);
}

/// Finishes a restore that was interrupted, if there is one. An error if the file is of another origin.
pub(super) fn finish_interrupted(path: &Path) -> Result<(), Problem> {
    if !restored(path).exists() {
        return Ok(());
    }
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let alone = Alone::lock(path)?;
    let (file, mark) = (id(&restored(path)), id(&beside(path, RESTORING)));
    // The process that restored may have done it meanwhile.
    if file.is_none() {
        return Ok(());
    }
    if file != mark {
        return Err(not_of_a_restore(&restored(path)));
    }
    let kept = alone
        .finish()?
        .map_or_else(String::new, |kept| format!("; what was there is {}", kept.display()));
    log::warn!(
        "finished an interrupted restore of {}{kept}; run lictor restore again if its keys are to be \
         restored",
        path.display()
    );
    Ok(())
}

/// A free name for the old file, `lictor-replaced-20261130T011500Z.db`, and the last of these names
/// that is taken. The time is that of the restored file: if an interrupted restore has moved the old
/// file, that is where it is.
fn names_for_old(path: &Path, restored: &Path) -> Result<(PathBuf, Option<PathBuf>), Problem> {
    let failed = |error| cannot_write(path, error);
    let at = fs::metadata(restored).map_err(failed)?.mtime();
    let stamp = Connection::open_in_memory().and_then(|sqlite| {
        let sql = "SELECT strftime('%Y%m%dT%H%M%SZ', ?1, 'unixepoch')";
        sqlite.query_row(sql, [at], |row| row.get::<_, String>(0))
    });
    let stamp = stamp.map_err(|error| cannot_open(path, error))?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = path
        .extension()
        .map_or_else(String::new, |ending| format!(".{}", ending.to_string_lossy()));
    let name = |count: u32| match count {
        1 => format!("{stem}-replaced-{stamp}{ending}"),
        _ => format!("{stem}-replaced-{stamp}-{count}{ending}"),
    };
    let (mut last, mut free) = (None, path.with_file_name(name(1)));
    for count in 2.. {
        if !free.exists() {
            break;
        }
        last = Some(std::mem::replace(&mut free, path.with_file_name(name(count))));
    }
    Ok((free, last))
}

/// Writes the names in a file's directory to the disk.
pub(super) fn sync_directory(path: &Path) -> std::io::Result<()> {
    File::open(directory(path))?.sync_all()
}
