//! How a file is read without a trace beside it.
//!
//! SQLite makes `-wal` and `-shm` beside a file in WAL mode, even in order to read it, and a reader
//! cannot delete them. They belong to the user who reads: the program that the file belongs to could
//! then not write any more.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::Problem;

/// Bytes of the header up to the version that a reader must know, which is the last of them.
const READ_VERSION: usize = 20;
/// How a file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where the header has the size of a page, in two bytes; 1 means 65,536.
const PAGE_SIZE: usize = 16;
/// The version of a file in WAL mode.
const WAL: u8 = 2;

pub(super) const WHY: &str =
    "it has a write-ahead log, for which SQLite must write files beside it";
pub(super) const NEXT: &str = "import as the user that the file belongs to; or copy the file, and its -wal if it has one, to a \
     folder of your own, and import that";

/// How a file is opened.
pub(super) enum Mode {
    /// With SQLite's locks. It makes no file.
    Locked,
    /// In WAL mode, and no program has it open: without locks, and without files beside it. It must
    /// not change while it is read.
    Unlocked(Seen),
}

/// What shows that a file was changed.
#[derive(PartialEq, Eq)]
pub(super) struct Seen {
    /// Device and inode.
    file: (u64, u64),
    size: u64,
    /// Seconds and nanoseconds of the last write, and of the last change of any kind.
    times: (i64, i64, i64, i64),
    has_log: bool,
}

impl Mode {
    /// Looks at a file, before it is opened. Refuses one that another user's program has open, or
    /// left without closing it.
    pub(super) fn of(path: &Path) -> Result<Mode, Problem> {
        // What cannot be looked at cannot be opened either, and SQLite says why.
        let (Ok(header), Ok(meta)) = (header(path), fs::metadata(path)) else {
            return Ok(Mode::Locked);
        };
        must_be_whole(path, &header, meta.len())?;
        if header.last() != Some(&WAL) {
            return Ok(Mode::Locked);
        }
        let is_open = size(&beside(path, "-shm")).is_some() || has_content(path, "-wal");
        // Without locks, SQLite would take no notice of a write that must be undone.
        if !is_open && !has_content(path, "-journal") {
            return Seen::of(path).map_or(Ok(Mode::Locked), |seen| Ok(Mode::Unlocked(seen)));
        }
        let user = rustix::process::geteuid();
        match user.is_root() || user.as_raw() == meta.uid() {
            true => Ok(Mode::Locked),
            false => Err(Problem::new(format!("cannot read {}: {WHY}", path.display()), NEXT)),
        }
    }

    /// Refuses what was read if the file was changed since it was looked at.
    pub(super) fn unchanged(&self, path: &Path) -> Result<(), Problem> {
        match self {
            Mode::Unlocked(before) if !Seen::of(path).is_ok_and(|now| now == *before) => {
                Err(Problem::new(
                    format!("the database {} was changed while it was read", path.display()),
                    "run it again, or import from a copy",
                ))
            }
            _ => Ok(()),
        }
    }

    /// The name by which SQLite opens the file so.
    pub(super) fn name(&self, path: &Path) -> PathBuf {
        // An absolute path is never taken for a database in memory.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        match self {
            Mode::Locked => path,
            Mode::Unlocked(_) => uri(&path).into(),
        }
    }
}

impl Seen {
    fn of(path: &Path) -> io::Result<Seen> {
        let meta = fs::metadata(path)?;
        Ok(Seen {
            file: (meta.dev(), meta.ino()),
            size: meta.len(),
            times: (meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()),
            has_log: has_content(path, "-wal"),
        })
    }
}

/// The begin of the header. The file is closed at once, which drops SQLite's locks on it: only before
/// it is opened.
fn header(path: &Path) -> io::Result<[u8; READ_VERSION]> {
    let mut header = [0; READ_VERSION];
    File::open(path)?.read_exact(&mut header)?;
    Ok(header)
}

/// Refuses a file that ends inside a page: SQLite would take zeros for what is missing of its last
/// one.
fn must_be_whole(path: &Path, header: &[u8; READ_VERSION], size: u64) -> Result<(), Problem> {
    let page = match u64::from(u16::from_be_bytes([header[PAGE_SIZE], header[PAGE_SIZE + 1]])) {
        1 => 65_536,
        page => page,
    };
    match header.starts_with(MAGIC) && page.is_power_of_two() && !size.is_multiple_of(page) {
        true => Err(Problem::new(
            format!("cannot read {}: the file is damaged: it ends inside a page", path.display()),
            "copy it again, as a whole, and import that",
        )),
        false => Ok(()),
    }
}

/// The path of a file that SQLite makes beside this one.
fn beside(path: &Path, ending: &str) -> PathBuf {
    // SQLite follows links.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

fn size(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|meta| meta.len())
}

fn has_content(path: &Path, ending: &str) -> bool {
    size(&beside(path, ending)).is_some_and(|size| size > 0)
}

/// The URI of a file that nobody changes (<https://www.sqlite.org/uri.html>).
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => {
                // Writing into a String cannot fail.
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri + "?immutable=1"
}
