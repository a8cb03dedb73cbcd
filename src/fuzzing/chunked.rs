//! The chunked transfer coding: bodies stay within their limits, do not depend on how the bytes
//! arrive, and are those that a second, naive decoder reads.

use super::{is_token, lines};
use lictor_engine::http::Refusal;
use lictor_engine::http::chunked::Decoder;
use lictor_engine::http::limits::MAX_CHUNK_OVERHEAD;

/// The limit is the first byte of an input times this.
const LIMIT_UNIT: usize = 8;

/// The target: the first byte gives the limit, the rest is an encoded body.
pub fn chunked(data: &[u8]) {
    let Some((&unit, encoded)) = data.split_first() else { return };
    let limit = usize::from(unit) * LIMIT_UNIT;
    let at_once = decode(encoded, [encoded.len()], limit);
    assert_eq!(decode(encoded, 0..=encoded.len(), limit), at_once, "byte by byte");
    for step in [2, 3, 7, 64] {
        let ends = (0..encoded.len()).step_by(step).chain([encoded.len()]);
        assert_eq!(decode(encoded, ends, limit), at_once, "{step} bytes at a time");
    }
    match at_once {
        Err(refusal) => assert!([400, 413].contains(&refusal.status), "{refusal:?}"),
        Ok(decoded) => {
            assert!(decoded.body.len() <= limit, "{} of {limit}", decoded.body.len());
            assert!(decoded.used <= encoded.len());
            assert!(decoded.used - decoded.body.len() <= MAX_CHUNK_OVERHEAD);
            if decoded.done {
                assert_eq!(naive(&encoded[..decoded.used]), decoded.body);
            } else {
                assert_eq!(decoded.used, encoded.len());
            }
        }
    }
    round_trip(encoded, usize::from(unit) + 1);
}

#[derive(Debug, PartialEq, Eq)]
struct Decoded {
    done: bool,
    body: Vec<u8>,
    used: usize,
}

/// The decoded body, if the bytes arrive up to each of `ends` in turn.
fn decode(
    encoded: &[u8],
    ends: impl IntoIterator<Item = usize>,
    limit: usize,
) -> Result<Decoded, Refusal> {
    let mut decoder = Decoder::default();
    let mut done = false;
    for end in ends {
        done = decoder.advance(&encoded[..end], limit)?;
        assert!(decoder.body.len() <= limit && decoder.used <= end);
        if done {
            break;
        }
    }
    Ok(Decoded { done, body: decoder.body.to_vec(), used: decoder.used })
}

/// The body that `encoded` encodes; panics if it is not exactly one encoded body.
fn naive(encoded: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut rest = encoded;
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap_or(rest.len());
        let line = String::from_utf8_lossy(&rest[..end]);
        assert!(!line.contains(|c: char| c.is_ascii_control() && c != '\t'), "{line:?}");
        let digits = line.split(';').next().unwrap_or_default();
        assert!(digits.bytes().all(|b| b.is_ascii_hexdigit()), "{line:?}");
        let size = usize::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{line:?}"));
        rest = &rest[end + 2..];
        if size == 0 {
            break;
        }
        body.extend_from_slice(&rest[..size]);
        assert_eq!(&rest[size..size + 2], b"\r\n");
        rest = &rest[size + 2..];
    }
    let trailers = lines(rest);
    assert!(trailers.iter().position(|line| line.is_empty()) == Some(trailers.len() - 1));
    for line in &trailers[..trailers.len() - 1] {
        assert!(line.iter().all(|&b| b == b'\t' || (b >= b' ' && b != 0x7f)), "{line:?}");
        let name = line.split(|&b| b == b':').next().unwrap_or_default();
        assert!(name.len() < line.len() && !name.is_empty() && name.iter().all(|&b| is_token(b)));
    }
    body
}

/// Checks that any bytes, encoded in chunks of `size`, are decoded to the same, and that the bytes
/// after them are left alone.
fn round_trip(body: &[u8], size: usize) {
    if body.len() / size > MAX_CHUNK_OVERHEAD / 16 {
        return;
    }
    let mut encoded = Vec::new();
    for chunk in body.chunks(size) {
        encoded.extend_from_slice(format!("{:X};n=v\r\n", chunk.len()).as_bytes());
        encoded.extend_from_slice(chunk);
        encoded.extend_from_slice(b"\r\n");
    }
    encoded.extend_from_slice(b"0\r\nTrailer: t\r\n\r\n");
    let used = encoded.len();
    encoded.extend_from_slice(body);
    let decoded = decode(&encoded, [encoded.len()], body.len());
    assert_eq!(decoded, Ok(Decoded { done: true, body: body.to_vec(), used }));
}
