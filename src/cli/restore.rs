//! `lictor restore`: a backup in the place of the database.

use std::path::Path;

use super::args::Args;
use super::backup::{file_of, show, table};
use super::backup_place::{newest, time_in_name};
use super::database::{self, DatabaseFlag};
use super::flag::{Row, flag, group};
use super::key_source::{self, KeySource};
use super::kind::Kind;
use super::output::{date, print};
use super::progress::Line;
use super::prompt::confirmed;
use super::restored_keys::{KeyPlan, Replace};
use super::words::of_argument;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::store::{Database, Store};

pub(super) const AFTER_HELP: &str = "\
Stop the server first. What is there now is kept under another name. All sessions end, and one-time links are \
void: those that were ended since the backup would be good again otherwise. Passwords, roles and second factors \
are those of the backup. Keys that are there stay, because those of the backup may have been retired since; where \
there are none, those of the backup are restored.";

pub(super) const FLAGS: &[Row] = &[
    flag("FROM", Kind::Path)
        .help("A file that lictor backup has made, or a folder of --keep: then the newest in it"),
    flag("--keep-sessions", Kind::Switch).help(
        "Leave sessions and one-time links as they were; those that were ended or used since \
         the backup are good again. Restores the keys if one that may have signed their tokens \
         is missing",
    ),
    flag("--with-keys", Kind::Switch).excludes(&["--without-keys"]).help(
        "Restore the keys even if there are some, which are kept under another name; keys that \
         were retired since the backup are good again",
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
    let keys = key_plan(args, &from, database, now)?;
    let owner = restore.owner()?;
    let shown = std::path::absolute(file).unwrap_or_else(|_| file.into());
    let places = format!("{} in the place of {}", describe(&from), shown.display());
    let question = format!("put {places}{}?", keys.question());
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
    text += &keys.carry_out(owner, now)?;
    text += consequence(keep_sessions);
    print(&text)
}

/// What is to be done with the keys; warns of those that may be retired.
fn key_plan(
    args: &Args,
    from: &Path,
    database: &Database,
    now: Timestamp,
) -> Result<KeyPlan, Problem> {
    if args.is_given("--without-keys") {
        return Ok(KeyPlan::Nothing);
    }
    let replace = match (args.is_given("--with-keys"), args.is_given("--keep-sessions")) {
        (true, _) => Replace::Always,
        (false, true) => Replace::IfSomeAreMissing,
        (false, false) => Replace::Never,
    };
    let keys = KeyPlan::new(from, &KeySource::new(args, database, now)?, replace)?;
    if let Some(warning) = keys.warning() {
        log::warn!("{warning}");
    }
    Ok(keys)
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

/// When a backup was made: the time in its name, which stays when the file is copied, or that of the
/// file.
fn made(from: &Path) -> Option<String> {
    let name = from.file_name().and_then(|name| name.to_str());
    if let Some(made) = name.and_then(time_in_name) {
        return Some(made);
    }
    let made = from.metadata().and_then(|found| found.modified()).ok()?;
    let since = made.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(date(Timestamp(i64::try_from(since.as_secs()).ok()?)))
}
