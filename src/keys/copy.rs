//! A key file copied for a backup, and back. A reader finds the whole old file or the whole new one.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use super::Keys;
use super::draft::{draft_of, folder_of, write};
use super::file::{parse, sync_directory, text};
use crate::error::Problem;

impl Keys {
    /// Copies a key file as it is. Without `owner`, whoever runs this can read it, and nobody else. With
    /// `owner`, that user can read it: what was at `to` keeps its owner, and its group if that may
    /// read, where that is enough for it.
    /// What was at `to` keeps the name `kept`, if one is given. False if `to` is as it should be
    /// already.
    pub(crate) fn copy(
        from: &Path,
        to: &Path,
        owner: Option<(u32, u32)>,
        kept: Option<&Path>,
    ) -> Result<bool, Problem> {
        let keys = text(from)?;
        parse(from, &keys)?;
        let same = fs::read(to).is_ok_and(|there| there == *keys);
        let readers = owner.map(|owner| Readers::of(to, owner));
        if same && readers.is_some_and(|readers| readers.are_of(to)) {
            return Ok(false);
        }
        let kept = kept.filter(|_| !same);
        put(&keys, to, readers, kept).map(|()| true).map_err(|error| {
            Problem::new(
                format!("cannot write the key file {}: {error}", to.display()),
                "look at the free space and the permissions of its directory, and run this again",
            )
            .with_source(error)
        })
    }
}

/// Who can read a key file.
#[derive(Clone, Copy)]
struct Readers {
    user: u32,
    group: u32,
    mode: u32,
}

impl Readers {
    /// Those of the file at `to`, if `owner` is among them. A file that root has copied there may be
    /// root's: then `owner` alone, or its group where the folder is not its own. A link there may
    /// lead to any file, which must not become its property.
    fn of(to: &Path, owner: (u32, u32)) -> Readers {
        let alone = Readers { user: owner.0, group: owner.1, mode: 0o600 };
        let Ok(found) = fs::metadata(to) else { return alone };
        let (user, group, mode) = (found.uid(), found.gid(), 0o600 | found.mode() & 0o040);
        if owner.0 == 0 || user == owner.0 || mode & 0o040 != 0 && group != 0 {
            return Readers { user, group, mode };
        }
        match fs::metadata(folder_of(to)).is_ok_and(|folder| folder.uid() == owner.0) {
            true => alone,
            false => Readers { user, group: owner.1, mode: 0o640 },
        }
    }

    fn are_of(self, to: &Path) -> bool {
        fs::metadata(to).is_ok_and(|found| {
            (found.uid(), found.gid(), found.mode() & 0o7777) == (self.user, self.group, self.mode)
        })
    }

    fn give(self, file: &File) -> io::Result<()> {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (self.user, self.group) {
            fchown(file, Some(self.user), Some(self.group))?;
        }
        file.set_permissions(Permissions::from_mode(self.mode))
    }
}

fn put(keys: &[u8], to: &Path, readers: Option<Readers>, kept: Option<&Path>) -> io::Result<()> {
    let draft = draft_of(to)?;
    let placed = write(&draft, keys, |file| readers.map_or(Ok(()), |readers| readers.give(file)));
    let placed = placed.and_then(|()| {
        if let Some(kept) = kept.filter(|_| to.exists()) {
            // The name stays as well: without it, a server that starts now would make a new key.
            fs::hard_link(to, kept)?;
        }
        fs::rename(&draft, to)
    });
    if placed.is_err() {
        let _ = fs::remove_file(&draft);
    }
    placed?;
    sync_directory(to)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use super::*;
    use crate::clock::Timestamp;
    use crate::keys::Algorithm;

    #[test]
    fn keys_are_copied_and_those_that_were_there_are_kept() {
        let dir = std::env::temp_dir().join(format!("lictor-keys-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let [ours, copy, kept] = ["a.key", "b.key", "kept.key"].map(|name| dir.join(name));
        let make = |path: &Path| Keys::read_or_create(path, Algorithm::Hs256, Timestamp(1));
        make(&ours).unwrap();
        assert_eq!(Keys::copy(&ours, &copy, None, Some(&kept)), Ok(true));
        assert!(!kept.exists(), "nothing was there");
        assert_eq!(mode(&copy), 0o600);
        fs::set_permissions(&copy, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Keys::copy(&ours, &copy, None, Some(&kept)), Ok(true));
        assert_eq!(mode(&copy), 0o600, "the earlier copy could be read by others");
        assert!(!kept.exists(), "they are the same keys");

        fs::remove_file(&copy).unwrap();
        make(&copy).unwrap();
        let others = fs::read(&copy).unwrap();
        assert_eq!(Keys::copy(&ours, &copy, None, Some(&kept)), Ok(true));
        assert_eq!(fs::read(&copy).unwrap(), fs::read(&ours).unwrap());
        assert_eq!(fs::read(&kept).unwrap(), others);

        fs::write(&ours, "no keys").unwrap();
        let before = fs::read(&copy).unwrap();
        assert!(Keys::copy(&ours, &copy, None, None).is_err());
        assert_eq!(fs::read(&copy).unwrap(), before);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 3, "no draft is left");
        fs::remove_dir_all(&dir).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    /// Rows: the owner of the folder; owner, group and mode of the file that is there, and afterwards.
    #[test]
    fn the_user_of_the_server_can_read_restored_keys() {
        const USER: (u32, u32) = (12_345, 54_321);
        let dir = std::env::temp_dir().join(format!("lictor-readers-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let [ours, other, there] = ["a.key", "b.key", "there.key"].map(|name| dir.join(name));
        for path in [&ours, &other] {
            Keys::read_or_create(path, Algorithm::Hs256, Timestamp(1)).unwrap();
        }
        for (folder, found, expected) in [
            (0, (12_345, 54_321, 0o600), (12_345, 54_321, 0o600)),
            (0, (12_345, 99, 0o666), (12_345, 99, 0o640)),
            (0, (0, 54_321, 0o640), (0, 54_321, 0o640)),
            (12_345, (0, 0, 0o644), (12_345, 54_321, 0o600)),
            (12_345, (0, 54_321, 0o600), (12_345, 54_321, 0o600)),
            // Through a link, it could be any file of root.
            (0, (0, 0, 0o644), (0, 54_321, 0o640)),
            (0, (0, 0, 0o600), (0, 54_321, 0o640)),
        ] {
            for before in [&ours, &other] {
                fs::copy(before, &there).unwrap();
                fs::set_permissions(&there, Permissions::from_mode(found.2)).unwrap();
                // Only root can give a file away; for others there is nothing to see.
                let given = chown(&there, Some(found.0), Some(found.1));
                if given.and_then(|()| chown(&dir, Some(folder), None)).is_err() {
                    continue;
                }
                let changed = before == &other || found != expected;
                assert_eq!(Keys::copy(&ours, &there, Some(USER), None), Ok(changed), "{found:?}");
                let after = fs::metadata(&there).unwrap();
                assert_eq!((after.uid(), after.gid(), mode(&there)), expected, "{found:?}");
            }
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
