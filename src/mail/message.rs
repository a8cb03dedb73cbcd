//! The message of a mail (RFC 5322, MIME): sender, headers, a text and an HTML part. Every value in
//! a header is encoded, so none can add a header. Knows no transport.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use super::Content;
use super::encoding::{self, BOUNDARY};
use super::mailbox::Mailbox;
use crate::clock::Timestamp;
use crate::error::Problem;

/// Bytes of the sender's display name.
const MAX_NAME: usize = 128;
/// The last second of the year 9999, the latest that `httpdate` can write.
const LAST_SECOND: u64 = 253_402_300_799;

/// A mail to one recipient.
#[derive(Clone, Copy)]
pub struct Mail<'a> {
    /// The local part of the Message-ID: unique, of `a-z`, `0-9` and `-`.
    pub id: &'a str,
    /// The recipient's e-mail address.
    pub to: &'a str,
    /// The language tag for Content-Language.
    pub language: &'static str,
    /// The time for the Date header.
    pub date: Timestamp,
    /// The subject and both parts.
    pub content: &'a Content,
}

/// The sender of all mails: a mailbox, with a display name or without one. Needs the feature
/// `mail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    name: Option<String>,
    mailbox: Mailbox,
}

impl Sender {
    /// Parses `login@example.org` or `Example <login@example.org>`.
    ///
    /// ```
    /// use lictor::Sender;
    /// assert!(Sender::parse("login@example.org").is_ok());
    /// assert!(Sender::parse("Ada's Photos <login@example.org>").is_ok());
    /// assert!(Sender::parse("example.org").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Sender, Problem> {
        let invalid = || {
            Problem::usage(
                format!("{text:?} is not a valid sender of mails"),
                "write login@example.org or \"Example <login@example.org>\"",
            )
        };
        let (name, mailbox) = match text.trim().strip_suffix('>').map(|text| text.rsplit_once('<'))
        {
            Some(parts) => parts.ok_or_else(invalid)?,
            None => ("", text.trim()),
        };
        let name = name.trim();
        // A name in quotes, as in a header, is accepted too.
        let name = name.strip_prefix('"').and_then(|n| n.strip_suffix('"')).unwrap_or(name);
        let mailbox = Mailbox::parse(mailbox).filter(Mailbox::is_ascii).ok_or_else(invalid)?;
        if name.len() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(invalid());
        }
        Ok(Sender { name: (!name.is_empty()).then(|| name.into()), mailbox })
    }

    /// The envelope sender, to which servers return what they cannot deliver.
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The value of the From header.
    fn header(&self) -> String {
        match &self.name {
            Some(name) => format!("{}\r\n <{}>", encoding::phrase(name), self.mailbox),
            None => self.mailbox.to_string(),
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.mailbox),
            None => self.mailbox.fmt(f),
        }
    }
}

/// A mail as a server gets it: ASCII lines that end with CRLF. Only the recipient's mailbox may have
/// other characters.
pub(super) struct Message {
    pub(super) to: Mailbox,
    pub(super) text: String,
}

impl Message {
    /// Writes the headers and the parts. An error is permanent: no later attempt would succeed.
    pub(super) fn new(sender: &Sender, mail: &Mail<'_>) -> Result<Message, &'static str> {
        let to = Mailbox::parse(mail.to).ok_or("no mail can be sent to this e-mail address")?;
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if mail.id.is_empty() || mail.id.len() > 64 || !mail.id.bytes().all(allowed) {
            return Err("the mail's identifier is not valid");
        }
        let head = format!(
            "Date: {date}\r\nFrom: {from}\r\nTo: {to}\r\nSubject: {subject}\r\n\
             Message-ID: <{id}@{domain}>\r\nAuto-Submitted: auto-generated\r\n\
             Content-Language: {language}\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/alternative; boundary=\"{BOUNDARY}{id}\"\r\n",
            date = date(mail.date),
            from = sender.header(),
            subject = encoding::unstructured(&mail.content.subject),
            id = mail.id,
            domain = sender.mailbox.domain(),
            language = mail.language,
        );
        let text = format!(
            "{head}\r\n{}{}--{BOUNDARY}{id}--\r\n",
            part(mail.id, "plain", &mail.content.text),
            part(mail.id, "html", &mail.content.html),
            id = mail.id,
        );
        Ok(Message { to, text })
    }
}

/// One part of the message, after its boundary.
fn part(id: &str, kind: &str, text: &str) -> String {
    let (encoding, body) = encoding::body(text);
    format!(
        "--{BOUNDARY}{id}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
    )
}

/// The value of the Date header. Dates in HTTP and in mail differ only in the name of the zone.
fn date(at: Timestamp) -> String {
    let seconds = u64::try_from(at.0).unwrap_or(0).min(LAST_SECOND);
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    date.replace("GMT", "+0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_parsed() {
        for (text, expected) in [
            ("a@b.example", Some("a@b.example")),
            (" a@b.example ", Some("a@b.example")),
            ("<a@b.example>", Some("a@b.example")),
            ("Ada <a@b.example>", Some("Ada <a@b.example>")),
            ("\"Ada, L.\" <a@b.example>", Some("Ada, L. <a@b.example>")),
            ("José <a@bücher.example>", Some("José <a@xn--bcher-kva.example>")),
            ("", None),
            ("Ada", None),
            ("a@b.example>", None),
            ("Ada <a@b.example> x", None),
            ("Ada\r\nBcc: x@y <a@b.example>", None),
            ("Ada <a@b\r\n>", None),
            ("ü@b.example", None),
        ] {
            let sender = Sender::parse(text).ok().map(|sender| sender.to_string());
            assert_eq!(sender.as_deref(), expected, "{text:?}");
        }
    }

    fn message(from: &str, to: &str, subject: &str, text: &str) -> Result<String, &'static str> {
        let content = Content { subject: subject.into(), text: text.into(), html: text.into() };
        let date = Timestamp(784_111_777);
        let mail = Mail { id: "id-1", to, language: "en", date, content: &content };
        Message::new(&Sender::parse(from).unwrap(), &mail).map(|message| message.text)
    }

    #[test]
    fn a_message_has_headers_and_two_parts() {
        let text = message("Ada <a@b.example>", "c@d.example", "Hello", "Good day\n").unwrap();
        let expected = [
            "Date: Sun, 06 Nov 1994 08:49:37 +0000",
            "From: \"Ada\"",
            " <a@b.example>",
            "To: c@d.example",
            "Subject: Hello",
            "Message-ID: <id-1@b.example>",
            "Auto-Submitted: auto-generated",
            "Content-Language: en",
            "MIME-Version: 1.0",
            "Content-Type: multipart/alternative; boundary=\"=_id-1\"",
            "",
            "--=_id-1",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 7bit",
            "",
            "Good day",
            "",
            "--=_id-1",
            "Content-Type: text/html; charset=utf-8",
            "Content-Transfer-Encoding: 7bit",
            "",
            "Good day",
            "",
            "--=_id-1--",
            "",
        ];
        assert_eq!(text, expected.join("\r\n"));
    }

    #[test]
    fn hostile_text_adds_no_header_and_no_part() {
        let hostile = [
            "x\r\nBcc: eve@evil.example\r\n\r\nbody",
            "x\nBcc: eve@evil.example",
            "x\rBcc: eve@evil.example",
            "x\u{85}\u{2028}Bcc: eve@evil.example",
            "--=_id-1--\r\nBcc: eve@evil.example",
            "=?utf-8?Q?=0D=0ABcc:_eve@evil.example?=",
            "\u{0}\u{1b}[31m",
            &"ü".repeat(2_000),
            &"x".repeat(2_000),
        ];
        for text in hostile {
            let whole = message("Ada <a@b.example>", "c@d.example", text, text).unwrap();
            let (head, body) = whole.split_once("\r\n\r\n").unwrap();
            let names: Vec<_> = head
                .split("\r\n")
                .filter(|line| !line.starts_with(' '))
                .map(|line| line.split(':').next().unwrap())
                .collect();
            let expected = "Date From To Subject Message-ID Auto-Submitted Content-Language \
                            MIME-Version Content-Type";
            assert_eq!(names.join(" "), expected, "{text:?}");
            assert_eq!(body.matches("--=_id-1").count(), 3, "{text:?}");
            let lines = whole.split("\r\n");
            let allowed = |c: u8| matches!(c, b'\t' | b' '..=b'~');
            assert!(
                lines.clone().all(|line| line.len() <= 998 && line.bytes().all(allowed)),
                "{text:?}"
            );
            assert!(message("a@b.example", text, "", "").is_err(), "{text:?}");
        }
    }
}
