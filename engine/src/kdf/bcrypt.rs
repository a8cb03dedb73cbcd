//! bcrypt, from a key that is filled up already.

use blowfish::Blowfish;
use zeroize::Zeroizing;

/// Bytes of the key.
pub const BCRYPT_KEY: usize = 72;
/// Bytes of the output.
pub const BCRYPT_OUTPUT: usize = TEXT.len();

/// What is encrypted.
const TEXT: &[u8; 24] = b"OrpheanBeholderScryDoubt";

/// Computes bcrypt with 2 to the power of `cost` times two key schedules.
#[inline(never)]
pub fn bcrypt(key: &[u8; BCRYPT_KEY], salt: &[u8], cost: u32) -> Zeroizing<[u8; BCRYPT_OUTPUT]> {
    let mut state: Blowfish = Blowfish::bc_init_state();
    state.salted_expand_key(salt, key);
    for _ in 0..1_u32 << cost {
        state.bc_expand_key(key);
        state.bc_expand_key(salt);
    }
    let mut computed = Zeroizing::new(*TEXT);
    for block in computed.as_chunks_mut::<8>().0 {
        let block: &mut [u8; 8] = block;
        let value = u64::from_be_bytes(*block);
        let mut halves = [(value >> 32) as u32, value as u32];
        for _ in 0..64 {
            halves = state.bc_encrypt(halves);
        }
        *block = (u64::from(halves[0]) << 32 | u64::from(halves[1])).to_be_bytes();
    }
    computed
}
