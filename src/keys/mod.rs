//! The key ring: the keys that sign and verify tokens, newest first.
//!
//! | file | owns |
//! |---|---|
//! | `secret` | secrets and seeds |
//! | `short` | secrets that are too short to sign |
//! | `format` | the ring as the text of a key file, and back |
//! | `file` | the key file: read, made |
//! | `draft` | a key file that has not got its name yet |
//! | `change` | the key file replaced by one with other keys |
//! | `copy` | a key file copied for a backup, and back |
//!
//! Knows no cryptography and no token: `guard/token` signs and verifies.

#[cfg(any(feature = "cli", test))]
mod change;
#[cfg(feature = "cli")]
mod copy;
mod draft;
mod file;
mod format;
mod secret;
mod short;

use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::error::Problem;

#[cfg(feature = "cli")]
pub(crate) use draft::remove_old_drafts;
#[cfg(feature = "cli")]
pub(crate) use file::may_be_secret;
pub use secret::Secret;
pub(crate) use secret::Seed;
pub use short::ShortSecret;
#[cfg(feature = "cli")]
pub(crate) use short::is_short;

/// The most keys of a ring: a token that names no key is tried with every HS256 key.
pub(crate) const MAX_KEYS: usize = 8;

/// How a token is signed. A key belongs to one algorithm and is never used with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 7518 section 3.2): everyone who can verify can also sign.
    Hs256,
    /// Ed25519 (RFC 8037): others verify with the public key, and cannot sign.
    EdDsa,
}

impl Algorithm {
    const ALL: [Algorithm; 2] = [Algorithm::Hs256, Algorithm::EdDsa];

    /// Its name in a token's header.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Algorithm::Hs256 => "HS256",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// The secret part of a key; its kind decides the algorithm.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Material {
    Hs256(Secret),
    EdDsa(Seed),
}

/// One key of the ring.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key {
    material: Material,
    created: Option<Timestamp>,
}

impl Key {
    /// A new key from the system's randomness.
    pub(crate) fn generate(algorithm: Algorithm, now: Timestamp) -> Result<Key, Problem> {
        let broken = |cause: &str| {
            Problem::new(format!("no randomness from the system: {cause}"), "try again")
        };
        let mut random = Zeroizing::new(vec![0; secret::SEED]);
        getrandom::fill(&mut random).map_err(|error| broken(&error.to_string()))?;
        let material = match algorithm {
            // The digits themselves are the secret: so the same text is a `SECRET_KEY`.
            Algorithm::Hs256 => Material::Hs256(Secret::new(format::hex(&random).as_bytes())?),
            Algorithm::EdDsa => {
                Material::EdDsa(Seed::new(random).ok_or_else(|| broken("only zeros"))?)
            }
        };
        Ok(Key { material, created: Some(now) })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Hs256(_) => Algorithm::Hs256,
            Material::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    pub(crate) fn material(&self) -> &Material {
        &self.material
    }

    /// When the key was made, if its file says so.
    pub(crate) fn created(&self) -> Option<Timestamp> {
        self.created
    }
}

/// The keys of a server, newest first: one signs, all verify. At least one, at most eight, and no key
/// twice. For a time, a [`ShortSecret`] may verify as well; it counts as one of the eight.
#[derive(Clone)]
pub struct Keys {
    ring: Vec<Key>,
    short: Option<ShortSecret>,
}

impl Keys {
    /// Reads a key file: one line that is an HS256 secret, or a ring, one line a key. The file must
    /// exist; see [`read_or_create`](Keys::read_or_create) for the first start.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or holds anything but keys.
    pub fn read(path: &Path) -> Result<Keys, Problem> {
        file::read(path)
    }

    /// Reads a key file in a folder that nobody else can enter: its mode does not matter.
    #[cfg(feature = "cli")]
    pub(crate) fn read_guarded(path: &Path) -> Result<Keys, Problem> {
        file::read_guarded(path)
    }

    /// Reads the key file, or makes one with a new key that only its owner can read; true if the file
    /// is new.
    ///
    /// # Errors
    ///
    /// If the file is there and cannot be read or holds anything but keys; if it cannot be made; if
    /// the system gives no randomness.
    pub fn read_or_create(
        path: &Path,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<(Keys, bool), Problem> {
        file::read_or_create(path, algorithm, now)
    }

    /// Reads the text of a key file.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn parse(file: &[u8]) -> Result<Keys, Problem> {
        format::parse(file)
    }

    /// Checks the rules of a ring.
    fn of(keys: Vec<Key>) -> Result<Keys, Problem> {
        if keys.is_empty() {
            return Err(Problem::new("there is no key", "keep at least one key"));
        }
        if keys.len() > MAX_KEYS {
            return Err(Problem::new(
                format!("there are more than {MAX_KEYS} keys"),
                "remove the line of the oldest, whose tokens have expired",
            ));
        }
        let repeated = |(at, key): (usize, &Key)| {
            keys[..at].iter().any(|other| other.material == key.material)
        };
        if keys.iter().enumerate().any(repeated) {
            return Err(Problem::new("the same key is there twice", "remove one of the two lines"));
        }
        Ok(Keys { ring: keys, short: None })
    }

    /// These keys, and a short secret that verifies session tokens of another program for a time.
    /// Needs [`Config::adopt_tokens`](crate::Config::adopt_tokens).
    ///
    /// # Errors
    ///
    /// If there are eight keys already.
    pub fn with_short(self, short: ShortSecret) -> Result<Keys, Problem> {
        if self.ring.len() >= MAX_KEYS {
            return Err(Problem::new(
                format!("with the short secret key there are more than {MAX_KEYS} keys"),
                "remove the line of the oldest, whose tokens have expired",
            ));
        }
        Ok(Keys { short: Some(short), ..self })
    }

    /// The short secret, if there is one. It is never among the keys of [`iter`](Self::iter).
    pub(crate) fn short(&self) -> Option<&ShortSecret> {
        self.short.as_ref()
    }

    /// The key that signs: the newest for this algorithm, or the newest of all.
    pub(crate) fn current(&self, algorithm: Option<Algorithm>) -> Option<&Key> {
        self.ring.iter().find(|key| algorithm.is_none_or(|one| key.algorithm() == one))
    }

    /// The keys, newest first.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Key> {
        self.ring.iter()
    }
}

impl From<Secret> for Keys {
    fn from(secret: Secret) -> Keys {
        Keys { ring: vec![Key { material: Material::Hs256(secret), created: None }], short: None }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.ring.iter().map(|key| key.algorithm().name()).collect();
        names.extend(self.short.as_ref().map(|_| "short"));
        write!(f, "Keys({}, hidden)", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000);

    fn ring() -> Keys {
        Keys::from(Secret::new([b'x'; 32]).unwrap())
    }

    #[test]
    fn a_ring_grows_at_its_front_up_to_eight_keys() {
        let mut keys = ring();
        for count in 2..=MAX_KEYS {
            let algorithm = Algorithm::ALL[count % 2];
            keys = keys.with_new(algorithm, NOW).unwrap();
            assert_eq!(keys.iter().count(), count);
            assert_eq!(keys.current(None).unwrap().algorithm(), algorithm);
            assert!(keys.current(Some(algorithm)).unwrap() == keys.iter().next().unwrap());
        }
        let full = keys.clone().with_new(Algorithm::Hs256, NOW).unwrap_err();
        assert!(full.what.contains("more than 8") && full.next.contains("oldest"), "{full}");
        let last = keys.iter().last().unwrap().clone();
        let fewer = keys.without(&last).unwrap();
        assert!(fewer.iter().all(|key| *key != last));
    }

    #[test]
    fn the_last_key_stays_and_none_is_there_twice() {
        let keys = ring();
        let only = keys.iter().next().unwrap().clone();
        assert!(keys.clone().without(&only).is_err());
        assert!(Keys::of(vec![only.clone(), only.clone()]).is_err());
        let later = Key { created: Some(NOW), ..only.clone() };
        assert!(Keys::of(vec![later, only]).is_err(), "another date makes no other key");
        let secret = Secret::new([b'x'; 32]).unwrap();
        assert_eq!(Keys::behind(secret, keys).unwrap().iter().count(), 1);
    }

    #[test]
    fn a_new_key_is_not_older_than_the_last_after_the_clock_was_set_back() {
        let keys = ring().with_new(Algorithm::Hs256, NOW).unwrap();
        let keys = keys.with_new(Algorithm::EdDsa, Timestamp(NOW.0 - 500)).unwrap();
        assert_eq!(keys.current(None).unwrap().created(), Some(NOW));
    }

    #[test]
    fn a_short_secret_counts_as_a_key_and_is_never_one() {
        let short = || ShortSecret::new("my secret key", NOW, NOW).unwrap();
        let mut keys = ring();
        while keys.iter().count() < MAX_KEYS {
            let with = keys.clone().with_short(short()).unwrap();
            assert!(with.short().is_some() && with.iter().eq(keys.iter()));
            assert!(with.current(None) == keys.current(None));
            keys = keys.with_new(Algorithm::Hs256, NOW).unwrap();
        }
        assert!(keys.clone().with_short(short()).unwrap_err().what.contains("more than 8"));
        let with = ring().with_short(short()).unwrap();
        assert_eq!(format!("{with:?}"), "Keys(HS256, short, hidden)");
        assert!(!format::render(&with).contains("my secret key"));
    }

    #[test]
    fn a_missing_algorithm_has_no_current_key() {
        assert!(ring().current(Some(Algorithm::EdDsa)).is_none());
        assert_eq!(format!("{:?}", ring()), "Keys(HS256, hidden)");
    }
}
