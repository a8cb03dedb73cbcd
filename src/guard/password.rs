//! Password rules and hashes: Argon2id at the OWASP floor, memory kept between hashes.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use zeroize::Zeroizing;

use super::blocklist::is_common;
use super::{Email, Username};
use crate::error::Error;

/// Characters of a new password, prepared, a code point being one. There are no rules of
/// composition (NIST SP 800-63B).
const MIN_CHARS: usize = 8;
/// Characters that must remain of it without its owner's name.
const MIN_REST: usize = 4;
/// Bytes of any password; more would only be a way to make us work.
const MAX_BYTES: usize = 1024;

/// Cost of a new hash: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT: usize = 32;

/// An allocation beyond this is always a mapping of its own (the ceiling of glibc's growing mmap
/// threshold), and so goes back to the system when it is freed; smaller ones may stay in the heap
/// for ever. What is not used of it costs addresses, not memory.
const ALWAYS_MAPPED: usize = 33 * 1024 * 1024;

/// Cost that a stored hash may ask for: 256 MiB, 16 passes, 16 lanes. Whoever can write the
/// database has better ways to do harm, but a slip should not stop the server.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;

/// A password, prepared as RFC 8265 says (OpaqueString). Wiped when dropped, never shown.
pub struct Password(Zeroizing<String>);

impl Password {
    /// A password that somebody chooses, whose address may be known as well. Told why if it
    /// cannot be had.
    pub fn choose(text: &str, name: &Username, email: Option<&Email>) -> Result<Password, Error> {
        let wrong = |why: &str| Err(Error::InvalidPassword(why.into()));
        if text.len() > MAX_BYTES {
            return wrong("The password is longer than 1024 bytes");
        }
        if text.is_empty() {
            return wrong("The password is empty");
        }
        let Some(password) = Password::attempt(text) else {
            return wrong("The password holds a character that cannot be typed everywhere");
        };
        if password.0.chars().count() < MIN_CHARS {
            return wrong("The password is shorter than 8 characters");
        }
        let folded = Zeroizing::new(password.0.to_lowercase());
        let shown = name.as_str().to_lowercase();
        let address = email.map_or("", Email::key);
        for (word, what) in [
            (name.key(), "the username"),
            (&shown, "the username"),
            (before_at(name.key()), "the username"),
            (address, "the e-mail address"),
            (before_at(address), "the e-mail address"),
            ("lictor", "the name of this program"),
        ] {
            if is_little_more_than(&folded, word) {
                return wrong(&format!("The password is little more than {what}"));
            }
        }
        if is_common(&folded) {
            return wrong("This password is one of the most common, which are tried first");
        }
        Ok(password)
    }

    /// A password that somebody logs in with; `None` if it cannot be anyone's.
    pub fn attempt(text: &str) -> Option<Password> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let prepared = OpaqueString::enforce(text).ok()?;
        Some(Password(Zeroizing::new(prepared.into_owned())))
    }
}

/// What belongs to a person in an e-mail address, or in a name that is one.
fn before_at(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(local, _)| local)
}

/// Whether a password without a word that everybody knows, forwards or backwards, is hardly
/// anything, or no more than a few digits and signs.
fn is_little_more_than(password: &str, word: &str) -> bool {
    let backwards: String = word.chars().rev().collect();
    [word, &backwards].into_iter().any(|word| {
        let rest = Zeroizing::new(password.replace(word, ""));
        let chars = rest.chars().count();
        chars < MIN_REST || (chars < MIN_CHARS && !rest.chars().any(char::is_alphabetic))
    })
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// A hash as a PHC string. Not a secret like a password, but nobody's business either.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// What the store holds.
    pub fn stored(text: String) -> PasswordHash {
        PasswordHash(text)
    }

    /// For the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}

/// How a password compares to a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the one.
    Right,
    /// It is the one, and should be hashed anew: the hash is weaker than today's.
    RightButOutdated,
    /// It is another.
    Wrong,
}

/// Hashes and verifies. Keeps one memory arena per thread that hashed at the same time.
#[derive(Debug)]
pub struct Hasher {
    arenas: Mutex<Vec<Arena>>,
    /// A hash of nothing: verifying it takes as long as any, and never succeeds.
    dummy: PasswordHash,
}

struct Arena(Vec<Block>);

impl Arena {
    /// Has at least so many blocks afterwards.
    fn fit(&mut self, blocks: usize) {
        if self.0.len() < blocks {
            self.0 = Vec::with_capacity(blocks.max(ALWAYS_MAPPED / Block::SIZE));
            self.0.resize(blocks, Block::new());
        }
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arena({} KiB)", self.0.len())
    }
}

impl Hasher {
    /// Needs randomness from the system.
    pub fn new() -> Result<Hasher, Error> {
        let dummy = encode(&random::<16>()?, &random::<OUTPUT>()?)?;
        Ok(Hasher { arenas: Mutex::new(Vec::new()), dummy })
    }

    /// Hashes with today's cost and a fresh salt.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, Error> {
        let salt = random::<16>()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, todays_params()?);
        let output = self.run(&argon2, password, &salt, OUTPUT)?;
        encode(&salt, &output)
    }

    /// Compares in constant time.
    pub fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<Verdict, Error> {
        let Some(stored) = Stored::parse(hash) else {
            log::error!(
                "a stored password hash is unreadable or too costly; nobody can log in with it"
            );
            return Ok(Verdict::Wrong);
        };
        let output = self.run(&stored.argon2, password, &stored.salt, stored.output.len())?;
        if stored.outdated() {
            // A cheaper hash took less time; at least as much as usual, then, rather than less.
            self.verify_nothing()?;
        }
        Ok(match Output::new(&output).is_ok_and(|output| output == stored.output) {
            false => Verdict::Wrong,
            true if stored.outdated() => Verdict::RightButOutdated,
            true => Verdict::Right,
        })
    }

    /// Takes as long as a verification, for accounts that are not there.
    pub fn verify_nothing(&self) -> Result<(), Error> {
        let password = Password(Zeroizing::new(String::from("nobody's password")));
        self.verify(&password, &self.dummy).map(drop)
    }

    /// Gives the memory back; the next hash takes it anew.
    pub fn release_memory(&self) {
        self.arenas.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn run(
        &self,
        argon2: &Argon2<'_>,
        password: &Password,
        salt: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let kept = self.arenas.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut arena = kept.unwrap_or(Arena(Vec::new()));
        arena.fit(argon2.params().block_count());
        let mut output = Zeroizing::new(vec![0; length]);
        let password = password.0.as_bytes();
        let hashed =
            argon2.hash_password_into_with_memory(password, salt, &mut output, &mut arena.0);
        // An arena that one costly old hash made larger than today's is not kept.
        if arena.0.len() <= MEMORY_KIB as usize {
            self.arenas.lock().unwrap_or_else(PoisonError::into_inner).push(arena);
        }
        hashed.map_err(|error| Error::Internal(format!("hashing failed: {error}")))?;
        Ok(output)
    }
}

/// A stored hash, read and found affordable.
struct Stored {
    argon2: Argon2<'static>,
    algorithm: Algorithm,
    version: Version,
    salt: Vec<u8>,
    output: Output,
}

impl Stored {
    fn parse(hash: &PasswordHash) -> Option<Stored> {
        let phc = argon2::PasswordHash::new(hash.as_str()).ok()?;
        let algorithm = Algorithm::try_from(phc.algorithm.as_str()).ok()?;
        let version = match phc.version {
            Some(version) => Version::try_from(version).ok()?,
            // A PHC string of Argon2 without a version is of the first one, 0x10.
            None => Version::V0x10,
        };
        let params = Params::try_from(&phc).ok()?;
        let affordable = params.m_cost() <= MAX_MEMORY_KIB
            && params.t_cost() <= MAX_PASSES
            && params.p_cost() <= MAX_LANES;
        let (salt, output) = (phc.salt?, phc.hash?);
        affordable.then(|| Stored {
            argon2: Argon2::new(algorithm, version, params),
            algorithm,
            version,
            salt: salt.to_vec(),
            output,
        })
    }

    /// Weaker than what a new hash gets, in any respect.
    fn outdated(&self) -> bool {
        let params = self.argon2.params();
        self.algorithm != Algorithm::Argon2id
            || self.version != Version::V0x13
            || params.m_cost() < MEMORY_KIB
            || params.t_cost() < PASSES
            || self.output.len() < OUTPUT
    }
}

fn todays_params() -> Result<Params, Error> {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT)).map_err(broken)
}

fn encode(salt: &[u8], output: &[u8]) -> Result<PasswordHash, Error> {
    let mut params = ParamsString::new();
    for (name, value) in [("m", MEMORY_KIB), ("t", PASSES), ("p", LANES)] {
        params.add_decimal(name, value).map_err(broken)?;
    }
    let phc = argon2::PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params,
        salt: Some(Salt::new(salt).map_err(broken)?),
        hash: Some(Output::new(output).map_err(broken)?),
    };
    Ok(PasswordHash(phc.to_string()))
}

fn broken(error: impl fmt::Display) -> Error {
    Error::Internal(format!("the password parameters are wrong: {error}"))
}

/// Random bytes from the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Unavailable(format!("no randomness from the system: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::attempt(text).unwrap()
    }

    #[test]
    fn rules() {
        let name = Username::parse("Ada-Lovelace").unwrap();
        let email = Email::parse("Walter.Plinge@Mail.Example").unwrap();
        let check = |text: &str| match Password::choose(text, &name, Some(&email)) {
            Ok(password) => format!("ok {}", *password.0),
            Err(Error::InvalidPassword(why)) => why,
            Err(other) => panic!("{other:?}"),
        };
        for (text, expected) in [
            ("correct horse", "ok correct horse"),
            ("73012985", "ok 73012985"),
            // Spaces of other kinds are spaces, and letters are composed.
            ("a\u{a0}b\u{3000}cdefgh", "ok a b cdefgh"),
            ("u\u{308}berlang", "ok überlang"),
            (&"x".repeat(1024), &format!("ok {}", "x".repeat(1024))),
            (&"x".repeat(1025), "The password is longer than 1024 bytes"),
            ("", "The password is empty"),
            ("\u{1f600}\u{1f600}", "The password is shorter than 8 characters"),
            ("1234567", "The password is shorter than 8 characters"),
            ("12345678\0", "The password holds a character that cannot be typed everywhere"),
            ("1234567\t8", "The password holds a character that cannot be typed everywhere"),
            ("ada-lovelace", "The password is little more than the username"),
            ("ADA-LOVELACE", "The password is little more than the username"),
            ("ecalevoL-adA", "The password is little more than the username"),
            ("Ada-Lovelace1815!", "The password is little more than the username"),
            ("ada-lovelaceada-lovelace", "The password is little more than the username"),
            ("xyada-lovelacez", "The password is little more than the username"),
            ("ada-lovelace engine", "ok ada-lovelace engine"),
            ("ada-lovelace10121815", "ok ada-lovelace10121815"),
            ("1852-ada", "ok 1852-ada"),
            ("walter.plinge", "The password is little more than the e-mail address"),
            ("walter.plinge@mail.example", "The password is little more than the e-mail address"),
            ("Lictor2024", "The password is little more than the name of this program"),
            ("password", "This password is one of the most common, which are tried first"),
            ("PassWord1", "This password is one of the most common, which are tried first"),
            ("12345678", "This password is one of the most common, which are tried first"),
        ] {
            assert_eq!(check(text), expected, "{text:?}");
        }
        for (name, text, fine) in [
            ("walter@mail.example", "walter1234", false),
            ("a", "12345678a", false),
            ("a", "banana bread", true),
            ("ab", "abababababab", false),
        ] {
            let name = Username::parse(name).unwrap();
            assert_eq!(Password::choose(text, &name, None).is_ok(), fine, "{text:?}");
        }
    }

    #[test]
    fn hashes_verify_and_another_argon2_agrees() {
        let hasher = Hasher::new().unwrap();
        let ours = hasher.hash(&password("correct horse")).unwrap();
        assert!(ours.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", ours.as_str());
        assert_eq!(hasher.verify(&password("correct horse"), &ours).unwrap(), Verdict::Right);
        assert_eq!(hasher.verify(&password("correct horsf"), &ours).unwrap(), Verdict::Wrong);
        assert_ne!(ours, hasher.hash(&password("correct horse")).unwrap(), "the salt is fresh");
        assert!(argon2_other::verify_encoded(ours.as_str(), b"correct horse").unwrap());
        assert!(!argon2_other::verify_encoded(ours.as_str(), b"correct horsf").unwrap());
    }

    #[test]
    fn hashes_of_others_verify_and_weak_ones_are_outdated() {
        let hasher = Hasher::new().unwrap();
        let other = |variant, version, mem_cost, time_cost, lanes| {
            let config = argon2_other::Config {
                variant,
                version,
                mem_cost,
                time_cost,
                lanes,
                ..argon2_other::Config::default()
            };
            let text = argon2_other::hash_encoded(b"pass word", b"0123456789abcdef", &config);
            PasswordHash::stored(text.unwrap())
        };
        use argon2_other::{Variant, Version};
        for (hash, expected) in [
            (other(Variant::Argon2id, Version::Version13, 19_456, 2, 1), Verdict::Right),
            (other(Variant::Argon2id, Version::Version13, 32_768, 3, 4), Verdict::Right),
            (other(Variant::Argon2id, Version::Version13, 4_096, 3, 1), Verdict::RightButOutdated),
            (other(Variant::Argon2i, Version::Version13, 19_456, 2, 1), Verdict::RightButOutdated),
            (other(Variant::Argon2d, Version::Version10, 19_456, 2, 1), Verdict::RightButOutdated),
        ] {
            assert_eq!(hasher.verify(&password("pass word"), &hash).unwrap(), expected);
            assert_eq!(hasher.verify(&password("pass wore"), &hash).unwrap(), Verdict::Wrong);
        }
    }

    #[test]
    fn unreadable_and_ruinous_hashes_are_wrong() {
        let hasher = Hasher::new().unwrap();
        let salt_and_output = "c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for hash in [
            String::new(),
            "x".into(),
            "$argon2id$v=19$m=19456,t=2,p=1".into(),
            "$2b$12$abcdefghijklmnopqrstuv".into(),
            format!("$argon2id$v=19$m=4000000,t=2,p=1${salt_and_output}"),
            format!("$argon2id$v=19$m=19456,t=4000000000,p=1${salt_and_output}"),
            format!("$argon2id$v=18$m=19456,t=2,p=1${salt_and_output}"),
        ] {
            let verdict = hasher.verify(&password("x"), &PasswordHash::stored(hash.clone()));
            assert_eq!(verdict.unwrap(), Verdict::Wrong, "{hash:?}");
        }
    }

    #[test]
    fn memory_is_kept_and_given_back() {
        let hasher = Hasher::new().unwrap();
        hasher.verify_nothing().unwrap();
        assert_eq!(hasher.arenas.lock().unwrap().len(), 1);
        hasher.hash(&password("x")).unwrap();
        assert_eq!(hasher.arenas.lock().unwrap().len(), 1);
        hasher.release_memory();
        assert_eq!(hasher.arenas.lock().unwrap().len(), 0);
    }

    #[test]
    fn nothing_is_shown() {
        let hasher = Hasher::new().unwrap();
        let text = format!("{:?} {:?} {hasher:?}", password("sesame123"), hasher.dummy);
        assert!(!text.contains("sesame123") && !text.contains("argon2id"), "{text}");
    }
}
