//! Whether a file that is open is sound. After an unclean end it is checked beside the work; a
//! finding stops all writing, in this process and after a restart.
//!
//! - A clean end removes the write-ahead log. If the log is there at the start, and not empty, the
//!   last end was unclean, or another process has the file open. Then the log stays at the end as
//!   well, until a check has ended well: a command that runs in between hides nothing from the
//!   server's next start.
//! - A finding is written into a file beside the database (`FILE-damaged`), because the database
//!   itself is not to be touched. While that file is there, the whole database is checked before it
//!   is opened. A restored one passes, and the mark goes.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::beside::beside;
use super::connect::connect;
use super::inspect::{Check, WATCH_EVERY, first_fault};
use crate::store::driver::Watch;

const SOUND: u8 = 0;
const UNCHECKED: u8 = 1;
const DAMAGED: u8 = 2;

/// What is known of an open file.
#[derive(Debug)]
pub(super) struct Soundness {
    path: PathBuf,
    state: AtomicU8,
}

impl Soundness {
    /// Of the file at `path`; `unclean` is what [`has_log`] said before the file was opened.
    pub(super) fn new(path: &Path, unclean: bool) -> Soundness {
        let state = if unclean { UNCHECKED } else { SOUND };
        Soundness { path: path.to_owned(), state: state.into() }
    }

    /// Whether no check is needed, and none has found anything.
    pub(super) fn is_sound(&self) -> bool {
        self.state.load(Ordering::Acquire) == SOUND
    }

    /// Whether a check has found damage: nothing must be written.
    pub(super) fn is_damaged(&self) -> bool {
        self.state.load(Ordering::Acquire) == DAMAGED
    }

    /// Checks the file if that is needed, until `watch` says to stop. Returns whether it was found
    /// sound.
    pub(super) fn check(&self, watch: Watch) -> bool {
        if self.state.load(Ordering::Acquire) != UNCHECKED {
            return false;
        }
        let shown = self.path.display();
        log::info!("the last end was not clean: the database {shown} is checked beside the work");
        let begun = Instant::now();
        match self.first_fault(watch) {
            Ok(None) => {
                self.state.store(SOUND, Ordering::Release);
                log::info!("the database {shown} is sound ({} ms)", begun.elapsed().as_millis());
                true
            }
            Ok(Some(fault)) => {
                self.set_damaged(&fault);
                false
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                log::info!("the check of the database begins again at the next start");
                false
            }
            Err(error) => {
                log::error!(
                    "the database {shown} could not be checked: {error}; stop the server and run \
                     lictor check --deep"
                );
                false
            }
        }
    }

    fn first_fault(&self, watch: Watch) -> rusqlite::Result<Option<String>> {
        // No mapping of the file: reading one that was truncated would end the process.
        let mut connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.execute_batch("PRAGMA mmap_size = 0")?;
        connection.progress_handler(WATCH_EVERY, Some(watch))?;
        first_fault(&connection, Check::Quick)
    }

    /// Stops all writing, because of what a check or a statement has found. The log says so once.
    pub(super) fn set_damaged(&self, fault: &str) {
        if self.state.swap(DAMAGED, Ordering::AcqRel) == DAMAGED {
            return;
        }
        log::error!(
            "the database {} is damaged: {}; reads go on, and nothing is written any more: stop \
             the server, see lictor check --deep, and restore a backup",
            self.path.display(),
            fault.escape_debug()
        );
        if let Err(error) = write_mark(&self.path, fault) {
            log::error!("a restart will write until the damage is found again: {error}");
        }
    }
}

/// Leaves the write-ahead log where it is when the connection is closed, or lets it go.
pub(super) fn keep_log(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
}

/// Whether an earlier check has found damage.
pub(super) fn is_marked(path: &Path) -> bool {
    mark(path).exists()
}

/// Forgets what an earlier check has found, since the file was checked again and is sound.
pub(super) fn unmark(path: &Path) {
    match fs::remove_file(mark(path)) {
        Ok(()) => log::info!("the database {} is sound again", path.display()),
        Err(error) => log::warn!("cannot remove {}: {error}", mark(path).display()),
    }
}

fn mark(path: &Path) -> PathBuf {
    beside(path, "-damaged")
}

fn write_mark(path: &Path, fault: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(mark(path))?;
    writeln!(file, "{fault}")?;
    file.sync_all()
}
