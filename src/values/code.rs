//! Single-use codes that people copy by hand: recovery codes, which replace a lost second factor,
//! and invitation codes; app passwords are made of one as well. A code is shown once, when it is made; the store keeps only its hash and
//! makes sure that it is used once.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::base32;
use super::random::random;
use crate::error::Error;

/// Number of recovery codes in a set.
const SET: usize = 10;
/// Random bytes in a code. With 112 bits or more, the store may keep a plain hash (NIST SP
/// 800-63B-4 section 3.1.2.2).
const BYTES: usize = 15;
/// Characters in a code.
pub(super) const CHARS: usize = BYTES * 8 / 5;
/// Characters in a recovery code, which people type on a bad day: 60 random bits. The throttle lets
/// through one guess a minute, from a client that knows the password. Whoever reads the database
/// finds the secret of the authenticator app beside the hashes, and needs no code.
const RECOVERY_CHARS: usize = 12;
/// Characters between two hyphens of a code that is shown.
const GROUP: usize = 4;
/// Maximum length of a typed code, in bytes. A code with its hyphens has 29.
const MAX_TYPED: usize = 64;
/// Crockford's alphabet: without I, L and O, which look like digits, and without U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Bytes of the hash in a code's name. Among a thousand codes, two have the same name with a
/// probability of one in half a billion.
const NAME_BYTES: usize = 6;

/// A code. Wiped when dropped; only [`Code::shown`] reveals it.
pub struct Code(Zeroizing<String>);

impl Code {
    /// Makes a new random code.
    pub fn generate() -> Result<Code, Error> {
        let bytes = Zeroizing::new(random::<BYTES>()?);
        Ok(Code(base32::encode(&*bytes, ALPHABET)))
    }

    /// Makes the code of a MAC, which must be secret.
    pub(crate) fn derived(mac: &[u8; 32]) -> Code {
        Code(base32::encode(&mac[..BYTES], ALPHABET))
    }

    /// Makes a new set of recovery codes for one user.
    pub fn recovery_set() -> Result<Vec<Code>, Error> {
        let short = |mut code: Code| {
            code.0.truncate(RECOVERY_CHARS);
            code
        };
        (0..SET).map(|_| Code::generate().map(short)).collect()
    }

    /// Reads a code that was typed; `None` if it cannot be a code. Spaces, hyphens and case are
    /// ignored; the letters O, I and L are read as the digits that they look like.
    pub fn typed(text: &str) -> Option<Code> {
        Code::of_length(text, &[CHARS])
    }

    /// Reads a recovery code that was typed, as [`typed`](Code::typed) does. Earlier versions made
    /// longer ones, which stay good.
    pub fn typed_recovery(text: &str) -> Option<Code> {
        Code::of_length(text, &[RECOVERY_CHARS, CHARS])
    }

    fn of_length(text: &str, lengths: &[usize]) -> Option<Code> {
        let bare = bare(text)?;
        if !lengths.contains(&bare.len()) {
            return None;
        }
        let mut code = Zeroizing::new(String::with_capacity(CHARS));
        for typed in bare.bytes() {
            let char = match typed.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            if !ALPHABET.contains(&char) {
                return None;
            }
            code.push(char::from(char));
        }
        Some(Code(code))
    }

    /// Returns the code as its owner sees it: `0123-4567-89AB-CDEF-GHJK-MNPQ`, or half as long for a
    /// recovery code.
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

    /// Returns the characters, without hyphens.
    pub(super) fn chars(&self) -> impl Iterator<Item = char> {
        self.0.chars()
    }

    /// Returns the hash that the store keeps.
    pub fn hash(&self) -> CodeHash {
        CodeHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

/// Removes the spaces and hyphens that apps and people put between groups. Returns `None` if the
/// text is longer than any code.
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

/// The hash of a code: all that the store keeps of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodeHash([u8; 32]);

impl CodeHash {
    /// Returns the bytes for the store.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares in constant time.
    pub(crate) fn is(&self, other: &CodeHash) -> bool {
        self.0.iter().zip(other.0).fold(0, |differs, (one, two)| differs | (one ^ two)) == 0
    }

    /// Returns the code's name in lists: the first bytes of its hash in hexadecimal.
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
    fn a_shown_code_can_be_typed() {
        let set = Code::recovery_set().unwrap();
        assert_eq!(set.len(), 10);
        assert_eq!(set.iter().map(Code::hash).collect::<HashSet<_>>().len(), 10);
        for code in &set {
            let shown = code.shown();
            let groups: Vec<&str> = shown.split('-').collect();
            assert!(
                groups.len() == 3 && groups.iter().all(|group| group.len() == 4),
                "three groups of four"
            );
            let typed = groups.concat().to_lowercase();
            assert_eq!(Code::typed_recovery(&typed).unwrap().hash(), code.hash());
            assert!(Code::typed(&typed).is_none(), "only recovery codes are short");
        }
        let long = Code::generate().unwrap();
        let typed = Code::typed_recovery(&long.shown()).unwrap();
        assert_eq!((typed.hash(), long.shown().len()), (long.hash(), 29), "as earlier versions");
        assert!(Code::typed_recovery("0123-4567-89A").is_none());
    }

    #[test]
    fn typed_codes_are_read_or_refused() {
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
    fn a_codes_name_is_the_start_of_its_hash() {
        let code = Code::typed("0123456789abcdefghjkmnpq").unwrap();
        // printf 0123456789ABCDEFGHJKMNPQ | sha256sum
        assert_eq!(code.hash().name(), "29ccd886d929");
    }

    #[test]
    fn debug_output_hides_codes_and_hashes() {
        let code = Code::typed("0123456789abcdefghjkmnpq").unwrap();
        assert_eq!(format!("{code:?} {:?}", code.hash()), "Code(hidden) CodeHash(hidden)");
    }
}
