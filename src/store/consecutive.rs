//! How many passwords of one account may be wrong in a row (NIST SP 800-63B-4 section 3.2.2).
//! Knows no client and no database.

/// How well an account knows the client that tries a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Familiarity {
    /// Neither the IP address nor the device has logged in to the account.
    Stranger,
    /// The IP address has.
    Ip,
    /// The client has the secret of a device that has, or a token of the account.
    Device,
}

impl Familiarity {
    /// Wrong passwords in a row after which no more are compared. Each level has 100 of its own, so
    /// that a stranger cannot use up those of a client that is known better.
    pub fn limit(self) -> u32 {
        match self {
            Familiarity::Stranger => GUARDED,
            Familiarity::Ip => 2 * GUARDED,
            Familiarity::Device => 3 * GUARDED,
        }
    }
}

/// Wrong passwords in a row after which a stranger needs more than a password. The owner gets a
/// mail at that moment.
pub const GUARDED: u32 = 100;
