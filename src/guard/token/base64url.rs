//! The strict base64url of tokens and keys: no padding, no white space, no stray bits. Each value
//! has one encoding only.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::error::Error;

/// Bytes of the longest signature that a key makes, that of Ed25519.
const MAX_SIGNATURE: usize = 64;

pub(in crate::guard) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(in crate::guard) fn decode(text: &[u8]) -> Result<Vec<u8>, Error> {
    BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())
}

/// A decoded signature, without an allocation.
pub(in crate::guard) struct Signature {
    // The decoder asks for the length that it estimates, up to two bytes more.
    bytes: [u8; MAX_SIGNATURE + 2],
    length: usize,
}

impl Signature {
    pub(in crate::guard) fn decode(text: &[u8]) -> Result<Signature, Error> {
        let mut bytes = [0; MAX_SIGNATURE + 2];
        match BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(length) => Ok(Signature { bytes, length }),
            Err(_) => Err(malformed()),
        }
    }

    pub(in crate::guard) fn bytes(&self) -> &[u8] {
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
    fn each_value_has_one_encoding() {
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
            let signature = Signature::decode(text.as_bytes()).ok();
            assert_eq!(signature.as_ref().map(Signature::bytes), expected, "{text:?}");
        }
        for length in [31, 32, 33, 63, 64] {
            let signature = Signature::decode(encode(vec![0xff; length]).as_bytes()).unwrap();
            assert_eq!(signature.bytes(), vec![0xff; length]);
        }
        assert!(Signature::decode(encode([0; 1000]).as_bytes()).is_err());
    }
}
