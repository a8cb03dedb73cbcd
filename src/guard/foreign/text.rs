//! Numbers and base64 as hashes of other programs have them, read strictly: a text that none of
//! these programs writes is refused.

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};

/// The base64 of bcrypt. The last character of a salt or an output has bits that stand for nothing;
/// old programs left them as they were.
const OF_BCRYPT: GeneralPurpose =
    GeneralPurpose::new(&BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));

/// Reads a decimal number: digits only, no zero before others. One that is too large for 64 bits is
/// the largest there is, which every limit refuses.
pub(super) fn number(text: &str) -> Option<u64> {
    let leads = text.starts_with('0') && text.len() > 1;
    if text.is_empty() || leads || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

/// Reads base64 with padding, as Django writes it.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

/// Reads base64 without padding, as in PHC strings.
pub(super) fn base64_unpadded(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD_NO_PAD.decode(text).ok()
}

/// Reads base64 without padding and with `.` for `+`, as passlib writes it for PBKDF2.
pub(super) fn base64_of_passlib(text: &str) -> Option<Vec<u8>> {
    base64_unpadded(&text.replace('.', "+"))
}

/// Reads the base64 of bcrypt.
pub(super) fn base64_of_bcrypt(text: &str) -> Option<Vec<u8>> {
    OF_BCRYPT.decode(text).ok()
}

/// Writes base64 with padding.
pub(super) fn to_base64(bytes: &[u8], to: &mut String) {
    BASE64_STANDARD.encode_string(bytes, to);
}

/// Reads hexadecimal digits in lower case, as Werkzeug writes them.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// Returns the bytes of a salt that is text. Neither Django nor Werkzeug takes an empty one.
pub(super) fn text_salt(salt: &str) -> Option<Vec<u8>> {
    (!salt.is_empty()).then(|| salt.into())
}

/// Splits a text at each `$` into exactly `N` parts.
pub(super) fn parts<const N: usize>(text: &str) -> Option<[&str; N]> {
    let mut parts = text.split('$');
    let mut found = [""; N];
    for part in &mut found {
        *part = parts.next()?;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_without_a_zero_before_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("25000", Some(25_000)),
            ("18446744073709551615", Some(u64::MAX)),
            ("99999999999999999999999999", Some(u64::MAX)),
            ("", None),
            ("00", None),
            ("025000", None),
            ("+1", None),
            ("-1", None),
            (" 1", None),
            ("1_000", None),
            ("1.0", None),
            ("\u{664}", None),
        ] {
            assert_eq!(number(text), expected, "{text:?}");
        }
    }

    #[test]
    fn digits_and_parts_are_counted() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("00ff7a", Some(vec![0, 255, 122])),
            ("0", None),
            ("0g", None),
            ("FF", None),
            ("é", None),
        ] {
            assert_eq!(hex(text), expected, "{text:?}");
        }
        assert_eq!(parts::<2>("a$b"), Some(["a", "b"]));
        assert_eq!(parts::<2>("$"), Some(["", ""]));
        assert_eq!(parts::<2>("a"), None);
        assert_eq!(parts::<2>("a$b$"), None);
    }
}
