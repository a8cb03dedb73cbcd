//! Argon2 (RFC 9106) by RustCrypto's crate, which is generic.

use argon2::{Argon2, Block, Error};

/// Fills `output` with Argon2 of a password, in memory of the caller.
#[inline(never)]
pub fn argon2(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    output: &mut [u8],
    memory: &mut [Block],
) -> Result<(), Error> {
    argon2.hash_password_into_with_memory(password, salt, output, memory)
}
