//! Why a file cannot be opened, in words for the operator.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::beside::beside;
use crate::error::Problem;
use crate::store::owner::differs;

/// The directory that a file is in.
pub(super) fn directory(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The system refused to look at the file or to make it.
pub(super) fn cannot_reach(path: &Path, error: std::io::Error) -> Problem {
    let shown = path.display();
    let directory = directory(path);
    let found = std::fs::metadata(&directory).map_err(|error| error.kind());
    let next = way_to(&directory, found.map(|found| found.is_dir()));
    Problem::new(format!("cannot open the database {shown}: {error}"), next).with_source(error)
}

/// What to do if a file in this directory cannot be reached; `found` says whether it is a directory,
/// or why that is not known.
fn way_to(directory: &Path, found: Result<bool, ErrorKind>) -> String {
    let shown = directory.display();
    match found {
        Ok(true) => format!(
            "let the user that runs lictor write in {shown}, or give another place with the setting \
             `database`{}",
            differs(&[directory])
        ),
        Err(ErrorKind::NotFound) => format!("make the directory: mkdir -p {shown}"),
        Err(ErrorKind::PermissionDenied) => format!(
            "the user that runs lictor cannot reach {shown}: check the permissions of the \
             directories above it"
        ),
        Ok(false) | Err(_) => {
            format!("{shown} is no directory; give another place with the setting `database`")
        }
    }
}

/// What to do if the file or its directory cannot be written.
fn write_both(path: &Path) -> String {
    let others = differs(&[path, &beside(path, "-wal"), &directory(path)]);
    format!("let the user that runs lictor write the file and its directory{others}")
}

/// SQLite refused the file.
pub(super) fn cannot_open(path: &Path, error: rusqlite::Error) -> Problem {
    use rusqlite::Error;
    let shown = path.display();
    let unreadable = matches!(
        error,
        Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) | Error::Utf8Error(..)
    );
    let problem = match error.sqlite_error_code() {
        _ if unreadable => damaged(path, &error.to_string()),
        Some(ErrorCode::NotADatabase) => not_ours(path),
        Some(ErrorCode::DatabaseCorrupt) => damaged(path, &error.to_string()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => locked(path),
        _ => Problem::new(format!("cannot open the database {shown}: {error}"), write_both(path)),
    };
    problem.with_source(error)
}

/// Another process has locked the file.
pub(super) fn locked(path: &Path) -> Problem {
    Problem::new(
        format!("the database {} is locked by another program", path.display()),
        "end that program, or wait until it is done",
    )
}

/// Another process has the file open, and this one needs it for itself.
pub(super) fn in_use(path: &Path) -> Problem {
    Problem::new(
        format!(
            "the database {} is in use: a server or another program has it open",
            path.display()
        ),
        "stop the server (the service: systemctl stop lictor.socket lictor.service), end other programs \
         that have the file open, and try again",
    )
}

/// There is no file, or it is empty.
#[cfg(any(test, feature = "cli"))]
pub(super) fn absent(path: &Path) -> Problem {
    Problem::new(
        format!("there is no database at {}", path.display()),
        "give the path of the file that the server used",
    )
}

/// The file has an older schema, and this command does not upgrade it.
#[cfg(any(test, feature = "cli"))]
pub(super) fn older(path: &Path, version: i64, known: i64) -> Problem {
    Problem::new(
        format!(
            "the database {} is of version {version}; a copy needs version {known}",
            path.display()
        ),
        "upgrade it first: start this lictor on it once, and stop it",
    )
}

/// The file can be read and not written.
pub(super) fn read_only(path: &Path) -> Problem {
    Problem::new(format!("the database {} cannot be written", path.display()), write_both(path))
}

/// The file system cannot do what the write-ahead log needs.
pub(super) fn no_shared_memory(path: &Path) -> Problem {
    Problem::new(
        format!("the database {} cannot use a write-ahead log", path.display()),
        "put it on a local file system; network file systems cannot share memory",
    )
}

/// A file cannot be written, made or given its name.
pub(super) fn cannot_write(path: &Path, error: std::io::Error) -> Problem {
    Problem::new(
        format!("cannot write {}: {error}", path.display()),
        format!(
            "nothing was changed; look at the free space and the permissions of {}",
            directory(path).display()
        ),
    )
    .with_source(error)
}

/// Something else has the name that a copy is to get.
#[cfg(feature = "cli")]
pub(super) fn in_the_way(path: &Path) -> Problem {
    Problem::new(
        format!("{} is there, and is no backup of lictor's", path.display()),
        "it was not touched; give another name, or move it away",
    )
}

/// There is nothing to restore at the path.
#[cfg(feature = "cli")]
pub(super) fn no_backup(path: &Path) -> Problem {
    Problem::new(
        format!("there is no backup at {}", path.display()),
        "give the path of a file that lictor backup has made, or of a folder of --keep",
    )
}

/// The name is one that a restore gives its file.
#[cfg(feature = "cli")]
pub(super) fn name_of_a_restore(path: &Path) -> Problem {
    Problem::usage(
        format!("a restore would use the name {} itself", path.display()),
        "give the backup another name",
    )
}

/// A file beside the database has the name of one that is to be restored, and no restore has put it
/// there.
pub(super) fn not_of_a_restore(path: &Path) -> Problem {
    let shown = path.display();
    Problem::new(
        format!(
            "{shown} has the name that a restore uses, and nothing shows that it comes from one"
        ),
        "nothing was changed; give it another name: to have it as the database, then run lictor \
         restore with that name",
    )
}

/// The copy is the database itself.
#[cfg(feature = "cli")]
pub(super) fn same_file(path: &Path) -> Problem {
    Problem::usage(
        format!("{} is the database itself", path.display()),
        "give the path of a backup; the database that is to be replaced is named by --database",
    )
}

/// The restored file cannot be given to the owner of the database.
#[cfg(feature = "cli")]
pub(super) fn cannot_give(path: &Path, error: std::io::Error) -> Problem {
    Problem::new(
        format!("cannot give the restored file to the owner of {}: {error}", path.display()),
        "nothing was changed; run this as root, or as the user that runs lictor",
    )
    .with_source(error)
}

/// The path leads to a directory or a device.
pub(super) fn not_a_file(path: &Path) -> Problem {
    Problem::new(
        format!("{} is not a file", path.display()),
        "give the path of a database file with the setting `database`",
    )
}

/// The write-ahead log beside the file was written to another file.
pub(super) fn other_log(path: &Path, log: &Path) -> Problem {
    let (shown, log) = (path.display(), log.display());
    Problem::new(
        format!(
            "{shown} is a backup that was put beside the write-ahead log of another file, {log}"
        ),
        format!(
            "nothing was changed; to go on with the backup, move the log away (mv {log} {log}-old) or \
             use lictor restore, which does so by itself; else put the other file back"
        ),
    )
}

/// Another file got the name while the old one was opened.
pub(super) fn replaced_meanwhile(path: &Path) -> Problem {
    Problem::new(
        format!("the database {} was replaced while it was opened", path.display()),
        "run this again",
    )
}

/// The file belongs to another program.
pub(super) fn not_ours(path: &Path) -> Problem {
    Problem::new(
        format!("{} is not a lictor database", path.display()),
        "it was not touched; give another path with the setting `database`",
    )
}

/// A newer lictor made the file.
pub(super) fn newer(path: &Path, version: i64, known: i64) -> Problem {
    Problem::new(
        format!(
            "the database {} is of version {version}; this lictor knows version {known}",
            path.display()
        ),
        "run the newer lictor that made it, or give another file with the setting `database`",
    )
}

/// `how` says what is wrong, mostly in SQLite's own words.
pub(super) fn damaged(path: &Path, how: &str) -> Problem {
    Problem::new(
        format!("the database {} is damaged: {how}", path.display()),
        "it was not touched; restore a backup, or try `sqlite3 FILE .recover`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_directory_is_to_be_made() {
        for (found, expected) in [
            (Ok(true), "write in /a/b"),
            (Ok(false), "/a/b is no directory"),
            (Err(ErrorKind::NotFound), "mkdir -p /a/b"),
            (Err(ErrorKind::PermissionDenied), "cannot reach /a/b: check the permissions"),
            (Err(ErrorKind::NotADirectory), "/a/b is no directory"),
        ] {
            let next = way_to(Path::new("/a/b"), found);
            assert!(next.contains(expected), "{found:?}: {next}");
        }
    }
}
