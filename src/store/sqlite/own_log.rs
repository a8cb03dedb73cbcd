//! Whether the write-ahead log beside a file was written to that file.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use super::beside::{beside, has_log};
use super::problems::other_log;
use crate::error::Problem;

/// A file that was written so long after its log may be a copy that somebody has put there.
const MUCH_LATER: Duration = Duration::from_secs(60);

/// An error if the log beside the file is certainly that of another file, which SQLite would not
/// notice: it would replay the log. A copy that `lictor backup` has made is not in WAL mode, so it
/// never had a log. Of other copies, only their time can tell: a file is written after its log, but
/// hardly long after it.
pub(super) fn must_own_log(path: &Path) -> Result<(), Problem> {
    let log = beside(path, "-wal");
    if !has_log(path) {
        return Ok(());
    }
    let Ok(file) = File::open(path) else { return Ok(()) };
    let mut header = [0; 20];
    let read = file.read_exact_at(&mut header, 0);
    let written = |found: fs::Metadata| found.modified().ok();
    let of_file = file.metadata().ok().and_then(written);
    // Closing it would drop the locks that SQLite has on the file in this process.
    std::mem::forget(file);
    if read.is_ok() && header.starts_with(b"SQLite format 3\0") && header[18..] == [1, 1] {
        return Err(other_log(path, &log));
    }
    let of_log = fs::metadata(&log).ok().and_then(written);
    let later = of_file.zip(of_log).and_then(|(file, log)| file.duration_since(log).ok());
    if later.is_some_and(|later| later > MUCH_LATER) {
        log::warn!(
            "{} was written long after its write-ahead log {}: if you have put a copy in the place of \
             another file, what the log says is now in the copy; bring backups back with lictor \
             restore",
            path.display(),
            log.display()
        );
    }
    Ok(())
}
