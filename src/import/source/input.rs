//! The bytes of a file, in pieces, with a count of those that were used.

use std::io::{self, Read};

/// Bytes that are asked for at once.
const PIECE: usize = 64 << 10;

/// Bytes that are read piece by piece. Memory does not depend on how many there are.
pub(crate) struct Input<R> {
    reader: R,
    piece: Vec<u8>,
    /// What of the piece was not used yet.
    start: usize,
    end: usize,
    /// Bytes that were used.
    used: u64,
}

/// Why no further record can be read.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The system cannot read on.
    Io(io::Error),
    /// The input ends in the middle of the record that begins on this line.
    Ends(u64),
    /// CSV: it ends inside the quotes of a field of the record that begins on this line.
    OpenQuote(u64),
    /// CSV: text follows a closing quote on this line. Where a field ends is no longer certain.
    StrayQuote(u64),
}

impl<R: Read> Input<R> {
    pub(crate) fn new(reader: R) -> Input<R> {
        Input { reader, piece: vec![0; PIECE], start: 0, end: 0, used: 0 }
    }

    /// The bytes that come next; none at the end.
    pub(crate) fn next(&mut self) -> Result<&[u8], Broken> {
        while self.start == self.end {
            match self.reader.read(&mut self.piece) {
                Ok(0) => return Ok(&[]),
                Ok(count) => (self.start, self.end) = (0, count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Broken::Io(error)),
            }
        }
        Ok(&self.piece[self.start..self.end])
    }

    /// Marks the first `count` of them as used.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        self.used += count as u64;
    }

    /// How many bytes were used.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }
}
