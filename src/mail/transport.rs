//! The transports of mails, and the outcome of a delivery. Knows neither when a delivery
//! is repeated nor what a mail says.

mod directory;
mod log_line;
mod sendmail;
mod smtp;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::message::{Mail, Message, Sender};
use crate::error::Problem;
use smtp::Relay;

/// Limit on the text of a failure, in bytes. It becomes a log line and a column of the outbox.
const MAX_WHY: usize = 300;
/// The path of sendmail on Debian and most other systems.
const SENDMAIL: &str = "/usr/sbin/sendmail";

/// Why a delivery failed: one line without secrets and control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// A later attempt may succeed: the server is unreachable or busy, or a setting is wrong.
    Temporary(String),
    /// No later attempt can succeed.
    Permanent(String),
}

impl Failure {
    fn temporary(why: impl AsRef<str>) -> Failure {
        Failure::Temporary(one_line(why.as_ref()))
    }

    fn permanent(why: impl AsRef<str>) -> Failure {
        Failure::Permanent(one_line(why.as_ref()))
    }
}

/// A transport for mails. Cheap to clone. Needs the feature `mail`.
#[derive(Clone)]
pub struct Transport(TransportKind);

#[derive(Clone)]
enum TransportKind {
    Smtp(Arc<Relay>),
    Sendmail(PathBuf),
    Directory(PathBuf),
    Log,
}

impl Transport {
    /// Parses one of `smtp+starttls://USER:PASSWORD@HOST`, `smtps://USER:PASSWORD@HOST`,
    /// `smtp://HOST`, `sendmail:`, `sendmail:/PATH/OF/PROGRAM`, `dir:PATH` (a file a mail) and
    /// `log:`.
    ///
    /// # Errors
    ///
    /// If the text is none of them, or names a program or directory that is not there. The message
    /// never shows the text, which may hold a password.
    ///
    /// ```
    /// use lictor::Transport;
    /// let transport = Transport::parse("smtp://localhost")?;
    /// assert_eq!(transport.describe(), "smtp://localhost:25, without encryption");
    /// assert!(Transport::parse("http://localhost").is_err());
    /// # Ok::<(), lictor::Problem>(())
    /// ```
    pub fn parse(text: &str) -> Result<Transport, Problem> {
        // The message never shows the value, which may contain a password.
        let unknown = || {
            Problem::usage(
                "unknown mail transport",
                "give the setting `mail` one of smtp+starttls://USER:PASSWORD@HOST, \
                 smtps://USER:PASSWORD@HOST, smtp://HOST, sendmail:, dir:PATH, log:",
            )
        };
        let (kind, rest) = text.trim().split_once(':').ok_or_else(unknown)?;
        let transport = match (kind, rest) {
            ("sendmail", "") => TransportKind::Sendmail(sendmail::parse(SENDMAIL)?),
            ("sendmail", path) => TransportKind::Sendmail(sendmail::parse(path)?),
            ("dir", path) => TransportKind::Directory(directory::parse(path)?),
            ("log", "") => TransportKind::Log,
            _ => TransportKind::Smtp(Arc::new(Relay::parse(kind, rest)?.ok_or_else(unknown)?)),
        };
        Ok(Transport(transport))
    }

    /// Delivers a mail within a limited time. `Ok` means that the server, program or disk has it safely.
    pub(crate) fn deliver(&self, sender: &Sender, mail: &Mail<'_>) -> Result<(), Failure> {
        let message = Message::new(sender, mail).map_err(Failure::permanent)?;
        match &self.0 {
            TransportKind::Smtp(relay) => relay.deliver(sender, &message),
            TransportKind::Sendmail(program) => sendmail::deliver(program, sender, &message),
            TransportKind::Directory(path) => directory::deliver(path, mail, &message),
            TransportKind::Log => {
                log_line::deliver(mail);
                Ok(())
            }
        }
    }

    /// The transport as text for people, without the password.
    pub fn describe(&self) -> String {
        match &self.0 {
            TransportKind::Smtp(relay) => relay.to_string(),
            TransportKind::Sendmail(program) => format!("sendmail:{}", program.display()),
            TransportKind::Directory(path) => format!("dir:{}", path.display()),
            TransportKind::Log => "log:".into(),
        }
    }

    /// The password, if there is one.
    #[cfg(feature = "cli")]
    pub(crate) fn password(&self) -> Option<&str> {
        match &self.0 {
            TransportKind::Smtp(relay) => relay.password(),
            _ => None,
        }
    }

    /// A warning for the operator at start, if the transport exposes mails.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        match &self.0 {
            TransportKind::Log => Some(
                "mails go to the log, whose readers can use the links in them; use this only for \
                 development",
            ),
            TransportKind::Smtp(relay) => relay.warning(),
            _ => None,
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transport({})", self.describe())
    }
}

/// Text from outside as one line for the log: at most [`MAX_WHY`] bytes, with spaces instead of control
/// characters, invisible characters and those that change the direction of the text.
fn one_line(text: &str) -> String {
    let unsafe_in_log = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut line = String::new();
    for char in text.trim().chars().map(|c| if unsafe_in_log(c) { ' ' } else { c }) {
        if line.len() + char.len_utf8() > MAX_WHY {
            break;
        }
        line.push(char);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_are_parsed() {
        for (text, expected) in [
            ("dir:mails", Some("dir:mails")),
            ("dir:/var/mails", Some("dir:/var/mails")),
            ("log:", Some("log:")),
            ("sendmail:/bin/sh", Some("sendmail:/bin/sh")),
            (" log: ", Some("log:")),
            ("", None),
            ("mail", None),
            ("http://hunter2:hunter2@x", None),
            ("hunter2:x", None),
            ("dir:", None),
            ("log:x", None),
            ("sendmail:sh", None),
            ("sendmail:/nowhere/sendmail", None),
        ] {
            let parsed = Transport::parse(text);
            if let Err(problem) = &parsed {
                assert!(!problem.to_string().contains("hunter2"), "{problem}");
            }
            assert_eq!(
                parsed.ok().map(|transport| transport.describe()).as_deref(),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn failures_are_one_line() {
        for (text, expected) in [
            (" 550 no\r\nsuch\0user", "550 no  such user"),
            ("\u{1b}[2Jx\u{202e}y", " [2Jx y"),
            ("", ""),
        ] {
            assert_eq!(one_line(text), expected, "{text:?}");
        }
        assert_eq!(one_line(&"é".repeat(1_000)).len(), 300);
        assert_eq!(one_line(&"€".repeat(1_000)).len(), 300);
        assert_eq!(one_line(&"a€".repeat(1_000)).len(), 300);
    }
}
