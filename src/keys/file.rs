//! The key file: read, and made if it is missing. A reader finds all of a file or none; and a ring is
//! on the disk before one of its keys signs a token.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::draft::{draft_of, folder_of, write};
use super::format::{self, MAX_FILE};
use super::{Algorithm, Key, Keys, Material};
use crate::clock::Timestamp;
use crate::error::Problem;

/// The least bytes of a secret that somebody may give instead of a path; also one that is too short to
/// sign.
const MIN_SECRET: usize = 16;

/// Reads a key file; logs if others can read it as well.
pub(super) fn read(path: &Path) -> Result<Keys, Problem> {
    warn_if_others_can_read(path);
    read_guarded(path)
}

/// Reads a key file, whoever else can read it.
pub(super) fn read_guarded(path: &Path) -> Result<Keys, Problem> {
    parse(path, &text(path)?)
}

/// Reads the text of the key file at `path`.
pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Keys, Problem> {
    format::parse(text).map_err(|problem| Problem {
        what: format!("{}: {}", path.display(), problem.what),
        ..problem
    })
}

/// The text of a key file, if it is not larger than one can be.
pub(super) fn text(path: &Path) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let shown = path.display();
    // With room for all of it from the start: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE + 64));
    File::open(path)
        .and_then(|file| file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| cannot_read(path, error))?;
    if bytes.trim_ascii().is_empty() {
        return Err(Problem::new(
            format!("the key file {shown} is empty"),
            "restore it from a backup; if it never held a key, delete it, or write one into it: \
             openssl rand -hex 32",
        ));
    }
    if bytes.len() > MAX_FILE {
        return Err(Problem::new(
            format!("the key file {shown} is larger than {MAX_FILE} bytes"),
            "give the path of a file that holds nothing but keys",
        ));
    }
    Ok(bytes)
}

/// Reads the key file, or makes one; true if it is new.
pub(super) fn read_or_create(
    path: &Path,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<(Keys, bool), Problem> {
    if path.exists() {
        return Ok((read(path)?, false));
    }
    let new = create(path, &Key::generate(algorithm, now)?);
    let new = new.map_err(|error| cannot_write(path, error))?;
    // The file may be that of another process, which was faster.
    Ok((read(path)?, new))
}

/// Makes the file; false if another process has made it meanwhile.
fn create(path: &Path, key: &Key) -> io::Result<bool> {
    let text = match key.material() {
        // A single secret is written as plain text, which other programs can read.
        Material::Hs256(secret) => {
            let mut line = Zeroizing::new(Vec::with_capacity(secret.bytes().len() + 1));
            line.extend_from_slice(secret.bytes());
            line.push(b'\n');
            line
        }
        Material::EdDsa(_) => {
            let ring = format::render(&Keys { ring: vec![key.clone()], short: None });
            Zeroizing::new(ring.as_bytes().to_vec())
        }
    };
    let draft = draft_of(path)?;
    let written = write(&draft, &text, |file| give_to_owner_of_folder(file, path));
    let made = written.and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        linked => linked.map(|()| true),
    });
    // The error of making the file comes before one of removing the draft.
    let removed = fs::remove_file(&draft);
    let made = made?;
    removed?;
    sync_directory(path)?;
    Ok(made)
}

/// Root may make the key of a server that runs as another user. By the open file: whoever owns the
/// folder can put a link to any other file there.
fn give_to_owner_of_folder(draft: &File, path: &Path) -> io::Result<()> {
    let (own, folder) = (draft.metadata()?, fs::metadata(folder_of(path))?);
    if own.uid() != 0 || (own.uid(), own.gid()) == (folder.uid(), folder.gid()) {
        return Ok(());
    }
    fchown(draft, Some(folder.uid()), Some(folder.gid()))
}

/// Syncs the directory: the name of the file must survive a power cut, because its keys sign tokens.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

pub(super) fn cannot_write(path: &Path, error: io::Error) -> Problem {
    let next = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free space on its disk".into(),
        ErrorKind::ReadOnlyFilesystem => "its file system is mounted read-only: change that".into(),
        ErrorKind::NotFound => "make its directory".into(),
        _ => format!("let the user that runs lictor write in {}", folder_of(path).display()),
    };
    Problem::new(format!("cannot write the key file {}: {error}", path.display()), next)
        .with_source(error)
}

/// Whether what should be the path of a file with a secret may be the secret itself: there is no such
/// file, and none of the folders above it. Then it is not shown.
pub(crate) fn may_be_secret(path: &Path) -> bool {
    let is_folder = |above: &Path| above.parent().is_some() && above.is_dir();
    !path.exists()
        && path.extension().is_none_or(|ending| ending != "key")
        && !path.ancestors().skip(1).any(is_folder)
}

pub(super) fn cannot_read(path: &Path, error: io::Error) -> Problem {
    // A shorter one would not do as a key.
    if path.as_os_str().len() >= MIN_SECRET && may_be_secret(path) {
        return Problem::new(
            "the setting for the key file names no file; it is not shown, as it may be the key itself",
            "give the path of a file with the key; SECRET_KEY takes the key itself",
        );
    }
    let shown = path.display();
    let next = match error.kind() {
        ErrorKind::NotFound => {
            format!("check the path, or make the file: (umask 077; openssl rand -hex 32 > {shown})")
        }
        ErrorKind::IsADirectory => {
            return Problem::new(
                format!("the key file {shown} is a directory"),
                "give the path of a file",
            );
        }
        ErrorKind::PermissionDenied => "let the user that runs lictor read it".into(),
        _ => "give the path of a file that holds nothing but keys".into(),
    };
    Problem::new(format!("cannot read the key file {shown}: {error}"), next).with_source(error)
}

/// The file that was warned of last: a start reads it several times.
static WARNED: Mutex<Option<PathBuf>> = Mutex::new(None);

fn warn_if_others_can_read(path: &Path) {
    // What cannot be read at all is refused when it is read.
    let Ok(found) = fs::metadata(path) else { return };
    let mode = found.permissions().mode();
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if found.is_file() && mode & 0o077 != 0 && warned.as_deref() != Some(path) {
        *warned = Some(path.to_owned());
        log::warn!(
            "other users can read the key file {0} (mode {1:o}); change that: chmod 600 {0}",
            path.display(),
            mode & 0o777
        );
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000);

    /// A private directory that goes away with the value.
    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Dir {
            let path = std::env::temp_dir().join(format!("lictor-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Dir(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_key_file_is_made_kept_and_changed() {
        let dir = Dir::new("made");
        let path = dir.0.join("a.key");
        let (made, new) = read_or_create(&path, Algorithm::Hs256, NOW).unwrap();
        assert!(new && mode(&path) == 0o600);
        let plain = fs::read(&path).unwrap();
        assert_eq!(plain.len(), 65);
        let (kept, new) = read_or_create(&path, Algorithm::EdDsa, NOW).unwrap();
        assert!(!new && kept.iter().eq(made.iter()));

        let changed = Keys::update(&path, |keys| keys.with_new(Algorithm::EdDsa, NOW)).unwrap();
        assert!(read(&path).unwrap().iter().eq(changed.iter()));
        assert_eq!(changed.iter().count(), 2);
        assert!(changed.current(Some(Algorithm::Hs256)) == made.current(None));
        assert_eq!(dir.names(), ["a.key"], "no draft is left");

        let other = dir.0.join("b.key");
        let (made, _) = read_or_create(&other, Algorithm::EdDsa, NOW).unwrap();
        assert_eq!(made.current(None).unwrap().algorithm(), Algorithm::EdDsa);
        assert_eq!(made.current(None).unwrap().created(), Some(NOW));
    }

    #[test]
    fn a_file_that_cannot_be_written_has_a_next_step() {
        for (kind, next) in [
            (ErrorKind::StorageFull, "free space on its disk"),
            (ErrorKind::ReadOnlyFilesystem, "mounted read-only"),
            (ErrorKind::NotFound, "make its directory"),
            (ErrorKind::PermissionDenied, "write in keys"),
        ] {
            let problem = cannot_write(Path::new("keys/a.key"), kind.into());
            assert!(problem.next.contains(next), "{problem}");
        }
    }

    #[test]
    fn a_secret_in_the_place_of_a_path_is_not_shown() {
        let dir = Dir::new("secret");
        let there = dir.0.join("sesame-sesame-sesame");
        fs::write(&there, "").unwrap();
        let missing = dir.0.join("sesame/sesame/sesame");
        for (path, hidden) in [
            ("sesame-sesame-sesame-sesame", true),
            ("sesame.sesame/sesame+sesame==", true),
            ("/sesame/sesame/sesame+sesame=", true),
            ("sesame-sesame.key", false),
            ("/sesame/sesame.key", false),
            ("sesame", false),
            (there.to_str().unwrap(), false),
            (missing.to_str().unwrap(), false),
        ] {
            let problem = cannot_read(Path::new(path), ErrorKind::NotFound.into()).to_string();
            assert_eq!(!problem.contains("sesame"), hidden, "{problem}");
        }
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let dir = Dir::new("fails");
        let path = dir.0.join("a.key");
        read_or_create(&path, Algorithm::Hs256, NOW).unwrap();
        let before = fs::read(&path).unwrap();
        assert!(Keys::update(&path, |_| Err(Problem::new("no", "no"))).is_err());
        assert_eq!((fs::read(&path).unwrap(), dir.names()), (before, vec!["a.key".into()]));
        assert!(Keys::update(&dir.0.join("missing"), Ok).is_err());
    }

    #[test]
    fn a_link_stays_and_permissions_are_copied_in_part() {
        let dir = Dir::new("link");
        let (path, link) = (dir.0.join("a.key"), dir.0.join("link"));
        read_or_create(&path, Algorithm::Hs256, NOW).unwrap();
        symlink("a.key", &link).unwrap();
        for (before, after) in [(0o600, 0o600), (0o640, 0o640), (0o664, 0o640), (0o644, 0o640)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
            Keys::update(&link, Ok).unwrap();
            assert_eq!(mode(&path), after);
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_file_that_cannot_be_made_says_why() {
        let dir = Dir::new("closed");
        fs::set_permissions(&dir.0, fs::Permissions::from_mode(0o500)).unwrap();
        // Root may write all the same; for others there is something to see.
        if let Err(problem) = read_or_create(&dir.0.join("a.key"), Algorithm::Hs256, NOW) {
            assert!(problem.what.contains("Permission denied"), "{problem}");
        }
        fs::set_permissions(&dir.0, fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn the_owner_stays_when_root_changes_keys() {
        let dir = Dir::new("owner");
        let path = dir.0.join("a.key");
        read_or_create(&path, Algorithm::Hs256, NOW).unwrap();
        // Only root can give a file away; for others there is nothing to see.
        if std::os::unix::fs::chown(&path, Some(12_345), Some(54_321)).is_ok() {
            Keys::update(&path, Ok).unwrap();
            let owner = fs::metadata(&path).unwrap();
            assert_eq!((owner.uid(), owner.gid(), mode(&path)), (12_345, 54_321, 0o600));
        }
    }

    #[test]
    fn a_new_file_belongs_to_the_owner_of_its_folder() {
        let dir = Dir::new("folder");
        if std::os::unix::fs::chown(&dir.0, Some(12_345), Some(54_321)).is_ok() {
            let path = dir.0.join("a.key");
            read_or_create(&path, Algorithm::Hs256, NOW).unwrap();
            let owner = fs::metadata(&path).unwrap();
            assert_eq!((owner.uid(), owner.gid(), mode(&path)), (12_345, 54_321, 0o600));
        }
    }

    #[test]
    fn no_key_is_lost_when_several_threads_rotate() {
        let dir = Dir::new("crowd");
        let path = dir.0.join("a.key");
        read_or_create(&path, Algorithm::Hs256, NOW).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..7 {
                scope.spawn(|| {
                    Keys::update(&path, |keys| keys.with_new(Algorithm::Hs256, NOW)).unwrap()
                });
            }
        });
        assert_eq!(read(&path).unwrap().iter().count(), 8);
    }
}
