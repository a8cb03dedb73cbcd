//! An address as mail servers take it: its two halves, and its domain in ASCII. Knows no message.

use crate::values::domain;

/// Bytes of an address, and of its part before the `@` (RFC 5321).
const MAX_ADDRESS: usize = 254;
const MAX_LOCAL_PART: usize = 64;

/// An address that can stand in a command to a mail server and in a header: no space, no control
/// character, no bracket, no comma, no quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    local: String,
    domain: String,
}

impl Address {
    /// `None` for what cannot be expressed. The domain is turned into ASCII, which every server
    /// understands.
    pub(super) fn parse(text: &str) -> Option<Address> {
        let (local, domain) = text.rsplit_once('@')?;
        let in_local = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        let dotted = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(in_local));
        if text.len() > MAX_ADDRESS || local.len() > MAX_LOCAL_PART || !dotted {
            return None;
        }
        Some(Address { local: local.into(), domain: domain::ascii(domain)? })
    }

    /// Whether servers that know nothing of RFC 6531 (SMTPUTF8) take it.
    pub(super) fn is_ascii(&self) -> bool {
        self.local.is_ascii()
    }

    pub(super) fn domain(&self) -> &str {
        &self.domain
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
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
            let address = Address::parse(text).map(|address| address.to_string());
            assert_eq!(address.as_deref(), expected, "{text:?}");
        }
        assert!(Address::parse("a@bücher.example").unwrap().is_ascii());
        assert!(!Address::parse("ü@b").unwrap().is_ascii());
    }
}
