//! Why a file cannot be opened, in words for the operator.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::error::Problem;

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
             `database`"
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
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Problem::new(
            format!("the database {shown} is locked by another program"),
            "end that program, or wait until it is done",
        ),
        _ => Problem::new(
            format!("cannot open the database {shown}: {error}"),
            "let the user that runs lictor write the file and its directory",
        ),
    };
    problem.with_source(error)
}

/// Another process has the file open, and this one needs it for itself.
#[cfg(any(test, feature = "cli"))]
pub(super) fn in_use(path: &Path) -> Problem {
    Problem::new(
        format!(
            "the database {} is in use: a server or another program has it open",
            path.display()
        ),
        "stop the server, end other programs that have the file open, and try again",
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
    Problem::new(
        format!("the database {} cannot be written", path.display()),
        "let the user that runs lictor write the file and its directory",
    )
}

/// The file system cannot do what the write-ahead log needs.
pub(super) fn no_shared_memory(path: &Path) -> Problem {
    Problem::new(
        format!("the database {} cannot use a write-ahead log", path.display()),
        "put it on a local file system; network file systems cannot share memory",
    )
}

/// The path leads to a directory or a device.
pub(super) fn not_a_file(path: &Path) -> Problem {
    Problem::new(
        format!("{} is not a file", path.display()),
        "give the path of a database file with the setting `database`",
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
