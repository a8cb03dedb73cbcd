//! Hashing and verifying passwords: Argon2id at the minimum cost that OWASP recommends, in memory
//! that is kept between hashes.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use super::{Password, lock};
use crate::error::{Cause, Error};
use crate::values::{PasswordHash, random};

/// Cost of a new hash: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of a new hash's output.
const OUTPUT: usize = 32;
/// Bytes of a new hash's salt.
const SALT: usize = 16;

/// Minimum bytes of an arena. An allocation of more than 32 MiB, the maximum of glibc's dynamic
/// mmap threshold, is always a mapping of its own, and so returns to the system when it is freed; a
/// smaller one may stay in the heap for ever. The unused part takes address space, not memory.
const ALWAYS_MAPPED: usize = 33 * 1024 * 1024;

/// Maximum cost of a stored hash that is verified: 256 MiB, 16 passes, 16 lanes. An attacker who
/// can write the database has worse options, but a mistake should not stop the server.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;

/// The result of comparing a password with a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right.
    Right,
    /// The password is right; its hash is weaker than a new one and should be replaced.
    RightButOutdated,
    /// The password is wrong.
    Wrong,
}

/// Hashes and verifies passwords. Keeps one arena for each hash that ran at the same time.
#[derive(Debug)]
pub struct Hasher {
    arenas: Mutex<Vec<Arena>>,
    /// Hashes that may begin; a thread that finds none waits.
    permits: Mutex<usize>,
    returned: Condvar,
    /// Whether a hash has ended since [`Hasher::was_used`] was called last.
    used: AtomicBool,
    /// A random hash that matches no password; verifying it takes as long as verifying any other.
    dummy: PasswordHash,
}

impl Hasher {
    /// Makes a hasher that runs at most `parallel` hashes at the same time, whatever the number of
    /// threads that ask: each takes 19 MiB. Fails if the system gives no randomness.
    pub fn new(parallel: usize) -> Result<Hasher, Error> {
        let dummy = encode(&random::<SALT>()?, &random::<OUTPUT>()?)?;
        Ok(Hasher {
            arenas: Mutex::new(Vec::new()),
            permits: Mutex::new(parallel.max(1)),
            returned: Condvar::new(),
            used: AtomicBool::new(false),
            dummy,
        })
    }

    /// Hashes a password with today's cost and a fresh salt.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, Error> {
        let salt = random::<SALT>()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, new_params()?);
        let output = self.run(&argon2, password, &salt, OUTPUT)?;
        encode(&salt, &output)
    }

    /// Compares a password with a stored hash, in constant time.
    pub fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<Verdict, Error> {
        let Some(stored) = StoredHash::parse(hash) else {
            log::error!(
                "a stored password hash is unreadable or too costly; nobody can log in with it"
            );
            return Ok(Verdict::Wrong);
        };
        let output = self.run(&stored.argon2, password, &stored.salt, stored.output.len())?;
        if stored.is_outdated() {
            // A cheaper hash took less time: take more than the usual time rather than less.
            self.verify_nothing()?;
        }
        Ok(match Output::new(&output).is_ok_and(|output| output == stored.output) {
            false => Verdict::Wrong,
            true if stored.is_outdated() => Verdict::RightButOutdated,
            true => Verdict::Right,
        })
    }

    /// Takes as long as a verification: for a login to an unknown account.
    pub fn verify_nothing(&self) -> Result<(), Error> {
        let password = Password::attempt("nobody's password");
        let password = password.ok_or_else(|| Error::Internal("no dummy password".into()))?;
        self.verify(&password, &self.dummy).map(drop)
    }

    /// Returns whether a hash has ended since this was called last.
    pub fn was_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// Frees the arenas. The next hash allocates one again.
    pub fn release_memory(&self) {
        self.arenas().clear();
    }

    /// Hashes in an arena.
    fn run(
        &self,
        argon2: &Argon2<'_>,
        password: &Password,
        salt: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let _permit = self.permit();
        let kept = self.arenas().pop();
        let mut arena = kept.unwrap_or(Arena(Vec::new()));
        arena.grow_to(argon2.params().block_count());
        let mut output = Zeroizing::new(vec![0; length]);
        let password = password.as_str().as_bytes();
        let hashed =
            argon2.hash_password_into_with_memory(password, salt, &mut output, &mut arena.0);
        // An arena that a costly old hash made larger than usual is not kept.
        if arena.0.len() <= MEMORY_KIB as usize {
            self.arenas().push(arena);
        }
        self.used.store(true, Ordering::Relaxed);
        hashed.map_err(|error| {
            Error::Internal(Cause::new(format!("hashing failed: {error}"), error))
        })?;
        Ok(output)
    }

    /// Waits until another hash may begin.
    fn permit(&self) -> Permit<'_> {
        let free = self.returned.wait_while(lock(&self.permits), |permits| *permits == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        Permit(self)
    }

    fn arenas(&self) -> MutexGuard<'_, Vec<Arena>> {
        lock(&self.arenas)
    }
}

/// The right to run a hash, until it is dropped.
struct Permit<'a>(&'a Hasher);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *lock(&self.0.permits) += 1;
        self.0.returned.notify_one();
    }
}

/// The memory of one hash.
struct Arena(Vec<Block>);

impl Arena {
    /// Makes the arena at least this large.
    fn grow_to(&mut self, blocks: usize) {
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

/// A stored hash of acceptable cost, parsed.
struct StoredHash {
    argon2: Argon2<'static>,
    algorithm: Algorithm,
    version: Version,
    salt: Vec<u8>,
    output: Output,
}

impl StoredHash {
    /// Parses a hash; `None` if it is unreadable or too costly.
    fn parse(hash: &PasswordHash) -> Option<StoredHash> {
        let phc = argon2::PasswordHash::new(hash.as_str()).ok()?;
        let algorithm = Algorithm::try_from(phc.algorithm.as_str()).ok()?;
        let version = match phc.version {
            Some(version) => Version::try_from(version).ok()?,
            // A PHC string of Argon2 without a version means the first one, 0x10.
            None => Version::V0x10,
        };
        let params = Params::try_from(&phc).ok()?;
        let affordable = params.m_cost() <= MAX_MEMORY_KIB
            && params.t_cost() <= MAX_PASSES
            && params.p_cost() <= MAX_LANES;
        let (salt, output) = (phc.salt?, phc.hash?);
        affordable.then(|| StoredHash {
            argon2: Argon2::new(algorithm, version, params),
            algorithm,
            version,
            salt: salt.to_vec(),
            output,
        })
    }

    /// Returns whether the hash is weaker than a new one in any respect.
    fn is_outdated(&self) -> bool {
        let params = self.argon2.params();
        self.algorithm != Algorithm::Argon2id
            || self.version != Version::V0x13
            || params.m_cost() < MEMORY_KIB
            || params.t_cost() < PASSES
            || self.output.len() < OUTPUT
    }
}

/// The parameters of a new hash.
fn new_params() -> Result<Params, Error> {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT)).map_err(bad_params)
}

/// Returns the PHC string of a new hash.
fn encode(salt: &[u8], output: &[u8]) -> Result<PasswordHash, Error> {
    let mut params = ParamsString::new();
    for (name, value) in [("m", MEMORY_KIB), ("t", PASSES), ("p", LANES)] {
        params.add_decimal(name, value).map_err(bad_params)?;
    }
    let phc = argon2::PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params,
        salt: Some(Salt::new(salt).map_err(bad_params)?),
        hash: Some(Output::new(output).map_err(bad_params)?),
    };
    Ok(PasswordHash::stored(phc.to_string()))
}

fn bad_params(error: impl fmt::Display) -> Error {
    Error::Internal(format!("the password parameters are wrong: {error}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::attempt(text).unwrap()
    }

    #[test]
    fn hashes_verify_and_another_implementation_agrees() {
        let hasher = Hasher::new(2).unwrap();
        let ours = hasher.hash(&password("correct horse")).unwrap();
        assert!(ours.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", ours.as_str());
        assert_eq!(hasher.verify(&password("correct horse"), &ours).unwrap(), Verdict::Right);
        assert_eq!(hasher.verify(&password("correct horsf"), &ours).unwrap(), Verdict::Wrong);
        assert_ne!(ours, hasher.hash(&password("correct horse")).unwrap(), "the salt is fresh");
        assert!(argon2_other::verify_encoded(ours.as_str(), b"correct horse").unwrap());
        assert!(!argon2_other::verify_encoded(ours.as_str(), b"correct horsf").unwrap());
    }

    #[test]
    fn hashes_of_other_programs_verify_and_weak_ones_are_outdated() {
        let hasher = Hasher::new(2).unwrap();
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
    fn unreadable_and_too_costly_hashes_match_no_password() {
        let hasher = Hasher::new(2).unwrap();
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
    fn an_arena_is_kept_until_memory_is_released() {
        let hasher = Hasher::new(2).unwrap();
        hasher.verify_nothing().unwrap();
        assert_eq!(hasher.arenas.lock().unwrap().len(), 1);
        hasher.hash(&password("x")).unwrap();
        assert_eq!(hasher.arenas.lock().unwrap().len(), 1);
        hasher.release_memory();
        assert_eq!(hasher.arenas.lock().unwrap().len(), 0);
    }

    #[test]
    fn debug_output_hides_hashes() {
        let hasher = Hasher::new(2).unwrap();
        let text = format!("{:?} {hasher:?}", hasher.dummy);
        assert!(!text.contains("argon2id"), "{text}");
    }

    #[test]
    fn no_more_hashes_run_at_once_than_the_hasher_was_made_for() {
        let hasher = Hasher::new(2).unwrap();
        let running = || 2 - *lock(&hasher.permits);
        let permits = [hasher.permit(), hasher.permit()];
        std::thread::scope(|scope| {
            let third = scope.spawn(|| hasher.verify_nothing().unwrap());
            std::thread::sleep(std::time::Duration::from_millis(50));
            assert_eq!(running(), 2);
            assert!(!third.is_finished(), "a third hash ran");
            drop(permits);
            third.join().unwrap();
        });
        assert_eq!(running(), 0);
        assert_eq!(hasher.arenas().len(), 1);
    }
}
