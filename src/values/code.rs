//! Codes that people copy by hand, each good once: recovery codes, which stand in for a second
//! factor that is lost, and invitations. Shown when they are made, kept as hashes; that one is
//! used up is for the store to see to.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::base32;
use super::random::random;
use crate::error::Error;

/// Recovery codes that are handed out together.
const SET: usize = 10;
/// Random bytes of a code. From 112 bits on, a plain hash is enough in the store (NIST SP
/// 800-63B-4 section 3.1.2.2).
const BYTES: usize = 15;
/// Characters that these make, and how many are shown without a hyphen between them.
const CHARS: usize = BYTES * 8 / 5;
const GROUP: usize = 4;
/// Bytes of what somebody types as a code; the hyphens of one make it 29.
const MAX_TYPED: usize = 64;
/// Crockford's alphabet: no I, L and O, which are taken for digits, and no U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Bytes of a hash that name the code in lists: with a thousand codes, two of the same name are
/// a matter of one in half a billion.
const NAME_BYTES: usize = 6;

/// A code. Wiped when dropped, never shown but by [`Code::shown`].
pub struct Code(Zeroizing<String>);

impl Code {
    /// A new one.
    pub fn generate() -> Result<Code, Error> {
        let bytes = Zeroizing::new(random::<BYTES>()?);
        Ok(Code(base32::encode(&*bytes, ALPHABET)))
    }

    /// As many new ones as a person gets for recovery.
    pub fn recovery_set() -> Result<Vec<Code>, Error> {
        (0..SET).map(|_| Code::generate()).collect()
    }

    /// What somebody typed. Spaces, hyphens and case do not matter, and letters that no code has
    /// are the digits that they look like. `None` if it cannot be a code.
    pub fn typed(text: &str) -> Option<Code> {
        let bare = bare(text)?;
        if bare.len() != CHARS {
            return None;
        }
        let mut code = Zeroizing::new(String::with_capacity(CHARS));
        for typed in bare.bytes() {
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
        Some(Code(code))
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
    pub fn hash(&self) -> CodeHash {
        CodeHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

/// What was typed without spaces and hyphens, which apps and people put between groups.
pub(super) fn bare(text: &str) -> Option<Zeroizing<String>> {
    if text.len() > MAX_TYPED {
        return None;
    }
    let mut bare = Zeroizing::new(String::with_capacity(MAX_TYPED));
    bare.extend(text.chars().filter(|char| !char.is_whitespace() && *char != '-'));
    Some(bare)
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(hidden)")
    }
}

/// What the store keeps of a code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodeHash([u8; 32]);

impl CodeHash {
    /// For the store.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the code is called in lists: the first digits of its hash in hexadecimal.
    pub fn name(&self) -> String {
        self.0[..NAME_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeHash(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_is_shown_can_be_typed() {
        let set = Code::recovery_set().unwrap();
        assert_eq!(set.len(), 10);
        assert_eq!(set.iter().map(Code::hash).collect::<HashSet<_>>().len(), 10);
        for code in &set {
            let shown = code.shown();
            let groups: Vec<&str> = shown.split('-').collect();
            assert!(groups.len() == 6 && groups.iter().all(|group| group.len() == 4), "a shape");
            let typed = Code::typed(&groups.concat().to_lowercase()).unwrap();
            assert_eq!(typed.hash(), code.hash());
        }
    }

    #[test]
    fn what_is_typed() {
        let check = |text: &str, expected: Option<&str>| {
            let code = Code::typed(text).map(|code| code.shown().to_string());
            assert_eq!(code.as_deref(), expected, "{text:?}");
        };
        check("0123456789abcdefghjkmnpq", Some("0123-4567-89AB-CDEF-GHJK-MNPQ"));
        check(" 0123-4567-89ab-cdef-ghjk-mnpq\n", Some("0123-4567-89AB-CDEF-GHJK-MNPQ"));
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
            &format!("0123456789abcdefghjkmnpq{}", " ".repeat(41)),
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn names_in_lists() {
        let code = Code::typed("0123456789abcdefghjkmnpq").unwrap();
        // printf 0123456789ABCDEFGHJKMNPQ | sha256sum
        assert_eq!(code.hash().name(), "29ccd886d929");
    }

    #[test]
    fn nothing_is_shown_by_accident() {
        let code = Code::typed("0123456789abcdefghjkmnpq").unwrap();
        assert_eq!(format!("{code:?} {:?}", code.hash()), "Code(hidden) CodeHash(hidden)");
    }
}
