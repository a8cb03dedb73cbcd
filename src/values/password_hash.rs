//! A password's hash as text. `guard/hasher` makes, parses and verifies it.

use std::fmt;

/// A password hash as a PHC string. `Debug` hides it: it is less secret than a password, but must
/// not end up in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a hash from the store.
    pub fn stored(text: String) -> PasswordHash {
        PasswordHash(text)
    }

    /// Returns the text for the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}
