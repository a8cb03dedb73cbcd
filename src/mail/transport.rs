//! The ways that a mail can go, as `--mail` names them, and what comes of trying. Knows neither
//! when a mail is tried again nor what is in it.

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

/// Bytes of a failure's text: a line in the log, a row in the outbox.
const MAX_WHY: usize = 300;
/// Where Debian and most others keep it.
const SENDMAIL: &str = "/usr/sbin/sendmail";

/// Why a mail did not go, in one line that holds no secret and no control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It may go later: the server cannot be reached, is busy, or the settings are wrong.
    Temporary(String),
    /// It never will.
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

/// A way that mails go. Cheap to clone.
#[derive(Clone)]
pub struct Transport(Way);

#[derive(Clone)]
enum Way {
    Smtp(Arc<Relay>),
    Sendmail(PathBuf),
    Directory(PathBuf),
    Log,
}

impl Transport {
    /// ```
    /// use lictor::Transport;
    /// let transport = Transport::parse("smtp://localhost")?;
    /// assert_eq!(transport.describe(), "smtp://localhost:25, without encryption");
    /// assert!(Transport::parse("http://localhost").is_err());
    /// # Ok::<(), lictor::Problem>(())
    /// ```
    pub fn parse(text: &str) -> Result<Transport, Problem> {
        // Nothing of it is ever shown: it may hold a password.
        let unknown = || {
            Problem::usage(
                "the way to send mail is not one that lictor knows",
                "give --mail one of smtp+starttls://USER:PASSWORD@HOST, \
                 smtps://USER:PASSWORD@HOST, smtp://HOST, sendmail:, dir:PATH, log:",
            )
        };
        let (kind, rest) = text.trim().split_once(':').ok_or_else(unknown)?;
        let way = match (kind, rest) {
            ("sendmail", "") => Way::Sendmail(sendmail::program(SENDMAIL)?),
            ("sendmail", path) => Way::Sendmail(sendmail::program(path)?),
            ("dir", path) => Way::Directory(directory::checked(path)?),
            ("log", "") => Way::Log,
            _ => Way::Smtp(Arc::new(Relay::parse(kind, rest)?.ok_or_else(unknown)?)),
        };
        Ok(Transport(way))
    }

    /// Hands a mail over, in a time that is limited. When this says that it is done, somebody else
    /// has it safely.
    pub fn deliver(&self, sender: &Sender, mail: &Mail<'_>) -> Result<(), Failure> {
        let message = Message::new(sender, mail).map_err(Failure::permanent)?;
        match &self.0 {
            Way::Smtp(relay) => relay.deliver(sender, &message),
            Way::Sendmail(program) => sendmail::deliver(program, sender, &message),
            Way::Directory(path) => directory::deliver(path, mail, &message),
            Way::Log => {
                log_line::deliver(mail);
                Ok(())
            }
        }
    }

    /// For people, without the password.
    pub fn describe(&self) -> String {
        match &self.0 {
            Way::Smtp(relay) => relay.to_string(),
            Way::Sendmail(program) => format!("sendmail:{}", program.display()),
            Way::Directory(path) => format!("dir:{}", path.display()),
            Way::Log => "log:".into(),
        }
    }

    /// What the operator should hear at the start, if anything.
    pub fn warning(&self) -> Option<&'static str> {
        match &self.0 {
            Way::Log => Some(
                "mails go to the log: whoever reads it can use the links; this is for development",
            ),
            Way::Smtp(relay) => relay.warning(),
            _ => None,
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transport({})", self.describe())
    }
}

/// What a stranger wrote, as it can stand in a log: no control character, nothing that turns the
/// direction of writing, not too long.
fn one_line(text: &str) -> String {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut line = String::new();
    for char in text.trim().chars().map(|c| if odd(c) { ' ' } else { c }) {
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
    fn ways() {
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
            assert_eq!(parsed.ok().map(|way| way.describe()).as_deref(), expected, "{text:?}");
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
