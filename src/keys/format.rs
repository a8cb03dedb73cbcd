//! The text of a key file: parsing and rendering. Strict: a ring that was read in part would log
//! people out, or trust a key that was to be removed.
//!
//! A file of one plain line is one HS256 secret: the bytes of the line. Otherwise each line is one
//! key, newest first: `lictor-key ALGORITHM CREATED VALUE`. CREATED is in seconds since the epoch, or
//! 0 if it is not known. VALUE is, for EdDSA, the seed in hexadecimal digits; for HS256, hexadecimal
//! digits that are themselves the text of the secret, or `bytes:` and the secret's bytes in such
//! digits.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::secret::MAX_SECRET;
use super::{Algorithm, Key, Keys, MAX_KEYS, Material, Secret, Seed};
use crate::clock::Timestamp;
use crate::error::Problem;

/// The most bytes of a key file.
pub(super) const MAX_FILE: usize = MAX_KEYS * (2 * MAX_SECRET + 64);
/// The first word of a key's line.
const MARK: &str = "lictor-key";
/// Prefix of a secret that is not itself a text of hexadecimal digits.
const BYTES: &str = "bytes:";
/// The end of the year 9999.
const MAX_CREATED: i64 = 253_402_300_799;

/// Parses the whole text of a file.
pub(super) fn parse(file: &[u8]) -> Result<Keys, Problem> {
    let text = file.strip_suffix(b"\n").unwrap_or(file);
    if !text.starts_with(MARK.as_bytes()) {
        return plain(text);
    }
    let mut keys: Vec<Key> = Vec::new();
    for (at, line) in text.split(|&b| b == b'\n').enumerate() {
        let wrong = |why: String| {
            Problem::new(
                format!("line {}: {why}", at + 1),
                "each line is `lictor-key ALGORITHM CREATED VALUE`; undo what was changed by hand, \
                 or restore the file from a backup",
            )
        };
        let key = key(line.strip_suffix(b"\r").unwrap_or(line)).map_err(wrong)?;
        if keys.last().is_some_and(|newer| newer.created < key.created) {
            return Err(wrong("it is newer than the line before it".into()));
        }
        keys.push(key);
    }
    Keys::of(keys)
}

fn plain(text: &[u8]) -> Result<Keys, Problem> {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.contains(&b'\n') {
        return Err(Problem::new(
            "it has several lines, and the first does not begin with lictor-key",
            "give the path of a file whose one line is the secret: \
             (umask 077; openssl rand -hex 32 > FILE)",
        ));
    }
    Ok(Keys::from(Secret::new(text)?))
}

fn key(line: &[u8]) -> Result<Key, String> {
    let line = std::str::from_utf8(line).map_err(|_| "it is not text")?;
    let mut fields = line.split(' ');
    let (Some(MARK), Some(algorithm), Some(created), Some(value), None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err("it does not have four fields with one space between them".into());
    };
    let material = match Algorithm::parse(algorithm) {
        Some(Algorithm::Hs256) => Material::Hs256(secret(value)?),
        Some(Algorithm::EdDsa) => {
            let seed = unhex(value).and_then(Seed::new);
            Material::EdDsa(seed.ok_or("an EdDSA key has 64 hexadecimal digits, not all 0")?)
        }
        None => return Err("its algorithm is neither HS256 nor EdDSA".into()),
    };
    Ok(Key { material, created: time(created)? })
}

fn secret(value: &str) -> Result<Secret, String> {
    let bytes = match value.strip_prefix(BYTES) {
        Some(digits) => unhex(digits),
        None => is_hex(value).then(|| Zeroizing::new(value.as_bytes().to_vec())),
    };
    let bytes = bytes.ok_or("its secret is not in hexadecimal digits, in lower case")?;
    Secret::new(bytes.as_slice()).map_err(|problem| problem.what)
}

fn time(text: &str) -> Result<Option<Timestamp>, &'static str> {
    let canonical = text == "0" || !text.starts_with('0');
    match text.parse() {
        Ok(second @ 0..=MAX_CREATED) if canonical && text.bytes().all(|b| b.is_ascii_digit()) => {
            Ok((second > 0).then_some(Timestamp(second)))
        }
        _ => Err("its time is not a number of seconds since 1970"),
    }
}

/// The text of a key file with this ring.
pub(super) fn render(keys: &Keys) -> Zeroizing<String> {
    // With room for all of it from the start: growing would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE));
    for key in keys.iter() {
        let created = key.created().map_or(0, |at| at.0);
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, "{MARK} {} {created} ", key.algorithm().name());
        match key.material() {
            Material::EdDsa(seed) => push_hex(&mut text, seed.bytes()),
            Material::Hs256(secret) => match std::str::from_utf8(secret.bytes()) {
                Ok(digits) if is_hex(digits) => text.push_str(digits),
                _ => {
                    text.push_str(BYTES);
                    push_hex(&mut text, secret.bytes());
                }
            },
        }
        text.push('\n');
    }
    text
}

/// Hexadecimal digits, in lower case.
pub(super) fn hex(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len() + 1));
    push_hex(&mut text, bytes);
    text
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
}

fn unhex(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    if !is_hex(digits) || !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| if digit <= b'9' { digit - b'0' } else { digit - b'a' + 10 };
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    bytes
        .extend(digits.as_bytes().chunks_exact(2).map(|pair| value(pair[0]) << 4 | value(pair[1])));
    Some(bytes)
}

pub(super) fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    /// Algorithm, time and first byte of each key; or what the problem says.
    fn read(file: &[u8]) -> Result<Vec<(Algorithm, i64, u8)>, String> {
        let keys = parse(file).map_err(|problem| problem.what)?;
        let row = |key: &Key| {
            let bytes = match key.material() {
                Material::Hs256(secret) => secret.bytes(),
                Material::EdDsa(seed) => seed.bytes(),
            };
            (key.algorithm(), key.created().map_or(0, |at| at.0), bytes[0])
        };
        Ok(keys.iter().map(row).collect())
    }

    #[test]
    fn a_plain_line_is_the_secret() {
        for (file, length) in [
            (format!("{DIGITS}\n"), 64),
            (format!("{DIGITS}\r\n"), 64),
            (DIGITS.to_owned(), 64),
            ("correct horse battery staple, and more\n".to_owned(), 38),
            (format!("  {DIGITS}  "), 68),
            (DIGITS.to_uppercase(), 64),
        ] {
            let keys = parse(file.as_bytes()).unwrap();
            let Material::Hs256(secret) = keys.current(None).unwrap().material() else { panic!() };
            assert_eq!(secret.bytes(), &file.as_bytes()[..length]);
            assert_eq!(keys.current(None).unwrap().created(), None);
        }
        for (file, what) in [
            (&b""[..], "0 bytes"),
            (b"\n", "0 bytes"),
            (b"short", "5 bytes"),
            (&[b'x'; 4097], "larger than 4096"),
            (format!("{DIGITS}\n{DIGITS}\n").as_bytes(), "several lines"),
            (format!("{DIGITS}\n\n").as_bytes(), "several lines"),
            (format!("{DIGITS}\nlictor-key HS256 1 {DIGITS}\n").as_bytes(), "several lines"),
            (format!("\nlictor-key HS256 1 {DIGITS}\n").as_bytes(), "several lines"),
        ] {
            let found = read(file).unwrap_err();
            assert!(found.contains(what), "{found}");
        }
    }

    #[test]
    fn a_ring_is_parsed_and_rendered() {
        use Algorithm::{EdDsa, Hs256};
        let bytes = format!("bytes:ff{DIGITS}");
        for (file, expected) in [
            (format!("lictor-key HS256 7 {DIGITS}\n"), vec![(Hs256, 7, b'0')]),
            (format!("lictor-key HS256 7 {DIGITS}"), vec![(Hs256, 7, b'0')]),
            (format!("lictor-key HS256 0 {bytes}\r\n"), vec![(Hs256, 0, 0xff)]),
            (
                format!(
                    "lictor-key EdDSA 9 {DIGITS}\nlictor-key HS256 9 {DIGITS}\nlictor-key HS256 0 {bytes}\n"
                ),
                vec![(EdDsa, 9, 0), (Hs256, 9, b'0'), (Hs256, 0, 0xff)],
            ),
        ] {
            assert_eq!(read(file.as_bytes()).unwrap(), expected);
            let again = render(&parse(file.as_bytes()).unwrap());
            assert_eq!(read(again.as_bytes()).unwrap(), expected, "what is written is read again");
        }
    }

    #[test]
    fn a_malformed_line_is_refused_and_not_shown() {
        let upper = DIGITS.to_uppercase();
        for (line, what) in [
            (format!("lictor-key HS256 1 {DIGITS} "), "four fields"),
            (format!("lictor-key  HS256 1 {DIGITS}"), "four fields"),
            (format!("lictor-key\tHS256\t1\t{DIGITS}"), "four fields"),
            (format!("lictor-keys HS256 1 {DIGITS}"), "four fields"),
            ("lictor-key HS256 1".into(), "four fields"),
            ("lictor-key".into(), "four fields"),
            (format!("lictor-key HS512 1 {DIGITS}"), "neither HS256 nor EdDSA"),
            (format!("lictor-key hs256 1 {DIGITS}"), "neither HS256 nor EdDSA"),
            (format!("lictor-key none 1 {DIGITS}"), "neither HS256 nor EdDSA"),
            (format!("lictor-key HS256 -1 {DIGITS}"), "its time"),
            (format!("lictor-key HS256 +1 {DIGITS}"), "its time"),
            (format!("lictor-key HS256 01 {DIGITS}"), "its time"),
            (format!("lictor-key HS256 1.5 {DIGITS}"), "its time"),
            (format!("lictor-key HS256 {} {DIGITS}", "9".repeat(30)), "its time"),
            (format!("lictor-key HS256 1 {upper}"), "hexadecimal digits"),
            (format!("lictor-key HS256 1 {DIGITS}x"), "hexadecimal digits"),
            ("lictor-key HS256 1 ".into(), "hexadecimal digits"),
            (format!("lictor-key HS256 1 {}", &DIGITS[..31]), "31 bytes"),
            (format!("lictor-key HS256 1 bytes:{}", &DIGITS[..62]), "31 bytes"),
            (format!("lictor-key HS256 1 bytes:{DIGITS}0"), "hexadecimal digits"),
            (format!("lictor-key EdDSA 1 {}", &DIGITS[..62]), "64 hexadecimal digits"),
            (format!("lictor-key EdDSA 1 bytes:{DIGITS}"), "64 hexadecimal digits"),
            (format!("lictor-key EdDSA 1 {}", "0".repeat(64)), "not all 0"),
            (String::new(), "four fields"),
        ] {
            for file in [format!("lictor-key HS256 9 aa{DIGITS}\n{line}\n"), format!("{line}\n")] {
                if line.is_empty() && file == "\n" {
                    continue;
                }
                let found = read(file.as_bytes()).unwrap_err();
                assert!(found.starts_with("line ") && found.contains(what), "{line:?}: {found}");
                assert!(!found.contains("2233"), "{found}");
            }
        }
        let older = format!("lictor-key HS256 1 {DIGITS}\nlictor-key EdDSA 2 {DIGITS}\n");
        assert!(read(older.as_bytes()).unwrap_err().contains("line 2: it is newer"));
        let twice = format!("lictor-key HS256 2 {DIGITS}\nlictor-key HS256 1 {DIGITS}\n");
        assert!(read(twice.as_bytes()).unwrap_err().contains("twice"));
        assert!(read(b"lictor-key HS256 1 \xff").unwrap_err().contains("not text"));
    }
}
