//! How many passwords of one account may be wrong in a row (NIST SP 800-63B-4 section 3.2.2).
//! Knows neither who tries nor where it is counted.

/// Whoever tries a password, as far as the account knows where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Familiarity {
    /// From an address and a device from which the account was never logged in to.
    Stranger,
    /// From an address from which it was.
    Address,
    /// With the secret of a device that has logged in, or a token of the account.
    Device,
}

impl Familiarity {
    /// Wrong passwords in a row after which no more are compared. Each kind has 100 of its own,
    /// so that nobody can use up those of somebody who is known better.
    pub fn limit(self) -> u32 {
        match self {
            Familiarity::Stranger => GUARDED,
            Familiarity::Address => 2 * GUARDED,
            Familiarity::Device => 3 * GUARDED,
        }
    }
}

/// Wrong passwords in a row after which strangers are let in only with more than a password. The
/// owner is told then.
pub const GUARDED: u32 = 100;
