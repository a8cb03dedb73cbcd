//! A file of sorted SHA-1 hashes, searched on the disk: it can have tens of gigabytes. A binary
//! search reads a few hundred bytes some thirty times, which takes less time than the password hash
//! that follows.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

use super::read_at;

/// Maximum length of a line with its end, in bytes: 40 digits, a colon, a count of up to 20 digits.
pub(super) const MAX_LINE: usize = 64;
/// Hexadecimal digits of a SHA-1 hash.
pub(super) const DIGITS: usize = 40;
/// Bytes of the range that is read at once at the end of a search.
const BLOCK: u64 = 2048;
/// Number of lines that are compared when the file is opened, to see whether it is sorted.
const SAMPLES: u64 = 256;

/// The file of hashes.
pub(super) struct Hashes {
    pub(super) file: File,
    /// Size of the file, in bytes.
    pub(super) size: u64,
}

/// One line of the file.
struct Entry {
    /// Offset of the line.
    start: u64,
    /// Offset of the next line.
    next: u64,
    /// The hash, in upper case.
    hash: [u8; DIGITS],
}

impl Hashes {
    /// Returns whether the file holds the hash of a password.
    pub(super) fn has(&self, password: &str) -> io::Result<bool> {
        let digest = digest(password);
        // Invariant: the line, if the file has it, starts at `low` or later, and before `high`.
        let (mut low, mut high) = (0, self.size);
        while high - low > BLOCK {
            let middle = low + (high - low) / 2;
            let entry = self.entry_at(middle)?;
            match digest.as_slice().cmp(&entry.hash) {
                Ordering::Equal => return Ok(true),
                // The middle lies inside the line, so the range shrinks in both cases.
                Ordering::Less => high = entry.start,
                Ordering::Greater => low = entry.next,
            }
            if low >= high {
                return Ok(false);
            }
        }
        let mut block = vec![0; (high - low) as usize];
        self.file.read_exact_at(&mut block, low)?;
        let mut lines = block.split(|&b| b == b'\n');
        Ok(lines
            .any(|line| line.get(..DIGITS).is_some_and(|hash| hash.eq_ignore_ascii_case(&*digest))))
    }

    /// Reads the line that the byte at an offset belongs to.
    fn entry_at(&self, offset: u64) -> io::Result<Entry> {
        let malformed = || io::Error::new(io::ErrorKind::InvalidData, "a line is no SHA-1 hash");
        let from = offset.saturating_sub(MAX_LINE as u64);
        let mut around = [0; 2 * MAX_LINE];
        let read = read_at(&self.file, &mut around, from)?;
        let at = (offset - from) as usize;
        let before = around.get(..at).ok_or_else(malformed)?;
        let start = match before.iter().rposition(|&b| b == b'\n') {
            Some(end) => end + 1,
            None if from == 0 => 0,
            None => return Err(malformed()),
        };
        let line = around[..read].get(start..).ok_or_else(malformed)?;
        let length = line.iter().position(|&b| b == b'\n');
        let next = length.map_or(line.len(), |length| length + 1);
        let line = &line[..length.unwrap_or(line.len())];
        if digits(line) != DIGITS {
            return Err(malformed());
        }
        let mut hash = [0; DIGITS];
        hash.copy_from_slice(&line[..DIGITS]);
        hash.make_ascii_uppercase();
        let start = from + start as u64;
        Ok(Entry { start, next: start + next as u64, hash })
    }

    /// Checks whether a sample of the lines is sorted. The inner error is the offset of a line that
    /// is not.
    pub(super) fn check(&self) -> io::Result<Result<(), u64>> {
        let mut before: Option<Entry> = None;
        for step in 0..SAMPLES {
            let offset = (self.size - 1) / (SAMPLES - 1) * step;
            let offset = if step == SAMPLES - 1 { self.size - 1 } else { offset };
            let entry = match self.entry_at(offset) {
                Ok(entry) => entry,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(Err(offset)),
                Err(error) => return Err(error),
            };
            let sorted = before.is_none_or(|before| match before.start == entry.start {
                true => true,
                false => before.hash <= entry.hash,
            });
            if !sorted {
                return Ok(Err(entry.start));
            }
            before = Some(entry);
        }
        Ok(Ok(()))
    }
}

/// Returns the number of hexadecimal digits of a line; 0 if anything but a count follows them.
pub(super) fn digits(line: &[u8]) -> usize {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    match line[digits..].split_first() {
        None => digits,
        Some((b':', count)) if !count.is_empty() && count.iter().all(u8::is_ascii_digit) => digits,
        Some(_) => 0,
    }
}

/// Returns the SHA-1 hash of a password in upper-case hexadecimal.
fn digest(password: &str) -> Zeroizing<[u8; DIGITS]> {
    let mut digest = Zeroizing::new([0; DIGITS]);
    for (pair, byte) in digest.chunks_exact_mut(2).zip(Sha1::digest(password)) {
        for (digit, value) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
            *digit = b"0123456789ABCDEF"[usize::from(value)];
        }
    }
    digest
}
