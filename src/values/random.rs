//! Random bytes from the system, and random UUIDs.

use crate::error::{Cause, Error};

/// Returns random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::Unavailable(Cause::new(format!("no randomness from the system: {error}"), error))
    })?;
    Ok(bytes)
}

/// Returns a random UUID (version 4, RFC 9562 section 5.4).
pub(crate) fn unique() -> Result<String, Error> {
    let bits = u128::from_be_bytes(random()?);
    let bits = bits & !(0xf << 76) | 0x4 << 76;
    let bits = bits & !(0b11 << 62) | 0b10 << 62;
    let hex = format!("{bits:032x}");
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}
