//! The flag for the looks of an operator's own, and how `check` shows them.

use std::path::Path;

use super::args::Args;
use super::flag::{Row, flag};
use super::kind::Kind;
use crate::config::{Brand, Config};
use crate::error::Problem;

pub(super) const FLAGS: &[Row] = &[flag("--brand DIR", Kind::Path).env("LICTOR_BRAND").help(
    "A folder with a name, colours, a logo and links of your own for the pages and mails; \
     the documentation says how to write it",
)];

/// The brand in the folder, if one is named.
pub(super) fn open(args: &Args) -> Result<Option<Brand>, Problem> {
    args.get::<&Path>("--brand").map(Brand::open).transpose()
}

/// What a brand can have, in the order of [`Brand::describe`].
const NAMES: [&str; 8] =
    ["brand", "logo", "dark logo", "favicon", "accent", "dark accent", "imprint", "privacy"];

/// The rows of the brand. There are always as many, so that those of two configurations can be
/// compared.
pub(super) fn rows(config: &Config) -> Vec<(&'static str, String)> {
    let found = config.brand.as_ref().map(Brand::describe).unwrap_or_default();
    let values = found.into_iter().map(|value| value.unwrap_or_else(|| "none".into()));
    NAMES.into_iter().zip(values).collect()
}

/// The rows that `check` shows: of no brand, one.
pub(super) fn shown(config: &Config) -> Vec<(&'static str, String)> {
    let mut rows = rows(config);
    rows.truncate(if config.brand.is_some() { NAMES.len() } else { 1 });
    rows
}
