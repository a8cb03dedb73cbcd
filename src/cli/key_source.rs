//! Where the keys come from: SECRET_KEY, a key file that was named, or the one beside the
//! database; and what is made of it when something is missing.

use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::error::Problem;
use crate::keys::{Algorithm, Keys, Secret};

#[derive(Args, Debug)]
pub(crate) struct KeyFlags {
    /// File with the keys that sign and verify tokens; by default the database's path with the
    /// ending .key, made if it is not there. With SECRET_KEY set, that one signs and the keys of
    /// a file that is named verify
    #[arg(long, value_name = "PATH", env = "LICTOR_SECRET_KEY_FILE")]
    pub(crate) secret_key_file: Option<PathBuf>,

    /// What signs new tokens; a key for it is made if there is none [default: what the newest key
    /// is for; HS256 in a new file]
    #[arg(long, value_name = "ALGORITHM", env = "JWT_ALGORITHM")]
    pub(crate) jwt_algorithm: Option<JwtAlgorithm>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum JwtAlgorithm {
    /// A secret that whoever verifies must have as well
    #[value(name = "HS256")]
    Hs256,
    /// Ed25519: others verify with the public key from /.well-known/jwks.json
    #[value(name = "EdDSA")]
    EdDsa,
}

impl KeyFlags {
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.jwt_algorithm.map(|typed| match typed {
            JwtAlgorithm::Hs256 => Algorithm::Hs256,
            JwtAlgorithm::EdDsa => Algorithm::EdDsa,
        })
    }
}

/// Where the keys come from.
pub(crate) struct KeySource {
    place: Place,
    algorithm: Option<Algorithm>,
}

enum Place {
    /// SECRET_KEY alone.
    Environment(Zeroizing<Vec<u8>>),
    /// SECRET_KEY in front of a file that was named.
    Both(Zeroizing<Vec<u8>>, PathBuf),
    /// A file that was named, and so must be there.
    Named(PathBuf),
    /// The file beside the database.
    Beside(PathBuf),
}

impl KeySource {
    pub(crate) fn of(flags: &KeyFlags, database: &Path) -> KeySource {
        let secret = std::env::var_os("SECRET_KEY").map(|key| Zeroizing::new(key.into_vec()));
        let place = match (secret, flags.secret_key_file.clone()) {
            (Some(secret), Some(file)) => Place::Both(secret, file),
            (Some(secret), None) => Place::Environment(secret),
            (None, Some(file)) => Place::Named(file),
            (None, None) => Place::Beside(beside(database)),
        };
        KeySource { place, algorithm: flags.algorithm() }
    }

    /// What signs, as far as it was said.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The ring as it is; without a file that may be made, nothing.
    pub(crate) fn look(&self) -> Result<Option<Keys>, Problem> {
        match &self.place {
            Place::Environment(secret) => Secret::new(secret.to_vec()).map(|s| Some(s.into())),
            Place::Both(secret, file) => {
                Keys::behind(Secret::new(secret.to_vec())?, Keys::read(file)?).map(Some)
            }
            Place::Beside(file) if !file.exists() => Ok(None),
            Place::Named(file) | Place::Beside(file) => Keys::read(file).map(Some),
        }
    }

    /// The ring to serve with; makes the file if it may, and adds a key if the algorithm has none.
    pub(crate) fn keys(&self, now: Timestamp) -> Result<Keys, Problem> {
        if let Place::Beside(file) = &self.place {
            let algorithm = self.algorithm.unwrap_or(Algorithm::Hs256);
            let (_, new) = Keys::read_or_create(file, algorithm, now)?;
            if new {
                log::info!(
                    "made a new secret key in {}; keep it safe: with it, tokens can be forged",
                    file.display()
                );
            }
        }
        let keys = self.look()?.ok_or_else(|| self.no_file())?;
        match self.algorithm {
            Some(algorithm) if keys.current(self.algorithm).is_none() => self.add(algorithm, now),
            _ => Ok(keys),
        }
    }

    fn add(&self, algorithm: Algorithm, now: Timestamp) -> Result<Keys, Problem> {
        let file = self.file()?;
        let add = |keys: Keys| match keys.current(Some(algorithm)) {
            // Another lictor was faster.
            Some(_) => Ok(keys),
            None => keys.with_new(algorithm, now),
        };
        Keys::update(file, add)?;
        log::info!("added a new {} key to {}", algorithm.name(), file.display());
        self.look()?.ok_or_else(|| self.no_file())
    }

    /// The ring that `keys` would give, and what signs then; nothing is made.
    pub(crate) fn as_it_will_be(&self, now: Timestamp) -> Result<(Keys, String), Problem> {
        let found = self.look()?;
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
        // SECRET_KEY alone cannot be given another key.
        self.file()?;
        let algorithm = self.algorithm.unwrap_or(Algorithm::Hs256);
        // Only to have something to check the rest with; it is not kept.
        let keys = match found {
            Some(keys) => keys,
            None => Keys::from(Secret::new([1; 32])?),
        };
        let signs = format!("{} (a key will be made)", algorithm.name());
        Ok((keys.with_new(algorithm, now)?, signs))
    }

    /// The file that holds keys.
    pub(crate) fn file(&self) -> Result<&Path, Problem> {
        match &self.place {
            Place::Both(_, file) | Place::Named(file) | Place::Beside(file) => Ok(file),
            Place::Environment(_) => Err(Problem::usage(
                "the only key is SECRET_KEY, and it has no file",
                "name a file for more keys with --secret-key-file, or unset SECRET_KEY; to change \
                 SECRET_KEY itself, put the old one into such a file",
            )),
        }
    }

    /// Whether this key came from SECRET_KEY.
    pub(crate) fn is_environments(&self, keys: &Keys, key: &crate::keys::Key) -> bool {
        matches!(self.place, Place::Environment(_) | Place::Both(..))
            && keys.iter().next() == Some(key)
    }

    pub(crate) fn no_file(&self) -> Problem {
        let file = self.file().map_or_else(|_| String::new(), |file| file.display().to_string());
        Problem::new(
            format!("there is no key file at {file}"),
            "give its path with --secret-key-file, or the database's with --database; the first \
             start of the server makes it",
        )
    }

    /// For people to read; nothing secret in it.
    pub(crate) fn describe(&self) -> String {
        match &self.place {
            Place::Environment(secret) => format!("SECRET_KEY ({} bytes, hidden)", secret.len()),
            Place::Both(secret, file) => {
                format!("SECRET_KEY ({} bytes, hidden), then {}", secret.len(), file.display())
            }
            Place::Beside(file) if !file.exists() => format!("{} (will be made)", file.display()),
            Place::Named(file) | Place::Beside(file) => format!("{} (hidden)", file.display()),
        }
    }
}

/// A database that ends in .key itself has its key beside it all the same.
fn beside(database: &Path) -> PathBuf {
    let file = database.with_extension("key");
    if file == database { file.with_extension("key.key") } else { file }
}
