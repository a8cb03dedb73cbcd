//! Where the keys come from: SECRET_KEY, the file of `--secret-key-file`, or the default file, beside
//! the database if that is a file; and how a missing file or key is made.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::args::Args;
use super::flag::{Row, flag};
use super::kind::{Choices, DATE, Kind};
use super::output::day;
use super::secret_source::{self, credential, is_credential, twice};
use super::short_secret::SecretKey;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::keys::{Algorithm, Key, Keys, MAX_KEYS, Secret, ShortSecret};
use crate::store::{Database, Store};

pub(super) const FLAGS: &[Row] = &[
    // Secret: by mistake the variable may hold the key itself.
    flag("--secret-key-file PATH", Kind::Path).env("LICTOR_SECRET_KEY_FILE").secret().help(
        "File with the keys that sign and verify tokens; it must exist. By default the \
         database's path with the ending .key, or lictor.key with PostgreSQL; `serve` makes \
         it at its first start. If SECRET_KEY is set, it signs, and the keys of the file \
         given here only verify",
    ),
    flag("--jwt-algorithm ALGORITHM", Kind::OneOf(&ALGORITHMS)).env("JWT_ALGORITHM").help(
        "Algorithm that signs new tokens; `serve` makes a key for it if there is none \
         [default: that of the newest key; HS256 in a new file]",
    ),
    flag("--accept-short-secret DATE", DATE).env("LICTOR_ACCEPT_SHORT_SECRET").help(
        "Take a SECRET_KEY of fewer than 32 bytes until the end of this day (UTC), at most 90 \
         days ahead: it then only verifies tokens that --adopt-tokens takes, and the key file \
         signs. Whoever guesses it can log in as anybody until then",
    ),
];

const ALGORITHMS: Choices<Algorithm> = Choices(&[
    ("HS256", "A secret, which every service that verifies must have as well", Algorithm::Hs256),
    (
        "EdDSA",
        "Ed25519: services verify with the public key from /.well-known/jwks.json",
        Algorithm::EdDsa,
    ),
]);

/// The algorithm that a flag names for signing.
pub(super) fn algorithm(args: &Args) -> Option<Algorithm> {
    args.get_one_of("--jwt-algorithm", &ALGORITHMS)
}

/// The next step when a ring is full.
const RETIRE: &str = "retire the oldest: lictor key list, lictor key retire KID";

/// The keys that a server would have.
pub(super) struct Preview {
    /// The keys, with a stand-in for one that is to be made.
    pub(super) keys: Keys,
    /// Which key signs, in words.
    pub(super) signs: String,
    /// Whether no key has to be made.
    pub(super) complete: bool,
}

/// The name of the credential that is a key file.
const CREDENTIAL: &str = "lictor.key";

/// Where the keys come from.
pub(super) struct KeySource {
    place: Place,
    database: Database,
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
    /// The file that a flag names, or the credential; it must exist.
    Named(PathBuf),
    /// The default file, beside the database or in the working directory; made if it is missing.
    Default(PathBuf),
}

impl KeySource {
    /// Reads SECRET_KEY from the environment. An error if it is short and cannot be accepted.
    pub(super) fn new(
        args: &Args,
        database: &Database,
        now: Timestamp,
    ) -> Result<KeySource, Problem> {
        let secret = secret_source::SECRET_KEY.find()?.map(|found| found.value);
        let secret = SecretKey::new(secret, args.get("--accept-short-secret"), now)?;
        let place = match (secret.signs, named(args)?) {
            (Some(secret), Some(file)) => Place::Both(secret, file),
            (Some(secret), None) => Place::Environment(secret),
            (None, Some(file)) => Place::Named(file),
            (None, None) => Place::Default(database.default_key_file()),
        };
        Ok(KeySource {
            place,
            database: database.clone(),
            shared: database.is_shared(),
            algorithm: algorithm(args),
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
            Place::Both(key, file) => Keys::behind(secret(key)?, read(file)?)
                .map(Some)
                .map_err(|problem| Problem { next: RETIRE.into(), ..problem }),
            Place::Default(file) if !file.exists() => Ok(None),
            Place::Named(file) | Place::Default(file) => read(file).map(Some),
        }
    }

    /// The ring to serve with, if a [preview](Self::preview) was not complete. Makes the default file
    /// if it is missing, and adds a key if the algorithm has none.
    pub(super) fn create(&self, now: Timestamp) -> Result<Keys, Problem> {
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
        let file = self.file_to_change()?;
        let add = |keys: Keys| match keys.current(Some(algorithm)) {
            // Another process has added one.
            Some(_) => Ok(keys),
            None => self.with_new_key(keys, algorithm, now),
        };
        Keys::update(file, add)?;
        log::info!("added a new {} key to {}", algorithm.name(), file.display());
        self.find()?.ok_or_else(|| self.missing_file())
    }

    /// The ring to serve with, as far as it is there; makes nothing.
    pub(super) fn preview(&self, now: Timestamp) -> Result<Preview, Problem> {
        let found = self.find()?;
        if let Some(keys) = &found
            && let Some(key) = keys.current(self.algorithm)
        {
            let name = key.algorithm().name();
            let signs = match keys.iter().count() {
                1 => name.to_owned(),
                count => format!("{name}, with the newest such key of {count}"),
            };
            return Ok(Preview { keys: keys.clone(), signs, complete: true });
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
        let keys = self.with_short(self.with_new_key(keys, algorithm, now)?)?;
        Ok(Preview { keys, signs, complete: false })
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

    /// The key file, for a change; an error if it cannot be changed.
    pub(super) fn file_to_change(&self) -> Result<&Path, Problem> {
        let file = self.file()?;
        if is_credential(file) {
            return Err(Problem::new(
                format!("the key file {} is a credential, a copy for reading", file.display()),
                "change the file that LoadCredential= names (lictor key rotate --secret-key-file \
                 FILE), and restart the service",
            ));
        }
        Ok(file)
    }

    /// The error for a default file that is missing although somebody has logged in, or has been sent
    /// a link: a new key would log everybody out. A database that the command line has filled is as
    /// good as new. Fails if the database does not say which it is.
    pub(super) fn lost(&self) -> Result<Option<Problem>, Problem> {
        let Place::Default(file) = &self.place else { return Ok(None) };
        if file.exists() || !Store::has_tokens(&self.database)? {
            return Ok(None);
        }
        Ok(Some(Problem::new(
            format!(
                "the key file {} is missing, and tokens that its key signed are in use in {}",
                file.display(),
                self.database
            ),
            "restore the file from a backup, or set the SECRET_KEY that was used before; or make a \
             new key with --new-key: then everybody has to log in again, and links in mails that \
             were sent do not work",
        )))
    }

    /// Whether SECRET_KEY is one of the keys.
    pub(super) fn has_secret(&self) -> bool {
        matches!(self.place, Place::Environment(_) | Place::Both(..)) || self.short.is_some()
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
             start of the server makes it. If it is lost: lictor key rotate --new-key",
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

/// Reads a key file. systemd guards its credentials, whatever their mode says.
fn read(file: &Path) -> Result<Keys, Problem> {
    if is_credential(file) { Keys::read_guarded(file) } else { Keys::read(file) }
}

/// The key file that a flag or a credential names.
fn named(args: &Args) -> Result<Option<PathBuf>, Problem> {
    match (args.get("--secret-key-file"), credential(CREDENTIAL)) {
        (Some(_), Some(_)) => Err(twice("--secret-key-file", "the credential lictor.key")),
        (typed, credential) => Ok(typed.map(Path::to_owned).or(credential)),
    }
}

/// The secret in SECRET_KEY.
fn secret(key: &[u8]) -> Result<Secret, Problem> {
    Secret::new(key).map_err(|problem| Problem {
        what: problem.what.replacen("the secret key", "SECRET_KEY", 1),
        next: format!("{}, or unset SECRET_KEY and let lictor make a key file", problem.next),
        ..problem
    })
}
