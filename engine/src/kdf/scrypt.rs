//! The function scrypt (RFC 7914). Not from a crate, because those allocate its memory themselves:
//! what they take for 16 MiB, the cost in Django, may stay in the heap for ever. This one takes a
//! mapping of its own, which returns to the system; and it is faster than the crate scrypt, with which
//! a test compares it.

use zeroize::Zeroizing;

use super::ALWAYS_MAPPED;
use super::pbkdf2::{Digest, pbkdf2};

/// Words of a Salsa20 block.
const BLOCK: usize = 16;

/// The cost, checked: `n` is a power of two and more than one, all fits into memory.
#[derive(Debug, Clone, Copy)]
pub struct ScryptCost {
    /// N: how many states are kept.
    pub n: usize,
    /// r: the size of a state, in units of 128 bytes.
    pub r: usize,
    /// p: how often all of it is done.
    pub p: usize,
}

/// Computes scrypt of a password into `output`.
#[inline(never)]
pub fn scrypt(password: &[u8], salt: &[u8], cost: &ScryptCost, output: &mut [u8]) {
    let &ScryptCost { n, r, p } = cost;
    let words = 2 * r * BLOCK;
    let mut bytes = Zeroizing::new(vec![0; 4 * words * p]);
    pbkdf2(Digest::Sha256, password, salt, 1, &mut bytes);
    // Zeroed memory from the system takes no time; the part that is not used stays untouched.
    let mut memory = vec![0; (n * words).max(ALWAYS_MAPPED / 4)];
    let mut state = Zeroizing::new(vec![0; words]);
    let mut spare = Zeroizing::new(vec![0; words]);
    for part in bytes.chunks_exact_mut(4 * words) {
        load(part, &mut state);
        ro_mix(&mut state, &mut spare, &mut memory[..n * words], n);
        save(&state, part);
    }
    pbkdf2(Digest::Sha256, password, &bytes, 1, output);
}

/// Where in a block the word at a place of ours is. We keep its diagonals together, so that the
/// processor can work at four words at once.
fn place(at: usize) -> usize {
    at / BLOCK * BLOCK + at * 5 % BLOCK
}

fn load(bytes: &[u8], words: &mut [u32]) {
    let (from, _) = bytes.as_chunks::<4>();
    for (at, word) in words.iter_mut().enumerate() {
        *word = u32::from_le_bytes(from[place(at)]);
    }
}

fn save(words: &[u32], bytes: &mut [u8]) {
    let (to, _) = bytes.as_chunks_mut::<4>();
    for (at, word) in words.iter().enumerate() {
        to[place(at)] = word.to_le_bytes();
    }
}

/// scryptROMix: fills the memory with states, then mixes states from there in an order that depends
/// on them.
fn ro_mix(state: &mut [u32], spare: &mut [u32], memory: &mut [u32], n: usize) {
    let words = state.len();
    for kept in memory.chunks_exact_mut(words) {
        kept.copy_from_slice(state);
        block_mix(kept, state);
    }
    for _ in 0..n {
        let at = state[words - BLOCK] as usize & (n - 1);
        let kept = &memory[at * words..(at + 1) * words];
        for ((to, word), kept) in spare.iter_mut().zip(&*state).zip(kept) {
            *to = word ^ kept;
        }
        block_mix(spare, state);
    }
}

/// scryptBlockMix, from `from` into `to`: the even blocks of the result come first.
fn block_mix(from: &[u32], to: &mut [u32]) {
    let (from, _) = from.as_chunks::<BLOCK>();
    let (to, _) = to.as_chunks_mut::<BLOCK>();
    let half = from.len() / 2;
    let mut block = from[from.len() - 1];
    for (at, from) in from.iter().enumerate() {
        for (word, from) in block.iter_mut().zip(from) {
            *word ^= from;
        }
        salsa20_8(&mut block);
        to[at / 2 + at % 2 * half] = block;
    }
}

type Row = [u32; 4];

/// The core of Salsa20 with eight rounds, on a block in our order.
fn salsa20_8(block: &mut [u32; BLOCK]) {
    let (rows, _) = block.as_chunks_mut::<4>();
    let mut row: [Row; 4] = [rows[0], rows[1], rows[2], rows[3]];
    for _ in 0..4 {
        let [a, b, c, d] = row;
        let b = quarter(b, a, d, 7);
        let c = quarter(c, b, a, 9);
        let d = quarter(d, c, b, 13);
        let a = quarter(a, d, c, 18);
        let (b, c, d) = (turned(b, 3), turned(c, 2), turned(d, 1));
        let d = quarter(d, a, b, 7);
        let c = quarter(c, d, a, 9);
        let b = quarter(b, c, d, 13);
        let a = quarter(a, b, c, 18);
        row = [a, turned(b, 1), turned(c, 2), turned(d, 3)];
    }
    for (to, row) in rows.iter_mut().zip(row) {
        for (to, word) in to.iter_mut().zip(row) {
            *to = to.wrapping_add(word);
        }
    }
}

/// `to ^ (one + other <<< by)` for each word.
#[inline(always)]
fn quarter(to: Row, one: Row, other: Row, by: u32) -> Row {
    let mix = |at: usize| to[at] ^ one[at].wrapping_add(other[at]).rotate_left(by);
    [mix(0), mix(1), mix(2), mix(3)]
}

/// The words of a row, each moved `by` places to the left.
#[inline(always)]
fn turned(row: Row, by: usize) -> Row {
    [row[by % 4], row[(by + 1) % 4], row[(by + 2) % 4], row[(by + 3) % 4]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(password: &[u8], salt: &[u8], [n, r, p]: [usize; 3], length: usize) -> Vec<u8> {
        let mut output = vec![0; length];
        scrypt(password, salt, &ScryptCost { n, r, p }, &mut output);
        output
    }

    #[test]
    fn the_vectors_of_rfc_7914() {
        for (password, salt, cost, expected) in [
            (
                "",
                "",
                [16, 1, 1],
                "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442",
            ),
            (
                "password",
                "NaCl",
                [1024, 8, 16],
                "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162",
            ),
        ] {
            let output = ours(password.as_bytes(), salt.as_bytes(), cost, 64);
            let text: String = output[..32].iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(text, expected, "{cost:?}");
        }
    }

    #[test]
    fn another_implementation_agrees() {
        for (n, r, p) in [(2, 1, 1), (4, 3, 2), (64, 8, 1), (256, 2, 5), (128, 1, 33)] {
            for (password, length) in [(&b""[..], 16), (&[0xff; 200], 64), (b"a\0b", 33)] {
                let mut other = vec![0; length];
                let log = u8::try_from(usize::ilog2(n)).unwrap();
                let (rows, lanes) = (u32::try_from(r).unwrap(), u32::try_from(p).unwrap());
                let params = ::scrypt::Params::new(log, rows, lanes).unwrap();
                ::scrypt::scrypt(password, b"salt", &params, &mut other).unwrap();
                assert_eq!(ours(password, b"salt", [n, r, p], length), other, "{n} {r} {p}");
            }
        }
    }
}
