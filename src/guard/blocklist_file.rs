//! The operator's file of forbidden passwords: a list of passwords, or their SHA-1 hashes as breach
//! corpora are downloaded. Knows nothing of accounts.
//!
//! | file | owns |
//! |---|---|
//! | `list` | a list of passwords, kept in memory |
//! | `hashes` | sorted hashes, searched on the disk |

mod hashes;
mod list;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::{Cause, Error, Problem};
use hashes::{DIGITS, Hashes, MAX_LINE, digits};
use list::List;

/// Maximum size of a list of passwords in bytes, since it is kept in memory.
const MAX_LIST: u64 = 32 * 1024 * 1024;
/// Hexadecimal digits of a SHA-1 hash without its first five, which name the file of a range.
const RANGE_DIGITS: usize = 35;
/// Hexadecimal digits of an NTLM hash.
const NTLM_DIGITS: usize = 32;

/// Passwords that nobody may choose.
pub struct Blocklist(Content);

enum Content {
    List(List),
    Hashes(Hashes),
}

impl Blocklist {
    /// Opens a file, and finds out from its first line which of the two kinds it is.
    pub fn open(path: &Path) -> Result<Blocklist, Problem> {
        let unreadable = |error| unreadable(path, error);
        let (file, size) = open_regular(path)?;
        let mut start = [0; MAX_LINE];
        let read = read_at(&file, &mut start, 0).map_err(unreadable)?;
        let first = start[..read].split(|&b| b == b'\n').next().unwrap_or_default();
        match digits(first) {
            DIGITS => {
                let hashes = Hashes { file, size };
                hashes.check().map_err(unreadable)?.map_err(|at| not_sorted(path, at))?;
                Ok(Blocklist(Content::Hashes(hashes)))
            }
            RANGE_DIGITS | NTLM_DIGITS => Err(not_whole_hashes(path)),
            _ if size > MAX_LIST => Err(too_large(path, size)),
            _ => {
                let list = List::read(file).map_err(unreadable)?;
                list.map(|list| Blocklist(Content::List(list))).ok_or_else(|| not_text(path))
            }
        }
    }

    /// Returns whether the file holds a password, as it is or in lower case.
    pub(super) fn has(&self, password: &str, lower: &str) -> Result<bool, Error> {
        match &self.0 {
            Content::List(list) => Ok(list.has(lower)),
            Content::Hashes(hashes) => hashes
                .has(password)
                .and_then(|found| Ok(found || hashes.has(lower)?))
                .map_err(|error| {
                    let text = format!("the password blocklist cannot be read: {error}");
                    Error::Unavailable(Cause::new(text, error))
                }),
        }
    }

    /// Describes the file, for people.
    pub fn describe(&self) -> String {
        match &self.0 {
            Content::List(list) => format!("{} passwords", list.len()),
            Content::Hashes(hashes) => format!("SHA-1 hashes, {} bytes", hashes.size),
        }
    }
}

impl fmt::Debug for Blocklist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blocklist({})", self.describe())
    }
}

/// Opens a regular file; returns it with its size.
fn open_regular(path: &Path) -> Result<(File, u64), Problem> {
    let unreadable = |error| unreadable(path, error);
    let regular = |metadata: Metadata| match metadata.is_file() {
        true => Ok(metadata.len()),
        false => Err(not_a_file(path)),
    };
    // Check before opening: opening a device may have an effect.
    regular(fs::metadata(path).map_err(unreadable)?)?;
    let file = open(path).map_err(unreadable)?;
    let size = regular(file.metadata().map_err(unreadable)?)?;
    Ok((file, size))
}

/// Opens a file without blocking, even if a pipe has taken its place since it was checked.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)
}

/// Reads at an offset until the buffer is full or the file ends.
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], at + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

fn unreadable(path: &Path, error: io::Error) -> Problem {
    Problem::new(
        format!("cannot read the password blocklist {}: {error}", path.display()),
        "let the user that runs lictor read it, or leave out the setting `password_blocklist`",
    )
    .with_source(error)
}

fn not_a_file(path: &Path) -> Problem {
    Problem::new(
        format!("the password blocklist {} is not a file", path.display()),
        "give one file; lists of hashes in many files can be joined into one",
    )
}

fn not_whole_hashes(path: &Path) -> Problem {
    Problem::new(
        format!(
            "the password blocklist {} has hashes that are not whole SHA-1 ones",
            path.display()
        ),
        "download SHA-1 hashes into one file: lines of 40 hexadecimal digits, sorted",
    )
}

fn too_large(path: &Path, size: u64) -> Problem {
    Problem::new(
        format!(
            "the password blocklist {} has {size} bytes; a list of passwords can have {MAX_LIST}",
            path.display()
        ),
        "give SHA-1 hashes instead, one a line in hexadecimal, sorted: a file of them can have any \
         size",
    )
}

fn not_text(path: &Path) -> Problem {
    Problem::new(
        format!(
            "the password blocklist {} is neither a text file of passwords nor one of SHA-1 hashes",
            path.display()
        ),
        "give passwords one a line, or sorted SHA-1 hashes in hexadecimal",
    )
}

fn not_sorted(path: &Path, at: u64) -> Problem {
    Problem::new(
        format!(
            "the password blocklist {} begins with a SHA-1 hash, but at byte {at} it is not a \
             sorted list of hashes",
            path.display()
        ),
        "sort it: LC_ALL=C sort FILE; each line has 40 hexadecimal digits, and may have a colon \
         and a count",
    )
}
