//! The base64url of tokens and keys, strict: no padding, no white space, no stray bits, so that
//! nothing has two spellings.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::error::Error;

/// Bytes of the longest signature that a key of ours makes (Ed25519).
const MAX_TAG: usize = 64;

pub(in crate::guard) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(in crate::guard) fn decode(text: &[u8]) -> Result<Vec<u8>, Error> {
    BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())
}

/// A signature, without an allocation.
pub(super) struct Tag {
    // The decoder wants room for what it estimates, up to two bytes more.
    bytes: [u8; MAX_TAG + 2],
    length: usize,
}

impl Tag {
    pub(super) fn decode(text: &[u8]) -> Result<Tag, Error> {
        let mut bytes = [0; MAX_TAG + 2];
        match BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(length) => Ok(Tag { bytes, length }),
            Err(_) => Err(malformed()),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

fn malformed() -> Error {
    Error::InvalidToken("a part of the token is not base64url")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("YQ", Some(b"a")),
            ("_-8", Some(b"\xff\xef")),
            ("YQ==", None),
            ("YR", None),
            ("Y", None),
            ("/+8", None),
            ("Y Q", None),
            ("YQ\n", None),
        ] {
            assert_eq!(decode(text.as_bytes()).ok().as_deref(), expected, "{text:?}");
            let tag = Tag::decode(text.as_bytes()).ok();
            assert_eq!(tag.as_ref().map(Tag::bytes), expected, "{text:?}");
        }
        for length in [31, 32, 33, 63, 64] {
            let tag = Tag::decode(encode(vec![0xff; length]).as_bytes()).unwrap();
            assert_eq!(tag.bytes(), vec![0xff; length]);
        }
        assert!(Tag::decode(encode([0; 1000]).as_bytes()).is_err());
    }
}
