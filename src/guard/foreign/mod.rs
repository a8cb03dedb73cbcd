//! Hashes that other programs made: which schemes are known, and what a stored text is. A login
//! compares with them until the right password replaces them by a hash of ours.
//!
//! | file | owns |
//! |---|---|
//! | `pbkdf2` | PBKDF2 of passlib, Django and Werkzeug |
//! | `sha_crypt` | `$5$` and `$6$` |
//! | `bcrypt` | `$2a$`, `$2b$`, `$2x$`, `$2y$` |
//! | `bcrypt_sha256` | bcrypt of a digest of the password: passlib, Django |
//! | `scrypt` | scrypt of passlib, Django and Werkzeug, and PHC strings |
//! | `text` | numbers and base64 as these texts have them, read strictly |
//!
//! The functions themselves are in `kdf`. Argon2 of other programs is read by `argon2_text`, as ours is.

mod bcrypt;
mod bcrypt_sha256;
mod pbkdf2;
mod scrypt;
mod sha_crypt;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;

use lictor_engine::kdf::Digest;
use subtle::ConstantTimeEq as _;

use self::bcrypt::{Bcrypt, Version};
use self::bcrypt_sha256::BcryptSha256;
use self::pbkdf2::Pbkdf2;
use self::scrypt::Scrypt;
use self::sha_crypt::{Family, ShaCrypt};
use super::argon2_text::{Argon2Text, Unusable};
use crate::values::PasswordHash;

/// Maximum length of a hash as text, in bytes. The longest of a known scheme has under 300, unless
/// somebody has chosen a long salt.
const MAX_TEXT: usize = 1024;

/// Minimum bytes of an output whose length the scheme leaves open. A shorter one was cut off.
const MIN_OUTPUT: usize = 16;

/// Maximum time of one attempt, estimated, in microseconds: what is typed and what is prepared of it
/// count together. Each limit of a scheme is below it.
pub(super) const MAX_MICROS: u64 = 1_600_000;

/// How a hash of Argon2 of another program begins in the store, as in Django. So it is told from
/// ours, which are made of prepared passwords.
const FOREIGN_ARGON2: &str = "argon2";

/// A hash of another program that a login can be compared with.
#[cfg(any(test, feature = "cli", feature = "fuzzing"))]
#[derive(Debug)]
pub struct ForeignHash {
    /// The text for the store.
    pub stored: PasswordHash,
    /// The name of the scheme.
    pub scheme: &'static str,
}

/// Why a text is no hash that a login can be compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadHash {
    /// No known scheme begins like this.
    Unknown,
    /// The scheme is known, but the text is malformed.
    Malformed(&'static str),
    /// It asks for more rounds or memory than the limit.
    TooCostly(String),
}

/// Reads a hash that another program made.
#[cfg(any(test, feature = "cli", feature = "fuzzing"))]
pub fn read_foreign(text: &str) -> Result<ForeignHash, BadHash> {
    let stored = match text.starts_with("$argon2") {
        true => format!("{FOREIGN_ARGON2}{text}"),
        false => text.to_owned(),
    };
    let scheme = Foreign::parse(&stored)?.scheme;
    Ok(ForeignHash { stored: PasswordHash::stored(stored), scheme })
}

/// The scheme of a hash of another program; `None` for one of ours, and for an unknown one.
pub(crate) fn scheme_of(hash: &PasswordHash) -> Option<&'static str> {
    Foreign::parse(hash.as_str()).ok().map(|foreign| foreign.scheme)
}

/// A hash of another program, parsed.
pub(super) struct Foreign {
    /// The name of the scheme: passlib's, or with the program's name before it.
    pub(super) scheme: &'static str,
    pub(super) mechanism: Mechanism,
}

/// What a password is compared with.
pub(super) enum Mechanism {
    /// Argon2, which the hasher computes in an arena.
    Argon2(Box<Argon2Text>),
    /// Any other function.
    Other(Box<dyn Compare>),
}

/// A stored hash that a password can be compared with.
pub(super) trait Compare {
    /// Returns whether the hash was made of this password, in constant time.
    fn matches(&self, password: &[u8]) -> bool;

    /// Returns the estimated time of one comparison with a short password, in microseconds.
    fn micros(&self) -> u64;

    /// Returns whether so many passwords, of `bytes` bytes together, may be compared in one attempt.
    fn affords(&self, passwords: u64, _bytes: usize) -> bool {
        self.micros().saturating_mul(passwords) <= MAX_MICROS
    }

    /// Returns whether every byte of the password counts. If not, another one is right as well, and
    /// nobody knows which of them is the user's.
    fn counts_all(&self, _password: &[u8]) -> bool {
        true
    }
}

/// Why a text behind the beginning of a scheme is no hash.
enum Refusal {
    /// It is not what the scheme's programs write.
    Malformed,
    /// It asks for more than the limit, which is named.
    TooCostly(String),
}

/// What the parser of a scheme returns.
type Parsed<T> = Result<T, Refusal>;

/// Parses the text behind the beginning of a scheme.
type Parser = fn(&str) -> Parsed<Mechanism>;

/// How a text begins, the scheme's name, and what reads the rest.
const SCHEMES: [(&str, &str, Parser); 21] = [
    ("$pbkdf2-sha512$", "pbkdf2_sha512", |rest| other(Pbkdf2::passlib(Digest::Sha512, rest))),
    ("$pbkdf2-sha256$", "pbkdf2_sha256", |rest| other(Pbkdf2::passlib(Digest::Sha256, rest))),
    ("$pbkdf2$", "pbkdf2_sha1", |rest| other(Pbkdf2::passlib(Digest::Sha1, rest))),
    ("$5$", "sha256_crypt", |rest| other(ShaCrypt::parse(Family::Sha256, rest))),
    ("$6$", "sha512_crypt", |rest| other(ShaCrypt::parse(Family::Sha512, rest))),
    ("$2a$", "bcrypt", |rest| other(Bcrypt::parse(Version::A, rest))),
    ("$2b$", "bcrypt", |rest| other(Bcrypt::parse(Version::B, rest))),
    ("$2x$", "bcrypt", |rest| other(Bcrypt::parse(Version::X, rest))),
    ("$2y$", "bcrypt", |rest| other(Bcrypt::parse(Version::Y, rest))),
    ("$bcrypt-sha256$", "bcrypt_sha256", |rest| other(BcryptSha256::passlib(rest))),
    ("$scrypt$", "scrypt", |rest| other(Scrypt::phc(rest))),
    (FOREIGN_ARGON2, "argon2", argon2),
    ("pbkdf2_sha256$", "django_pbkdf2_sha256", |rest| other(Pbkdf2::django(Digest::Sha256, rest))),
    ("pbkdf2_sha1$", "django_pbkdf2_sha1", |rest| other(Pbkdf2::django(Digest::Sha1, rest))),
    ("bcrypt_sha256$", "django_bcrypt_sha256", |rest| other(BcryptSha256::django(rest))),
    ("bcrypt$", "django_bcrypt", |rest| other(Bcrypt::with_version(rest))),
    ("scrypt$", "django_scrypt", |rest| other(Scrypt::django(rest))),
    ("scrypt:", "werkzeug_scrypt", |rest| other(Scrypt::werkzeug(rest))),
    ("pbkdf2:sha1", "werkzeug_pbkdf2_sha1", |rest| other(Pbkdf2::werkzeug(Digest::Sha1, rest))),
    ("pbkdf2:sha256", "werkzeug_pbkdf2_sha256", |rest| {
        other(Pbkdf2::werkzeug(Digest::Sha256, rest))
    }),
    ("pbkdf2:sha512", "werkzeug_pbkdf2_sha512", |rest| {
        other(Pbkdf2::werkzeug(Digest::Sha512, rest))
    }),
];

fn other(compare: Parsed<impl Compare + 'static>) -> Parsed<Mechanism> {
    compare.map(|compare| Mechanism::Other(Box::new(compare)))
}

fn argon2(rest: &str) -> Parsed<Mechanism> {
    let refusal = |why| match why {
        Unusable::Malformed => Refusal::Malformed,
        Unusable::TooCostly => Refusal::TooCostly(
            "256 MiB, 16 passes, 16 lanes or 1 GiB of memory times passes".into(),
        ),
    };
    let text = Argon2Text::parse(rest).map_err(refusal)?;
    if text.output.len() < MIN_OUTPUT {
        return Err(Refusal::Malformed);
    }
    Ok(Mechanism::Argon2(Box::new(text)))
}

impl Foreign {
    /// Parses a hash of another program, as the store has it.
    pub(super) fn parse(text: &str) -> Result<Foreign, BadHash> {
        let known = SCHEMES.iter().find_map(|&(beginning, scheme, read)| {
            text.strip_prefix(beginning).map(|rest| (scheme, read, rest))
        });
        let (scheme, read, rest) = known.ok_or(BadHash::Unknown)?;
        if text.len() > MAX_TEXT {
            return Err(BadHash::Malformed(scheme));
        }
        let mechanism = read(rest).map_err(|refusal| match refusal {
            Refusal::Malformed => BadHash::Malformed(scheme),
            Refusal::TooCostly(limit) => {
                BadHash::TooCostly(format!("the {scheme} hash asks for more than {limit}"))
            }
        })?;
        Ok(Foreign { scheme, mechanism })
    }
}

impl Mechanism {
    /// Returns the estimated time of one comparison with a short password, in microseconds.
    pub(super) fn micros(&self) -> u64 {
        match self {
            Mechanism::Argon2(stored) => stored.micros(),
            Mechanism::Other(stored) => stored.micros(),
        }
    }

    /// Returns whether so many passwords, of `bytes` bytes together, may be compared in one attempt.
    pub(super) fn affords(&self, passwords: u64, bytes: usize) -> bool {
        match self {
            Mechanism::Argon2(stored) => stored.micros().saturating_mul(passwords) <= MAX_MICROS,
            Mechanism::Other(stored) => stored.affords(passwords, bytes),
        }
    }
}

/// Compares two outputs in constant time.
fn equal(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

impl fmt::Display for BadHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadHash::Unknown => f.write_str("the hash is of no known scheme"),
            BadHash::Malformed(scheme) => write!(f, "the {scheme} hash is malformed"),
            BadHash::TooCostly(why) => f.write_str(why),
        }
    }
}
