//! Hashes that other programs made: which schemes are known, and what a stored text is.

use std::fmt;

use crate::values::PasswordHash;

/// A hash of another program that a login can be compared with.
#[derive(Debug)]
pub struct ForeignHash {
    /// The text for the store.
    pub stored: PasswordHash,
    /// The name of the scheme.
    pub scheme: &'static str,
}

/// Why a text is no hash that a login can be compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadHash {
    /// No known scheme begins like this.
    Unknown,
    /// The scheme is known, but the text is not complete.
    Malformed(&'static str),
    /// It asks for more rounds or memory than the limit.
    TooCostly(String),
}

/// Reads a hash that another program made.
pub fn read_foreign(text: &str) -> Result<ForeignHash, BadHash> {
    let _ = text;
    Err(BadHash::Unknown)
}

impl fmt::Display for BadHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadHash::Unknown => f.write_str("the hash is of no known scheme"),
            BadHash::Malformed(scheme) => write!(f, "the {scheme} hash is not complete"),
            BadHash::TooCostly(why) => f.write_str(why),
        }
    }
}
