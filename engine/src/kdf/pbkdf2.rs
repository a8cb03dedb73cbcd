//! PBKDF2 with HMAC (RFC 8018 section 5.2).

use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// The hash function of the HMAC.
#[derive(Debug, Clone, Copy)]
pub enum Digest {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// Fills `output` with PBKDF2 of a password.
#[inline(never)]
pub fn pbkdf2(digest: Digest, password: &[u8], salt: &[u8], rounds: u32, output: &mut [u8]) {
    match digest {
        Digest::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, rounds, output),
        Digest::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, rounds, output),
        Digest::Sha512 => pbkdf2_hmac::<Sha512>(password, salt, rounds, output),
    }
}
