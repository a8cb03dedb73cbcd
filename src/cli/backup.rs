//! `lictor backup`: a checked copy of the database and its keys, while the server runs.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use super::args::Args;
use super::backup_place::{dated, keys_of, make_folder, prune};
use super::database::{self, DatabaseFlag};
use super::flag::{Row, flag, group};
use super::key_source::{self, KeySource};
use super::kind::Kind;
use super::output::print;
use super::progress::{Line, grouped};
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::keys::Keys;
use crate::net::lower_priority;
use crate::store::{Database, Rows, Store};

/// The nice value of the copy and its check.
const NICE: i32 = 19;
/// The name under which a backup in a folder is written until it is complete.
const DRAFT: &str = "lictor-backup";

pub(super) const AFTER_HELP: &str = "\
The copy is the database at one moment, and has all that was acknowledged before the command began. \
It is read as a whole and checked before it gets its name; the keys are beside it, with the ending \
.key. Only you can read them: whoever has the keys can log in as anybody. `lictor restore` brings \
both back.

Examples:
  lictor backup /mnt/usb/lictor.db
  lictor backup --keep 14 /var/backups/lictor";

pub(super) const FLAGS: &[Row] = &[
    flag("TO", Kind::Path)
        .help("The file to write; an earlier backup there is replaced. With --keep, a folder"),
    flag("--keep N", Kind::Number(1, 65_535)).help(
        "Write into the folder TO under a name with the time, and delete all but the newest N \
         there",
    ),
    flag("--without-keys", Kind::Switch).help("Copy the database alone"),
    group(database::FLAGS),
    group(key_source::FLAGS),
];

pub(super) fn run(args: &Args) -> Result<(), Problem> {
    let (to, keep): (&Path, Option<u16>) = (args.value("TO"), args.get("--keep"));
    let database = DatabaseFlag::of(args);
    let now = Timestamp::now();
    let database = database.find()?;
    let file = file_of(database, "pg_dump --format=custom --file=FILE URL")?;
    let source = match args.is_given("--without-keys") {
        true => None,
        false => Some(KeySource::new(args, database, now)?),
    };
    let (target, draft) = match keep {
        Some(_) => {
            make_folder(to)?;
            (dated(to, now), to.join(DRAFT))
        }
        None if to.is_dir() => {
            return Err(Problem::usage(
                format!("{} is a folder", to.display()),
                "give the name of a file, or add --keep N to write a dated one into it",
            ));
        }
        None => (to.to_owned(), to.to_owned()),
    };
    back_up(file, (&target, &draft), source.as_ref())?;
    // A failure, so that somebody looks; and no older copy, which may have its keys, is deleted.
    if let Some(file) = source.as_ref().and_then(missing_keys) {
        return Err(Problem::new(
            format!("there is no key file at {}: only the database was copied", file.display()),
            "name the file with --secret-key-file; or add --without-keys, and keep the keys elsewhere",
        ));
    }
    match keep {
        Some(keep) => match prune(to, keep.into(), &target)? {
            0 => Ok(()),
            deleted => print(&format!("deleted {deleted} older than the newest {keep}")),
        },
        None => Ok(()),
    }
}

fn back_up(
    file: &Path,
    (target, draft): (&Path, &Path),
    source: Option<&KeySource>,
) -> Result<(), Problem> {
    Store::may_back_up_to(target)?;
    let copied_keys = keys_of(target);
    // SECRET_KEY alone has no file.
    let file_of_keys = source.and_then(|source| source.file().ok());
    let same = file_of_keys.is_some_and(|keys| is_same(keys, &copied_keys));
    let keys = file_of_keys.filter(|keys| keys.exists() && !same);
    if keys.is_some() {
        must_be_free(keys, &copied_keys, target)?;
    }
    // The server, and everything else, comes first.
    lower_priority(NICE);
    let begun = Instant::now();
    let mut line = Line::new();
    let made = Store::back_up(file, draft, &mut |percent| show(&mut line, percent));
    line.clear();
    let (made, rows) = made?;
    if keys.is_none() && !same {
        must_be_free(keys, &copied_keys, target)?;
    }
    source.into_iter().for_each(warn_of_keys);
    if let Some(keys) = keys {
        // Before the copy gets its name: a copy that is there has its keys.
        Keys::copy(keys, &copied_keys, None, None)?;
    }
    made.put(target)?;
    print(&table(&rows))?;
    let shown = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.into());
    let took = begun.elapsed().as_secs_f64();
    print(&format!("copied to {} in {took:.1} s; all is sound", shown(target).display()))?;
    match keys {
        Some(_) => print(&format!("copied the keys to {}", shown(&copied_keys).display())),
        None => Ok(()),
    }
}

/// Whether the copied keys would be the file itself, which a log line says.
fn is_same(keys: &Path, copied: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    let same = copied.exists() && real(keys) == real(copied);
    if same {
        let keys = keys.display();
        log::warn!(
            "the keys of this copy would be {keys} itself; give it a name in another folder"
        );
    }
    same
}

/// An error if the keys would take the place of other keys that are no earlier backup's; and if there
/// are none to copy, and a restore would take those that are there for this copy's.
fn must_be_free(keys: Option<&Path>, copied: &Path, target: &Path) -> Result<(), Problem> {
    let text = |path: &Path| std::fs::read(path).ok();
    let free = match keys {
        _ if !copied.exists() => true,
        Some(keys) => target.exists() || text(keys) == text(copied),
        None => false,
    };
    let of_others = if keys.is_some() { "has other keys" } else { "has the keys of another copy" };
    match free {
        true => Ok(()),
        false => Err(Problem::new(
            format!("{} is there already, and {of_others}", copied.display()),
            "it was not touched; give the backup another name, or move that file away",
        )),
    }
}

/// Shows how far a copy is.
pub(super) fn show(line: &mut Line, percent: u64) {
    match percent {
        100 => line.show_time("checking the copy"),
        _ => line.show_percent("copying", percent),
    }
}

/// The file of the database; an error that names `instead` if it is PostgreSQL's.
pub(super) fn file_of<'a>(database: &'a Database, instead: &str) -> Result<&'a Path, Problem> {
    match database {
        Database::File(path) => Ok(path),
        Database::Postgres(_) => Err(Problem::usage(
            format!("{database} is PostgreSQL's, which has programs of its own for backups"),
            format!("use {instead}; the key file is not in the database: copy it as well"),
        )),
    }
}

/// Warns of a key that is in no file.
fn warn_of_keys(source: &KeySource) {
    if source.has_secret() {
        log::warn!("SECRET_KEY is not in the backup: keep a copy of it in another place");
    }
}

/// The key file, if it should be there and is not. SECRET_KEY is a key without a file.
fn missing_keys(source: &KeySource) -> Option<&Path> {
    source.file().ok().filter(|file| !file.exists() && !source.has_secret())
}

/// A row for each table.
pub(super) fn table(rows: &Rows) -> String {
    let mut text = format!("{:15} {:>13}", "table", "rows");
    for (table, rows) in rows {
        let _ = write!(text, "\n{table:15} {:>13}", grouped(*rows));
    }
    text
}
