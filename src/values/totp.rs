//! The second factor: codes of an authenticator app (TOTP, RFC 6238) with the parameters that every
//! such app supports: SHA-1, 6 digits, 30 seconds. Knows no store and no clock; the store makes
//! sure that a code is used once.

use std::fmt::{self, Write as _};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::base32;
use super::code::{Code, CodeHash, bare};
use super::random::random;
use crate::clock::Timestamp;
use crate::error::Error;

/// Bytes of a secret: the output length of HMAC-SHA-1 (RFC 4226 section 4, R6).
const BYTES: usize = 20;
/// Digits of a code.
const DIGITS: usize = 6;
/// Number of different codes.
const CODES: u32 = 1_000_000;
/// Length of a step in seconds (X in RFC 6238 section 4).
const PERIOD: i64 = 30;
/// Steps before and after the current one whose codes are accepted: one, as RFC 6238 section 5.2
/// recommends, since the app's clock may differ and its owner may be slow.
const WINDOW: i64 = 1;
/// The base 32 alphabet in which apps read a secret (RFC 4648 section 6).
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The number of a time step since 1970 (T in RFC 6238 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(pub i64);

/// The secret that the server shares with the app. Wiped when dropped; only its owner sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Zeroizing<[u8; BYTES]>);

impl TotpSecret {
    /// Makes a new random secret.
    pub fn generate() -> Result<TotpSecret, Error> {
        random().map(|bytes| TotpSecret(Zeroizing::new(bytes)))
    }

    /// Wraps a secret from the store.
    pub fn stored(bytes: [u8; BYTES]) -> TotpSecret {
        TotpSecret(Zeroizing::new(bytes))
    }

    /// Reads a secret as [`base32`](TotpSecret::base32) writes it.
    #[cfg(feature = "cli")]
    pub fn of_base32(text: &str) -> Option<TotpSecret> {
        base32::decode(text, ALPHABET).map(TotpSecret)
    }

    /// Returns the bytes for the store.
    pub fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Returns the secret in base 32, for people who type it into their app.
    pub fn base32(&self) -> Zeroizing<String> {
        base32::encode(&*self.0, ALPHABET)
    }

    /// Returns the URI of the QR code that an app scans (the "Key URI Format"). `issuer` must not
    /// hold a colon: the first colon of the label ends the issuer.
    pub fn uri(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        let (issuer, account) = (escape(issuer), escape(account));
        let secret = self.base32();
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1\
             &digits={DIGITS}&period={PERIOD}",
            *secret
        ))
    }

    /// Returns the step whose code this is, among the steps around `now` that come after `last`,
    /// the step that was used last: so a code works once, and no earlier one works after it. Takes
    /// the same time for every code.
    pub fn check(&self, code: &TotpCode, now: Timestamp, last: Step) -> Option<Step> {
        let current = now.0.div_euclid(PERIOD);
        let mut found = 0;
        for step in current - WINDOW..=current + WINDOW {
            // No branch and no early exit; integers are compared in one instruction.
            let good = (self.truncated(step) % CODES == code.0) & (step > last.0);
            found = i64::max(found, step * i64::from(good));
        }
        // 0 means none: step 0 was in 1970.
        (found > 0).then_some(Step(found))
    }

    /// Returns the truncated HMAC of a step, whose last digits are the code (HOTP, RFC 4226 section
    /// 5.3).
    fn truncated(&self, step: i64) -> u32 {
        let mut mac = Hmac::<Sha1>::new_from_slice(&*self.0)
            .expect("HMAC takes keys of every length (RFC 2104 section 2)");
        mac.update(&step.to_be_bytes());
        let mac: [u8; BYTES] = mac.finalize().into_bytes().into();
        let offset = usize::from(mac[BYTES - 1] & 0xf);
        let word = [mac[offset], mac[offset + 1], mac[offset + 2], mac[offset + 3]];
        u32::from_be_bytes(word) & 0x7fff_ffff
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(hidden)")
    }
}

/// A code of six digits.
pub struct TotpCode(u32);

impl fmt::Debug for TotpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpCode(hidden)")
    }
}

/// A one-time password that was typed: the proof of a second factor.
#[derive(Debug)]
pub enum Otp {
    /// A code of the authenticator app.
    Totp(TotpCode),
    /// A recovery code.
    Recovery(Code),
}

impl Otp {
    /// Reads a code that was typed; `None` if it cannot be one. Spaces and hyphens, which apps and
    /// people put between groups, are ignored.
    pub fn typed(text: &str) -> Option<Otp> {
        let bare = bare(text)?;
        if bare.len() == DIGITS && bare.bytes().all(|byte| byte.is_ascii_digit()) {
            return bare.parse().ok().map(|code| Otp::Totp(TotpCode(code)));
        }
        Code::typed_recovery(&bare).map(Otp::Recovery)
    }
}

/// What a correct code uses up. The store checks that it is unused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactorUse {
    /// A step and all earlier ones.
    Step {
        /// The secret that the code was checked with.
        secret: TotpSecret,
        /// The step of the code.
        step: Step,
    },
    /// A recovery code.
    Recovery(CodeHash),
}

/// Percent-encodes all but the unreserved characters (RFC 3986 section 2).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            _ => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of the test vectors of both RFCs.
    fn rfc() -> TotpSecret {
        TotpSecret::stored(*b"12345678901234567890")
    }

    fn code(text: &str) -> TotpCode {
        match Otp::typed(text) {
            Some(Otp::Totp(code)) => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rfc_4226_appendix_d() {
        for (step, expected) in [
            1_284_755_224,
            1_094_287_082,
            137_359_152,
            1_726_969_429,
            1_640_338_314,
            868_254_676,
            1_918_287_922,
            82_162_583,
            673_399_871,
            645_520_489,
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(rfc().truncated(step as i64), expected, "{step}");
        }
    }

    #[test]
    fn rfc_6238_appendix_b() {
        for (second, expected) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let truncated = rfc().truncated(second / PERIOD);
            assert_eq!(format!("{:08}", truncated % 100_000_000), expected);
            // The last six digits are the code.
            let found = rfc().check(&code(&expected[2..]), Timestamp(second), Step(0));
            assert_eq!(found, Some(Step(second / PERIOD)));
        }
    }

    #[test]
    fn a_code_is_accepted_one_step_early_or_late() {
        // The code of step 37,037,037, from second 1,111,111,110 to 1,111,111,139.
        let code = code("050471");
        for (second, good) in [
            (1_111_111_079, false),
            (1_111_111_080, true),
            (1_111_111_110, true),
            (1_111_111_139, true),
            (1_111_111_169, true),
            (1_111_111_170, false),
            (0, false),
            (-1, false),
            (i64::MAX, false),
            (i64::MIN, false),
        ] {
            let found = rfc().check(&code, Timestamp(second), Step(0));
            assert_eq!(found, good.then_some(Step(37_037_037)), "{second}");
        }
    }

    #[test]
    fn a_code_works_once() {
        let now = Timestamp(1_111_111_111);
        for (last, good) in
            [(0, true), (37_037_036, true), (37_037_037, false), (37_037_038, false)]
        {
            let found = rfc().check(&code("050471"), now, Step(last));
            assert_eq!(found, good.then_some(Step(37_037_037)), "{last}");
        }
        // The code before it is accepted until a later one has been used.
        let before = format!("{:06}", rfc().truncated(37_037_036) % CODES);
        for (last, good) in [(37_037_035, true), (37_037_036, false), (37_037_037, false)] {
            let found = rfc().check(&code(&before), now, Step(last));
            assert_eq!(found, good.then_some(Step(37_037_036)), "{last}");
        }
        assert_eq!(rfc().check(&code("050472"), now, Step(0)), None);
    }

    #[test]
    fn typed_codes_are_read_or_refused() {
        let check = |text: &str, expected: &str| {
            let found = match Otp::typed(text) {
                Some(Otp::Totp(code)) => format!("code {}", code.0),
                Some(Otp::Recovery(code)) => format!("recovery {}", *code.shown()),
                None => "nothing".into(),
            };
            assert_eq!(found, expected, "{text:?}");
        };
        check("050471", "code 50471");
        check(" 050 471\n", "code 50471");
        check("050-471", "code 50471");
        check("000000", "code 0");
        let recovery = "recovery 0123-4567-89AB-CDEF-GHJK-MNPQ";
        check("0123-4567-89AB-CDEF-GHJK-MNPQ", recovery);
        check("0123 4567 89ab cdef ghjk mnpq", recovery);
        for bad in [
            "",
            "05047",
            "0504711",
            "+50471",
            "-05047",
            "05047x",
            // Digits of another script, and a full-width digit.
            "\u{660}\u{665}\u{660}\u{664}\u{667}\u{661}",
            "\u{ff10}50471",
            "0123-4567-89AB-CDEF-GHJK-MNP",
            &" ".repeat(100_000),
            &format!("050471{}", " ".repeat(64)),
        ] {
            check(bad, "nothing");
        }
    }

    #[test]
    fn uris_are_escaped() {
        let check = |issuer: &str, account: &str, expected: &str| {
            assert_eq!(*rfc().uri(issuer, account), expected);
        };
        let end = "&algorithm=SHA1&digits=6&period=30";
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        check(
            "lictor",
            "ada",
            &format!("otpauth://totp/lictor:ada?secret={secret}&issuer=lictor{end}"),
        );
        check(
            "Ada & Söhne",
            "a:b?c=d%@x",
            &format!(
                "otpauth://totp/Ada%20%26%20S%C3%B6hne:a%3Ab%3Fc%3Dd%25%40x?secret={secret}\
                 &issuer=Ada%20%26%20S%C3%B6hne{end}"
            ),
        );
    }

    #[test]
    fn secrets_are_random_and_hidden_in_debug_output() {
        let secret = TotpSecret::generate().unwrap();
        assert_ne!(secret, TotpSecret::generate().unwrap());
        assert_eq!(secret, TotpSecret::stored(*secret.bytes()));
        assert_eq!(secret.base32().len(), 32);
        assert_eq!(
            format!("{:?} {:?}", rfc(), Otp::typed("050471")),
            "TotpSecret(hidden) Some(Totp(TotpCode(hidden)))"
        );
    }
}
