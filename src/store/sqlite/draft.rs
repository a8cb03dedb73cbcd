//! A file that gets its name only when it is complete and on the disk: a copy of a database.
//!
//! The draft has a fixed name beside the file, so that what a killed process has left is found and
//! replaced by the next one. A lock shows whether the process that writes it is still there.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::identity::is_at;
use super::problems::cannot_write;
use super::swap::sync_directory;
use crate::error::Problem;

/// A file without its name. Dropping it deletes it.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    /// Locked until the draft is put in place or deleted.
    file: File,
    placed: bool,
}

impl Draft {
    /// Makes an empty draft, which only its owner can read: `name` with the ending `.partial`.
    pub(super) fn begin(name: &Path) -> Result<Draft, Problem> {
        let path = named(name, ".partial");
        let failed = |error| cannot_write(name, error);
        loop {
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => {
                    file.lock().map_err(failed)?;
                    // Another process may have taken it for one that a killed process has left.
                    if is_at(&file, &path) {
                        return Ok(Draft { path, file, placed: false });
                    }
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => remove_left(&path)?,
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Where it is for now.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it the owner of another file.
    pub(super) fn give_to(&self, (user, group): (u32, u32)) -> io::Result<()> {
        let own = self.file.metadata()?;
        match (own.uid(), own.gid()) == (user, group) {
            true => Ok(()),
            false => std::os::unix::fs::fchown(&self.file, Some(user), Some(group)),
        }
    }

    /// Writes it to the disk and gives it its name, in the place of a file that has it.
    pub fn put(mut self, target: &Path) -> Result<(), Problem> {
        let failed = |error| cannot_write(target, error);
        self.file.sync_all().and_then(|()| fs::rename(&self.path, target)).map_err(failed)?;
        self.placed = true;
        sync_directory(target).map_err(failed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.placed {
            let _ = fs::remove_file(named(&self.path, "-journal"));
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Deletes a draft that a killed process has left; an error if its process is still there.
fn remove_left(path: &Path) -> Result<(), Problem> {
    let failed = |error| cannot_write(path, error);
    // A link would lead to a file that is none of ours.
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.is_file() => return Err(failed(ErrorKind::AlreadyExists.into())),
        Ok(_) => {}
    }
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(failed)?,
    };
    match file.try_lock() {
        Ok(()) if is_at(&file, path) => fs::remove_file(path).map_err(failed),
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Problem::new(
            format!("another process writes {}", path.display()),
            "wait until it is done",
        )),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn named(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::super::tests::Place;
    use super::*;

    #[test]
    fn one_process_writes_a_draft_and_what_it_leaves_is_replaced() {
        let place = Place::new("draft");
        let (name, partial) = (place.0.join("copy.db"), place.0.join("copy.db.partial"));
        let draft = Draft::begin(&name).unwrap();
        let second = Draft::begin(&name).unwrap_err();
        assert!(second.what.contains("another process writes"), "{second}");
        drop(draft);
        assert!(!partial.exists() && !name.exists(), "a draft is not left");

        fs::write(&partial, "of a process that was killed").unwrap();
        let draft = Draft::begin(&name).unwrap();
        assert_eq!(fs::metadata(&partial).unwrap().len(), 0);
        assert_eq!(fs::metadata(&partial).unwrap().mode() & 0o777, 0o600);
        draft.put(&name).unwrap();
        assert!(!partial.exists() && name.exists());
    }
}
