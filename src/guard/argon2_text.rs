//! An Argon2 hash as text, a PHC string: writing ours, and reading any of acceptable cost. Computes
//! no hash.

use std::fmt;

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Params};

use super::cost::{HashCost, MAX_KIB_PASSES, MAX_MEMORY_KIB, MAX_PASSES, kib_passes};
use super::kernel::{Algorithm, Parameters, Version};
use crate::error::Error;
use crate::values::PasswordHash;

/// Lanes of a new hash: one thread computes it.
const LANES: u32 = 1;
/// Bytes of a new hash's output.
pub(super) const OUTPUT: usize = 32;
/// Bytes of a new hash's salt.
pub(super) const SALT: usize = 16;

/// Maximum lanes of a stored hash that is verified. This and the limits in `cost` guard against a
/// mistake: an attacker who can write to the database could do worse.
const MAX_LANES: u32 = 16;

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
    pub(super) parameters: Parameters,
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
            && kib_passes(params.m_cost(), params.t_cost()) <= MAX_KIB_PASSES;
        if !affordable {
            return Err(Unusable::TooCostly);
        }
        let parameters = Parameters {
            algorithm,
            version,
            memory_kib: params.m_cost(),
            passes: params.t_cost(),
            lanes: params.p_cost(),
            data: params.data().to_vec(),
        };
        Ok(Argon2Text { parameters, salt: salt.to_vec(), output })
    }

    /// Compares in constant time with what was computed for a password.
    pub(super) fn is(&self, output: &[u8]) -> bool {
        Output::new(output).is_ok_and(|output| output == self.output)
    }

    /// Returns the estimated time of computing it, in microseconds.
    #[cfg(feature = "foreign-hashes")]
    pub(super) fn micros(&self) -> u64 {
        micros(kib_passes(self.parameters.memory_kib, self.parameters.passes))
    }

    /// Returns whether the hash is weaker than a new one of this cost.
    pub(super) fn is_outdated(&self, cost: HashCost) -> bool {
        self.parameters.algorithm != Algorithm::Argon2id
            || self.parameters.version != Version::V0x13
            || cost.is_above(self.parameters.memory_kib, self.parameters.passes)
            || self.output.len() < OUTPUT
    }
}

/// Returns the estimated time of a hash in microseconds, given its memory in KiB times passes: half
/// of one for each.
#[cfg(feature = "foreign-hashes")]
pub(super) const fn micros(kib_passes: u64) -> u64 {
    kib_passes / 2
}

/// Returns what a new hash of this cost is computed with.
pub(super) fn new_parameters(cost: HashCost) -> Parameters {
    Parameters {
        algorithm: Algorithm::Argon2id,
        version: Version::V0x13,
        memory_kib: cost.memory_kib(),
        passes: cost.passes(),
        lanes: LANES,
        data: Vec::new(),
    }
}

/// Returns the PHC string of a new hash.
pub(super) fn encode(cost: HashCost, salt: &[u8], output: &[u8]) -> Result<PasswordHash, Error> {
    let mut params = ParamsString::new();
    for (name, value) in [("m", cost.memory_kib()), ("t", cost.passes()), ("p", LANES)] {
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
