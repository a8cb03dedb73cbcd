//! bcrypt of a digest of the password, so that all of it counts: passlib (`$bcrypt-sha256$`, two
//! versions) and Django (`bcrypt_sha256$`).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::bcrypt::{Bcrypt, Version};
use super::text::{parts, to_base64};
use super::{Compare, Parsed, Refusal};

/// What bcrypt is given.
enum Digest {
    /// Django: SHA-256 in hexadecimal digits.
    Hexadecimal,
    /// passlib, version 1: SHA-256 in base64.
    Base64,
    /// passlib, version 2: HMAC-SHA-256 in base64, with the text of the salt as the key.
    Keyed(String),
}

/// A stored hash.
pub(super) struct BcryptSha256 {
    digest: Digest,
    bcrypt: Bcrypt,
}

impl BcryptSha256 {
    /// Reads passlib's `2b,12$salt$output` (version 1, also with `2a`) or `v=2,t=2b,r=12$salt$output`.
    pub(super) fn passlib(rest: &str) -> Parsed<BcryptSha256> {
        let [settings, salt, output] = parts(rest).ok_or(Refusal::Malformed)?;
        let (digest, version, cost) = match settings.split_once(',') {
            Some(("2a", cost)) => (Digest::Base64, Version::A, cost),
            Some(("2b", cost)) => (Digest::Base64, Version::B, cost),
            Some(("v=2", rest)) => {
                let cost = rest.strip_prefix("t=2b,r=").ok_or(Refusal::Malformed)?;
                (Digest::Keyed(salt.into()), Version::B, cost)
            }
            _ => return Err(Refusal::Malformed),
        };
        Ok(BcryptSha256 { digest, bcrypt: Bcrypt::new(version, cost, salt, output)? })
    }

    /// Reads a whole hash of bcrypt, as Django has it.
    pub(super) fn django(rest: &str) -> Parsed<BcryptSha256> {
        Ok(BcryptSha256 { digest: Digest::Hexadecimal, bcrypt: Bcrypt::with_version(rest)? })
    }
}

impl Compare for BcryptSha256 {
    fn matches(&self, password: &[u8]) -> bool {
        // Room for 64 digits: growing would leave a copy in memory.
        let mut text = Zeroizing::new(String::with_capacity(64));
        match &self.digest {
            Digest::Hexadecimal => to_hex(&sha256(password)[..], &mut text),
            Digest::Base64 => to_base64(&sha256(password)[..], &mut text),
            Digest::Keyed(salt) => {
                // An HMAC takes a key of any length.
                let Ok(mac) = Hmac::<Sha256>::new_from_slice(salt.as_bytes()) else { return false };
                let mac = mac.chain_update(password).finalize().into_bytes();
                to_base64(&Zeroizing::new(<[u8; 32]>::from(mac))[..], &mut text);
            }
        }
        self.bcrypt.matches(text.as_bytes())
    }

    fn micros(&self) -> u64 {
        self.bcrypt.micros()
    }
}

fn sha256(password: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Sha256::digest(password).into())
}

fn to_hex(bytes: &[u8], text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(DIGITS[usize::from(digit)].into());
        }
    }
}
