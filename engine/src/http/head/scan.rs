//! Finds the end of a head in bytes that arrive bit by bit.

use super::super::limits::{MAX_HEAD, MAX_TARGET};
use super::super::refusal::{self, Refusal, malformed};

/// The search for the end of a head; it reads no byte twice.
#[derive(Debug, Default, Clone, Copy)]
pub struct Scan {
    at: usize,
    first_line_ended: bool,
}

/// Whether the scan stops at this byte: a control character other than the tab.
fn is_special(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

/// The position of the first special byte. Most bytes are not special, so whole blocks are tested
/// without a branch for each byte; the compiler makes vector instructions of that.
fn position_special(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 32;
    let blocks = bytes.chunks_exact(BLOCK);
    let plain = |block: &&[u8]| !block.iter().fold(false, |found, &b| found | is_special(b));
    let skip = blocks.take_while(plain).count() * BLOCK;
    bytes[skip..].iter().position(|&b| is_special(b)).map(|at| skip + at)
}

/// Bytes of a request line around its target: the method, two spaces, the version.
pub(super) const REQUEST_LINE_EXTRA: usize = 32;

impl Scan {
    /// Returns the length of the head that `bytes` begin with, or `None` if its end is missing. The
    /// next call passes the same bytes and more.
    pub fn find(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        if bytes.first() == Some(&0x16) {
            return Err(refusal::TLS);
        }
        let window = &bytes[..bytes.len().min(MAX_HEAD)];
        while let Some(skip) = position_special(&window[self.at..]) {
            self.at += skip;
            // Checked here too, so that the answer is the same however the bytes arrive.
            if !self.first_line_ended && self.at >= MAX_TARGET + REQUEST_LINE_EXTRA {
                return Err(refusal::TARGET_TOO_LONG);
            }
            match (window[self.at], window.get(self.at + 1)) {
                (b'\r', None) => break,
                (b'\r', Some(b'\n')) => {
                    let blank = window[..self.at].ends_with(b"\r\n");
                    self.at += 2;
                    if blank {
                        return Ok(Some(self.at));
                    }
                    // RFC 9112 section 2.2 has servers ignore an empty line before the request.
                    self.first_line_ended |= self.at > 2;
                }
                (b'\r', Some(_)) => {
                    return Err(malformed("A carriage return without a line feed"));
                }
                (b'\n', _) => return Err(malformed("A line feed without a carriage return")),
                _ => return Err(malformed("A control character in the request head")),
            }
        }
        // A carriage return at the end waits for the byte after it.
        self.at = window.len() - usize::from(window.ends_with(b"\r"));
        if !self.first_line_ended && bytes.len() > MAX_TARGET + REQUEST_LINE_EXTRA {
            return Err(refusal::TARGET_TOO_LONG);
        }
        if bytes.len() >= MAX_HEAD {
            return Err(refusal::HEAD_TOO_LARGE);
        }
        Ok(None)
    }
}
