//! Percent-encoding (RFC 3986 section 2.1).

use std::borrow::Cow;

const DIGITS: [u8; 16] = *b"0123456789ABCDEF";

/// Returns a text in which every byte is percent-encoded but ASCII letters, digits and those of
/// `kept`.
#[inline(never)]
pub fn encoded<'t>(text: &'t str, kept: &[u8]) -> Cow<'t, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || kept.contains(&byte);
    let Some(first) = text.bytes().position(|byte| !plain(byte)) else { return text.into() };
    let mut encoded = String::with_capacity(text.len() * 3);
    // What comes before is ASCII.
    encoded.push_str(&text[..first]);
    for byte in text.bytes().skip(first) {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_encoded() {
        for (text, expected) in [
            ("", ""),
            ("aZ09-._~", "aZ09-._~"),
            ("a/b", "a%2Fb"),
            ("ü", "%C3%BC"),
            ("aü~", "a%C3%BC~"),
            ("\0\u{7f}%", "%00%7F%25"),
        ] {
            assert_eq!(encoded(text, b"-._~"), expected);
        }
        assert_eq!(encoded("a@é", b"@"), "a@%C3%A9");
    }
}
