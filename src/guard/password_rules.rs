//! The rules for a new password (NIST SP 800-63B-4 section 3.1.1.2): a minimum length, more than a
//! context word, and not on a blocklist. There are no composition rules. Knows no hash.

use zeroize::Zeroizing;

use super::blocklist::is_common;
use super::password::MAX_BYTES;
use super::{Blocklist, Password};
use crate::error::Error;
use crate::values::{Email, Username};

/// Minimum characters that must remain of a password after a context word is removed.
const MIN_REST: usize = 4;
/// The same if no letter is among them.
const MIN_REST_WITHOUT_LETTERS: usize = 8;
/// Minimum characters of a part of the service's name that counts as a context word.
const MIN_WORD: usize = 3;

/// The rules for new passwords. Existing passwords stay valid.
#[derive(Debug)]
pub struct PasswordRules {
    /// Minimum length of a prepared password, in code points.
    min_length: usize,
    /// The context words of the service's name: the name and its parts, in lower case.
    service: Vec<String>,
    blocklist: Option<Blocklist>,
}

impl PasswordRules {
    /// Makes the rules of a service with this name.
    pub fn new(min_length: u16, service: &str, blocklist: Option<Blocklist>) -> PasswordRules {
        let whole = service.to_lowercase();
        let compact: String = whole.chars().filter(|c| c.is_alphanumeric()).collect();
        let words = whole.split_whitespace();
        let words = words.chain(whole.split(|c: char| !c.is_alphanumeric()));
        let mut service = Vec::<String>::new();
        for word in words.chain([&*compact, &whole]) {
            if word.chars().count() >= MIN_WORD && !service.iter().any(|other| other == word) {
                service.push(word.to_owned());
            }
        }
        PasswordRules { min_length: usize::from(min_length), service, blocklist }
    }

    /// Returns the minimum length of a new password, in characters.
    pub fn min_length(&self) -> usize {
        self.min_length
    }

    /// Checks a prepared password; the error says which rule it breaks.
    fn check(&self, password: &str, name: &Username, email: Option<&Email>) -> Result<(), Error> {
        let wrong = |why: String| Err(Error::InvalidPassword(why));
        if password.chars().count() < self.min_length {
            return wrong(format!("The password is shorter than {} characters", self.min_length));
        }
        let lower = Zeroizing::new(password.to_lowercase());
        if let Some(what) = self.context(&lower, name, email) {
            return wrong(format!("The password is little more than {what}"));
        }
        let blocked = match &self.blocklist {
            Some(blocklist) => blocklist.has(password, &lower)?,
            None => false,
        };
        if blocked || is_common(&lower) {
            let why = "This password is one of the most common, which are tried first";
            return wrong(why.into());
        }
        Ok(())
    }

    /// Returns what the context word is that a password is little more than, if there is one.
    fn context(&self, lower: &str, name: &Username, email: Option<&Email>) -> Option<&'static str> {
        let shown = name.as_str().to_lowercase();
        let email_key = email.map_or("", Email::key);
        let email_shown = email.map_or("", Email::as_str).to_lowercase();
        let service = self.service.iter().map(|word| (&**word, "the name of this service"));
        [
            (name.key(), "the username"),
            (&shown, "the username"),
            (before_at(name.key()), "the username"),
            (email_key, "the e-mail address"),
            (&email_shown, "the e-mail address"),
            (before_at(email_key), "the e-mail address"),
            ("lictor", "the name of this program"),
        ]
        .into_iter()
        .chain(service)
        .find(|(word, _)| is_little_more_than(lower, word))
        .map(|(_, what)| what)
    }
}

impl Password {
    /// Prepares and checks a password that the user with this name and e-mail address chooses; the
    /// error says which rule it breaks.
    pub fn choose(
        text: &str,
        name: &Username,
        email: Option<&Email>,
        rules: &PasswordRules,
    ) -> Result<Password, Error> {
        let wrong = |why: &str| Err(Error::InvalidPassword(why.into()));
        if text.len() > MAX_BYTES {
            return wrong("The password is longer than 1024 bytes");
        }
        if text.is_empty() {
            return wrong("The password is empty");
        }
        let Some(password) = Password::attempt(text) else {
            return wrong("The password holds a character that cannot be typed everywhere");
        };
        rules.check(password.as_str(), name, email)?;
        Ok(password)
    }
}

/// Returns the part before the `@` of an e-mail address, or of a name that is one.
fn before_at(text: &str) -> &str {
    text.rsplit_once('@').map_or("", |(local, _)| local)
}

/// Returns whether only a few characters, or only a few digits and signs, remain of a password
/// after a word is removed, forwards or backwards.
fn is_little_more_than(password: &str, word: &str) -> bool {
    let backwards: String = word.chars().rev().collect();
    [word, &backwards].into_iter().any(|word| {
        let rest = Zeroizing::new(password.replace(word, ""));
        let chars = rest.chars().count();
        chars < MIN_REST
            || (chars < MIN_REST_WITHOUT_LETTERS && !rest.chars().any(char::is_alphabetic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_passwords_are_accepted_or_refused_with_the_reason() {
        let name = Username::parse("Ada-Lovelace").unwrap();
        let email = Email::parse("Walter.Plinge@Mail.Example").unwrap();
        let rules = PasswordRules::new(8, "Bob's Photos", None);
        let check = |text: &str| match Password::choose(text, &name, Some(&email), &rules) {
            Ok(password) => format!("ok {}", password.as_str()),
            Err(Error::InvalidPassword(why)) => why,
            Err(other) => panic!("{other:?}"),
        };
        for (text, expected) in [
            ("correct horse", "ok correct horse"),
            ("73012985", "ok 73012985"),
            // All kinds of spaces become U+0020, and letters are composed.
            ("a\u{a0}b\u{3000}cdefgh", "ok a b cdefgh"),
            ("u\u{308}berlang", "ok überlang"),
            (&"x".repeat(1024), &format!("ok {}", "x".repeat(1024))),
            (&"x".repeat(1025), "The password is longer than 1024 bytes"),
            ("", "The password is empty"),
            ("\u{1f600}\u{1f600}", "The password is shorter than 8 characters"),
            ("1234567", "The password is shorter than 8 characters"),
            ("12345678\0", "The password holds a character that cannot be typed everywhere"),
            ("1234567\t8", "The password holds a character that cannot be typed everywhere"),
            ("ada-lovelace", "The password is little more than the username"),
            ("ADA-LOVELACE", "The password is little more than the username"),
            ("ecalevoL-adA", "The password is little more than the username"),
            ("Ada-Lovelace1815!", "The password is little more than the username"),
            ("ada-lovelaceada-lovelace", "The password is little more than the username"),
            ("xyada-lovelacez", "The password is little more than the username"),
            ("ada-lovelace engine", "ok ada-lovelace engine"),
            ("ada-lovelace10121815", "ok ada-lovelace10121815"),
            ("1852-ada", "ok 1852-ada"),
            ("walter.plinge", "The password is little more than the e-mail address"),
            ("walter.plinge@mail.example", "The password is little more than the e-mail address"),
            ("Lictor2024", "The password is little more than the name of this program"),
            ("Photos12", "The password is little more than the name of this service"),
            ("sotohp12", "The password is little more than the name of this service"),
            ("bobsphotos1", "The password is little more than the name of this service"),
            ("Bob's Photos", "The password is little more than the name of this service"),
            ("PHOTOS-2026", "The password is little more than the name of this service"),
            ("my photos of bob", "ok my photos of bob"),
            ("s730129856", "ok s730129856"),
            ("password", "This password is one of the most common, which are tried first"),
            ("PassWord1", "This password is one of the most common, which are tried first"),
            ("12345678", "This password is one of the most common, which are tried first"),
        ] {
            assert_eq!(check(text), expected, "{text:?}");
        }
        for (issuer, text, fine) in [
            ("lictor", "Lictor2024", false),
            ("lictor", "photos1234", true),
            ("Überblick", "ÜBERBLICK1", false),
            ("!!", "12345678!!", true),
        ] {
            let rules = PasswordRules::new(8, issuer, None);
            assert_eq!(Password::choose(text, &name, None, &rules).is_ok(), fine, "{text:?}");
        }
        for (name, text, fine) in [
            ("walter@mail.example", "walter1234", false),
            ("a", "12345678a", false),
            ("a", "banana bread", true),
            ("ab", "abababababab", false),
        ] {
            let name = Username::parse(name).unwrap();
            assert_eq!(Password::choose(text, &name, None, &rules).is_ok(), fine, "{text:?}");
        }
    }

    #[test]
    fn the_error_names_the_minimum_length() {
        let name = Username::parse("ada").unwrap();
        let rules = PasswordRules::new(15, "lictor", None);
        let check = |text| Password::choose(text, &name, None, &rules).map(drop);
        let why = "The password is shorter than 15 characters";
        assert!(
            matches!(check("correct horse!"), Err(Error::InvalidPassword(told)) if told == why)
        );
        assert!(check("correct horse!!").is_ok());
    }
}
