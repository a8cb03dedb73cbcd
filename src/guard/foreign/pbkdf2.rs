//! PBKDF2 with HMAC: passlib (`$pbkdf2-sha512$25000$salt$output`), Django
//! (`pbkdf2_sha256$600000$salt$output`) and Werkzeug (`pbkdf2:sha256:600000$salt$output`).
//!
//! HMAC fills up a key with NUL, and hashes one longer than a block: so `pw` and `pw` with a NUL
//! behind it are one password here, as they are in those programs.

use lictor_engine::kdf::{Digest, pbkdf2};
use zeroize::Zeroizing;

use super::text::{base64, base64_of_passlib, hex, number, parts, text_salt};
use super::{Compare, Parsed, Refusal, equal};

/// Maximum rounds of a hash that is computed: some 1.5 seconds of HMAC-SHA-512, and
/// four times Django's default.
const MAX_ROUNDS: u32 = 5_000_000;

/// Bytes of an output, in all of these programs.
fn size(digest: Digest) -> usize {
    match digest {
        Digest::Sha1 => 20,
        Digest::Sha256 => 32,
        Digest::Sha512 => 64,
    }
}

/// A stored hash.
pub(super) struct Pbkdf2 {
    digest: Digest,
    rounds: u32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Pbkdf2 {
    /// Reads `rounds$salt$output`, both in passlib's base64.
    pub(super) fn passlib(digest: Digest, rest: &str) -> Parsed<Pbkdf2> {
        let [rounds, salt, output] = parts(rest).ok_or(Refusal::Malformed)?;
        let salt = base64_of_passlib(salt).ok_or(Refusal::Malformed)?;
        Pbkdf2::new(digest, rounds, salt, base64_of_passlib(output))
    }

    /// Reads `rounds$salt$output`: the salt as it is, the output in base64.
    pub(super) fn django(digest: Digest, rest: &str) -> Parsed<Pbkdf2> {
        let [rounds, salt, output] = parts(rest).ok_or(Refusal::Malformed)?;
        Pbkdf2::new(digest, rounds, text_salt(salt).ok_or(Refusal::Malformed)?, base64(output))
    }

    /// Reads `:rounds$salt$output`: the salt as it is, the output in hexadecimal digits. Werkzeug
    /// can be asked for a hash without naming the rounds; every version since 0.9, the first with
    /// PBKDF2, has then written its own number. So a text without them is of no Werkzeug.
    pub(super) fn werkzeug(digest: Digest, rest: &str) -> Parsed<Pbkdf2> {
        let rest = rest.strip_prefix(':').ok_or(Refusal::Malformed)?;
        let [rounds, salt, output] = parts(rest).ok_or(Refusal::Malformed)?;
        Pbkdf2::new(digest, rounds, text_salt(salt).ok_or(Refusal::Malformed)?, hex(output))
    }

    fn new(digest: Digest, rounds: &str, salt: Vec<u8>, output: Option<Vec<u8>>) -> Parsed<Pbkdf2> {
        let rounds = number(rounds).filter(|&rounds| rounds > 0).ok_or(Refusal::Malformed)?;
        let output = output.filter(|output| output.len() == size(digest));
        let output = output.ok_or(Refusal::Malformed)?;
        let rounds = u32::try_from(rounds).ok().filter(|&rounds| rounds <= MAX_ROUNDS);
        let rounds = rounds.ok_or_else(|| Refusal::TooCostly(format!("{MAX_ROUNDS} rounds")))?;
        Ok(Pbkdf2 { digest, rounds, salt, output })
    }
}

impl Compare for Pbkdf2 {
    fn matches(&self, password: &[u8]) -> bool {
        let Pbkdf2 { digest, rounds, salt, output } = self;
        let mut computed = Zeroizing::new(vec![0; output.len()]);
        pbkdf2(*digest, password, salt, *rounds, &mut computed);
        equal(&computed, output)
    }

    /// 0.3 microseconds a round.
    fn micros(&self) -> u64 {
        u64::from(self.rounds) * 3 / 10
    }
}
