//! `smtp://`, `smtps://` and `smtp+starttls://`: the URL of a mail server, and delivery to it.
//! dialogue.rs has the commands, reply.rs the replies, wire.rs the connection and its limits, tls.rs
//! the trust in certificates.
//!
//! Why no library: lettre, the one that is maintained, reads reply lines without a length limit,
//! restarts its time limit with every byte, and accepts bytes that an attacker put behind the reply
//! to STARTTLS as if they had come encrypted. It would add 360 kB.

mod dialogue;
mod reply;
mod wire;

use std::fmt;
use std::net::IpAddr;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use zeroize::Zeroizing;

use super::Failure;
use crate::error::Problem;
use crate::mail::message::{Message, Sender};
use crate::tls::Trust;
use dialogue::Rejection;

/// Limits on the user name and on the password, in bytes.
const MAX_LOGIN: usize = 1_024;

/// A mail server: host, port, encryption and login.
pub(super) struct Relay {
    host: String,
    port: u16,
    security: Security,
    login: Option<Login>,
}

enum Security {
    /// No encryption, for a server on the same machine or network.
    Plain,
    /// TLS from the first byte.
    Tls(Trust),
    /// STARTTLS before login and mail; without it nothing is sent.
    StartTls(Trust),
}

struct Login {
    user: String,
    password: Zeroizing<String>,
}

impl Relay {
    /// Parses a URL; `None` if `kind`, its scheme, is not SMTP. Of the text, problems show only the host.
    pub(super) fn parse(kind: &str, rest: &str) -> Result<Option<Relay>, Problem> {
        let Some(default) = default_port(kind) else { return Ok(None) };
        let rest = rest.strip_prefix("//").ok_or_else(|| malformed(kind))?;
        // The last @, because a password may contain one.
        let (login, authority) = match rest.rsplit_once('@') {
            Some((login, host)) => (Some(Login::parse(login, kind)?), host),
            None => (None, rest),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (host, port) = host_and_port(authority, default).ok_or_else(|| malformed(kind))?;
        let security = match kind {
            "smtps" => Security::Tls(Trust::of_the_system(&host)?),
            "smtp+starttls" => Security::StartTls(Trust::of_the_system(&host)?),
            _ => Security::Plain,
        };
        if login.is_some() && matches!(security, Security::Plain) && !is_private(&host) {
            return Err(Problem::usage(
                format!("the password would go to {host} unencrypted"),
                "write smtp+starttls:// or smtps:// instead of smtp://; encryption is optional only \
                 for a server on the same machine or private network",
            ));
        }
        Ok(Some(Relay { host, port, security, login }))
    }

    /// The password, if there is a login.
    #[cfg(feature = "cli")]
    pub(super) fn password(&self) -> Option<&str> {
        self.login.as_ref().map(|login| login.password.as_str())
    }

    /// Delivers one mail over a connection of its own.
    pub(super) fn deliver(&self, sender: &Sender, message: &Message) -> Result<(), Failure> {
        dialogue::send(self, sender, message).map_err(|rejection| self.without_secrets(rejection))
    }

    /// A warning for the operator at start, if mails cross a public network unencrypted.
    pub(super) fn warning(&self) -> Option<&'static str> {
        let exposed = matches!(self.security, Security::Plain) && !is_private(&self.host);
        exposed.then_some(
            "mails go to their server unencrypted: anybody who can read the network traffic can \
             use their links; smtp+starttls:// or smtps:// would encrypt them",
        )
    }

    /// Hides the login in a failure, because a server may repeat what it received. This happens before
    /// the text is shortened; otherwise half of a secret could remain.
    fn without_secrets(&self, Rejection { why, permanent }: Rejection) -> Failure {
        let sent = self.login.as_ref().map(Login::secrets_sent);
        // The longest first, because one may contain another.
        let secrets = sent.iter().flatten();
        let why = secrets.fold(why, |why, secret| why.replace(secret.as_str(), "(hidden)"));
        if permanent { Failure::permanent(why) } else { Failure::temporary(why) }
    }
}

/// The URL without the password.
impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Relay { host, port, security, login } = self;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let kind = match security {
            Security::Plain => "smtp",
            Security::Tls(_) => "smtps",
            Security::StartTls(_) => "smtp+starttls",
        };
        write!(f, "{kind}://{host}:{port}")?;
        if let Some(login) = login {
            write!(f, " as {}", login.user)?;
        }
        if matches!(security, Security::Plain) {
            f.write_str(", without encryption")?;
        }
        Ok(())
    }
}

impl Login {
    fn parse(text: &str, kind: &str) -> Result<Login, Problem> {
        let (user, password) = text.split_once(':').ok_or_else(|| {
            Problem::usage(
                "there is a user name for the mail server, but no password",
                format!("write {kind}://USER:PASSWORD@HOST"),
            )
        })?;
        match (percent_decode(user), percent_decode(password)) {
            (Some(user), Some(password)) if !user.is_empty() && !password.is_empty() => {
                Ok(Login { user: user.to_string(), password })
            }
            _ => Err(Problem::usage(
                "the user name or the password for the mail server is not valid",
                "percent-encode all characters in them except letters and digits: % is %25, \
                 @ is %40, : is %3A, / is %2F",
            )),
        }
    }

    /// The message of AUTH PLAIN (RFC 4616), in base64.
    fn plain(&self) -> Zeroizing<String> {
        let message = Zeroizing::new(format!("\0{}\0{}", self.user, *self.password));
        Zeroizing::new(BASE64_STANDARD.encode(message.as_bytes()))
    }

    /// The user name and the password for AUTH LOGIN, in base64.
    fn login(&self) -> (String, Zeroizing<String>) {
        let password = BASE64_STANDARD.encode(self.password.as_bytes());
        (BASE64_STANDARD.encode(&self.user), Zeroizing::new(password))
    }

    /// Every form in which the password is sent, and the password, the longest first.
    fn secrets_sent(&self) -> [Zeroizing<String>; 3] {
        [self.plain(), self.login().1, self.password.clone()]
    }
}

/// Percent-decodes; `None` if the result is not UTF-8, too long, or has control characters.
fn percent_decode(text: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |b: Option<u8>| char::from(b?).to_digit(16);
        bytes.push(match byte {
            b'%' => u8::try_from(digit(rest.next())? * 16 + digit(rest.next())?).ok()?,
            other => other,
        });
    }
    let text = std::str::from_utf8(&bytes).ok()?;
    (text.len() <= MAX_LOGIN && !text.chars().any(char::is_control))
        .then(|| Zeroizing::new(text.to_owned()))
}

/// The port of a scheme; `None` if it is not SMTP.
fn default_port(kind: &str) -> Option<u16> {
    match kind {
        "smtp" => Some(25),
        "smtps" => Some(465),
        "smtp+starttls" => Some(587),
        _ => None,
    }
}

/// Splits `HOST`, `HOST:PORT` or `[IPV6]:PORT`; `None` if it is not valid.
fn host_and_port(authority: &str, default: u16) -> Option<(String, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|&port| port != 0)?,
        None => default,
    };
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let name = (1..=253).contains(&host.len()) && host.bytes().all(in_name);
    (name || host.contains(':')).then(|| (host.to_ascii_lowercase(), port))
}

/// Whether the host is on this machine or a private network: an IP address of one, or a name that
/// the public DNS does not have, such as the name of a container.
fn is_private(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
        Err(_) => {
            let local = [".localhost", ".local", ".internal", ".lan", ".home.arpa"];
            !host.contains('.') || local.iter().any(|end| host.ends_with(end))
        }
    }
}

fn malformed(kind: &str) -> Problem {
    Problem::usage(
        "the URL of the mail server is not valid",
        format!("write {kind}://HOST, {kind}://HOST:PORT or {kind}://USER:PASSWORD@HOST:PORT"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(kind: &str, rest: &str) -> Result<Relay, Problem> {
        Relay::parse(kind, rest).map(Option::unwrap)
    }

    #[test]
    fn urls_are_parsed() {
        for (rest, expected) in [
            ("//localhost", Some("smtp://localhost:25, without encryption")),
            ("//LOCALHOST:2525/", Some("smtp://localhost:2525, without encryption")),
            ("//[::1]:26", Some("smtp://[::1]:26, without encryption")),
            ("//[::1]", Some("smtp://[::1]:25, without encryption")),
            ("//mail.example.org", Some("smtp://mail.example.org:25, without encryption")),
            ("//ada:pw@127.0.0.1", Some("smtp://127.0.0.1:25 as ada, without encryption")),
            (
                "//ada%40x.y:p%3A%2F@w@mailpit",
                Some("smtp://mailpit:25 as ada@x.y, without encryption"),
            ),
            ("localhost", None),
            ("//", None),
            ("//:25", None),
            ("//a:0", None),
            ("//a:65536", None),
            ("//a:x", None),
            ("//a/b", None),
            ("//a b", None),
            ("//[::1", None),
            ("//[a]", None),
            ("//bücher.example", None),
            ("//hunter2@a", None),
            ("//ada:@a", None),
            ("//:hunter2@a", None),
            ("//ada:hunter2%@a", None),
            ("//ada:hunter2%zz@a", None),
            ("//ada:hunter2%00@a", None),
            ("//ada:hunter2%ff@a", None),
            ("//ada:hunter2@mail.example.org", None),
            ("//ada:hunter2@8.8.8.8", None),
            ("//ada:hunter2@a/hunter2", None),
        ] {
            let relay = parse("smtp", rest);
            if let Err(problem) = &relay {
                assert!(problem.usage && !problem.to_string().contains("hunter2"), "{problem}");
            }
            assert_eq!(relay.map(|r| r.to_string()).ok().as_deref(), expected, "{rest:?}");
        }
        assert!(Relay::parse("http", "//a").unwrap().is_none());
    }

    #[test]
    fn user_and_password_are_percent_decoded() {
        let relay = parse("smtp", "//a%25b:p@%C3%BC%20:w@localhost").unwrap();
        let login = relay.login.unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("a%b", "p@ü :w"));
        assert_eq!(*login.plain(), "AGElYgBwQMO8IDp3");
    }

    #[test]
    fn unencrypted_public_servers_get_a_warning() {
        for (host, expected) in [
            ("localhost", false),
            ("10.0.0.1", false),
            ("mailpit", false),
            ("mail.lan", false),
            ("mail.example.org", true),
            ("8.8.8.8", true),
            ("[2001:db8::1]", true),
            ("[fd00::1]", false),
        ] {
            let relay = parse("smtp", &format!("//{host}")).unwrap();
            assert_eq!(relay.warning().is_some(), expected, "{host}");
        }
    }

    #[test]
    fn a_repeated_password_is_hidden() {
        let relay = parse("smtp", "//ada:hunter2@localhost").unwrap();
        for said in [
            "535 AGFkYQBodW50ZXIy is wrong",
            "535 aHVudGVyMg==",
            "535 hunter2hunter2",
            &format!("535 {}hunter2", "x".repeat(292)),
        ] {
            let rejection = Rejection { why: said.into(), permanent: false };
            let Failure::Temporary(why) = relay.without_secrets(rejection) else {
                panic!("{said}")
            };
            assert!(why.contains("(hid"), "{why}");
            for part in ["hunt", "unter", "AGFk", "aHVud"] {
                assert!(!why.contains(part), "{why}");
            }
        }
    }
}
