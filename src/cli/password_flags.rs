//! Flags for new passwords: those of the server and of commands that set one.

use std::path::Path;

use super::args::Args;
use super::brand_flags;
use super::flag::{Row, flag, group};
use super::hash_flags;
use super::kind::Kind;
use super::parse::naming;
use crate::config::{Brand, Issuer};
use crate::error::Problem;
use crate::guard::{Blocklist, Hasher, PasswordRules};

pub(super) const FLAGS: &[Row] = &[
    flag("--min-password-length N", Kind::Number(8, 64))
        .env("LICTOR_MIN_PASSWORD_LENGTH")
        .default("8")
        .help(
            "The fewest characters of a new password; NIST asks for 15 where it is the only \
             factor",
        ),
    flag("--password-blocklist FILE", Kind::Path).env("LICTOR_PASSWORD_BLOCKLIST").help(
        "A file of passwords that nobody may choose: one a line, or the sorted hexadecimal \
         SHA-1 hashes of a downloaded breach corpus",
    ),
];

/// The rules of the server, for a command that sets a password.
pub(super) const RULES: &[Row] = &[
    group(FLAGS),
    flag("--issuer NAME", Kind::Text)
        .env("LICTOR_ISSUER")
        .default("lictor")
        .help("The name of the service, which is refused as a password"),
    group(brand_flags::FLAGS),
    group(hash_flags::FLAGS),
];

/// The file of passwords that nobody may choose. An empty path is an error of the command line.
pub(super) fn blocklist(args: &Args) -> Option<&Path> {
    args.get("--password-blocklist")
}

/// An error if the file of passwords cannot be used.
pub(super) fn check(args: &Args) -> Result<(), Problem> {
    blocklist(args).map_or(Ok(()), |path| Blocklist::open(path).map(drop))
}

/// The rules, and what hashes the password.
pub(super) fn make(args: &Args) -> Result<(PasswordRules, Hasher), Problem> {
    Ok((rules(args)?, hash_flags::hasher(args)?))
}

fn rules(args: &Args) -> Result<PasswordRules, Problem> {
    let issuer = Issuer::parse(args.value("--issuer")).map_err(naming("--issuer"))?;
    let blocklist = blocklist(args).map(Blocklist::open).transpose()?;
    let brand = brand_flags::open(args)?;
    let name = Brand::service(brand.as_ref(), &issuer).as_str();
    Ok(PasswordRules::new(args.value("--min-password-length"), name, blocklist))
}
