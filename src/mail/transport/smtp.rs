//! `smtp://`, `smtps://` and `smtp+starttls://`: a mail server, as the setting names it. What is
//! said to it is in dialogue.rs, replies in reply.rs, the connection and its limits in wire.rs,
//! trust in tls.rs.
//!
//! Why not a library: lettre, the one that is well kept, reads a line of a reply without a limit,
//! starts its time limit anew with every byte, and takes for encrypted what a stranger put behind
//! the answer to STARTTLS. It would add 360 kB.

mod dialogue;
mod reply;
mod tls;
mod wire;

use std::fmt;
use std::net::IpAddr;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use zeroize::Zeroizing;

use super::Failure;
use crate::error::Problem;
use crate::mail::message::{Message, Sender};
use dialogue::Refused;
use tls::Trust;

/// Bytes of a name that lictor logs in with, and of its password.
const MAX_LOGIN: usize = 1_024;

/// A server that passes mails on, and how it is spoken to.
pub(super) struct Relay {
    host: String,
    port: u16,
    security: Security,
    login: Option<Login>,
}

enum Security {
    /// None, for a server on the same machine or network.
    Plain,
    /// TLS from the first byte.
    Tls(Trust),
    /// TLS before anything is said that matters; without it nothing is sent.
    StartTls(Trust),
}

struct Login {
    user: String,
    password: Zeroizing<String>,
}

impl Relay {
    /// `None` if the kind is another. Problems never show what was typed but the host.
    pub(super) fn parse(kind: &str, rest: &str) -> Result<Option<Relay>, Problem> {
        let Some(default) = default_port(kind) else { return Ok(None) };
        let rest = rest.strip_prefix("//").ok_or_else(|| malformed(kind))?;
        // The last one: a password may hold others.
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(Login::parse(login, kind)?), place),
            None => (None, rest),
        };
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = host_and_port(place, default).ok_or_else(|| malformed(kind))?;
        let security = match kind {
            "smtps" => Security::Tls(Trust::of_the_system(&host)?),
            "smtp+starttls" => Security::StartTls(Trust::of_the_system(&host)?),
            _ => Security::Plain,
        };
        if login.is_some() && matches!(security, Security::Plain) && !is_near(&host) {
            return Err(Problem::usage(
                format!("the password would go to {host} unencrypted"),
                "write smtp+starttls:// or smtps:// instead of smtp://; only a server on the same \
                 machine or private network can do without",
            ));
        }
        Ok(Some(Relay { host, port, security, login }))
    }

    /// Sends one mail on a connection of its own.
    pub(super) fn deliver(&self, sender: &Sender, message: &Message) -> Result<(), Failure> {
        dialogue::send(self, sender, message).map_err(|refused| self.without_secrets(refused))
    }

    /// What the operator should hear at the start.
    pub(super) fn warning(&self) -> Option<&'static str> {
        let open = matches!(self.security, Security::Plain) && !is_near(&self.host);
        open.then_some(
            "mails go to their server unencrypted: whoever listens on the way can use their \
             links; smtp+starttls:// or smtps:// would encrypt them",
        )
    }

    /// A server can say whatever it was told. Before anything is cut off, or half of a secret
    /// could be left.
    fn without_secrets(&self, Refused { why, forever }: Refused) -> Failure {
        let spoken = self.login.as_ref().map(Login::spoken);
        // The longest first: one may be within another.
        let secrets = spoken.iter().flatten();
        let why = secrets.fold(why, |why, secret| why.replace(secret.as_str(), "(hidden)"));
        if forever { Failure::permanent(why) } else { Failure::temporary(why) }
    }
}

/// Without the password.
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
                "there is a name for the mail server, but no password",
                format!("write {kind}://USER:PASSWORD@HOST"),
            )
        })?;
        match (decoded(user), decoded(password)) {
            (Some(user), Some(password)) if !user.is_empty() && !password.is_empty() => {
                Ok(Login { user: user.to_string(), password })
            }
            _ => Err(Problem::usage(
                "the name or the password for the mail server cannot be read",
                "percent-encode whatever is not a letter or a digit in them: % is %25, @ is %40, \
                 : is %3A, / is %2F",
            )),
        }
    }

    /// AUTH PLAIN (RFC 4616), in base64.
    fn plain(&self) -> Zeroizing<String> {
        let whole = Zeroizing::new(format!("\0{}\0{}", self.user, *self.password));
        Zeroizing::new(BASE64_STANDARD.encode(whole.as_bytes()))
    }

    /// The two answers of AUTH LOGIN, in base64.
    fn login(&self) -> (String, Zeroizing<String>) {
        let password = BASE64_STANDARD.encode(self.password.as_bytes());
        (BASE64_STANDARD.encode(&self.user), Zeroizing::new(password))
    }

    fn spoken(&self) -> [Zeroizing<String>; 3] {
        [self.plain(), self.login().1, self.password.clone()]
    }
}

/// `None` for what is not percent-encoded UTF-8, or holds control characters.
fn decoded(text: &str) -> Option<Zeroizing<String>> {
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

fn default_port(kind: &str) -> Option<u16> {
    match kind {
        "smtp" => Some(25),
        "smtps" => Some(465),
        "smtp+starttls" => Some(587),
        _ => None,
    }
}

fn host_and_port(place: &str, default: u16) -> Option<(String, u16)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
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

/// Whether it is on this machine or a private network: such an address, or a name that is nobody's
/// on the internet, like those of containers.
fn is_near(host: &str) -> bool {
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
        "the address of the mail server cannot be read",
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
    fn relays() {
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
    fn what_is_decoded() {
        let relay = parse("smtp", "//a%25b:p@%C3%BC%20:w@localhost").unwrap();
        let login = relay.login.unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("a%b", "p@ü :w"));
        assert_eq!(*login.plain(), "AGElYgBwQMO8IDp3");
    }

    #[test]
    fn whom_the_operator_is_warned_of() {
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
    fn a_server_that_repeats_the_password() {
        let relay = parse("smtp", "//ada:hunter2@localhost").unwrap();
        for said in [
            "535 AGFkYQBodW50ZXIy is wrong",
            "535 aHVudGVyMg==",
            "535 hunter2hunter2",
            &format!("535 {}hunter2", "x".repeat(292)),
        ] {
            let refused = Refused { why: said.into(), forever: false };
            let Failure::Temporary(why) = relay.without_secrets(refused) else { panic!("{said}") };
            assert!(why.contains("(hid"), "{why}");
            for part in ["hunt", "unter", "AGFk", "aHVud"] {
                assert!(!why.contains(part), "{why}");
            }
        }
    }
}
