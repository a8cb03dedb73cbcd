//! A password's hash, as text. What it is made of, and comparing, stand in `guard/password`.

use std::fmt;

/// A hash as a PHC string. Not a secret like a password, but nobody's business either.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// What the store holds.
    pub fn stored(text: String) -> PasswordHash {
        PasswordHash(text)
    }

    /// For the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}
