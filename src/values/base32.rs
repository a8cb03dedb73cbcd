//! Bytes as letters and digits that people can copy: base 32 (RFC 4648 section 6) in any
//! alphabet, without padding.

use zeroize::Zeroizing;

/// Five bits a character, the last one filled up with zeros.
pub(super) fn encode(bytes: &[u8], alphabet: &[u8; 32]) -> Zeroizing<String> {
    // With room for all of it: growing would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity((bytes.len() * 8).div_ceil(5)));
    let (mut bits, mut waiting) = (0u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        waiting += 8;
        while waiting >= 5 {
            waiting -= 5;
            text.push(char::from(alphabet[(bits >> waiting) as usize & 31]));
        }
    }
    if waiting > 0 {
        text.push(char::from(alphabet[(bits << (5 - waiting)) as usize & 31]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 4648 section 10, without their padding.
    #[test]
    fn the_vectors_of_the_rfc() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            let text = encode(bytes.as_bytes(), b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
            assert_eq!(*text, expected, "{bytes:?}");
        }
    }
}
