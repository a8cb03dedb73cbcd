//! App passwords: what a program that cannot show a login page sends in the place of a user's
//! password. One is shown once, when it is made; the store keeps only its hash.

use std::fmt;

use zeroize::Zeroizing;

use super::code::{CHARS, Code, CodeHash};
use super::printable::steers;
use crate::error::Error;

/// The text that every app password begins with, so that people and programs that look for leaked
/// secrets can tell it from other texts.
const PREFIX: &str = "lap_";
/// Maximum length of the name that a user gives to an app password, in characters.
const MAX_NAME: usize = 64;

/// An app password: 120 random bits. Only [`AppPassword::shown`] reveals it.
pub struct AppPassword(Code);

impl AppPassword {
    /// Makes a new random app password.
    pub fn generate() -> Result<AppPassword, Error> {
        Code::generate().map(AppPassword)
    }

    /// Reads what a program sends; `None` if it cannot be an app password.
    pub fn read(text: &[u8]) -> Option<AppPassword> {
        let code = text.strip_prefix(PREFIX.as_bytes()).filter(|code| code.len() == CHARS)?;
        Code::typed(std::str::from_utf8(code).ok()?).map(AppPassword)
    }

    /// Whether a text is meant to be an app password, and not a token.
    pub fn is_meant(text: &[u8]) -> bool {
        text.starts_with(PREFIX.as_bytes())
    }

    /// Returns the app password as its owner sees it: `lap_` and 24 letters and digits.
    pub fn shown(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + CHARS));
        text.push_str(PREFIX);
        text.extend(self.0.chars().map(|char| char.to_ascii_lowercase()));
        text
    }

    /// Returns the hash that the store keeps.
    pub fn hash(&self) -> CodeHash {
        self.0.hash()
    }
}

impl fmt::Debug for AppPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppPassword(hidden)")
    }
}

/// Parses the name that a user gives to an app password: 1 to 64 characters that can be shown.
/// Spaces around it are removed.
pub fn app_password_name(text: &str) -> Result<&str, Error> {
    let name = text.trim();
    let length = name.chars().take(MAX_NAME + 1).count();
    match (1..=MAX_NAME).contains(&length) && !name.contains(steers) {
        true => Ok(name),
        false => Err(Error::BadRequest(format!(
            "name: must be 1 to {MAX_NAME} characters, and none that cannot be seen"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_sent() {
        let made = AppPassword::generate().unwrap();
        let shown = made.shown();
        assert!(shown.len() == 28 && shown.starts_with("lap_"), "{}", shown.len());
        let digits = shown[4..].bytes().all(|b| b"0123456789abcdefghjkmnpqrstvwxyz".contains(&b));
        assert!(digits, "Crockford's alphabet in lower case");
        assert_eq!(AppPassword::read(shown.as_bytes()).unwrap().hash(), made.hash());
        assert_ne!(AppPassword::generate().unwrap().hash(), made.hash());
    }

    #[test]
    fn texts_that_are_none() {
        let good = "lap_0123456789abcdefghjkmnpq";
        assert_eq!(*AppPassword::read(good.as_bytes()).unwrap().shown(), *good);
        // As people read a handwritten one.
        let copied = AppPassword::read(b"lap_oIL3456789ABCDEFGHJKMNPQ").unwrap();
        assert_eq!(*copied.shown(), *"lap_0113456789abcdefghjkmnpq");
        for bad in [
            &b""[..],
            b"lap_",
            b"0123456789abcdefghjkmnpq",
            b"LAP_0123456789abcdefghjkmnpq",
            b"lap-0123456789abcdefghjkmnpq",
            b" lap_0123456789abcdefghjkmnpq",
            b"lap_0123456789abcdefghjkmnpq ",
            b"lap_0123456789abcdefghjkmnp",
            b"lap_0123456789abcdefghjkmnpqr",
            b"lap_0123456789abcdefghjkmnpu",
            b"lap_0123-456789abcdefghjkmnp",
            b"lap_ 0123456789abcdefghjkmnp",
            b"lap_0123456789abcdefghjkmnp\0",
            "lap_0123456789abcdefghjkmn\u{e9}".as_bytes(),
            b"lap_0123456789abcdefghjkmnp\xff",
        ] {
            assert!(AppPassword::read(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn debug_output_hides_it() {
        let password = AppPassword::generate().unwrap();
        assert_eq!(format!("{password:?}"), "AppPassword(hidden)");
    }

    #[test]
    fn names() {
        let longest = "\u{e9}".repeat(64);
        for (text, expected) in [
            ("Phone", Some("Phone")),
            ("  Ada's phone \u{1f600}\n", Some("Ada's phone \u{1f600}")),
            (&longest, Some(&*longest)),
            (&format!("{longest}x"), None),
            ("", None),
            (" \t", None),
            ("a\0b", None),
            ("a\nb", None),
            ("a\u{1b}[2J", None),
            ("a\u{202e}b", None),
            ("\u{200b}", None),
        ] {
            assert_eq!(app_password_name(text).ok(), expected, "{text:?}");
        }
    }
}
