//! What commands print: answers, errors of the library, dates.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::values::steers;

/// Prints a line.
pub(super) fn print(text: &str) -> Result<(), Problem> {
    writeln!(io::stdout(), "{text}").or_else(unless_closed)
}

/// A text of several lines without the characters that steer a terminal, or change how the text
/// around them is shown: names in the source of an import, and messages of a database, may be made
/// to attack. They become `\u{1b}`.
pub(super) fn for_terminal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c != '\n' && steers(c) {
            // Writing into a String cannot fail.
            true => write!(safe, "{}", c.escape_unicode()).unwrap_or_default(),
            false => safe.push(c),
        }
    }
    safe
}

/// No problem if standard output was closed, as in `lictor user list | head`; else the error.
pub(super) fn unless_closed(error: io::Error) -> Result<(), Problem> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Problem::new(
            format!("cannot write the output: {error}"),
            "check that its disk has free space",
        )
        .with_source(error)),
    }
}

/// A library error as a problem, with the next step at the command line.
pub(super) fn failed(error: Error) -> Problem {
    let next = match error {
        Error::InvalidPassword(_) => "choose another password",
        Error::InvalidUsername(_) => "choose another name",
        Error::UsernameTaken => "choose another name, or list the users: lictor user list",
        Error::LastAdmin => "make another administrator first: lictor user roles NAME --add admin",
        Error::TooManyAppPasswords => "see which there are: lictor app-password list NAME",
        Error::TooManyInvitations => "see which there are: lictor invite list",
        Error::Unavailable(_) => {
            "try again; if it stays, look at the disk and its permissions, or at the database server"
        }
        Error::Damaged => "see what is wrong: lictor check --deep; then restore a backup",
        Error::Internal(_) => "try again; if it stays, it is a bug in lictor: report this line",
        _ => "see lictor --help",
    };
    let what = error.to_string();
    let mut letters = what.chars();
    let what = letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect());
    Problem::new(what, next)
}

/// A time as RFC 3339 writes it, or its seconds after the year 9999.
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

/// The day of a time in UTC, as a date is typed.
pub(super) fn day(at: Timestamp) -> String {
    date(at).split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_steered() {
        for (text, expected) in [
            ("table \"é 漢 🙂\", it's\n  next", "table \"é 漢 🙂\", it's\n  next"),
            ("\u{1b}]0;x\u{7}", "\\u{1b}]0;x\\u{7}"),
            ("a\rb\u{9b}2J\u{7f}", "a\\u{d}b\\u{9b}2J\\u{7f}"),
            ("\u{202e}x\u{2066}\u{200b}\u{feff}", "\\u{202e}x\\u{2066}\\u{200b}\\u{feff}"),
        ] {
            assert_eq!(for_terminal(text), expected);
        }
    }
}
