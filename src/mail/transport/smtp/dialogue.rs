//! What is said to a mail server to send one mail (RFC 5321; 4954 for logging in, 3207 for
//! STARTTLS, 6531 for addresses beyond ASCII). Knows no socket.

use std::net::IpAddr;
use std::time::Duration;

use zeroize::Zeroizing;

use super::reply::Reply;
use super::wire::{STEP, VERDICT, Wire};
use super::{Login, Relay, Security};
use crate::mail::message::{Message, Sender};

/// The server's answer to whom it does not know yet: a setting is wrong, whenever it is said.
const LOG_IN_FIRST: u16 = 530;

/// Why it was not sent. May hold whatever the server said.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) why: String,
    /// Nothing that time or the operator does will change it.
    pub(super) forever: bool,
}

/// Whatever is not about this mail may be mended.
impl From<String> for Refused {
    fn from(why: String) -> Refused {
        Refused { why, forever: false }
    }
}

/// Sends it on a connection of its own.
pub(super) fn send(relay: &Relay, sender: &Sender, message: &Message) -> Result<(), Refused> {
    let (mut wire, server) = open(relay)?;
    let sent = hand_over(&mut wire, &server, sender, message);
    wire.leave(b"QUIT\r\n");
    sent
}

/// A connection on which mail can be sent, and what the server can.
fn open(relay: &Relay) -> Result<(Wire, Reply), Refused> {
    let mut wire = Wire::connect(&relay.host, relay.port)?;
    if let Security::Tls(trust) = &relay.security {
        wire = wire.encrypt(trust)?;
    }
    let greeting = wire.listen()?;
    expect(greeting, 220, "at the start")?;
    let mut server = greet(&mut wire)?;
    if let Security::StartTls(trust) = &relay.security {
        if !server.offers("STARTTLS") {
            return Err("it offers no STARTTLS, and nothing is sent unencrypted".to_owned().into());
        }
        expect(wire.ask(b"STARTTLS\r\n", STEP)?, 220, "to STARTTLS")?;
        wire = wire.encrypt(trust)?;
        // What it said before could be anybody's words.
        server = greet(&mut wire)?;
    }
    if let Some(login) = &relay.login {
        log_in(&mut wire, &server, login)?;
    }
    Ok((wire, server))
}

fn greet(wire: &mut Wire) -> Result<Reply, Refused> {
    let name = match wire.own_address() {
        Some(IpAddr::V4(ip)) => format!("[{ip}]"),
        Some(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        None => "localhost".into(),
    };
    expect(wire.ask(format!("EHLO {name}\r\n").as_bytes(), STEP)?, 250, "to EHLO")
}

fn log_in(wire: &mut Wire, server: &Reply, login: &Login) -> Result<(), Refused> {
    let mut say = |text: &str| {
        let line = Zeroizing::new(format!("{text}\r\n"));
        wire.ask(line.as_bytes(), STEP)
    };
    let last = if server.takes_login("PLAIN") {
        say(&Zeroizing::new(format!("AUTH PLAIN {}", *login.plain())))?
    } else if server.takes_login("LOGIN") {
        let (user, password) = login.login();
        expect(say("AUTH LOGIN")?, 334, "to AUTH")?;
        expect(say(&user)?, 334, "to the name")?;
        say(&password)?
    } else {
        let why = "it offers no way to log in that lictor knows (PLAIN, LOGIN)";
        return Err(why.to_owned().into());
    };
    expect(last, 235, "to the password").map(|_| ())
}

fn hand_over(
    wire: &mut Wire,
    server: &Reply,
    sender: &Sender,
    message: &Message,
) -> Result<(), Refused> {
    let utf8 = !message.to.is_ascii();
    if utf8 && !server.offers("SMTPUTF8") {
        let why = "the server cannot send to an address with letters beyond ASCII (no SMTPUTF8)";
        return Err(Refused { why: why.into(), forever: true });
    }
    let options = if utf8 { " BODY=8BITMIME SMTPUTF8" } else { "" };
    let mut ask = |command: &str, limit: Duration| wire.ask(command.as_bytes(), limit);
    let from = ask(&format!("MAIL FROM:<{}>{options}\r\n", sender.address()), STEP)?;
    // Whom mails come from is a setting.
    expect(from, 250, "to the sender")?;
    let to = ask(&format!("RCPT TO:<{}>\r\n", message.to), STEP)?;
    expect_of_mail(to, 250, "to the recipient")?;
    expect_of_mail(ask("DATA\r\n", STEP)?, 354, "to DATA")?;
    expect_of_mail(ask(&stuffed(&message.text), VERDICT)?, 250, "to the mail").map(|_| ())
}

/// A line that is a dot alone would end the mail.
fn stuffed(text: &str) -> String {
    let text = text.replace("\r\n.", "\r\n..");
    let end = if text.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" };
    text + end
}

fn expect(reply: Reply, code: u16, when: &str) -> Result<Reply, Refused> {
    // Another code of the same kind is as good: 251 to a recipient, say.
    if reply.code / 100 == code / 100 {
        return Ok(reply);
    }
    Err(format!("it said {when}: {reply}").into())
}

/// What a server refuses for good of this mail, it refuses for good.
fn expect_of_mail(reply: Reply, code: u16, when: &str) -> Result<Reply, Refused> {
    let forever = reply.code >= 500 && reply.code != LOG_IN_FIRST;
    expect(reply, code, when).map_err(|refused| Refused { forever, ..refused })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots() {
        for (text, expected) in [
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n"),
        ] {
            assert_eq!(stuffed(text), expected, "{text:?}");
        }
    }
}
