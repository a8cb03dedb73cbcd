//! The commands for administrators: the same store and rules as the server's, on the same file,
//! while it runs.
//!
//! | file | owns |
//! |---|---|
//! | `user` | `lictor user …` |
//! | `reset_link` | `lictor user reset-link` |
//! | `invite` | `lictor invite …` |
//! | `keys` | `lictor key …` |
//! | `mail` | `lictor mail …` |
//! | `audit` | `lictor audit` |

mod audit;
mod invite;
mod keys;
mod mail;
mod reset_link;
mod user;

use std::io::{self, Write as _};

use crate::cli::Database;
use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::store::{Inspection, Sqlite};

pub(crate) use audit::{AuditCommand, run as audit};
pub(crate) use invite::{InviteCommand, run as invite};
pub(crate) use keys::{KeyCommand, run as key};
pub(crate) use mail::{MailCommand, run as mail};
pub(crate) use user::{UserCommand, run as user};

/// Commands that look for users do not make a file where there is none.
fn open_existing(database: &Database) -> Result<Sqlite, Problem> {
    match Sqlite::inspect(&database.database)? {
        Inspection::Current | Inspection::Older(_) => Sqlite::open(&database.database, 1),
        Inspection::Absent => Err(Problem::new(
            format!("there is no database at {}", database.database.display()),
            "give its path with --database, or make the first user: lictor user add NAME",
        )),
    }
}

fn print(text: &str) -> Result<(), Problem> {
    writeln!(io::stdout(), "{text}").or_else(unless_closed)
}

/// `lictor user list | head` is not a failure.
fn unless_closed(error: io::Error) -> Result<(), Problem> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Problem::new(format!("cannot write the answer: {error}"), "free some space")),
    }
}

fn failed(error: Error) -> Problem {
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

fn date(at: Timestamp) -> String {
    let since = std::time::Duration::from_secs(u64::try_from(at.0).unwrap_or(0));
    match std::time::UNIX_EPOCH.checked_add(since) {
        // humantime writes years up to 9999.
        Some(time) if at.0 <= 253_402_300_799 => {
            humantime::format_rfc3339_seconds(time).to_string()
        }
        _ => at.0.to_string(),
    }
}
