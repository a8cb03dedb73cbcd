//! E-mail addresses, and the key by which they are compared.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::decompose_canonical;

use crate::error::Error;
use crate::values::domain;

/// Maximum length of an e-mail address, in bytes (RFC 5321 section 4.5.3.1.3, without the
/// brackets).
pub(super) const MAX_EMAIL: usize = 254;
/// Maximum length of the part before the `@`, in bytes (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;

/// An e-mail address of valid form. Only a confirmation mail can tell whether it receives mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    shown: String,
    key: String,
}

impl Email {
    /// Parses an e-mail address.
    pub fn parse(text: &str) -> Result<Email, Error> {
        let wrong = || Error::BadRequest("email: this is not an e-mail address".into());
        if text.len() > MAX_EMAIL {
            return Err(Error::BadRequest(format!("email: longer than {MAX_EMAIL} bytes")));
        }
        let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
        // A "dot-string" of RFC 5321 with the letters of RFC 6531; no quoted string, no IP literal.
        let in_local = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        let dotted = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(in_local));
        if local.len() > MAX_LOCAL_PART || !dotted {
            return Err(wrong());
        }
        // A host name has no underscore; other names in the DNS may.
        let domain = domain::ascii(domain).filter(|domain| !domain.contains('_'));
        let domain = domain.ok_or_else(wrong)?;
        Ok(Email { shown: text.into(), key: format!("{}@{domain}", local_key(local)) })
    }

    /// Puts an address together that was parsed before: as it was written, and its key.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn stored(shown: String, key: String) -> Email {
        Email { shown, key }
    }

    /// Returns whether names with different keys can be the e-mail address with this key. If not, a
    /// name that is the address has the address's key.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn key_has_spellings(key: &str) -> bool {
        !key.is_ascii() || key.contains("xn--")
    }

    /// Returns the address as it was written.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// Returns the key, which is equal for all spellings of an address: the part before the `@`
    /// composed and in lower case, the domain in its ASCII form.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Returns the part before the `@` composed and in lower case. A letter outside ASCII never becomes
/// an ASCII one: the key would be that of another person's mailbox.
pub(super) fn local_key(local: &str) -> String {
    if local.is_ascii() {
        return local.to_ascii_lowercase();
    }
    let mut key = String::new();
    for part in local.split_inclusive(becomes_ascii) {
        let text = part.trim_end_matches(becomes_ascii);
        key.push_str(&text.nfc().collect::<String>().to_lowercase());
        key.push_str(&part[text.len()..]);
    }
    key
}

/// Returns whether the lower case or composition of a non-ASCII letter is an ASCII letter, as that
/// of the KELVIN SIGN is.
fn becomes_ascii(c: char) -> bool {
    if c.is_ascii() {
        return false;
    }
    let (mut parts, mut ascii) = (0, false);
    decompose_canonical(c, |part| {
        parts += 1;
        ascii = part.is_ascii();
    });
    parts == 1 && ascii || c.to_lowercase().any(|c| c.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lower limit for the addresses that the loop below must test: more letters than one script
    /// has.
    const MANY: usize = 40_000;

    fn key(text: &str) -> Option<String> {
        Email::parse(text).ok().map(|email| email.key)
    }

    #[test]
    fn addresses_are_parsed_or_refused() {
        for (good, expected) in [
            ("a@b", "a@b"),
            ("Ada.Love+x@Mail.Example", "ada.love+x@mail.example"),
            ("o'neil@a-b.c", "o'neil@a-b.c"),
            ("Ü@BÜCHER.example", "ü@xn--bcher-kva.example"),
            ("ü@bu\u{308}cher.example", "ü@xn--bcher-kva.example"),
            ("ü@XN--BCHER-KVA.example", "ü@xn--bcher-kva.example"),
            // In a domain, full-width letters are ordinary ones.
            ("a@\u{ff25}\u{ff58}ample.org", "a@example.org"),
            // In a domain, the KELVIN SIGN is a K; in a mailbox it is not.
            ("a@\u{212a}elvin.example", "a@kelvin.example"),
            ("mi\u{212a}E@example.org", "mi\u{212a}e@example.org"),
            ("\u{130}stanbul@example.org", "\u{130}stanbul@example.org"),
            ("\u{212b}ngström@example.org", "ångström@example.org"),
            ("ΟΔΟΣ@example.org", "οδος@example.org"),
        ] {
            assert_eq!(key(good).as_deref(), Some(expected), "{good:?}");
            assert_eq!(key(expected).as_deref(), Some(expected), "{good:?}");
        }
        let long = format!("{}@b", "a".repeat(65));
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "ab",
            "a@b@c",
            "a b@c",
            "a@b c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@.b",
            "a@b.",
            "a@-b",
            "a@b-",
            "a\r\nb@c",
            "a@b\0",
            "\"a\"@b",
            "a@[1.2.3.4]",
            // IDNA refuses these domains.
            "a@b_c",
            "a@a\u{200b}b.example",
            "a@\u{2603}.example",
            "a@\u{301}a.example",
            "a@\u{5d0}a.example",
            "a@b\u{3002}c",
            &format!("a@{}.example", "ü".repeat(63)),
            "<a@b>",
            &long,
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn no_letter_outside_ascii_becomes_an_ascii_letter_of_a_key() {
        let mut addresses = 0;
        // No character beyond this range has a case or a composition.
        for c in '\u{80}'..='\u{1ffff}' {
            if let Some(key) = key(&format!("mi{c}e@example.org")) {
                assert!(!key.is_ascii(), "U+{:04X} becomes {key}", u32::from(c));
                addresses += 1;
            }
        }
        assert!(addresses > MANY, "{addresses}");
    }
}
