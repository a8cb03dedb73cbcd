//! Usernames, prepared and compared as RFC 8265 says.

use std::fmt;

use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};

#[cfg(any(test, feature = "cli"))]
use super::Email;
use crate::error::Error;

/// Maximum length of a username, in characters.
const MAX_NAME: usize = 64;

/// A valid username, prepared as RFC 8265 says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username {
    shown: String,
    key: String,
}

impl Username {
    /// Parses a username with the profiles UsernameCasePreserved and UsernameCaseMapped (RFC 8265
    /// section 3).
    pub fn parse(text: &str) -> Result<Username, Error> {
        let wrong = |why: &str| Error::InvalidUsername(why.into());
        if text.is_empty() {
            return Err(wrong("The username is empty"));
        }
        // Check the bytes first: preparing megabytes would take long.
        let too_long = "The username is longer than 64 characters";
        if text.len() > 4 * MAX_NAME {
            return Err(wrong(too_long));
        }
        let refused = "The username may hold letters, digits and punctuation, but no spaces";
        let shown = UsernameCasePreserved::enforce(text).map_err(|_| wrong(refused))?;
        let key = UsernameCaseMapped::enforce(text).map_err(|_| wrong(refused))?;
        // The prepared name must be valid as well: preparation turns a few strings into ones with a
        // forbidden character.
        if !UsernameCasePreserved::enforce(&*shown).is_ok_and(|again| again == shown) {
            return Err(wrong(refused));
        }
        if shown.chars().count() > MAX_NAME || key.chars().count() > MAX_NAME {
            return Err(wrong(too_long));
        }
        Ok(Username { shown: shown.into_owned(), key: key.into_owned() })
    }

    /// Puts a name together that was parsed before: as it was written, and its key.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn stored(shown: String, key: String) -> Username {
        Username { shown, key }
    }

    /// Parses the name of a new account, which may have an `@` only at its start. An app would take
    /// any other `@` in `X-Auth-User` for a confirmed e-mail address; many programs also accept
    /// variants of an address (`<ada@example.org>`, `ada@example.org.`). Existing accounts with
    /// such a name keep it.
    pub fn choose(text: &str) -> Result<Username, Error> {
        let name = Username::parse(text)?;
        if [&name.shown, &name.key].iter().any(|name| name.chars().skip(1).any(|c| c == '@')) {
            let why = "The username is an e-mail address; choose a name without the @";
            return Err(Error::InvalidUsername(why.into()));
        }
        Ok(name)
    }

    /// Returns the keys of the e-mail addresses that the name is: as it was written, and in the
    /// spelling of its key. An account with such an address would take the logins with this name.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn email_keys(&self) -> Vec<String> {
        // A look before the parser: hardly any name is one.
        if !self.key.contains('@') {
            return Vec::new();
        }
        let emails = [&self.key, &self.shown].map(|name| Email::parse(name).ok());
        let mut keys: Vec<String> =
            emails.iter().flatten().map(|email| email.key().to_owned()).collect();
        keys.dedup();
        keys
    }

    /// Returns the name as the person wrote it, composed.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// Returns the key, which is equal for all spellings of a name.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lower limit for the names that the loop below must test: more letters than one script has.
    const MANY: usize = 40_000;

    /// The look-up of names that are an e-mail address rests on this.
    #[test]
    fn a_name_that_is_an_address_has_its_key_unless_there_are_spellings() {
        let mut found = 0;
        for c in ('\0'..=char::MAX).filter(|c| c.is_alphanumeric()) {
            for text in [
                format!("a@{c}.example"),
                format!("a@{c}{c}.example"),
                format!("a@x{c}y.example"),
                format!("{c}@x.example"),
                format!("x{c}@y.example"),
            ] {
                let Ok(name) = Username::parse(&text) else { continue };
                for email in name.email_keys() {
                    found += 1;
                    if Email::key_has_spellings(&email) {
                        assert!(Email::key_has_spellings(name.key()), "{text}: {email}");
                    } else {
                        assert_eq!(name.key(), email, "{text}");
                    }
                }
            }
        }
        assert!(found > MANY, "{found}");
        // A name has the key of each address that it is.
        let keys = |text| Username::parse(text).unwrap().email_keys();
        assert_eq!(keys("Ada@b\u{fc}cher.example"), ["ada@xn--bcher-kva.example"]);
        // The key of this one is no address.
        assert_eq!(keys("\u{130}@x.example"), ["\u{130}@x.example"]);
        assert!(keys("ada").is_empty() && keys("@ada").is_empty());
    }

    #[test]
    fn names_are_prepared_or_refused() {
        for (text, expected) in [
            ("ada", Some(("ada", "ada"))),
            ("Ada", Some(("Ada", "ada"))),
            ("ada@example.org", Some(("ada@example.org", "ada@example.org"))),
            ("Jürgen", Some(("Jürgen", "jürgen"))),
            // Decomposed letters are composed; full-width letters become ordinary ones.
            ("Ju\u{308}rgen", Some(("Jürgen", "jürgen"))),
            ("\u{ff21}da", Some(("Ada", "ada"))),
            ("", None),
            (" ", None),
            ("a b", None),
            ("a\u{a0}b", None),
            ("a\0", None),
            ("a\nb", None),
            ("\u{202e}abc", None),
            ("a\u{200b}b", None),
            ("\u{1f600}", None),
            // Width mapping and composition turn this into a symbol.
            ("\u{ff1c}\u{338}", None),
            (&"x".repeat(64), Some((&"x".repeat(64), &"x".repeat(64)))),
            (&"x".repeat(65), None),
            (&"x".repeat(1_000_000), None),
        ] {
            let name = Username::parse(text).ok();
            let parts = name.as_ref().map(|name| (name.as_str(), name.key()));
            assert_eq!(parts, expected, "{text:?}");
        }
    }

    #[test]
    fn a_new_name_must_not_look_like_an_email_address() {
        for (text, fine) in [
            ("ada", true),
            ("@ada", true),
            ("ada.example.org", true),
            ("ada@", false),
            ("a@b@c", false),
            ("@ada@example.org", false),
            ("ada@example.org", false),
            ("<ada@example.org>", false),
            ("ada@example.org.", false),
            ("ada@example.org>", false),
            ("ada@example.org,", false),
            ("ada@example.org;q", false),
            ("ada(x)@example.org", false),
            ("mailto:ada@example.org", false),
            ("\"ada\"@example.org", false),
            ("ada@[127.0.0.1]", false),
            ("ada@localhost", false),
            ("\u{ff41}da\u{ff20}example.org", false),
            ("ада@пример.example", false),
        ] {
            assert!(Username::parse(text).is_ok(), "{text}");
            assert_eq!(Username::choose(text).is_ok(), fine, "{text}");
        }
    }

    #[test]
    fn no_letter_outside_ascii_becomes_the_key_of_an_ascii_name() {
        let mut names = 0;
        // No character beyond this range has a case or a composition.
        for c in '\u{80}'..='\u{1ffff}' {
            let Ok(name) = Username::parse(&format!("mi{c}e")) else { continue };
            names += 1;
            // The shown name has full-width letters mapped to ASCII as well (RFC 8265 section
            // 3.3.2).
            assert!(!name.key().is_ascii() || name.as_str().is_ascii(), "U+{:04X}", u32::from(c));
        }
        assert!(names > MANY, "{names}");
    }
}
