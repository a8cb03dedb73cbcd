//! A password's hash as text. `guard/hasher` makes and verifies it; `guard/foreign` reads those of
//! other programs.

use std::fmt;

/// The text of an account that has no password. No scheme's hash looks like it.
const NONE: &str = "!";

/// A password hash: ours is a PHC string that begins with `$argon2`; one of another program is the
/// text that it wrote. `Debug` hides it: it is less secret than a password, but must not end up in a
/// log.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a hash from the store.
    pub fn stored(text: String) -> PasswordHash {
        PasswordHash(text)
    }

    /// Returns what stands for the hash of an account that has no password.
    pub fn none() -> PasswordHash {
        PasswordHash(NONE.into())
    }

    /// Returns whether the account has no password.
    pub fn is_none(&self) -> bool {
        self.0 == NONE
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
