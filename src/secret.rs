//! The secret that signs tokens: from the environment's text, or from a key file that is made
//! when there is none.

use std::fmt::{self, Write as _};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::Problem;

/// Bytes that a secret must have: as many as an HMAC-SHA-256 puts out (RFC 7518 section 3.2).
const MIN_BYTES: usize = 32;
/// A key file larger than this is not one.
const MAX_FILE: u64 = 4096;

/// The signing secret: at least 32 bytes, wiped when dropped, never shown.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the raw bytes, as PyJWT does with a `SECRET_KEY`.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Secret, Problem> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.len() < MIN_BYTES {
            return Err(Problem::usage(
                format!("the secret key has {} bytes; it needs at least {MIN_BYTES}", bytes.len()),
                "make one with `openssl rand -hex 32`, or unset SECRET_KEY and let lictor make a \
                 key file",
            ));
        }
        Ok(Secret(bytes))
    }

    /// Reads a key file; a line end at its end does not count.
    pub fn read(path: &Path) -> Result<Secret, Problem> {
        let shown = path.display();
        // With room for all of it from the start: growing would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE as usize + 64));
        fs::File::open(path)
            .and_then(|file| {
                warn_if_others_can_read(&file, path)?;
                file.take(MAX_FILE + 1).read_to_end(&mut bytes)
            })
            .map_err(|error| {
                let next = match error.kind() {
                    ErrorKind::NotFound => {
                        "check the path, or make it: openssl rand -hex 32 > FILE"
                    }
                    _ => "let the user that runs lictor read it",
                };
                Problem::new(format!("cannot read the key file {shown}: {error}"), next)
            })?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(Problem::new(
                format!("the key file {shown} is larger than {MAX_FILE} bytes"),
                "give the path of a file that holds nothing but the secret",
            ));
        }
        let end = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let end = end.strip_suffix(b"\r").unwrap_or(end);
        Secret::new(end)
            .map_err(|problem| Problem { what: format!("{shown}: {}", problem.what), ..problem })
    }

    /// Reads the key file, or makes one with 32 random bytes, written as 64 hexadecimal digits,
    /// that only its owner can read. Says whether it was made now.
    pub fn read_or_create(path: &Path) -> Result<(Secret, bool), Problem> {
        if path.exists() {
            return Ok((Secret::read(path)?, false));
        }
        match create(path) {
            // Not made now: another lictor was faster.
            Ok(new) => Ok((Secret::read(path)?, new)),
            Err(error) => Err(Problem::new(
                format!("cannot write the key file {}: {error}", path.display()),
                "make its directory writable, or set SECRET_KEY",
            )),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// False if there is a file by now.
fn create(path: &Path) -> io::Result<bool> {
    let mut random = Zeroizing::new([0u8; MIN_BYTES + 8]);
    getrandom::fill(&mut *random).map_err(io::Error::other)?;
    let (key, name) = random.split_at(MIN_BYTES);
    let mut line = hex(key);
    line.push('\n');
    // Written under a name of its own first: who finds the file finds the whole key in it.
    let draft = path.with_extension(format!("key.{}", *hex(name)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_all());
    let made = written.and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        linked => linked.map(|()| true),
    });
    fs::remove_file(&draft)?;
    // The name must survive a power cut as well, since tokens will be out that it signed.
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    fs::File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    made
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len() + 1));
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn warn_if_others_can_read(file: &fs::File, path: &Path) -> io::Result<()> {
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        log::warn!(
            "other users can read the key file {0} (mode {1:o}); change that: chmod 600 {0}",
            path.display(),
            mode & 0o777
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_secrets_are_refused_and_none_is_shown() {
        assert!(Secret::new(*b"0123456789abcdef0123456789abcde").is_err());
        let secret = Secret::new(*b"0123456789abcdef0123456789abcdef").unwrap();
        assert!(!format!("{secret:?}").contains("0123"));
    }
}
