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

/// Decodes a text of exactly `N` bytes, as [`encode`] writes it.
#[cfg(any(test, feature = "cli"))]
pub(super) fn decode<const N: usize>(
    text: &str,
    alphabet: &[u8; 32],
) -> Option<Zeroizing<[u8; N]>> {
    if text.len() != (N * 8).div_ceil(5) {
        return None;
    }
    let mut bytes = Zeroizing::new([0; N]);
    let (mut bits, mut pending, mut done) = (0u32, 0, 0);
    for letter in text.bytes() {
        let five = alphabet.iter().position(|known| *known == letter)?;
        bits = bits << 5 | five as u32;
        pending += 5;
        if pending >= 8 {
            pending -= 8;
            bytes[done] = (bits >> pending) as u8;
            done += 1;
        }
    }
    // The last character is filled up with zeros.
    (bits & ((1 << pending) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    #[test]
    fn what_is_encoded_is_decoded() {
        let bytes: [u8; 20] = std::array::from_fn(|n| (n * 37 + 200) as u8);
        let text = encode(&bytes, ALPHABET);
        assert_eq!(decode::<20>(&text, ALPHABET).as_deref(), Some(&bytes));
        assert_eq!(decode::<4>("MZXW6YQ", ALPHABET).as_deref(), Some(b"foob"));
        for bad in ["", "MZXW6Y", "MZXW6YR", "MZXW6YQ=", "mzxw6yq", "MZXW6Y1", "MZXWÉYQ"] {
            assert_eq!(decode::<4>(bad, ALPHABET), None, "{bad}");
        }
    }

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
            let text = encode(bytes.as_bytes(), ALPHABET);
            assert_eq!(*text, expected, "{bytes:?}");
        }
    }
}
