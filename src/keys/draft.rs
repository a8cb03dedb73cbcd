//! The draft of a key file: written beside it, until it is complete and gets its name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::format;

/// The random hexadecimal digits at the end of a draft's name.
const DRAFT_DIGITS: usize = 16;
/// A draft is there for a moment. One that is older was left by a process that was killed.
const DRAFT_TIME: Duration = Duration::from_secs(3_600);

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

/// A new name beside the file. The ring is written there first, so the file is always complete. Deletes
/// what killed processes have left there.
pub(super) fn draft_of(path: &Path) -> io::Result<PathBuf> {
    let finished = path.with_extension("key");
    remove_old_drafts(folder_of(path), &|name| finished.file_name() == Some(name.as_ref()));
    let mut name = [0u8; DRAFT_DIGITS / 2];
    getrandom::fill(&mut name).map_err(io::Error::other)?;
    Ok(path.with_extension(format!("key.{}", *format::hex(&name))))
}

/// Deletes the drafts in a folder that killed processes have left. `is_ours` gets the name of the file
/// that each would have become. What cannot be deleted stays.
pub(crate) fn remove_old_drafts(folder: &Path, is_ours: &dyn Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let parts = name.to_str().and_then(|name| name.rsplit_once('.'));
        let is_draft = parts.is_some_and(|(finished, digits)| {
            digits.len() == DRAFT_DIGITS && format::is_hex(digits) && is_ours(finished)
        });
        // Of the entry itself: a link is none of ours.
        let old = |found: &fs::Metadata| {
            let age = found.modified().ok().and_then(|at| at.elapsed().ok());
            found.is_file() && age.is_some_and(|age| age > DRAFT_TIME)
        };
        if is_draft && entry.metadata().is_ok_and(|found| old(&found)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

pub(super) fn write(
    draft: &Path,
    text: &[u8],
    prepare: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    prepare(&file)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_draft_that_a_killed_process_has_left_is_deleted_by_the_next_one() {
        let dir = std::env::temp_dir().join(format!("lictor-drafts-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let names = [
            ("a.key.0123456789abcdef", true),
            ("a.key.0123456789abcde", false),
            ("a.key.0123456789abcdeg", false),
            ("a.key.0123456789ABCDEF", false),
            ("b.key.0123456789abcdef", false),
            ("a.0123456789abcdef", false),
            ("a.key", false),
        ];
        for old in [false, true] {
            for (name, _) in names {
                let file = File::create(dir.join(name)).unwrap();
                if old {
                    let at = std::time::SystemTime::now() - DRAFT_TIME - Duration::from_secs(60);
                    file.set_modified(at).unwrap();
                }
            }
            symlink("nowhere", dir.join("a.key.fedcba9876543210")).unwrap();
            // The key itself may have another ending, or none.
            for path in ["a", "a.key", "a.secret"] {
                assert!(!draft_of(&dir.join(path)).unwrap().exists());
            }
            for (name, ours) in names {
                assert_eq!(dir.join(name).exists(), !(old && ours), "{name}");
            }
            fs::remove_file(dir.join("a.key.fedcba9876543210")).unwrap();
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
