//! Why a file cannot be opened, in words for the operator.

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
    let next = if directory.is_dir() {
        format!(
            "let the user that runs lictor write in {}, or give another place with \
             the setting `database`",
            directory.display()
        )
    } else {
        format!("make the directory: mkdir -p {}", directory.display())
    };
    Problem::new(format!("cannot open the database {shown}: {error}"), next).with_source(error)
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

/// `how` is SQLite's own word, which is `ok` if only the tables are wrong.
pub(super) fn damaged(path: &Path, how: &str) -> Problem {
    let how = if how == "ok" { "its tables are not lictor's" } else { how };
    Problem::new(
        format!("the database {} is damaged: {how}", path.display()),
        "it was not touched; restore a backup, or try `sqlite3 FILE .recover`",
    )
}
