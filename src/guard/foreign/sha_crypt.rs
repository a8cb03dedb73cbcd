//! SHA-crypt, of passlib and of `crypt(3)`: `$5$` and `$6$`, then `rounds=5000$` or nothing, a salt,
//! and the output in an order and a base64 of its own.

use sha_crypt::{Params, sha256_crypt, sha512_crypt};
use zeroize::Zeroizing;

use super::text::number;
use super::{Compare, MAX_MICROS, Parsed, Refusal, equal};

/// Maximum rounds of a hash that is computed. passlib's default is 656,000.
const MAX_ROUNDS: u32 = 2_000_000;
/// Maximum rounds times bytes of the passwords that are compared in one attempt: each round hashes the
/// password up to twice. Enough for passlib's longest password, 4,096 characters, of four bytes each
/// at 5,000 rounds, and for 540 bytes at passlib's default; about a second beside the time of the
/// rounds themselves. Without it, a long password that a stranger types would take a minute. An
/// unknown name does not cost as much ([`Hasher::verify_decoy`](super::super::Hasher::verify_decoy)),
/// and the attempts at an account are counted.
const MAX_WORK: u64 = 360_000_000;
/// Rounds of a hash that does not name them.
const DEFAULT_ROUNDS: u32 = 5_000;
/// Minimum rounds: `crypt(3)` and passlib take no hash with fewer.
const MIN_ROUNDS: u64 = 1_000;
/// Maximum bytes of a salt.
const MAX_SALT: usize = 16;

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The hash function.
#[derive(Clone, Copy)]
pub(super) enum Family {
    Sha256,
    Sha512,
}

/// A stored hash.
pub(super) struct ShaCrypt {
    family: Family,
    rounds: u32,
    salt: Vec<u8>,
    /// The output as text.
    output: Vec<u8>,
}

impl ShaCrypt {
    /// Reads `[rounds=n$]salt$output`.
    pub(super) fn parse(family: Family, rest: &str) -> Parsed<ShaCrypt> {
        let (rounds, rest) = match rest.strip_prefix("rounds=") {
            Some(rest) => {
                let (rounds, rest) = rest.split_once('$').ok_or(Refusal::Malformed)?;
                (read_rounds(rounds)?, rest)
            }
            None => (DEFAULT_ROUNDS, rest),
        };
        let (salt, output) = rest.split_once('$').ok_or(Refusal::Malformed)?;
        let good = salt.len() <= MAX_SALT
            && salt.bytes().all(|b| b.is_ascii_graphic())
            && is_output(family, output);
        if !good {
            return Err(Refusal::Malformed);
        }
        Ok(ShaCrypt { family, rounds, salt: salt.into(), output: output.into() })
    }
}

fn read_rounds(text: &str) -> Parsed<u32> {
    let rounds = number(text).filter(|&rounds| rounds >= MIN_ROUNDS).ok_or(Refusal::Malformed)?;
    let rounds = u32::try_from(rounds).ok().filter(|&rounds| rounds <= MAX_ROUNDS);
    rounds.ok_or_else(|| Refusal::TooCostly(format!("{MAX_ROUNDS} rounds")))
}

/// Whether a text is some output: its length, its characters, and no bits beyond it.
fn is_output(family: Family, text: &str) -> bool {
    let (length, values) = match family {
        Family::Sha256 => (43, 16),
        Family::Sha512 => (86, 4),
    };
    let last = text.as_bytes().last();
    text.len() == length
        && text.bytes().all(|b| ALPHABET.contains(&b))
        && last.is_some_and(|last| ALPHABET[..values].contains(last))
}

impl Compare for ShaCrypt {
    fn matches(&self, password: &[u8]) -> bool {
        // passlib takes no password with a NUL, at which crypt(3) ends.
        if password.contains(&0) {
            return false;
        }
        let Ok(params) = Params::new(self.rounds) else { return false };
        let encoded = match self.family {
            Family::Sha256 => {
                let output = Zeroizing::new(sha256_crypt(password, &self.salt, params));
                encode(&output[..], |[a, b, c]| [c + 1, a + 1, b + 1], [31, 30])
            }
            Family::Sha512 => {
                let output = Zeroizing::new(sha512_crypt(password, &self.salt, params));
                encode(&output[..], |[a, b, c]| [b + 1, c + 1, a + 1], [63])
            }
        };
        equal(&encoded, &self.output)
    }

    /// 0.4 microseconds a round.
    fn micros(&self) -> u64 {
        u64::from(self.rounds) * 4 / 10
    }

    fn affords(&self, passwords: u64, bytes: usize) -> bool {
        // The first steps hash the password as many times as it has bytes.
        let bytes = bytes as u64;
        let work = bytes.saturating_mul(bytes.saturating_add(u64::from(self.rounds)));
        work <= MAX_WORK && self.micros().saturating_mul(passwords) <= MAX_MICROS
    }
}

/// Writes an output as text. Its bytes are taken three at a time, from places in the three thirds:
/// `next` tells the places after others. The last one or two stand alone.
fn encode<const N: usize>(
    output: &[u8],
    next: fn([usize; 3]) -> [usize; 3],
    last: [usize; N],
) -> Zeroizing<Vec<u8>> {
    let third = output.len() / 3;
    // The capacity is enough: growing would leave a copy in memory.
    let mut text = Zeroizing::new(Vec::with_capacity(output.len() * 4 / 3 + 1));
    let mut places = [0, third, 2 * third];
    for _ in 0..third {
        put(&places.map(|at| output[at]), &mut text);
        places = next(places);
    }
    put(&last.map(|at| output[at]), &mut text);
    text
}

/// Writes up to three bytes: the last is the lowest, and the lowest six bits come first.
fn put(bytes: &[u8], text: &mut Vec<u8>) {
    let mut value = bytes.iter().fold(0, |value, &byte| value << 8 | usize::from(byte));
    for _ in 0..=bytes.len() {
        text.push(ALPHABET[value & 0x3f]);
        value >>= 6;
    }
}
