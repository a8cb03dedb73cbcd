//! The SMTP dialogue that sends one mail (RFC 5321; RFC 4954 for AUTH, RFC 3207 for STARTTLS,
//! RFC 6531 for mailboxes that are not ASCII). Knows no socket.

use std::net::IpAddr;
use std::time::Duration;

use zeroize::Zeroizing;

use super::reply::Reply;
use super::wire::{AFTER_DATA, STEP, Wire};
use super::{Login, Relay, Security};
use crate::mail::message::{Message, Sender};

/// "Authentication required": at any step, this means that a setting is wrong, not the mail.
const AUTH_REQUIRED: u16 = 530;

/// Why the mail was not sent. `why` may quote the server, and so contain secrets.
#[derive(Debug)]
pub(super) struct Rejection {
    pub(super) why: String,
    /// No later attempt can succeed, even with other settings.
    pub(super) permanent: bool,
}

/// A failure that is not about this mail is temporary.
impl From<String> for Rejection {
    fn from(why: String) -> Rejection {
        Rejection { why, permanent: false }
    }
}

/// Sends the mail over a connection of its own.
pub(super) fn send(relay: &Relay, sender: &Sender, message: &Message) -> Result<(), Rejection> {
    let (mut wire, server) = open(relay)?;
    let sent = transfer(&mut wire, &server, sender, message);
    wire.close(b"QUIT\r\n");
    sent
}

/// Connects, encrypts and logs in; returns the connection and the reply to EHLO.
fn open(relay: &Relay) -> Result<(Wire, Reply), Rejection> {
    let mut wire = Wire::connect(&relay.host, relay.port)?;
    if let Security::Tls(trust) = &relay.security {
        wire = wire.encrypt(trust)?;
    }
    let greeting = wire.greeting()?;
    expect(greeting, 220, "at the start")?;
    let mut server = greet(&mut wire)?;
    if let Security::StartTls(trust) = &relay.security {
        if !server.offers("STARTTLS") {
            return Err("the server offers no STARTTLS, and nothing is sent unencrypted"
                .to_owned()
                .into());
        }
        expect(wire.ask(b"STARTTLS\r\n", STEP)?, 220, "to STARTTLS")?;
        wire = wire.encrypt(trust)?;
        // An attacker may have written the first reply, which came unencrypted.
        server = greet(&mut wire)?;
    }
    if let Some(login) = &relay.login {
        log_in(&mut wire, &server, login)?;
    }
    Ok((wire, server))
}

/// Sends EHLO; returns the reply.
fn greet(wire: &mut Wire) -> Result<Reply, Rejection> {
    let name = match wire.local_ip() {
        Some(IpAddr::V4(ip)) => format!("[{ip}]"),
        Some(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        None => "localhost".into(),
    };
    expect(wire.ask(format!("EHLO {name}\r\n").as_bytes(), STEP)?, 250, "to EHLO")
}

fn log_in(wire: &mut Wire, server: &Reply, login: &Login) -> Result<(), Rejection> {
    let mut send = |text: &str| {
        let line = Zeroizing::new(format!("{text}\r\n"));
        wire.ask(line.as_bytes(), STEP)
    };
    let last = if server.offers_auth("PLAIN") {
        send(&Zeroizing::new(format!("AUTH PLAIN {}", *login.plain())))?
    } else if server.offers_auth("LOGIN") {
        let (user, password) = login.login();
        expect(send("AUTH LOGIN")?, 334, "to AUTH")?;
        expect(send(&user)?, 334, "to the name")?;
        send(&password)?
    } else {
        let why = "the server offers no login mechanism that lictor knows (PLAIN, LOGIN)";
        return Err(why.to_owned().into());
    };
    expect(last, 235, "to the password").map(|_| ())
}

/// Sends the envelope and the message.
fn transfer(
    wire: &mut Wire,
    server: &Reply,
    sender: &Sender,
    message: &Message,
) -> Result<(), Rejection> {
    let utf8 = !message.to.is_ascii();
    if utf8 && !server.offers("SMTPUTF8") {
        let why = "the server cannot send to an e-mail address that is not ASCII (no SMTPUTF8)";
        return Err(Rejection { why: why.into(), permanent: true });
    }
    let options = if utf8 { " BODY=8BITMIME SMTPUTF8" } else { "" };
    let mut ask = |command: &str, limit: Duration| wire.ask(command.as_bytes(), limit);
    let from = ask(&format!("MAIL FROM:<{}>{options}\r\n", sender.mailbox()), STEP)?;
    // The sender is a setting, so a rejection of it is temporary.
    expect(from, 250, "to the sender")?;
    let to = ask(&format!("RCPT TO:<{}>\r\n", message.to), STEP)?;
    expect_for_mail(to, 250, "to the recipient")?;
    expect_for_mail(ask("DATA\r\n", STEP)?, 354, "to DATA")?;
    expect_for_mail(ask(&dot_stuffed(&message.text), AFTER_DATA)?, 250, "to the mail").map(|_| ())
}

/// The text with dots doubled at line starts (RFC 5321 section 4.5.2): a line of a single dot would
/// end the mail. Adds that line at the end.
fn dot_stuffed(text: &str) -> String {
    let text = text.replace("\r\n.", "\r\n..");
    let end = if text.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" };
    text + end
}

/// Checks the class of the reply's code.
fn expect(reply: Reply, code: u16, when: &str) -> Result<Reply, Rejection> {
    // Another code of the same class is accepted too, such as 251 for a recipient.
    if reply.code / 100 == code / 100 {
        return Ok(reply);
    }
    Err(format!("the server replied {when}: {reply}").into())
}

/// Like [`expect`], but a 5xx reply is permanent, because it is about this mail.
fn expect_for_mail(reply: Reply, code: u16, when: &str) -> Result<Reply, Rejection> {
    let permanent = reply.code >= 500 && reply.code != AUTH_REQUIRED;
    expect(reply, code, when).map_err(|rejection| Rejection { permanent, ..rejection })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_at_line_starts_are_doubled() {
        for (text, expected) in [
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n"),
        ] {
            assert_eq!(dot_stuffed(text), expected, "{text:?}");
        }
    }
}
