//! Whether the files that are open are still the ones at their path.
//!
//! SQLite goes on writing into a file that somebody has deleted or moved away, and everything that
//! is acknowledged from then on is lost with the process. So each write looks at the names before it
//! begins, and so does a thread now and then, so that the log says it even if nobody writes. The
//! write-ahead log counts as well. A file that was put back is written again.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::mem::ManuallyDrop;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Cause;
use crate::store::driver::Fault;

/// Where the header of a file says whether it is in WAL mode, to writers and to readers; twice 2 in
/// every file that is open here, and twice 1 in a copy that `lictor backup` has made.
const MODE_AT: u64 = 18;
const WAL_MODE: [u8; 2] = [2, 2];

/// The device and the inode of a file: one file, whatever its name.
type Id = (u64, u64);

/// What was opened.
#[derive(Debug)]
pub(super) struct Identity {
    path: PathBuf,
    file: Option<Id>,
    log: Option<Id>,
    /// Reads the header, past SQLite. Never closed: that would drop the locks that SQLite has on the
    /// file in this process.
    header: OnceLock<ManuallyDrop<File>>,
    is_lost: AtomicBool,
}

impl Identity {
    /// Of a file that was just opened.
    pub(super) fn of(path: &Path) -> Identity {
        // SQLite has opened what a link led to then.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let (file, log) = (id(&path), id(&log_of(&path)));
        let (header, is_lost) = (OnceLock::new(), AtomicBool::new(false));
        Identity { path, file, log, header, is_lost }
    }

    /// Reads the header as well from now on.
    pub(super) fn watch(&self) {
        if self.header.get().is_none()
            && let Ok(file) = File::open(&self.path)
        {
            let _ = self.header.set(ManuallyDrop::new(file));
        }
    }

    /// A fault if the file must not be written, since nobody would find what is written. The log says
    /// so once.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let trouble = self.trouble();
        let shown = self.path.display();
        let was_lost = self.is_lost.swap(trouble.is_some(), Ordering::Relaxed);
        match (trouble, was_lost) {
            (None, false) => Ok(()),
            (None, true) => {
                log::warn!("the database {shown} is back, and is written again");
                Ok(())
            }
            (Some(what), was_lost) => {
                if !was_lost {
                    log::error!(
                        "the database {shown} {what}: nothing is written any more, since it would be \
                         lost; put the file back, or restart lictor with what is there now"
                    );
                }
                Err(Fault::Unavailable(Cause::logged(format!("the database {shown} {what}"))))
            }
        }
    }

    fn trouble(&self) -> Option<&'static str> {
        match fs::metadata(&self.path) {
            Ok(found) if Some((found.dev(), found.ino())) != self.file => {
                return Some("was replaced");
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Some("was deleted or moved");
            }
            // What cannot be looked at may still be there.
            _ => {}
        }
        if self.log.is_some() && id(&log_of(&self.path)) != self.log {
            return Some("has lost its write-ahead log");
        }
        let mut mode = WAL_MODE;
        let read = self.header.get().map(|file| file.read_exact_at(&mut mode, MODE_AT));
        match read {
            // An error of the disk is the business of whoever reads.
            Some(Err(error)) if error.kind() != ErrorKind::UnexpectedEof => None,
            Some(Err(_)) => Some("was cut off"),
            _ if mode != WAL_MODE => Some("was overwritten"),
            _ => None,
        }
    }
}

/// The write-ahead log of a file whose path has no links.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Whether the open file is the one that has this name.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// Which file has this name; `None` if there is none, or it cannot be said.
pub(super) fn id(path: &Path) -> Option<Id> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}
