//! A mailbox (RFC 5321 section 4.1.2): an e-mail address as mail servers take it, with its domain in
//! ASCII. Knows no message.

use crate::values::domain;

/// Limits on the whole and on the part before the `@`, in bytes (RFC 5321 section 4.5.3.1).
const MAX_MAILBOX: usize = 254;
const MAX_LOCAL_PART: usize = 64;

/// An e-mail address that is safe in an SMTP command and in a header: it has no space, control
/// character, bracket, comma or quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mailbox {
    local: String,
    domain: String,
}

impl Mailbox {
    /// Parses an e-mail address; `None` if it cannot be written in a command or a header. The domain
    /// is converted to ASCII, which every server understands.
    pub(super) fn parse(text: &str) -> Option<Mailbox> {
        let (local, domain) = text.rsplit_once('@')?;
        let in_local = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        let dotted = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(in_local));
        if text.len() > MAX_MAILBOX || local.len() > MAX_LOCAL_PART || !dotted {
            return None;
        }
        Some(Mailbox { local: local.into(), domain: domain::ascii(domain)? })
    }

    /// Whether servers without SMTPUTF8 (RFC 6531) accept it.
    pub(super) fn is_ascii(&self) -> bool {
        self.local.is_ascii()
    }

    pub(super) fn domain(&self) -> &str {
        &self.domain
    }
}

impl std::fmt::Display for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes() {
        for (text, expected) in [
            ("ada@example.org", Some("ada@example.org")),
            ("Ada+x@EXAMPLE.org", Some("Ada+x@example.org")),
            ("root@localhost", Some("root@localhost")),
            ("a@bücher.example", Some("a@xn--bcher-kva.example")),
            ("a@BÜCHER.example", Some("a@xn--bcher-kva.example")),
            ("a@bu\u{308}cher.example", Some("a@xn--bcher-kva.example")),
            ("a@faß.example", Some("a@xn--fa-hia.example")),
            ("ü@bücher.example", Some("ü@xn--bcher-kva.example")),
            ("a@\u{ff42}.example", Some("a@b.example")),
            ("", None),
            ("@", None),
            ("a@", None),
            ("@b", None),
            ("a@b@c", None),
            ("a b@c", None),
            ("a@b\r\nRCPT TO:<x@y>", None),
            ("a\n@b", None),
            ("a>@b", None),
            ("<a@b>", None),
            ("a,c@b", None),
            ("\"a\"@b", None),
            ("a@[127.0.0.1]", None),
            ("a@b\0", None),
            ("a@-b", None),
            ("a@b-", None),
            ("a@b..c", None),
            ("a@\u{2024}b", None),
            ("a@b\u{3002}c", None),
            (&format!("a@{}", "b".repeat(64)), None),
            (&format!("a@{}", "ü".repeat(63)), None),
            (&format!("{}@b", "a".repeat(65)), None),
        ] {
            let mailbox = Mailbox::parse(text).map(|mailbox| mailbox.to_string());
            assert_eq!(mailbox.as_deref(), expected, "{text:?}");
        }
        assert!(Mailbox::parse("a@bücher.example").unwrap().is_ascii());
        assert!(!Mailbox::parse("ü@b").unwrap().is_ascii());
    }
}
