//! Passwords and their hashes: Argon2id at the OWASP floor, memory kept between hashes. What a new
//! one must be like stands in `password_rules`.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::PasswordRules;
use crate::error::Error;
use crate::values::{Email, PasswordHash, Username, random};

/// Bytes of any password; more would only be a way to make us work.
const MAX_BYTES: usize = 1024;
/// NFC makes UTF-8 at most three times as long (UAX #15 section 5).
const NFC_GROWTH: usize = 3;

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

/// A password, prepared so that it is the same however it was typed. Wiped when dropped, never
/// shown.
pub struct Password(Zeroizing<String>);

impl Password {
    /// A password that somebody chooses, whose address may be known as well. Says why if it
    /// cannot be had.
    pub fn choose(
        text: &str,
        name: &Username,
        email: Option<&Email>,
        rules: &PasswordRules,
    ) -> Result<Password, Error> {
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
        rules.check(&password.0, name, email)?;
        Ok(password)
    }

    #[cfg(test)]
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// A password that somebody logs in with; `None` if it cannot be anyone's.
    pub fn attempt(text: &str) -> Option<Password> {
        if text.is_empty() || text.len() > MAX_BYTES {
            return None;
        }
        prepare(text).map(Password)
    }
}

/// Makes the same bytes of what people take for the same password: each space is U+0020, and
/// letters are composed (NFC). `None` if there is a control character in it, a line separator, a
/// byte order mark, or what Unicode will never use.
///
/// This is the profile OpaqueString of RFC 8265, but for its list of the characters of Unicode
/// 6.3. All others are good as well: the newest letters and emoji, and what joins emoji together.
/// NFC never changes for a character that Unicode has assigned. For one that it assigns later it
/// could, but only among combining marks that no program can show yet.
pub(super) fn prepare(text: &str) -> Option<Zeroizing<String>> {
    let never = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fdd0}'..='\u{fdef}')
            || u32::from(c) & 0xfffe == 0xfffe
    };
    if text.contains(never) {
        return None;
    }
    let mut spaced = Zeroizing::new(String::with_capacity(text.len()));
    spaced.extend(text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }));
    // Never moved to a larger place, which would leave a copy behind.
    let mut prepared = Zeroizing::new(String::with_capacity(NFC_GROWTH * text.len()));
    prepared.extend(spaced.nfc());
    Some(prepared)
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
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
    Ok(PasswordHash::stored(phc.to_string()))
}

fn broken(error: impl fmt::Display) -> Error {
    Error::Internal(format!("the password parameters are wrong: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::attempt(text).unwrap()
    }

    /// What the profile of Unicode 6.3 made of passwords, which hashes in databases are of.
    fn of_old(text: &str) -> Option<String> {
        use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
        precis_profiles::OpaqueString::enforce(text).ok().map(|password| password.into_owned())
    }

    fn today(text: &str) -> Option<String> {
        Password::attempt(text).map(|password| password.0.to_string())
    }

    #[test]
    fn nobody_is_shut_out_by_newer_tables() {
        let same = |text: String| {
            let old = of_old(&text);
            assert!(old.is_none() || old == today(&text), "{text:?}");
            old.is_some()
        };
        let known: Vec<char> = ('\0'..=char::MAX).filter(|&c| same(c.into())).collect();
        assert!(known.len() > 100_000, "{}", known.len());
        // Han and Hangul are alike by the thousands.
        let alike =
            |c| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..);
        let known: Vec<char> =
            known.into_iter().filter(|&c| !alike(c) || u32::from(c) % 97 == 0).collect();
        // Each between neighbours that compose with others, move, or are looked at by rules.
        for neighbour in ['\u{301}', '\u{323}', '\u{345}', '\u{11a8}', '\u{94d}', 'l', 'é'] {
            for &c in &known {
                same(format!("e{c}{neighbour}"));
                same(format!("{neighbour}{c}"));
            }
        }
        for step in [1, 1_009] {
            for (one, other) in known.iter().zip(known.iter().cycle().skip(step)) {
                same(format!("{one}{other}{one}"));
            }
        }
    }

    #[test]
    fn letters_that_unicode_6_3_did_not_know_are_good() {
        for text in [
            "zażółć-🦀-пароль",
            "12345678 ₽",
            "\u{10d50}\u{10d51}",
            "\u{1e900}dlam 1234",
            "\u{2ebf0}\u{31350}",
            "❤\u{fe0f} and 👩\u{200d}🚀 and 🏴\u{e0067}\u{e0062}\u{e007f}",
            "\u{1faea}\u{1fb00}",
        ] {
            assert_eq!(of_old(text), None, "{text:?}");
            assert_eq!(today(text).as_deref(), Some(text), "{text:?}");
        }
        for text in
            ["a\0b", "a\tb", "a\u{85}b", "a\u{2028}b", "a\u{fffe}", "a\u{10ffff}", "a\u{fdd0}"]
        {
            assert_eq!(today(text), None, "{text:?}");
        }
        for c in ('\0'..=char::MAX).filter(|c| c.is_alphanumeric()) {
            assert!(today(&format!("{c}")).is_some(), "{c:?}");
        }
    }

    #[test]
    fn a_prepared_password_is_never_moved() {
        for c in '\0'..='\u{30000}' {
            let text = c.to_string().repeat(3);
            let Some(prepared) = prepare(&text) else { continue };
            assert!(prepared.len() <= NFC_GROWTH * text.len(), "{c:?}");
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
