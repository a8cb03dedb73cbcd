//! What a new password must be like (NIST SP 800-63B-4 section 3.1.1.2): long enough, no context
//! word and little else, on no blocklist. There are no rules of composition. Knows no hash.

use zeroize::Zeroizing;

use super::Blocklist;
use super::blocklist::is_common;
use crate::error::Error;
use crate::values::{Email, Username};

/// Characters that must remain of a password without a context word.
const MIN_REST: usize = 4;
/// Characters that must remain if there is no letter among them.
const MIN_REST_WITHOUT_LETTERS: usize = 8;
/// Characters of a part of the service's name that is a word of its own.
const MIN_WORD: usize = 3;

/// The rules for new passwords. Those that people have already stay good.
#[derive(Debug)]
pub struct PasswordRules {
    /// Characters of a password, prepared, a code point being one.
    min_length: usize,
    /// The service's name and its parts, in lower case.
    service: Vec<String>,
    blocklist: Option<Blocklist>,
}

impl PasswordRules {
    /// Rules for a service of this name.
    pub fn new(min_length: u16, service: &str, blocklist: Option<Blocklist>) -> PasswordRules {
        let whole = service.to_lowercase();
        let compact: String = whole.chars().filter(|c| c.is_alphanumeric()).collect();
        let words = whole.split_whitespace();
        let words = words.chain(whole.split(|c: char| !c.is_alphanumeric()));
        let mut service: Vec<String> =
            words.map(str::to_owned).chain([compact, whole.clone()]).collect();
        service.retain(|word| word.chars().count() >= MIN_WORD);
        service.sort_unstable();
        service.dedup();
        PasswordRules { min_length: usize::from(min_length), service, blocklist }
    }

    /// Characters that a new password has at least.
    pub fn min_length(&self) -> usize {
        self.min_length
    }

    /// Says why a prepared password cannot be had, if it cannot.
    pub(super) fn check(
        &self,
        password: &str,
        name: &Username,
        email: Option<&Email>,
    ) -> Result<(), Error> {
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

    /// The context word that a password is little more than.
    fn context(&self, lower: &str, name: &Username, email: Option<&Email>) -> Option<&'static str> {
        let shown = name.as_str().to_lowercase();
        let address = email.map_or("", Email::key);
        let written = email.map_or("", Email::as_str).to_lowercase();
        let service = self.service.iter().map(|word| (&**word, "the name of this service"));
        [
            (name.key(), "the username"),
            (&shown, "the username"),
            (before_at(name.key()), "the username"),
            (address, "the e-mail address"),
            (&written, "the e-mail address"),
            (before_at(address), "the e-mail address"),
            ("lictor", "the name of this program"),
        ]
        .into_iter()
        .chain(service)
        .find(|(word, _)| is_little_more_than(lower, word))
        .map(|(_, what)| what)
    }
}

/// What belongs to a person in an e-mail address, or in a name that is one.
fn before_at(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(local, _)| local)
}

/// Whether a password without a word that everybody knows, forwards or backwards, is hardly
/// anything, or no more than a few digits and signs.
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
    use super::super::Password;
    use super::*;

    #[test]
    fn rules() {
        let name = Username::parse("Ada-Lovelace").unwrap();
        let email = Email::parse("Walter.Plinge@Mail.Example").unwrap();
        let rules = PasswordRules::new(8, "Bob's Photos", None);
        let check = |text: &str| match Password::choose(text, &name, Some(&email), &rules) {
            Ok(password) => format!("ok {}", password.reveal()),
            Err(Error::InvalidPassword(why)) => why,
            Err(other) => panic!("{other:?}"),
        };
        for (text, expected) in [
            ("correct horse", "ok correct horse"),
            ("73012985", "ok 73012985"),
            // Spaces of other kinds are spaces, and letters are composed.
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
    fn the_least_length_is_told() {
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
