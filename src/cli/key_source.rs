//! Where the keys come from: SECRET_KEY, the file of `--secret-key-file`, or the default file, beside
//! the database if that is a file; and how a missing file or key is made.

use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use super::output::day;
use super::parse::last_second;
use super::short_secret::SecretKey;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::keys::{Algorithm, Key, Keys, MAX_KEYS, Secret, ShortSecret};
use crate::store::Database;

#[derive(Args, Debug)]
pub(super) struct KeyFlags {
    /// File with the keys that sign and verify tokens; it must exist. By default the database's path
    /// with the ending .key, or lictor.key with PostgreSQL; `serve` makes it if it does not exist. If
    /// SECRET_KEY is set, it signs, and the keys of the file given here only verify
    #[arg(long, value_name = "PATH", env = "LICTOR_SECRET_KEY_FILE")]
    pub(super) secret_key_file: Option<PathBuf>,

    /// Algorithm that signs new tokens; `serve` makes a key for it if there is none [default: that of
    /// the newest key; HS256 in a new file]
    #[arg(long, value_name = "ALGORITHM", env = "JWT_ALGORITHM")]
    pub(super) jwt_algorithm: Option<JwtAlgorithm>,

    /// Take a SECRET_KEY of fewer than 32 bytes until the end of this day (UTC), at most 90 days
    /// ahead: it then only verifies tokens that --adopt-tokens takes, and the key file signs. Whoever
    /// guesses it can log in as anybody until then
    #[arg(long, value_name = "DATE", env = "LICTOR_ACCEPT_SHORT_SECRET", value_parser = last_second)]
    accept_short_secret: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum JwtAlgorithm {
    /// A secret, which every service that verifies must have as well
    #[value(name = "HS256")]
    Hs256,
    /// Ed25519: services verify with the public key from /.well-known/jwks.json
    #[value(name = "EdDSA")]
    EdDsa,
}

impl KeyFlags {
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        self.jwt_algorithm.map(|typed| match typed {
            JwtAlgorithm::Hs256 => Algorithm::Hs256,
            JwtAlgorithm::EdDsa => Algorithm::EdDsa,
        })
    }
}

/// The next step when a ring is full.
const RETIRE: &str = "retire the oldest: lictor key list, lictor key retire KID";

/// Where the keys come from.
pub(super) struct KeySource {
    place: Place,
    /// Whether other instances serve with the same database, and need the same keys.
    shared: bool,
    algorithm: Option<Algorithm>,
    /// SECRET_KEY, if it is short and accepted.
    short: Option<ShortSecret>,
    warning: Option<String>,
}

enum Place {
    /// SECRET_KEY alone.
    Environment(Zeroizing<Vec<u8>>),
    /// SECRET_KEY, then the keys of the file that a flag names.
    Both(Zeroizing<Vec<u8>>, PathBuf),
    /// The file that a flag names; it must exist.
    Named(PathBuf),
    /// The default file, beside the database or in the working directory; made if it is missing.
    Default(PathBuf),
}

impl KeySource {
    /// Reads SECRET_KEY from the environment. An error if it is short and cannot be accepted.
    pub(super) fn new(
        flags: &KeyFlags,
        database: &Database,
        now: Timestamp,
    ) -> Result<KeySource, Problem> {
        let secret = std::env::var_os("SECRET_KEY").map(|key| Zeroizing::new(key.into_vec()));
        let secret = SecretKey::new(secret, flags.accept_short_secret, now)?;
        let place = match (secret.signs, flags.secret_key_file.clone()) {
            (Some(secret), Some(file)) => Place::Both(secret, file),
            (Some(secret), None) => Place::Environment(secret),
            (None, Some(file)) => Place::Named(file),
            (None, None) => Place::Default(database.default_key_file()),
        };
        Ok(KeySource {
            place,
            shared: database.is_shared(),
            algorithm: flags.algorithm(),
            short: secret.short,
            warning: secret.warning,
        })
    }

    /// What people should know at each start about a short secret.
    pub(super) fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// The short secret, if one is accepted.
    pub(super) fn short(&self) -> Option<&ShortSecret> {
        self.short.as_ref()
    }

    /// The algorithm that a flag names for signing.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The keys; `None` if the default file does not exist yet.
    pub(super) fn find(&self) -> Result<Option<Keys>, Problem> {
        self.ring()?.map(|ring| self.with_short(ring)).transpose()
    }

    fn with_short(&self, ring: Keys) -> Result<Keys, Problem> {
        match self.short.clone() {
            Some(short) => {
                ring.with_short(short).map_err(|problem| Problem { next: RETIRE.into(), ..problem })
            }
            None => Ok(ring),
        }
    }

    /// The ring, without a short secret; `None` if the default file does not exist yet.
    pub(super) fn ring(&self) -> Result<Option<Keys>, Problem> {
        match &self.place {
            Place::Environment(key) => secret(key).map(|secret| Some(secret.into())),
            Place::Both(key, file) => Keys::behind(secret(key)?, Keys::read(file)?)
                .map(Some)
                .map_err(|problem| Problem { next: RETIRE.into(), ..problem }),
            Place::Default(file) if !file.exists() => Ok(None),
            Place::Named(file) | Place::Default(file) => Keys::read(file).map(Some),
        }
    }

    /// The ring to serve with. Makes the default file if it is missing, and adds a key if the
    /// algorithm has none.
    pub(super) fn find_or_create(&self, now: Timestamp) -> Result<Keys, Problem> {
        if let Place::Default(file) = &self.place {
            let algorithm = self.algorithm.unwrap_or(Algorithm::Hs256);
            let (_, new) = Keys::read_or_create(file, algorithm, now)?;
            if new {
                log::info!(
                    "made a new secret key in {}; keep it safe: with it, tokens can be forged",
                    file.display()
                );
            }
            if new && self.shared {
                log::info!(
                    "all instances on this database must have the same key: copy {} to each, or \
                     give each the same SECRET_KEY",
                    file.display()
                );
            }
        }
        let keys = self.find()?.ok_or_else(|| self.missing_file())?;
        match self.algorithm {
            Some(algorithm) if keys.current(self.algorithm).is_none() => self.add(algorithm, now),
            _ => Ok(keys),
        }
    }

    fn add(&self, algorithm: Algorithm, now: Timestamp) -> Result<Keys, Problem> {
        let file = self.file()?;
        let add = |keys: Keys| match keys.current(Some(algorithm)) {
            // Another process has added one.
            Some(_) => Ok(keys),
            None => self.with_new_key(keys, algorithm, now),
        };
        Keys::update(file, add)?;
        log::info!("added a new {} key to {}", algorithm.name(), file.display());
        self.find()?.ok_or_else(|| self.missing_file())
    }

    /// The ring that [`find_or_create`](Self::find_or_create) would return, and which key signs, in
    /// words; makes nothing.
    pub(super) fn preview(&self, now: Timestamp) -> Result<(Keys, String), Problem> {
        let found = self.find()?;
        if let Some(keys) = &found
            && let Some(key) = keys.current(self.algorithm)
        {
            let name = key.algorithm().name();
            let signs = match keys.iter().count() {
                1 => name.to_owned(),
                count => format!("{name}, with the newest such key of {count}"),
            };
            return Ok((keys.clone(), signs));
        }
        // SECRET_KEY alone has no file to which a key could be added.
        self.file()?;
        let algorithm = self.algorithm.unwrap_or(Algorithm::Hs256);
        // A stand-in for the key that will be made, so that the rest can be checked.
        let keys = match found {
            Some(keys) => keys,
            None => Keys::from(Secret::new([1; 32])?),
        };
        let signs = format!("{} (a key will be made)", algorithm.name());
        Ok((self.with_short(self.with_new_key(keys, algorithm, now)?)?, signs))
    }

    /// The ring with a new key in front. A short secret takes one of the places.
    pub(super) fn with_new_key(
        &self,
        keys: Keys,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Keys, Problem> {
        let count = keys.iter().count();
        if self.short.is_some() && count + 1 >= MAX_KEYS {
            let what = format!(
                "with another and the short SECRET_KEY there would be more than {MAX_KEYS} keys"
            );
            return Err(Problem::new(what, RETIRE));
        }
        if count >= MAX_KEYS {
            let what = format!("with another there would be more than {MAX_KEYS} keys");
            return Err(Problem::new(what, RETIRE));
        }
        keys.with_new(algorithm, now)
    }

    /// The key file; an error if SECRET_KEY is the only key.
    pub(super) fn file(&self) -> Result<&Path, Problem> {
        match &self.place {
            Place::Both(_, file) | Place::Named(file) | Place::Default(file) => Ok(file),
            Place::Environment(_) => Err(Problem::usage(
                "the only key is SECRET_KEY, and it has no file",
                "name a file for more keys with --secret-key-file, or unset SECRET_KEY; to change \
                 SECRET_KEY itself, put the old one into such a file",
            )),
        }
    }

    /// Whether this key came from SECRET_KEY.
    pub(super) fn is_from_environment(&self, keys: &Keys, key: &Key) -> bool {
        matches!(self.place, Place::Environment(_) | Place::Both(..))
            && keys.iter().next() == Some(key)
    }

    /// The error for a key file that does not exist.
    pub(super) fn missing_file(&self) -> Problem {
        let file = self.file().map_or_else(|_| String::new(), |file| file.display().to_string());
        Problem::new(
            format!("there is no key file at {file}"),
            "give its path with --secret-key-file, or the database's with --database; the first \
             start of the server makes it",
        )
    }

    /// A description for people, without anything secret.
    pub(super) fn describe(&self) -> String {
        let ring = self.describe_ring();
        match &self.short {
            Some(short) => {
                format!("{ring}; the short SECRET_KEY verifies until {}", day(short.until()))
            }
            None => ring,
        }
    }

    fn describe_ring(&self) -> String {
        match &self.place {
            Place::Environment(secret) => format!("SECRET_KEY ({} bytes, hidden)", secret.len()),
            Place::Both(secret, file) => {
                format!("SECRET_KEY ({} bytes, hidden), then {}", secret.len(), file.display())
            }
            Place::Default(file) if !file.exists() => format!("{} (will be made)", file.display()),
            Place::Named(file) | Place::Default(file) => format!("{} (hidden)", file.display()),
        }
    }
}

/// The secret in SECRET_KEY.
fn secret(key: &[u8]) -> Result<Secret, Problem> {
    Secret::new(key).map_err(|problem| Problem {
        next: format!("{}, or unset SECRET_KEY and let lictor make a key file", problem.next),
        ..problem
    })
}
