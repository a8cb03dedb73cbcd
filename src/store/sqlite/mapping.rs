//! Decides when the connections that read map the database file into their memory.
//!
//! A page of a mapped file costs no system call and no copy. But SQLite drops the mapping of a
//! connection at its first read after a commit, whoever committed, and then each page of the file
//! costs a page fault, which is dearer than reading it. So readers map the file only after many
//! reads without a commit, and go back to reading at the next commit.
//!
//! A file that is cut off, or a disk that fails, under a mapping ends the process (SIGBUS); without
//! one it is an error of SQLite. So a small file, which the page caches hold, is never mapped.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

/// Reads without a commit after which the file is mapped: about as many as a mapping must serve to
/// save the page faults that it costs.
const READS: u64 = 32_768;
/// The most reads that are waited for. They double whenever a mapping did not last for as many.
const READS_MAX: u64 = 32 * READS;
/// Pages of a file that is small: twice what a connection's page cache holds.
const SMALL_FILE: i64 = 1_000;

/// How much of the file the readers map.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    /// The most bytes, from the beginning of the file; 0 if it is never mapped.
    limit: AtomicU64,
    /// The bytes at present: 0 or the limit.
    bytes: AtomicU64,
    pace: Mutex<Pace>,
}

/// What a connection sees of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// A number that differs after a commit of any other connection.
    pub(super) version: i64,
    /// The pages of the file.
    pub(super) pages: i64,
}

/// When a mapping is likely to last.
#[derive(Debug)]
struct Pace {
    version: i64,
    mapped: bool,
    /// The readers' count of reads at the last commit or, if the file is mapped, when it was mapped.
    since: u64,
    /// The reads without a commit that are waited for.
    needed: u64,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { version: 0, mapped: false, since: 0, needed: READS }
    }
}

impl Mapping {
    /// Lets readers map this many bytes of the file.
    pub(super) fn allow(&self, bytes: u64) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    /// Whether readers may ever map the file.
    pub(super) fn is_allowed(&self) -> bool {
        self.limit.load(Ordering::Relaxed) > 0
    }

    /// Ends the mapping: each reader drops it before its next read.
    pub(super) fn end(&self) {
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// Decides anew, given how many reads there have been.
    pub(super) fn decide(&self, view: View, reads: u64) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let mapped = pace.next(view, reads);
        let limit = self.limit.load(Ordering::Relaxed);
        self.bytes.store(if mapped { limit } else { 0 }, Ordering::Relaxed);
    }

    /// Maps or unmaps the file for a connection that has `mapped` bytes of it.
    pub(super) fn apply(&self, connection: &Connection, mapped: &AtomicU64) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        if mapped.load(Ordering::Relaxed) != bytes {
            mapped.store(bytes, Ordering::Relaxed);
            map(connection, bytes);
        }
    }
}

#[cold]
fn map(connection: &Connection, bytes: u64) {
    let pragma = format!("PRAGMA mmap_size = {bytes}");
    let done = connection.query_row(&pragma, [], |_| Ok(()));
    // What the page cache holds is read from the mapping from now on.
    if let Err(error) = done.and_then(|()| connection.release_memory()) {
        log::debug!("the database file stays as it is mapped: {error}");
    }
}

impl Pace {
    /// Whether the file is to be mapped.
    fn next(&mut self, view: View, reads: u64) -> bool {
        if view.version != self.version {
            if self.mapped {
                let lasted = reads - self.since >= self.needed;
                self.needed = if lasted { READS } else { READS_MAX.min(2 * self.needed) };
            }
            (self.version, self.mapped, self.since) = (view.version, false, reads);
        } else if !self.mapped && reads - self.since >= self.needed && view.pages > SMALL_FILE {
            (self.mapped, self.since) = (true, reads);
        }
        self.mapped
    }
}

#[cfg(test)]
mod tests;
