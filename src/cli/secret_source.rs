//! Settings that are secrets, or hold one: in a variable, in the file that a variable with `_FILE`
//! names, or among the credentials that systemd hands to the service (`LoadCredential=`).

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::environment;
use crate::error::Problem;
use crate::keys::may_be_secret;

/// The most bytes of a secret in a file: a key has at most 4,096, a URL fewer.
const MAX_SECRET_FILE: usize = 8 * 1024;

/// The variable by which systemd names the folder with the credentials of the service.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// What stands before the name of a credential in messages.
const CREDENTIAL: &str = "the credential ";

/// The next step if two places give one setting.
const KEEP_ONE: &str = "keep one of the two; in a drop-in, UnsetEnvironment= takes a variable away";

/// A setting and the places of its value.
pub(super) struct SecretSetting {
    /// The variable with the value.
    variable: &'static str,
    /// The variable with the path of a file that has the value.
    file: &'static str,
    /// [`CREDENTIAL`] and the name of the credential; empty if it cannot be one.
    credential: &'static str,
}

pub(super) const SECRET_KEY: SecretSetting =
    SecretSetting { variable: "SECRET_KEY", file: "SECRET_KEY_FILE", credential: "" };
pub(super) const MAIL: SecretSetting = SecretSetting {
    variable: "LICTOR_MAIL",
    file: "LICTOR_MAIL_FILE",
    credential: "the credential mail",
};
pub(super) const MAIL_PASSWORD: SecretSetting = SecretSetting {
    variable: "LICTOR_MAIL_PASSWORD",
    file: "LICTOR_MAIL_PASSWORD_FILE",
    credential: "the credential smtp-password",
};
pub(super) const DATABASE: SecretSetting = SecretSetting {
    variable: "LICTOR_DATABASE",
    file: "LICTOR_DATABASE_FILE",
    credential: "the credential database",
};
/// The variables that programs share: the first that is set counts. The second one is the name that
/// Flask apps use.
pub(super) const SHARED_DATABASES: [SecretSetting; 2] = [
    SecretSetting { variable: "DATABASE_URL", file: "DATABASE_URL_FILE", credential: "" },
    SecretSetting {
        variable: "SQLALCHEMY_DATABASE_URI",
        file: "SQLALCHEMY_DATABASE_URI_FILE",
        credential: "",
    },
];

/// The value of a setting, and what gave it.
pub(super) struct Found {
    pub(super) value: Zeroizing<Vec<u8>>,
    /// The variable, or the credential.
    pub(super) origin: &'static str,
}

impl Found {
    /// The value as text.
    pub(super) fn text(&self) -> Result<&str, Problem> {
        std::str::from_utf8(&self.value).map_err(|_| {
            Problem::usage(format!("the text in {} is not UTF-8", self.origin), "write it anew")
        })
    }

    /// The value as it would be in a variable.
    pub(super) fn os_string(&self) -> OsString {
        OsString::from_vec(self.value.to_vec())
    }
}

impl SecretSetting {
    /// Finds the value; an error if two places have one.
    pub(super) fn find(&self) -> Result<Option<Found>, Problem> {
        let set = environment::variable(self.variable).map(OsString::into_vec);
        let in_file = self.find_in_file(set.is_some())?;
        let found = |value| Found { value: Zeroizing::new(value), origin: self.variable };
        Ok(set.map(found).or(in_file))
    }

    /// Finds the value in the file or among the credentials; an error if the variable, or its flag,
    /// is `set` as well.
    pub(super) fn find_in_file(&self, set: bool) -> Result<Option<Found>, Problem> {
        let SecretSetting { variable, file, credential: origin } = *self;
        let named = environment::variable(file).filter(|path| !path.is_empty());
        let credential = origin.strip_prefix(CREDENTIAL).and_then(credential);
        match (set, named, credential) {
            (true, Some(_), _) => Err(twice(variable, file)),
            (true, _, Some(_)) => Err(twice(variable, origin)),
            (false, Some(_), Some(_)) => Err(twice(file, origin)),
            (false, Some(path), None) => read(Path::new(&path), file).map(Some),
            (false, None, Some(path)) => read(&path, origin).map(Some),
            (_, None, None) => Ok(None),
        }
    }
}

/// The error for a setting that two places give.
pub(super) fn twice(one: &str, other: &str) -> Problem {
    Problem::usage(format!("{one} and {other} give the same setting"), KEEP_ONE)
}

/// Reads a secret, without the end of its line. `origin` says what names the file.
fn read(path: &Path, origin: &'static str) -> Result<Found, Problem> {
    let mut value = Zeroizing::new(Vec::with_capacity(MAX_SECRET_FILE + 64));
    let read = File::open(path).and_then(|file| {
        let about = file.metadata()?;
        // systemd guards its credentials, whatever their mode says.
        if about.is_file() && about.mode() & 0o007 != 0 && !is_credential(path) {
            log::warn!(
                "all users can read the secret in {0} (mode {1:o}); change that: chmod o= {0}",
                path.display(),
                about.mode() & 0o777
            );
        }
        file.take(MAX_SECRET_FILE as u64 + 1).read_to_end(&mut value)
    });
    let text = value.strip_suffix(b"\n").unwrap_or(&value);
    let length = text.strip_suffix(b"\r").unwrap_or(text).len();
    let too_large = value.len() > MAX_SECRET_FILE;
    value.truncate(length);
    let why = match read {
        Err(error) => format!("cannot be read: {error}"),
        Ok(_) if too_large => format!("is larger than {MAX_SECRET_FILE} bytes"),
        Ok(_) if value.is_empty() => "is empty".into(),
        Ok(_) if value.iter().any(|b| b"\n\0".contains(b)) => "has more than one line".into(),
        Ok(_) => return Ok(Found { value, origin }),
    };
    let what = match may_be_secret(path) {
        true => "its value is no path of a file; it is not shown, as it may be the secret".into(),
        false => format!("{} {why}", path.display()),
    };
    Err(Problem::usage(
        format!("{origin}: {what}"),
        "give the path of a file that the user who runs lictor can read, with the secret in one line",
    ))
}

/// The path of a credential of this service, if it has one of that name.
pub(super) fn credential(name: &str) -> Option<PathBuf> {
    let path = credentials()?.join(name);
    path.exists().then_some(path)
}

/// Whether a path is that of a credential.
pub(super) fn is_credential(path: &Path) -> bool {
    credentials().is_some_and(|folder| path.starts_with(folder))
}

fn credentials() -> Option<PathBuf> {
    let folder = std::env::var_os(CREDENTIALS).filter(|path| path.as_bytes().starts_with(b"/"));
    folder.map(PathBuf::from)
}
