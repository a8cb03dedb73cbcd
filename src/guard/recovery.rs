//! Recovery codes: each stands in once for a second factor that is lost. Shown when they are
//! made, kept as hashes; that one is used up is for the store to see to.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::base32;
use super::password::random;
use crate::error::Error;

/// Codes that are handed out together.
const SET: usize = 10;
/// Random bytes of a code. From 112 bits on, a plain hash is enough in the store (NIST SP
/// 800-63B-4 section 3.1.2.2).
const BYTES: usize = 15;
/// Characters that these make, and how many are shown without a hyphen between them.
const CHARS: usize = BYTES * 8 / 5;
const GROUP: usize = 4;
/// Crockford's alphabet: no I, L and O, which are taken for digits, and no U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A recovery code. Wiped when dropped, never shown but by [`RecoveryCode::shown`].
pub struct RecoveryCode(Zeroizing<String>);

impl RecoveryCode {
    /// As many new ones as a person gets.
    pub fn set() -> Result<Vec<RecoveryCode>, Error> {
        let new = || {
            let bytes = Zeroizing::new(random::<BYTES>()?);
            Ok(RecoveryCode(base32::encode(&*bytes, ALPHABET)))
        };
        (0..SET).map(|_| new()).collect()
    }

    /// What somebody typed, without spaces and hyphens. Case does not matter, and letters that
    /// no code has are the digits that they look like.
    pub(super) fn typed(text: &str) -> Option<RecoveryCode> {
        if text.len() != CHARS {
            return None;
        }
        let mut code = Zeroizing::new(String::with_capacity(CHARS));
        for typed in text.bytes() {
            let meant = match typed.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            if !ALPHABET.contains(&meant) {
                return None;
            }
            code.push(char::from(meant));
        }
        Some(RecoveryCode(code))
    }

    /// For its owner, once: `0123-4567-89AB-CDEF-GHJK-MNPQ`.
    pub fn shown(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(CHARS + CHARS / GROUP));
        for (place, char) in self.0.chars().enumerate() {
            if place > 0 && place % GROUP == 0 {
                text.push('-');
            }
            text.push(char);
        }
        text
    }

    /// For the store.
    pub fn hash(&self) -> RecoveryHash {
        RecoveryHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(hidden)")
    }
}

/// What the store keeps of a recovery code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecoveryHash([u8; 32]);

impl RecoveryHash {
    /// For the store.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RecoveryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryHash(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_is_shown_can_be_typed() {
        let set = RecoveryCode::set().unwrap();
        assert_eq!(set.len(), 10);
        assert_eq!(set.iter().map(RecoveryCode::hash).collect::<HashSet<_>>().len(), 10);
        for code in &set {
            let shown = code.shown();
            let groups: Vec<&str> = shown.split('-').collect();
            assert!(groups.len() == 6 && groups.iter().all(|group| group.len() == 4), "a shape");
            let typed = RecoveryCode::typed(&groups.concat().to_lowercase()).unwrap();
            assert_eq!(typed.hash(), code.hash());
        }
    }

    #[test]
    fn what_is_typed() {
        let check = |text: &str, expected: Option<&str>| {
            let code = RecoveryCode::typed(text).map(|code| code.shown().to_string());
            assert_eq!(code.as_deref(), expected, "{text:?}");
        };
        check("0123456789abcdefghjkmnpq", Some("0123-4567-89AB-CDEF-GHJK-MNPQ"));
        check("oOiIlL6789abcdefghjkmnpq", Some("0011-1167-89AB-CDEF-GHJK-MNPQ"));
        for bad in [
            "",
            "123456",
            "0123456789abcdefghjkmnp",
            "0123456789abcdefghjkmnpqr",
            "0123456789abcdefghjkmnpu",
            "0123456789abcdefghjkmnp!",
            "0123456789abcdefghjkmn\u{e9}",
            &"0".repeat(100_000),
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn nothing_is_shown_by_accident() {
        let code = RecoveryCode::typed("0123456789abcdefghjkmnpq").unwrap();
        assert_eq!(
            format!("{code:?} {:?}", code.hash()),
            "RecoveryCode(hidden) RecoveryHash(hidden)"
        );
    }
}
