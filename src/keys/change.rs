//! Changes to a ring: a new key in front, an old one removed, and the key file replaced. The command
//! line makes them; a server never does. A reader finds the whole old ring or the whole new one.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use super::draft::{draft_of, write};
use super::file::{cannot_read, cannot_write, read, sync_directory};
use super::{Algorithm, Key, Keys, Secret, format};
use crate::clock::Timestamp;
use crate::error::Problem;

impl Keys {
    /// Replaces the ring in a key file by the one that `change` returns. A lock lets one process at a
    /// time do so.
    pub(crate) fn update(
        path: &Path,
        change: impl FnOnce(Keys) -> Result<Keys, Problem>,
    ) -> Result<Keys, Problem> {
        // Follows links: the file is replaced, not a link to it.
        let path = &fs::canonicalize(path).map_err(|error| cannot_read(path, error))?;
        let old = lock(path).map_err(|error| cannot_read(path, error))?;
        let keys = change(read(path)?)?;
        replace(path, &old, &keys).map_err(|error| cannot_write(path, error))?;
        Ok(keys)
    }

    /// The ring with a new key in front of it.
    pub(crate) fn with_new(
        mut self,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Keys, Problem> {
        // A clock that was set back must not make the new key look older than the last one.
        let newest = self.ring.iter().filter_map(Key::created).max().unwrap_or(now);
        self.ring.insert(0, Key::generate(algorithm, now.max(newest))?);
        Keys::of(self.ring)
    }

    /// Whether the key is the newest of its algorithm. Such a key may sign: which algorithm signs
    /// depends on the settings of the server.
    #[cfg(feature = "cli")]
    pub(crate) fn is_newest(&self, key: &Key) -> bool {
        self.current(Some(key.algorithm())) == Some(key)
    }

    /// The ring without one of its keys.
    pub(crate) fn without(mut self, key: &Key) -> Result<Keys, Problem> {
        self.ring.retain(|one| one != key);
        Keys::of(self.ring)
    }

    /// `secret` in front of the keys of a file, which may contain it as well.
    pub(crate) fn behind(secret: Secret, file: Keys) -> Result<Keys, Problem> {
        let Keys { ring: mut keys, .. } = Keys::from(secret);
        let first = keys[0].material.clone();
        keys.extend(file.ring.into_iter().filter(|key| key.material != first));
        Keys::of(keys)
    }

    /// The oldest key alone. Every server that uses the ring has it, even one that was not restarted
    /// since the last rotation.
    #[cfg(feature = "cli")]
    pub(crate) fn oldest(&self) -> Keys {
        Keys { ring: self.ring.last().cloned().into_iter().collect(), short: None }
    }
}

/// Opens and locks the file; closing it ends the lock.
fn lock(path: &Path) -> io::Result<File> {
    loop {
        let file = File::open(path)?;
        file.lock()?;
        // The process that had the lock may have put another file there: lock that one.
        if file.metadata()?.ino() == fs::metadata(path)?.ino() {
            return Ok(file);
        }
    }
}

fn replace(path: &Path, old: &File, keys: &Keys) -> io::Result<()> {
    let draft = draft_of(path)?;
    let replaced = write(&draft, format::render(keys).as_bytes(), |new| copy_permissions(old, new))
        .and_then(|()| fs::rename(&draft, path));
    if replaced.is_err() {
        let _ = fs::remove_file(&draft);
    }
    replaced?;
    sync_directory(path)
}

/// Gives the new file the old one's owner, and the right to read to the group if it had it. Root may
/// change the keys of a server that runs as another user and must read them at its next start.
fn copy_permissions(old: &File, new: &File) -> io::Result<()> {
    let (from, to) = (old.metadata()?, new.metadata()?);
    if (from.uid(), from.gid()) != (to.uid(), to.gid()) {
        fchown(new, Some(from.uid()), Some(from.gid()))?;
    }
    new.set_permissions(fs::Permissions::from_mode(0o600 | from.mode() & 0o040))
}
