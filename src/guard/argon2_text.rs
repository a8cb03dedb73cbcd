//! An Argon2 hash as text, a PHC string: writing ours, and reading any of acceptable cost. Computes
//! no hash.

use std::fmt;

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};

use crate::error::Error;
use crate::values::PasswordHash;

/// Cost of a new hash: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
pub(super) const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of a new hash's output.
pub(super) const OUTPUT: usize = 32;
/// Bytes of a new hash's salt.
pub(super) const SALT: usize = 16;

/// Maximum cost of a stored hash that is verified: 256 MiB, 16 passes, 16 lanes, and 1 GiB
/// of memory times passes, which takes some half a second. An attacker who can write the database has
/// worse options, but a mistake should not stop the server.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;
const MAX_KIB_PASSES: u64 = 1024 * 1024;

/// Why a text is no hash that is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is no PHC string of Argon2, or incomplete.
    Malformed,
    /// It asks for more memory, passes, lanes or memory times passes than the limit.
    TooCostly,
}

/// A stored hash of acceptable cost, parsed.
pub(super) struct Argon2Text {
    pub(super) argon2: Argon2<'static>,
    algorithm: Algorithm,
    version: Version,
    pub(super) salt: Vec<u8>,
    pub(super) output: Output,
}

impl Argon2Text {
    /// Parses a hash.
    pub(super) fn parse(text: &str) -> Result<Argon2Text, Unusable> {
        let phc = argon2::PasswordHash::new(text).map_err(|_| Unusable::Malformed)?;
        let algorithm =
            Algorithm::try_from(phc.algorithm.as_str()).map_err(|_| Unusable::Malformed)?;
        let version = match phc.version {
            Some(version) => Version::try_from(version).map_err(|_| Unusable::Malformed)?,
            // A PHC string of Argon2 without a version means the first one, 0x10.
            None => Version::V0x10,
        };
        let params = Params::try_from(&phc).map_err(|_| Unusable::Malformed)?;
        let (Some(salt), Some(output)) = (phc.salt, phc.hash) else {
            return Err(Unusable::Malformed);
        };
        let affordable = params.m_cost() <= MAX_MEMORY_KIB
            && params.t_cost() <= MAX_PASSES
            && params.p_cost() <= MAX_LANES
            && kib_passes(&params) <= MAX_KIB_PASSES;
        if !affordable {
            return Err(Unusable::TooCostly);
        }
        let argon2 = Argon2::new(algorithm, version, params);
        Ok(Argon2Text { argon2, algorithm, version, salt: salt.to_vec(), output })
    }

    /// Compares in constant time with what was computed for a password.
    pub(super) fn is(&self, output: &[u8]) -> bool {
        Output::new(output).is_ok_and(|output| output == self.output)
    }

    /// Returns the estimated time of computing it, in microseconds: 0.5 for each KiB and pass.
    #[cfg(feature = "foreign-hashes")]
    pub(super) fn micros(&self) -> u64 {
        kib_passes(self.argon2.params()) / 2
    }

    /// Returns whether the hash is weaker than a new one in any respect.
    pub(super) fn is_outdated(&self) -> bool {
        let params = self.argon2.params();
        self.algorithm != Algorithm::Argon2id
            || self.version != Version::V0x13
            || params.m_cost() < MEMORY_KIB
            || params.t_cost() < PASSES
            || self.output.len() < OUTPUT
    }
}

/// Memory in KiB times passes.
fn kib_passes(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
}

/// Returns what computes a new hash.
pub(super) fn new_argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT)).map_err(bad_params)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Returns the PHC string of a new hash.
pub(super) fn encode(salt: &[u8], output: &[u8]) -> Result<PasswordHash, Error> {
    let mut params = ParamsString::new();
    for (name, value) in [("m", MEMORY_KIB), ("t", PASSES), ("p", LANES)] {
        params.add_decimal(name, value).map_err(bad_params)?;
    }
    let phc = argon2::PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params,
        salt: Some(Salt::new(salt).map_err(bad_params)?),
        hash: Some(Output::new(output).map_err(bad_params)?),
    };
    Ok(PasswordHash::stored(phc.to_string()))
}

fn bad_params(error: impl fmt::Display) -> Error {
    Error::Internal(format!("the password parameters are wrong: {error}").into())
}
