//! What the commands have in common: opening a database that is there, and what they print.

use std::io::{self, Write as _};

use super::Database;
use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::store::{Inspection, Store};

/// Commands that look for users do not make a file where there is none.
pub(super) fn open_existing(database: &Database) -> Result<Store, Problem> {
    match Store::inspect(&database.value())? {
        Inspection::Current | Inspection::Older(_) => Store::open(&database.value(), 1),
        Inspection::Absent => Err(Problem::new(
            format!("there is no database at {}", database.database.display()),
            "give its path with --database, or make the first user: lictor user add NAME",
        )),
    }
}

pub(super) fn print(text: &str) -> Result<(), Problem> {
    writeln!(io::stdout(), "{text}").or_else(unless_closed)
}

/// `lictor user list | head` is not a failure.
pub(super) fn unless_closed(error: io::Error) -> Result<(), Problem> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Problem::new(format!("cannot write the answer: {error}"), "free some space")),
    }
}

pub(super) fn failed(error: Error) -> Problem {
    let next = match error {
        Error::InvalidPassword(_) => "choose another password",
        Error::InvalidUsername(_) => "choose another name",
        Error::UsernameTaken => "choose another name, or see who is there: lictor user list",
        Error::LastAdmin => "make another administrator first: lictor user roles NAME admin",
        Error::TooManyInvitations => "see which there are: lictor invite list",
        Error::Unavailable(_) => "try again; if it stays, look at the disk and its permissions",
        _ => "see lictor user --help",
    };
    let what = error.to_string();
    let mut letters = what.chars();
    let what = letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect());
    Problem::new(what, next)
}

pub(super) fn date(at: Timestamp) -> String {
    let since = std::time::Duration::from_secs(u64::try_from(at.0).unwrap_or(0));
    match std::time::UNIX_EPOCH.checked_add(since) {
        // humantime writes years up to 9999.
        Some(time) if at.0 <= 253_402_300_799 => {
            humantime::format_rfc3339_seconds(time).to_string()
        }
        _ => at.0.to_string(),
    }
}
