//! Hashing and verifying passwords: Argon2id at the configured cost, in memory that is kept between
//! hashes; and comparing with hashes that other programs made. At most as many run at the same time
//! as the hasher has permits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use zeroize::Zeroizing;

#[cfg(feature = "foreign-hashes")]
use super::argon2_text::micros;
use super::argon2_text::{Argon2Text, OUTPUT, SALT, encode, new_parameters};
use super::cost::HashCost;
#[cfg(feature = "foreign-hashes")]
use super::cost::MAX_KIB_PASSES;
#[cfg(feature = "foreign-hashes")]
use super::foreign::{Foreign, Mechanism};
use super::kernel::{self, Arena, HashKernel, Kernel, Parameters};
use super::{Attempt, Password, lock};
use crate::error::Error;
use crate::stats::Histogram;
use crate::values::{PasswordHash, random};

/// How our own hashes begin, those of weaker kinds as well.
const OURS: &str = "$argon2";

/// Maximum time of a hash that is a decoy, estimated, in microseconds: that of the most costly hash
/// of ours, so each of ours is a decoy, whatever the cost was. The defaults of passlib, Django,
/// Werkzeug and PHP are within it.
#[cfg(feature = "foreign-hashes")]
const MAX_DECOY_MICROS: u64 = micros(MAX_KIB_PASSES);
/// Maximum bytes of a password that are hashed with a decoy.
#[cfg(feature = "foreign-hashes")]
const MAX_DECOY_BYTES: usize = 128;

/// The result of comparing a password with a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right.
    Right,
    /// The password is right; its hash is weaker than a new one, or of another program, and should
    /// be replaced.
    RightButOutdated,
    /// The password is wrong.
    Wrong,
}

/// The verdict, or why a stored hash cannot be used.
type Compared = Result<Verdict, String>;

/// Hashes and verifies passwords. Keeps one arena for each hash that ran at the same time.
#[derive(Debug)]
pub struct Hasher {
    kernel: &'static Kernel,
    /// The cost of a new hash.
    cost: HashCost,
    arenas: Mutex<Vec<Box<dyn Arena>>>,
    /// Hashes that may begin; a thread that finds none waits.
    permits: Mutex<usize>,
    returned: Condvar,
    /// Whether a hash has ended since [`Hasher::was_used`] was called last.
    used: AtomicBool,
    /// The times of hashes, the wait for a permit not included.
    times: Histogram,
    /// A random hash that matches no password; verifying it takes as long as verifying any other.
    dummy: PasswordHash,
}

impl Hasher {
    /// Makes a hasher of the least cost with the kernel that is best here; see [`Hasher::with`].
    #[cfg(any(test, feature = "fuzzing"))]
    pub fn new(parallel: usize) -> Result<Hasher, Error> {
        Hasher::with(parallel, HashCost::FLOOR, HashKernel::Auto)
    }

    /// Makes a hasher that runs at most `parallel` hashes at the same time, whatever the number of
    /// threads that ask: each takes the memory of its cost. Tests the kernel, which takes less than a
    /// millisecond. Fails if the system gives no randomness.
    pub(crate) fn with(
        parallel: usize,
        cost: HashCost,
        kernel: HashKernel,
    ) -> Result<Hasher, Error> {
        let dummy = encode(cost, &random::<SALT>()?, &random::<OUTPUT>()?)?;
        Ok(Hasher {
            kernel: kernel::choose(kernel),
            cost,
            arenas: Mutex::new(Vec::new()),
            permits: Mutex::new(parallel.max(1)),
            returned: Condvar::new(),
            used: AtomicBool::new(false),
            times: Histogram::default(),
            dummy,
        })
    }

    /// Returns the name of the kernel that computes the hashes.
    #[cfg(feature = "cli")]
    pub(crate) fn kernel(&self) -> String {
        (self.kernel.describe)()
    }

    /// Returns whether that is the portable one.
    #[cfg(feature = "cli")]
    pub(crate) fn is_portable(&self) -> bool {
        std::ptr::eq(self.kernel, &kernel::PORTABLE)
    }

    /// Hashes a password with today's cost and a fresh salt.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, Error> {
        let salt = random::<SALT>()?;
        let parameters = new_parameters(self.cost);
        let output = self.run(&parameters, password.as_str().as_bytes(), &salt, OUTPUT)?;
        encode(self.cost, &salt, &output)
    }

    /// Compares what somebody typed with a stored hash of any scheme, in constant time. An account
    /// without a password takes as long as one with a hash of ours.
    pub fn verify(&self, attempt: &Attempt, hash: &PasswordHash) -> Result<Verdict, Error> {
        match self.compare(attempt, hash)? {
            Ok(verdict) => Ok(verdict),
            Err(why) => {
                log::error!("nobody can log in with a stored password hash: {why}");
                self.verify_nothing()?;
                Ok(Verdict::Wrong)
            }
        }
    }

    /// Takes as long as a verification with the hash of another account would: for a login to an
    /// unknown name, which no counter of an account slows down. So a costly hash is no decoy, and a
    /// long password costs as much as a shorter one.
    pub fn verify_decoy(&self, attempt: &Attempt, decoy: &PasswordHash) -> Result<(), Error> {
        if is_costly(decoy) {
            return self.verify_nothing();
        }
        #[cfg(feature = "foreign-hashes")]
        let attempt = &attempt.cut_to(MAX_DECOY_BYTES);
        match self.compare(attempt, decoy)? {
            Ok(_) => Ok(()),
            Err(_) => self.verify_nothing(),
        }
    }

    /// Compares with a hash of any scheme; says why if it cannot be used, without taking time.
    fn compare(&self, attempt: &Attempt, hash: &PasswordHash) -> Result<Compared, Error> {
        if hash.is_none() {
            self.verify_nothing()?;
            return Ok(Ok(Verdict::Wrong));
        }
        if hash.as_str().starts_with(OURS) {
            return self.verify_ours(attempt, hash.as_str());
        }
        self.verify_foreign(attempt, hash.as_str())
    }

    /// Takes as long as a verification: for a login to an unknown account.
    pub fn verify_nothing(&self) -> Result<(), Error> {
        let dummy = Argon2Text::parse(self.dummy.as_str())
            .map_err(|_| Error::Internal("the dummy hash is unreadable".into()))?;
        self.compute(&dummy, b"nobody's password").map(drop)
    }

    /// Compares with a hash of ours: the prepared password alone counts. A password that cannot be
    /// prepared takes as long as any other.
    fn verify_ours(&self, attempt: &Attempt, text: &str) -> Result<Compared, Error> {
        let Ok(stored) = Argon2Text::parse(text) else {
            return Ok(Err("malformed or too costly".into()));
        };
        let password = attempt.password();
        let bytes = password.map_or("", |password| password.as_str()).as_bytes();
        let right = stored.is(&self.compute(&stored, bytes)?) && password.is_some();
        if stored.is_outdated(self.cost) {
            // A cheaper hash took less time: take more than the usual time rather than less.
            self.verify_nothing()?;
        }
        Ok(Ok(match right {
            false => Verdict::Wrong,
            true if stored.is_outdated(self.cost) => Verdict::RightButOutdated,
            true => Verdict::Right,
        }))
    }

    /// Compares with a hash of another program: the password as it was typed counts, as it did
    /// there, and then as it is prepared. The second is compared only if the first was wrong, and if
    /// both together stay within the limit of one attempt: the time tells which of them was right,
    /// but only to somebody whose password was right. The hash is outdated only if the password is
    /// right as a whole: otherwise a new hash could be one of a typing mistake, and the user's own
    /// password wrong from then on.
    #[cfg(feature = "foreign-hashes")]
    fn verify_foreign(&self, attempt: &Attempt, text: &str) -> Result<Compared, Error> {
        let mechanism = match Foreign::parse(text) {
            Ok(foreign) => foreign.mechanism,
            Err(why) => return Ok(Err(why.to_string())),
        };
        let (mut passwords, mut bytes) = (0, 0);
        for password in attempt.spellings() {
            passwords += 1;
            bytes += password.len();
            if !mechanism.affords(passwords, bytes) {
                break;
            }
            match self.verify_spelling(password, &mechanism)? {
                Verdict::Wrong => {}
                right => return Ok(Ok(right)),
            }
        }
        if !mechanism.affords(1, attempt.typed_bytes()) {
            // Nothing was compared: the password is too long for this hash.
            self.verify_nothing()?;
        }
        Ok(Ok(Verdict::Wrong))
    }

    /// Compares one spelling of a password.
    #[cfg(feature = "foreign-hashes")]
    fn verify_spelling(&self, password: &[u8], mechanism: &Mechanism) -> Result<Verdict, Error> {
        let (right, whole) = match mechanism {
            Mechanism::Argon2(stored) => (stored.is(&self.compute(stored, password)?), true),
            Mechanism::Other(stored) => {
                let _permit = self.permit();
                let right = stored.matches(password);
                self.used.store(true, Ordering::Relaxed);
                (right, stored.counts_all(password))
            }
        };
        Ok(match (right, whole) {
            (false, _) => Verdict::Wrong,
            (true, true) => Verdict::RightButOutdated,
            (true, false) => Verdict::Right,
        })
    }

    /// Such a hash is right for nobody: what it needs is not part of this program.
    #[cfg(not(feature = "foreign-hashes"))]
    fn verify_foreign(&self, _: &Attempt, _: &str) -> Result<Compared, Error> {
        Ok(Err("of another program, and this one has no feature foreign-hashes".into()))
    }

    /// The times of hashes, the wait for a permit not included.
    pub(crate) fn times(&self) -> &Histogram {
        &self.times
    }

    /// Returns whether a hash has ended since this was called last.
    pub fn was_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// Frees the arenas. The next hash allocates one again.
    pub fn release_memory(&self) {
        self.arenas().clear();
    }

    /// Computes the output for a password with the parameters of a stored hash.
    fn compute(&self, stored: &Argon2Text, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.run(&stored.parameters, password, &stored.salt, stored.output.len())
    }

    /// Hashes in an arena.
    fn run(
        &self,
        parameters: &Parameters,
        password: &[u8],
        salt: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let _permit = self.permit();
        let kept = self.arenas().pop();
        let mut arena = kept.unwrap_or_else(|| (self.kernel.arena)(self.cost.memory_kib()));
        let mut output = Zeroizing::new(vec![0; length]);
        let hashed = arena.compute(parameters, password, salt, &mut output);
        // An arena that a costly old hash made larger than usual is not kept.
        if arena.kib() <= self.cost.memory_kib() as usize {
            self.arenas().push(arena);
        }
        self.used.store(true, Ordering::Relaxed);
        hashed.map_err(|why| Error::Internal(format!("hashing failed: {why}").into()))?;
        Ok(output)
    }

    /// Waits until another hash may begin.
    fn permit(&self) -> Permit<'_> {
        let free = self.returned.wait_while(lock(&self.permits), |permits| *permits == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        Permit(self, Instant::now())
    }

    fn arenas(&self) -> MutexGuard<'_, Vec<Box<dyn Arena>>> {
        lock(&self.arenas)
    }
}

/// Whether a hash takes much longer than one of ours.
#[cfg(feature = "foreign-hashes")]
pub(super) fn is_costly(hash: &PasswordHash) -> bool {
    let micros = match hash.as_str().starts_with(OURS) {
        true => Argon2Text::parse(hash.as_str()).map(|stored| stored.micros()).ok(),
        false => Foreign::parse(hash.as_str()).map(|foreign| foreign.mechanism.micros()).ok(),
    };
    micros.is_some_and(|micros| micros > MAX_DECOY_MICROS)
}

/// Hashes of other programs are not computed.
#[cfg(not(feature = "foreign-hashes"))]
fn is_costly(_: &PasswordHash) -> bool {
    false
}

/// The right to run a hash, until it is dropped, and since when.
struct Permit<'a>(&'a Hasher, Instant);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.times.add(self.1.elapsed());
        *lock(&self.0.permits) += 1;
        self.0.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Attempt {
        Attempt::new(text)
    }

    #[test]
    fn hashes_verify_and_another_implementation_agrees() {
        let hasher = Hasher::new(2).unwrap();
        let ours = hasher.hash(password("correct horse").password().unwrap()).unwrap();
        assert!(ours.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", ours.as_str());
        assert_eq!(hasher.verify(&password("correct horse"), &ours).unwrap(), Verdict::Right);
        assert_eq!(hasher.verify(&password("correct horsf"), &ours).unwrap(), Verdict::Wrong);
        assert_ne!(
            ours,
            hasher.hash(password("correct horse").password().unwrap()).unwrap(),
            "the salt is fresh"
        );
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
            "argon2".into(),
            "!x".into(),
            format!("$argon2id$v=19$m=4000000,t=2,p=1${salt_and_output}"),
            format!("$argon2id$v=19$m=19456,t=4000000000,p=1${salt_and_output}"),
            format!("$argon2id$v=18$m=19456,t=2,p=1${salt_and_output}"),
        ] {
            let verdict = hasher.verify(&password("x"), &PasswordHash::stored(hash.clone()));
            assert_eq!(verdict.unwrap(), Verdict::Wrong, "{hash:?}");
        }
    }

    #[test]
    fn hashes_of_an_account_and_of_its_decoy_are_computed_alike() {
        use std::cell::RefCell;

        thread_local!(static COMPUTED: RefCell<Vec<(u32, u32)>> = const { RefCell::new(Vec::new()) });
        /// Computes nothing, and notes the memory and passes.
        struct Noting;
        impl Arena for Noting {
            fn compute(
                &mut self,
                parameters: &Parameters,
                _: &[u8],
                _: &[u8],
                _: &mut [u8],
            ) -> Result<(), String> {
                let cost = (parameters.memory_kib, parameters.passes);
                COMPUTED.with_borrow_mut(|computed| computed.push(cost));
                Ok(())
            }
            fn kib(&self) -> usize {
                0
            }
        }
        static NOTING: Kernel =
            Kernel { describe: || "noting".into(), arena: |_| Box::new(Noting) };

        let cost = |memory, passes| HashCost::new(memory, passes).unwrap();
        let now = cost(65_536, 16);
        let mut hasher = Hasher::with(1, now, HashKernel::Auto).unwrap();
        hasher.kernel = &NOTING;
        let long = "x".repeat(2_000);
        let late_control = format!("{}\n", "x".repeat(200));
        for (stored, expected) in [
            (now, &[(65_536, 16)][..]),
            (cost(19_456, 2), &[(19_456, 2), (65_536, 16)]),
            (cost(65_536, 2), &[(65_536, 2), (65_536, 16)]),
            // Stronger, and the most costly of all.
            (cost(262_144, 4), &[(262_144, 4)]),
        ] {
            let stored = encode(stored, &[7; SALT], &[7; OUTPUT]).unwrap();
            for typed in ["short", "", &long, &late_control] {
                let attempt = password(typed);
                assert_eq!(hasher.verify(&attempt, &stored).unwrap(), Verdict::Wrong);
                assert_eq!(COMPUTED.take(), expected, "account, {} bytes", typed.len());
                hasher.verify_decoy(&attempt, &stored).unwrap();
                assert_eq!(COMPUTED.take(), expected, "decoy, {} bytes", typed.len());
            }
        }
    }

    #[test]
    fn a_password_that_cannot_be_prepared_is_not_the_empty_one() {
        let hasher = Hasher::new(1).unwrap();
        let salt = [7; SALT];
        let output = hasher.run(&new_parameters(hasher.cost), b"", &salt, OUTPUT).unwrap();
        let stored = encode(hasher.cost, &salt, &output).unwrap();
        for typed in ["", "a\nb", &"x".repeat(2_000)] {
            let verdict = hasher.verify(&password(typed), &stored).unwrap();
            assert_eq!(verdict, Verdict::Wrong, "{} bytes", typed.len());
        }
    }

    #[test]
    fn an_arena_is_kept_until_memory_is_released() {
        let hasher = Hasher::new(2).unwrap();
        hasher.verify_nothing().unwrap();
        assert_eq!(hasher.arenas.lock().unwrap().len(), 1);
        hasher.hash(password("x").password().unwrap()).unwrap();
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
