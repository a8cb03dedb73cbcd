//! The chunked transfer coding (RFC 9112 section 7.1), decoded strictly.
//!
//! Sizes are plain hexadecimal, lines end in CR LF; extensions and trailers are checked, counted
//! and thrown away. The decoder reads no byte twice.

use zeroize::Zeroizing;

use super::limits::MAX_CHUNK_OVERHEAD;
use super::refusal::{self, Refusal, malformed};

/// A chunked body that arrives.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// The bytes decoded so far. Wiped, since there may be a password in them.
    pub body: Zeroizing<Vec<u8>>,
    /// How many encoded bytes are used.
    pub used: usize,
    overhead: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the first digit of a size.
    #[default]
    Size,
    /// Behind at least one digit of a size, which is this so far.
    Digits(usize),
    /// In an extension, which ends with the line; the size is kept.
    Extension(usize, Extension),
    /// Behind the CR of a size line.
    SizeEnd(usize),
    /// In a chunk, of which this many bytes are missing.
    Data(usize),
    /// Behind a chunk's last byte.
    DataEnd,
    /// Behind the CR after a chunk's bytes.
    DataEndLf,
    /// At the start of a trailer line.
    Trailer,
    /// In a trailer line, behind its colon or not.
    TrailerLine {
        colon: bool,
    },
    /// Behind the CR of a trailer line.
    TrailerEnd,
    /// Behind the CR of the last, empty line.
    LastLf,
    Done,
}

/// A position in `; name = value` (RFC 9112 section 7.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extension {
    /// Behind the semicolon.
    Start,
    Name,
    /// Behind the equals sign.
    Equals,
    Token,
    Quoted,
    /// Behind a backslash in a quoted value.
    Escaped,
    /// Behind the closing quote.
    QuoteEnd,
}

impl Extension {
    /// Whether the line may end, or another extension begin, here.
    fn is_whole(self) -> bool {
        matches!(self, Extension::Name | Extension::Token | Extension::QuoteEnd)
    }

    fn step(self, byte: u8) -> Option<Extension> {
        let text = matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
        match (self, byte) {
            (_, b';') if self.is_whole() => Some(Extension::Start),
            (Extension::Start | Extension::Name, _) if is_token(byte) => Some(Extension::Name),
            (Extension::Name, b'=') => Some(Extension::Equals),
            (Extension::Equals, b'"') => Some(Extension::Quoted),
            (Extension::Equals | Extension::Token, _) if is_token(byte) => Some(Extension::Token),
            // White space that senders must not send and recipients must accept.
            (Extension::Start | Extension::Equals, b' ' | b'\t') => Some(self),
            (Extension::Quoted, b'"') => Some(Extension::QuoteEnd),
            (Extension::Quoted, b'\\') => Some(Extension::Escaped),
            (Extension::Quoted | Extension::Escaped, _) if text => Some(Extension::Quoted),
            _ => None,
        }
    }
}

impl Decoder {
    /// Decodes the new bytes of `encoded`, which holds the encoded body from its first byte; the
    /// first [`Decoder::used`] are decoded already. Returns true once the body is complete.
    pub fn advance(&mut self, encoded: &[u8], limit: usize) -> Result<bool, Refusal> {
        while self.state != State::Done {
            let Some(rest) = encoded.get(self.used..).filter(|rest| !rest.is_empty()) else {
                return Ok(false);
            };
            if let State::Data(left) = self.state {
                let part = &rest[..left.min(rest.len())];
                self.body.extend_from_slice(part);
                self.used += part.len();
                self.state = match left - part.len() {
                    0 => State::DataEnd,
                    left => State::Data(left),
                };
                continue;
            }
            self.state = self.step(rest[0], limit)?;
            self.used += 1;
            self.overhead += 1;
            if self.overhead > MAX_CHUNK_OVERHEAD {
                return Err(refusal::BODY_TOO_LARGE);
            }
        }
        Ok(true)
    }

    /// The state after one byte that is not data.
    fn step(&self, byte: u8, limit: usize) -> Result<State, Refusal> {
        Ok(match (self.state, byte) {
            (State::Size, _) => State::Digits(self.with_digit(0, byte, limit)?),
            (State::Digits(size), b'\r') => State::SizeEnd(size),
            (State::Digits(size), b';') => State::Extension(size, Extension::Start),
            (State::Digits(size), _) => State::Digits(self.with_digit(size, byte, limit)?),
            (State::Extension(size, at), b'\r') if at.is_whole() => State::SizeEnd(size),
            (State::Extension(size, at), _) => {
                let next = at.step(byte).ok_or(malformed("A chunk's extension is malformed"))?;
                State::Extension(size, next)
            }
            (State::SizeEnd(0), b'\n') => State::Trailer,
            (State::SizeEnd(size), b'\n') => State::Data(size),
            (State::DataEnd, b'\r') => State::DataEndLf,
            (State::DataEndLf, b'\n') => State::Size,
            (State::Trailer, b'\r') => State::LastLf,
            (State::Trailer, _) if is_token(byte) => State::TrailerLine { colon: false },
            (State::TrailerLine { colon: false }, b':') => State::TrailerLine { colon: true },
            (State::TrailerLine { colon: false }, _) if is_token(byte) => self.state,
            (State::TrailerLine { colon: true }, b'\r') => State::TrailerEnd,
            (State::TrailerLine { colon: true }, b'\t' | b' '..=b'~' | 0x80..) => self.state,
            (State::TrailerEnd, b'\n') => State::Trailer,
            (State::LastLf, b'\n') => State::Done,
            _ => return Err(malformed("The chunked body is malformed")),
        })
    }

    /// `size` with one more hexadecimal digit; fails if the whole body would exceed `limit`.
    fn with_digit(&self, size: usize, digit: u8, limit: usize) -> Result<usize, Refusal> {
        let Some(value) = char::from(digit).to_digit(16) else {
            return Err(malformed("A chunk's size is not hexadecimal"));
        };
        let size = size.saturating_mul(16).saturating_add(value as usize);
        if size > limit.saturating_sub(self.body.len()) {
            return Err(refusal::BODY_TOO_LARGE);
        }
        Ok(size)
    }
}

/// A character of a header field's name (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 20;

    /// `body|bytes left behind it`, `partial`, or the refusal's status. Bytes that come one by
    /// one must lead to the same, except that the ones behind the end have not come then.
    fn decode(encoded: &[u8]) -> String {
        let run = |ends: &mut dyn Iterator<Item = usize>| {
            let mut decoder = Decoder::default();
            for end in ends {
                match decoder.advance(&encoded[..end], LIMIT) {
                    Err(refusal) => return (refusal.status.to_string(), 0),
                    Ok(true) => {
                        let body = String::from_utf8_lossy(&decoder.body).into_owned();
                        return (body + "|", decoder.used);
                    }
                    Ok(false) => {}
                }
            }
            ("partial".into(), 0)
        };
        let (outcome, used) = run(&mut std::iter::once(encoded.len()));
        assert_eq!(run(&mut (0..=encoded.len())), (outcome.clone(), used));
        if outcome.ends_with('|') { format!("{outcome}{}", encoded.len() - used) } else { outcome }
    }

    #[test]
    fn bodies() {
        for (encoded, expected) in [
            ("0\r\n\r\n", "|0"),
            ("5\r\nhello\r\n0\r\n\r\n", "hello|0"),
            ("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nGET", "hello!|3"),
            ("00005\r\nhello\r\n000\r\n\r\n", "hello|0"),
            ("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789|0"),
            ("5;a=b;c\r\nhello\r\n0;z\r\n\r\n", "hello|0"),
            ("0\r\nX-Trailer: yes\r\nB:\r\n\r\n", "|0"),
            ("5\r\nhel", "partial"),
            ("", "partial"),
            ("15\r\n", "413"),
            ("14\r\n01234567890123456789\r\n1\r\n", "413"),
            ("FFFFFFFFFFFFFFFFFFFFFFFF\r\n", "413"),
            ("\r\n", "400"),
            ("g\r\n", "400"),
            ("+5\r\nhello", "400"),
            ("0x5\r\nhello", "400"),
            ("-1\r\n", "400"),
            ("5 \r\nhello", "400"),
            (" 5\r\nhello", "400"),
            ("5\nhello", "400"),
            ("5\rhello", "400"),
            ("5\r\nhelloX", "400"),
            ("5\r\nhello\n", "400"),
            ("5\r\nhello\r0", "400"),
            ("5;a\n\r\nhello", "400"),
            ("5;a\0\r\nhello", "400"),
            ("5;a=\"b;\\\"c\";d= e;\tf\r\nhello\r\n0\r\n\r\n", "hello|0"),
            ("5;\r\nhello", "400"),
            ("5;a;\r\nhello", "400"),
            ("5;a=\r\nhello", "400"),
            ("5;=b\r\nhello", "400"),
            ("5;a b\r\nhello", "400"),
            ("5;a=\"b\r\nhello", "400"),
            ("5;a=\"b\"c\r\nhello", "400"),
            ("5;a=\"b\\\r\nhello", "400"),
            ("0\r\n: x\r\n\r\n", "400"),
            ("0\r\nno colon\r\n\r\n", "400"),
            ("0\r\nX: a\n\r\n", "400"),
            ("0\r\n\n", "400"),
        ] {
            assert_eq!(decode(encoded.as_bytes()), expected, "{encoded:?}");
        }
    }

    #[test]
    fn overhead_is_limited() {
        let mut small = "1;".to_string() + &"x".repeat(MAX_CHUNK_OVERHEAD - 10) + "\r\na\r\n0\r\n";
        assert_eq!(decode(small.as_bytes()), "partial");
        small += "X: ";
        small += &"y".repeat(20);
        assert_eq!(decode(small.as_bytes()), "413");
    }
}
