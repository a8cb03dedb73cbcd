//! The secret part of a key: bytes that both sides share (HS256), or the seed of a key pair
//! (Ed25519). Wiped when dropped, never shown.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::Problem;

/// The fewest bytes of a secret: the size of an HMAC-SHA-256 (RFC 7518 section 3.2).
pub(super) const MIN_SECRET: usize = 32;
/// The most bytes of a secret; HMAC hashes one that is longer than 64 anyway.
pub(super) const MAX_SECRET: usize = 4096;
/// Bytes of an Ed25519 seed (RFC 8032 section 5.1.5).
pub(super) const SEED: usize = 32;

/// The secret of HS256: at least 32 bytes, wiped when dropped, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the raw bytes, as PyJWT does with a `SECRET_KEY`.
    ///
    /// # Errors
    ///
    /// If there are fewer than 32 bytes, or too many to be a secret.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Secret, Problem> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.len() < MIN_SECRET {
            return Err(Problem::usage(
                format!("the secret key has {} bytes; it needs at least {MIN_SECRET}", bytes.len()),
                "make one with `openssl rand -hex 32`",
            ));
        }
        if bytes.len() > MAX_SECRET {
            return Err(Problem::new(
                format!("the secret key is larger than {MAX_SECRET} bytes"),
                "give the path of a file that holds nothing but the secret",
            ));
        }
        Ok(Secret(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// The seed from which an Ed25519 key pair is derived.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Seed(Zeroizing<Vec<u8>>);

impl Seed {
    /// `None` unless there are 32 bytes, not all of them zero.
    pub(super) fn new(bytes: Zeroizing<Vec<u8>>) -> Option<Seed> {
        (bytes.len() == SEED && bytes.iter().any(|&b| b != 0)).then_some(Seed(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_secrets_are_refused_and_none_is_shown() {
        assert!(Secret::new(*b"0123456789abcdef0123456789abcde").is_err());
        assert!(Secret::new([b'x'; MAX_SECRET + 1]).is_err());
        let secret = Secret::new(*b"0123456789abcdef0123456789abcdef").unwrap();
        assert!(!format!("{secret:?}").contains("0123"));
    }

    #[test]
    fn a_seed_has_32_bytes_that_are_not_all_zero() {
        let check = |bytes: &[u8]| Seed::new(Zeroizing::new(bytes.to_vec())).is_some();
        assert!(check(&[1; 32]));
        assert!(!check(&[0; 32]) && !check(&[1; 31]) && !check(&[1; 33]) && !check(b""));
    }
}
