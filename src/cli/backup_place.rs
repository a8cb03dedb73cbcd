//! Where backups are: the names of a copy and its keys, and which of many are deleted.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::output::date;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::keys::remove_old_drafts;
use crate::store::Database;

/// What is around the time in the names of a dated backup and its keys.
const BEFORE: &str = "lictor-";
const COPY: &str = ".db";
const KEYS: &str = ".key";

/// A time as it stands in names: `20261130T011500Z`.
pub(super) fn stamp(now: Timestamp) -> String {
    date(now).replace(['-', ':'], "")
}

/// The name of a backup in a folder of many.
pub(super) fn dated(folder: &Path, now: Timestamp) -> PathBuf {
    folder.join(format!("{BEFORE}{}{COPY}", stamp(now)))
}

/// Where the keys of a backup are: the default place of the keys of a database with this name.
pub(super) fn keys_of(backup: &Path) -> PathBuf {
    Database::from(backup).default_key_file()
}

/// Makes the folder if it is not there.
pub(super) fn make_folder(folder: &Path) -> Result<(), Problem> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists || !folder.is_dir() => {
            Err(Problem::new(
                format!("cannot make the folder {}: {error}", folder.display()),
                "give a folder, or a name in one that you may write in",
            )
            .with_source(error))
        }
        _ => Ok(()),
    }
}

/// The dated files in a folder whose names end so, the oldest first.
fn all(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Problem> {
    let entries = fs::read_dir(folder).map_err(|error| {
        let what = format!("cannot read the folder {}: {error}", folder.display());
        Problem::new(what, "look at its permissions").with_source(error)
    })?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| is_dated(name, ending)).collect();
    names.sort_unstable();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Whether it is the name of a dated backup, or of its keys: then it may be deleted.
fn is_dated(name: &str, ending: &str) -> bool {
    stamp_in(name, ending).is_some()
}

/// The time in the name of a dated backup, or of its keys: `20261130T011500Z`.
fn stamp_in<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    let stamp = name.strip_prefix(BEFORE)?.strip_suffix(ending)?;
    let shape = stamp.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    shape.eq(*b"00000000T000000Z").then_some(stamp)
}

/// The time in the name of a dated backup, as people read it: `2026-11-30T01:15:00Z`.
pub(super) fn time_in_name(name: &str) -> Option<String> {
    let stamp = stamp_in(name, COPY)?;
    // The stamp is ASCII, of exactly this length.
    let part = |range: std::ops::Range<usize>| &stamp[range];
    let [year, month, day] = [part(0..4), part(4..6), part(6..8)];
    let [hour, minute, second] = [part(9..11), part(11..13), part(13..15)];
    Some(format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// The newest dated backup in a folder that is not later than `now`. If all are later, the clock is
/// behind.
pub(super) fn newest(folder: &Path, now: Timestamp) -> Result<PathBuf, Problem> {
    let all = all(folder, COPY)?;
    let made = made_by(&all, &dated(folder, now));
    let newest = all[..made].last().or(all.last());
    newest.cloned().ok_or_else(|| {
        Problem::new(
            format!("there is no backup in {}", folder.display()),
            "give the path of a file that lictor backup has made",
        )
    })
}

/// How many of the names, which are in order, are not later than `last`; warns of later ones.
fn made_by(names: &[PathBuf], last: &Path) -> usize {
    let made = names.partition_point(|name| &**name <= last);
    if let Some(later) = names.get(made) {
        log::warn!(
            "{} has a time that is yet to come, so the clock was ahead or is behind; it is not \
             counted: look at the clock, or move it away",
            later.display()
        );
    }
    made
}

/// Deletes all but the newest `keep` dated backups up to the one that was `made` now. Later names
/// neither count nor are deleted: the clock was ahead. Keys that are older than all of these go as well,
/// since a backup that was killed leaves keys without a copy, and so do its drafts. Returns how many
/// backups were deleted.
pub(super) fn prune(folder: &Path, keep: usize, made: &Path) -> Result<usize, Problem> {
    let mut old = all(folder, COPY)?;
    let kept = old.split_off(made_by(&old, made).saturating_sub(keep));
    let oldest = kept.first().map(|kept| keys_of(kept));
    let mut keys = all(folder, KEYS)?;
    keys.retain(|keys| oldest.as_ref().is_some_and(|oldest| keys < oldest));
    // Copies first: keys alone are no backup, but a copy without its keys looks like one.
    for file in old.iter().chain(&keys) {
        match fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let what = format!("cannot delete the old backup {}: {error}", file.display());
                let next = "the new one is complete; delete old ones by hand";
                return Err(Problem::new(what, next).with_source(error));
            }
            _ => {}
        }
    }
    remove_old_drafts(folder, &|name| is_dated(name, KEYS));
    Ok(old.len())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn only_names_of_our_own_are_dated() {
        for (name, expected) in [
            ("lictor-20261130T011500Z.db", true),
            ("lictor-20261130T011500Z.key", false),
            ("lictor-20261130T011500Z.db.partial", false),
            ("lictor-20261130T011500Z-2.db", false),
            ("lictor-replaced-20261130T011500Z.db", false),
            ("lictor-2026113OT011500Z.db", false),
            ("lictor-.db", false),
            ("lictor.db", false),
            ("users.db", false),
        ] {
            assert_eq!(is_dated(name, COPY), expected, "{name}");
        }
        assert_eq!(time_in_name("lictor-2026113OT011500Z.db"), None);
        let time = time_in_name("lictor-20261130T011500Z.db").unwrap();
        assert_eq!(time, date(Timestamp(1_796_001_300)));
        let made = dated(Path::new("/b"), Timestamp(1_796_001_300));
        assert_eq!(made, Path::new("/b/lictor-20261130T011500Z.db"));
        assert!(is_dated(made.file_name().unwrap().to_str().unwrap(), COPY));
        assert!(is_dated(keys_of(&made).file_name().unwrap().to_str().unwrap(), KEYS));
        assert_eq!(keys_of(&made), Path::new("/b/lictor-20261130T011500Z.key"));
    }

    #[test]
    fn the_oldest_go_and_what_is_no_backup_stays() {
        let folder = std::env::temp_dir().join(format!("lictor-prune-{}", std::process::id()));
        make_folder(&folder).unwrap();
        make_folder(&folder).unwrap();
        let newest = |day: i64| newest(&folder, Timestamp(1_794_355_200 + 86_400 * (day - 11)));
        assert!(newest(14).is_err());
        let names = |days: &[u32]| -> Vec<PathBuf> {
            days.iter().map(|day| folder.join(format!("lictor-202611{day}T000000Z.db"))).collect()
        };
        for path in names(&[11, 12, 13, 14]) {
            fs::write(keys_of(&path), "").unwrap();
            fs::write(path, "").unwrap();
        }
        let make = |name: &str| fs::write(folder.join(name), "").unwrap();
        make("lictor.db");
        // A killed backup has left the first; of the other, nobody knows.
        let orphans = ["1", "3"].map(|day| format!("lictor-2026111{day}T120000Z.key"));
        orphans.iter().for_each(|name| make(name));
        let drafts = ["lictor-20261113T000000Z.key", "lictor-20261114T000000Z.key", "lictor.key"]
            .map(|name| format!("{name}.0123456789abcdef"));
        drafts.iter().for_each(|name| make(name));
        for old in [0, 2] {
            let draft = fs::File::options().write(true).open(folder.join(&drafts[old])).unwrap();
            draft.set_modified(SystemTime::now() - Duration::from_secs(4_000)).unwrap();
        }
        assert_eq!(newest(14).unwrap(), names(&[14])[0]);
        assert_eq!(newest(12).unwrap(), names(&[12])[0]);
        assert_eq!(newest(10).unwrap(), names(&[14])[0], "the clock is behind");
        assert_eq!(prune(&folder, 3, &names(&[14])[0]).unwrap(), 1);
        assert_eq!(all(&folder, COPY).unwrap(), names(&[12, 13, 14]));
        assert!(!keys_of(&names(&[11])[0]).exists() && keys_of(&names(&[12])[0]).exists());
        let there = |names: &[String]| -> Vec<bool> {
            names.iter().map(|name| folder.join(name).exists()).collect()
        };
        assert_eq!(there(&orphans), [false, true]);
        assert_eq!(there(&drafts), [false, true, true]);
        // The clock was ahead when the others were made.
        assert_eq!(prune(&folder, 2, &names(&[13])[0]).unwrap(), 0);
        assert_eq!(prune(&folder, 1, &names(&[13])[0]).unwrap(), 1);
        assert_eq!(all(&folder, COPY).unwrap(), names(&[13, 14]));
        assert!(folder.join("lictor.db").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
