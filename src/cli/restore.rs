//! `lictor restore`: a backup in the place of the database.

use std::path::{Path, PathBuf};

use super::args::Args;
use super::backup::{file_of, show, table};
use super::backup_place::{keys_of, newest, stamp};
use super::database::{self, DatabaseFlag};
use super::flag::{Row, flag, group};
use super::key_source::{self, KeySource};
use super::kind::Kind;
use super::output::{date, print};
use super::progress::Line;
use super::prompt::confirmed;
use super::words::of_argument;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::keys::Keys;
use crate::store::Store;

pub(super) const AFTER_HELP: &str = "\
Stop the server first. What is there now is kept under another name, with its keys. All sessions end, and one-time \
links are void: those that were ended since the backup would be good again otherwise. Passwords, roles and second \
factors are those of the backup.";

pub(super) const FLAGS: &[Row] = &[
    flag("FROM", Kind::Path)
        .help("A file that lictor backup has made, or a folder of --keep: then the newest in it"),
    flag("--keep-sessions", Kind::Switch).help(
        "Leave sessions and one-time links as they were; those that were ended or used since \
         the backup are good again",
    ),
    flag("--without-keys", Kind::Switch).help("Restore the database alone"),
    flag("--yes", Kind::Switch).help("Do not ask for confirmation"),
    group(database::FLAGS),
    group(key_source::FLAGS),
];

pub(super) fn run(args: &Args) -> Result<(), Problem> {
    let (from, keep_sessions): (&Path, _) = (args.value("FROM"), args.is_given("--keep-sessions"));
    let (now, database) = (Timestamp::now(), DatabaseFlag::of(args));
    let database = database.find()?;
    let file = file_of(database, "pg_restore --dbname=URL FILE")?;
    let from = match from.is_dir() {
        true => newest(from, now)?,
        false => from.to_owned(),
    };
    let restore = Store::restore(&from, file).map_err(of_argument("FROM or --database"))?;
    let keys = match args.is_given("--without-keys") {
        true => None,
        false => keys(&from, &KeySource::new(args, database, now)?)?,
    };
    let owner = restore.owner()?;
    let shown = std::path::absolute(file).unwrap_or_else(|_| file.into());
    let question = format!("put {} in the place of {}?", describe(&from), shown.display());
    if !args.is_given("--yes") && !confirmed("restoring a database", &question)? {
        return print("nothing was restored");
    }
    let mut line = Line::new();
    let ready =
        restore.prepare(keep_sessions, &audited(keep_sessions, &from), now, &mut |percent| {
            show(&mut line, percent);
        });
    line.clear();
    let ready = ready?;
    let mut text = table(&ready.rows);
    // Nothing is printed before all is done: the output may be closed, or its disk full.
    let kept = ready.put()?;
    text += &format!("\nrestored {} from {}\n", shown.display(), describe(&from));
    if let Some(kept) = kept {
        text += &format!("what was there is {}\n", kept.display());
    }
    if let Some((from, to)) = keys {
        text += &restore_keys(&from, &to, owner, now)?;
    }
    text += consequence(keep_sessions);
    print(&text)
}

fn consequence(keep_sessions: bool) -> &'static str {
    match keep_sessions {
        true => "sessions and links that ended since the backup are good again",
        false => "all sessions have ended: everybody logs in again",
    }
}

/// The path of a backup, and when it was made.
fn describe(from: &Path) -> String {
    let made = made(from).map_or_else(String::new, |at| format!(" (of {at})"));
    format!("{}{made}", from.display())
}

/// What the audit of the restored database says of the backup.
fn audited(keep_sessions: bool, from: &Path) -> String {
    let made = made(from).map_or_else(String::new, |at| format!(" of {at}"));
    let kept = if keep_sessions { "; sessions kept" } else { "" };
    format!("{}{made}{kept}", from.file_name().unwrap_or_default().to_string_lossy())
}

/// When a backup was made: the time of the file.
fn made(from: &Path) -> Option<String> {
    let made = from.metadata().and_then(|found| found.modified()).ok()?;
    let since = made.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(date(Timestamp(i64::try_from(since.as_secs()).ok()?)))
}

/// Where the keys of the backup are, and where they belong; `None` if there are none to restore,
/// which is said.
fn keys(from: &Path, source: &KeySource) -> Result<Option<(PathBuf, PathBuf)>, Problem> {
    let keys = keys_of(from);
    match source.file() {
        Err(_) => {
            log::warn!("SECRET_KEY is the only key, so none is restored");
            Ok(None)
        }
        Ok(_) if !keys.exists() => {
            log::warn!("there is no {}, so no keys are restored", keys.display());
            Ok(None)
        }
        Ok(to) => {
            // A file that holds no keys is refused before anything is changed.
            Keys::read(&keys)?;
            // A link stays one.
            Ok(Some((keys, to.canonicalize().unwrap_or_else(|_| to.to_owned()))))
        }
    }
}

/// A free name for the keys that are there.
fn name_for_old(to: &Path, now: Timestamp) -> PathBuf {
    let stem = to.file_stem().unwrap_or_default().to_string_lossy();
    let mut kept = to.with_file_name(format!("{stem}-replaced-{}.key", stamp(now)));
    for count in 2.. {
        if !kept.exists() {
            break;
        }
        kept = to.with_file_name(format!("{stem}-replaced-{}-{count}.key", stamp(now)));
    }
    kept
}

/// Restores the keys; returns lines that say what was done.
fn restore_keys(
    from: &Path,
    to: &Path,
    owner: (u32, u32),
    now: Timestamp,
) -> Result<String, Problem> {
    let kept = name_for_old(to, now);
    let copied = Keys::copy(from, to, Some(owner), Some(&kept)).map_err(|problem| Problem {
        what: format!("the database is restored, and its keys are not: {}", problem.what),
        ..problem
    })?;
    if !copied {
        return Ok(format!("the keys in {} are the same\n", to.display()));
    }
    let mut text = format!("restored the keys to {}\n", to.display());
    if kept.exists() {
        text += &format!("the keys that were there are {}\n", kept.display());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_several_restores_in_one_second_have_names_of_their_own() {
        let folder = std::env::temp_dir().join(format!("lictor-restores-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for end in ["", "-2", "-3"] {
            let name = name_for_old(&folder.join("a.key"), Timestamp(1_796_001_300));
            assert_eq!(name, folder.join(format!("a-replaced-20261130T011500Z{end}.key")));
            std::fs::write(name, "").unwrap();
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
