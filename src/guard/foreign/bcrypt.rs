//! bcrypt: `$2b$12$`, 22 characters of salt, 31 of output.
//!
//! The first 72 bytes of a password count, with a NUL behind it, over and over until they are 72.
//! `$2x$` marks hashes of a faulty crypt_blowfish, in which a byte above 127 covered those before it
//! (CVE-2011-2483). `$2a$` of the repaired one differs from `$2y$` only for bytes that are not UTF-8.

use lictor_engine::kdf::{BCRYPT_KEY, bcrypt};
use zeroize::Zeroizing;

use super::text::{base64_of_bcrypt, number};
use super::{Compare, Parsed, Refusal, equal};

/// Maximum cost of a hash that is computed: 16,384 times two key schedules, some one second.
const MAX_COST: u64 = 14;
/// Minimum cost; no program makes less.
const MIN_COST: u64 = 4;
/// Characters of a salt.
const SALT: usize = 22;
/// Characters of an output.
const OUTPUT: usize = 31;

/// The letter after the 2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    A,
    B,
    X,
    Y,
}

/// A stored hash.
pub(super) struct Bcrypt {
    version: Version,
    cost: u32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Bcrypt {
    /// Reads `cost$`, then salt and output.
    pub(super) fn parse(version: Version, rest: &str) -> Parsed<Bcrypt> {
        let (cost, rest) = rest.split_once('$').ok_or(Refusal::Malformed)?;
        // Two digits, the first of which may be a zero.
        if cost.len() != 2 {
            return Err(Refusal::Malformed);
        }
        let cost = cost.strip_prefix('0').unwrap_or(cost);
        let (salt, output) = rest.split_at_checked(SALT).ok_or(Refusal::Malformed)?;
        Bcrypt::new(version, cost, salt, output)
    }

    /// Reads a whole hash, as Django has it behind its own beginning.
    pub(super) fn with_version(text: &str) -> Parsed<Bcrypt> {
        let (version, rest) = text.split_at_checked(4).ok_or(Refusal::Malformed)?;
        let version = match version {
            "$2a$" => Version::A,
            "$2b$" => Version::B,
            "$2x$" => Version::X,
            "$2y$" => Version::Y,
            _ => return Err(Refusal::Malformed),
        };
        Bcrypt::parse(version, rest)
    }

    /// Puts a hash together from its texts; the cost without a zero before it.
    pub(super) fn new(version: Version, cost: &str, salt: &str, output: &str) -> Parsed<Bcrypt> {
        let cost = number(cost).filter(|&cost| cost >= MIN_COST).ok_or(Refusal::Malformed)?;
        if salt.len() != SALT || output.len() != OUTPUT {
            return Err(Refusal::Malformed);
        }
        let salt = base64_of_bcrypt(salt).ok_or(Refusal::Malformed)?;
        let output = base64_of_bcrypt(output).ok_or(Refusal::Malformed)?;
        let cost = u32::try_from(cost).ok().filter(|&cost| u64::from(cost) <= MAX_COST);
        let cost = cost.ok_or_else(|| Refusal::TooCostly(format!("cost {MAX_COST}")))?;
        Ok(Bcrypt { version, cost, salt, output })
    }

    /// The bytes of a password that count: all of them with Python's bcrypt, those before a NUL with
    /// C and PHP.
    fn used_bytes<'a>(&self, password: &'a [u8]) -> &'a [u8] {
        match self.version {
            Version::A | Version::B => password,
            Version::X | Version::Y => password.split(|&b| b == 0).next().unwrap_or_default(),
        }
    }
}

impl Compare for Bcrypt {
    fn matches(&self, password: &[u8]) -> bool {
        let key = key(self.used_bytes(password), self.version == Version::X);
        let computed = bcrypt(&key, &self.salt, self.cost);
        // The last byte is not stored.
        equal(&computed[..self.output.len()], &self.output)
    }

    /// 60 microseconds for two key schedules.
    fn micros(&self) -> u64 {
        60 << self.cost
    }

    /// One of 72 bytes is right as well if the user's is longer, and with the fault, bytes that are
    /// covered do not count.
    fn counts_all(&self, password: &[u8]) -> bool {
        password.len() < BCRYPT_KEY && (self.version != Version::X || password.is_ascii())
    }
}

/// The key of 72 bytes. With the fault, a byte above 127 sets all bits before it in its word of four.
fn key(password: &[u8], fault: bool) -> Zeroizing<[u8; BCRYPT_KEY]> {
    let mut key = Zeroizing::new([0; BCRYPT_KEY]);
    let bytes = password.iter().copied().chain([0]);
    // One byte at least, the NUL, so that the cycle never ends.
    for (to, byte) in key.iter_mut().zip(bytes.cycle()) {
        *to = byte;
    }
    if fault {
        for word in key.as_chunks_mut::<4>().0 {
            let covers = |&byte: &u8| byte > 127;
            if let Some(last) = word.iter().rposition(covers) {
                word[..last].fill(0xff);
            }
        }
    }
    key
}
