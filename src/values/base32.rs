//! Base 32 (RFC 4648 section 6) without padding, in any alphabet: bytes as letters and digits that
//! people can copy.

use zeroize::Zeroizing;

/// Encodes five bits a character; the last character is filled up with zeros.
pub(super) fn encode(bytes: &[u8], alphabet: &[u8; 32]) -> Zeroizing<String> {
    // The buffer has its final size: growing would leave copies of the secret in memory.
    let mut text = Zeroizing::new(String::with_capacity((bytes.len() * 8).div_ceil(5)));
    let (mut bits, mut pending) = (0u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        pending += 8;
        while pending >= 5 {
            pending -= 5;
            text.push(char::from(alphabet[(bits >> pending) as usize & 31]));
        }
    }
    if pending > 0 {
        text.push(char::from(alphabet[(bits << (5 - pending)) as usize & 31]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of RFC 4648 section 10, without their padding.
    #[test]
    fn rfc_4648_section_10() {
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
