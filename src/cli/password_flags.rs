//! Flags for new passwords: those of the server and of commands that set one.

use std::path::{Path, PathBuf};

use clap::Args;

use super::hash_flags::HashFlags;
use super::parse::naming;
use crate::config::Issuer;
use crate::error::Problem;
use crate::guard::{Blocklist, Hasher, PasswordRules};

#[derive(Args, Debug)]
pub(super) struct PasswordFlags {
    /// The fewest characters of a new password; NIST asks for 15 where it is the only factor
    #[arg(long, value_name = "N", env = "LICTOR_MIN_PASSWORD_LENGTH", default_value_t = 8, value_parser = clap::value_parser!(u16).range(8..=64))]
    pub(super) min_password_length: u16,

    /// A file of passwords that nobody may choose: one a line, or the sorted hexadecimal SHA-1 hashes
    /// of a downloaded breach corpus
    #[arg(long, value_name = "FILE", env = "LICTOR_PASSWORD_BLOCKLIST")]
    password_blocklist: Option<PathBuf>,
}

impl PasswordFlags {
    /// The file of passwords; an empty path is an error of the command line.
    pub(super) fn blocklist(&self) -> Option<&Path> {
        self.password_blocklist.as_deref()
    }

    /// An error if the file of passwords cannot be used.
    pub(super) fn check(&self) -> Result<(), Problem> {
        self.blocklist().map_or(Ok(()), |path| Blocklist::open(path).map(drop))
    }
}

/// The rules of the server, for a command that sets a password.
#[derive(Args, Debug)]
pub(super) struct PasswordRuleFlags {
    #[command(flatten)]
    password: PasswordFlags,

    /// The name of the service, which is refused as a password
    #[arg(long, value_name = "NAME", env = "LICTOR_ISSUER", default_value = "lictor")]
    issuer: String,

    #[command(flatten)]
    hash: HashFlags,
}

impl PasswordRuleFlags {
    /// The rules, and what hashes the password.
    pub(super) fn make(&self) -> Result<(PasswordRules, Hasher), Problem> {
        Ok((self.rules()?, self.hash.hasher()?))
    }

    fn rules(&self) -> Result<PasswordRules, Problem> {
        let issuer = Issuer::parse(&self.issuer).map_err(naming("--issuer"))?;
        let blocklist = self.password.blocklist().map(Blocklist::open).transpose()?;
        Ok(PasswordRules::new(self.password.min_password_length, issuer.as_str(), blocklist))
    }
}
