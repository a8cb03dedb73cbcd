//! The `Password` value: prepared when it is made, wiped when it is dropped. `password_rules`
//! checks a new password; `hasher` makes its hash. `Attempt` is what somebody typed at a login.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// Maximum length of a password, in bytes: hashing a longer one would only cost time.
pub(super) const MAX_BYTES: usize = 1024;
/// NFC makes UTF-8 text at most three times as long (UAX #15 section 5).
const NFC_GROWTH: usize = 3;

/// A password, prepared so that all ways of typing it give the same bytes. Wiped when dropped, and
/// hidden in `Debug` output.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Prepares the password of a login attempt; `None` if it cannot be anyone's password.
    pub fn attempt(text: &str) -> Option<Password> {
        if text.is_empty() || text.len() > MAX_BYTES {
            return None;
        }
        prepare(text).map(Password)
    }

    /// Returns the prepared text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody typed as a password, and the same prepared if it can be a password of ours. A hash
/// of another program was made of what was typed there, of any length and unprepared. Wiped when
/// dropped; has no `Debug`.
pub struct Attempt {
    #[cfg(feature = "foreign-hashes")]
    typed: Zeroizing<String>,
    password: Option<Password>,
}

impl Attempt {
    /// Takes what somebody typed; any text may be one.
    pub fn new(typed: &str) -> Attempt {
        Attempt {
            password: Password::attempt(typed),
            #[cfg(feature = "foreign-hashes")]
            typed: Zeroizing::new(typed.to_owned()),
        }
    }

    /// Takes a password that a registration chooses, to compare it with that of an earlier one.
    pub fn of(password: &Password) -> Attempt {
        Attempt::new(password.as_str())
    }

    /// Returns the prepared password; `None` if no hash of ours can match.
    pub fn password(&self) -> Option<&Password> {
        self.password.as_ref()
    }

    /// Returns the same attempt, cut off after this many bytes, or before the character there.
    #[cfg(feature = "foreign-hashes")]
    pub(super) fn cut_to(&self, bytes: usize) -> Attempt {
        let typed = self.typed.as_str();
        let end = (0..=bytes.min(typed.len())).rev().find(|&end| typed.is_char_boundary(end));
        Attempt::new(&typed[..end.unwrap_or(0)])
    }

    /// Returns how many bytes were typed.
    #[cfg(feature = "foreign-hashes")]
    pub(super) fn typed_bytes(&self) -> usize {
        self.typed.len()
    }

    /// Returns the bytes that a hash of another program is compared with: as they were typed, and
    /// as they are prepared if that changes them.
    #[cfg(feature = "foreign-hashes")]
    pub(super) fn spellings(&self) -> impl Iterator<Item = &[u8]> {
        let prepared = self.password.as_ref().map(Password::as_str);
        let typed = self.typed.as_str();
        let other = prepared.filter(|prepared| *prepared != typed);
        std::iter::once(typed).chain(other).map(str::as_bytes)
    }
}

/// Prepares a password: each kind of space becomes U+0020, and letters are composed (NFC). Returns
/// `None` if the text holds a control character, a line separator, a byte order mark or a
/// noncharacter.
///
/// This is the profile OpaqueString of RFC 8265, without its restriction to the characters of
/// Unicode 6.3: newer letters, emoji, and the characters that join emoji are accepted as well. NFC
/// never changes for a character that Unicode has assigned. For one that Unicode assigns later it
/// could change, but only among combining marks that no program can show yet.
pub(super) fn prepare(text: &str) -> Option<Zeroizing<String>> {
    let forbidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fdd0}'..='\u{fdef}')
            || u32::from(c) & 0xfffe == 0xfffe
    };
    if text.contains(forbidden) {
        return None;
    }
    let mut spaced = Zeroizing::new(String::with_capacity(text.len()));
    spaced.extend(text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }));
    // The capacity is enough: growing the string would leave a copy in memory.
    let mut prepared = Zeroizing::new(String::with_capacity(NFC_GROWTH * text.len()));
    prepared.extend(spaced.nfc());
    Some(prepared)
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prepares a password with the profile of Unicode 6.3, from which existing hashes were made.
    fn prepared_with_unicode_6_3(text: &str) -> Option<String> {
        use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
        precis_profiles::OpaqueString::enforce(text).ok().map(|password| password.into_owned())
    }

    fn prepared(text: &str) -> Option<String> {
        Password::attempt(text).map(|password| password.0.to_string())
    }

    #[test]
    fn newer_unicode_tables_lock_nobody_out() {
        let same = |text: String| {
            let old = prepared_with_unicode_6_3(&text);
            assert!(old.is_none() || old == prepared(&text), "{text:?}");
            old.is_some()
        };
        let known: Vec<char> = ('\0'..=char::MAX).filter(|&c| same(c.into())).collect();
        assert!(known.len() > 100_000, "{}", known.len());
        // Thousands of Han and Hangul characters behave alike: test a sample of them.
        let alike =
            |c| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..);
        let known: Vec<char> =
            known.into_iter().filter(|&c| !alike(c) || u32::from(c) % 97 == 0).collect();
        // Test each character beside neighbours that compose, reorder, or have rules of their own.
        for neighbour in ['\u{301}', '\u{323}', '\u{345}', '\u{11a8}', '\u{94d}', 'l', 'é'] {
            for &c in &known {
                same(format!("e{c}{neighbour}"));
                same(format!("{neighbour}{c}"));
            }
        }
        for step in [1, 1_009] {
            for (one, other) in known.iter().zip(known.iter().cycle().skip(step)) {
                same(format!("{one}{other}{one}"));
            }
        }
    }

    #[test]
    fn characters_newer_than_unicode_6_3_are_accepted() {
        for text in [
            "zażółć-🦀-пароль",
            "12345678 ₽",
            "\u{10d50}\u{10d51}",
            "\u{1e900}dlam 1234",
            "\u{2ebf0}\u{31350}",
            "❤\u{fe0f} and 👩\u{200d}🚀 and 🏴\u{e0067}\u{e0062}\u{e007f}",
            "\u{1faea}\u{1fb00}",
        ] {
            assert_eq!(prepared_with_unicode_6_3(text), None, "{text:?}");
            assert_eq!(prepared(text).as_deref(), Some(text), "{text:?}");
        }
        for text in
            ["a\0b", "a\tb", "a\u{85}b", "a\u{2028}b", "a\u{fffe}", "a\u{10ffff}", "a\u{fdd0}"]
        {
            assert_eq!(prepared(text), None, "{text:?}");
        }
        for c in ('\0'..=char::MAX).filter(|c| c.is_alphanumeric()) {
            assert!(prepared(&format!("{c}")).is_some(), "{c:?}");
        }
    }

    #[test]
    fn a_prepared_password_fits_its_first_allocation() {
        for c in '\0'..='\u{30000}' {
            let text = c.to_string().repeat(3);
            let Some(prepared) = prepare(&text) else { continue };
            assert!(prepared.len() <= NFC_GROWTH * text.len(), "{c:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_password() {
        let password = Password::attempt("sesame123").unwrap();
        assert_eq!(format!("{password:?}"), "Password(hidden)");
    }
}
