//! Flags for what a new password hash costs, and what computes it: those of the server, and of
//! commands that hash a password.

use super::args::Args;
use super::flag::{Row, flag, group};
use super::kind::{COUNT, Choices, Kind, Value};
use super::output::failed;
use super::parse::{size, written_size};
use crate::config::Config;
use crate::error::Problem;
use crate::guard::{HashCost, HashKernel, Hasher};

pub(super) const FLAGS: &[Row] = &[
    flag("--hash-memory SIZE", KIB).env("LICTOR_HASH_MEMORY").default("19MiB").help(
        "Memory of a new password hash, for each thread that hashes: from 19MiB to 256MiB, or \
         19456KiB. `lictor hash-cost` measures what this machine can bear",
    ),
    flag("--hash-passes N", COUNT)
        .env("LICTOR_HASH_PASSES")
        .default("2")
        .help("Passes of a new password hash over its memory: from 2 to 16"),
    group(KERNEL),
];

pub(super) const KERNEL: &[Row] = &[flag("--hash-kernel KERNEL", Kind::OneOf(&KERNELS))
    .env("LICTOR_HASH_KERNEL")
    .default("auto")
    .help("What computes password hashes")];

const KERNELS: Choices<HashKernel> = Choices(&[
    (
        "auto",
        "The fast one, with this processor's vector instructions, if it passes its self-test",
        HashKernel::Auto,
    ),
    (
        "portable",
        "The older, more widely used one, with little unsafe code and at most AVX2; about half as fast \
         where there is AVX-512",
        HashKernel::Portable,
    ),
]);

/// Memory in whole KiB.
const KIB: Kind = Kind::Parsed(|text| kib(text).map(|kib| Value::Number(kib.into())));

pub(super) fn apply(args: &Args, config: &mut Config) {
    config.hash_memory = args.value("--hash-memory");
    config.hash_passes = args.value("--hash-passes");
    config.hash_kernel = kernel(args);
}

/// A hasher for a command that hashes one password.
pub(super) fn hasher(args: &Args) -> Result<Hasher, Problem> {
    let cost = HashCost::new(args.value("--hash-memory"), args.value("--hash-passes"))?;
    Hasher::with(1, cost, kernel(args)).map_err(failed)
}

/// What computes the hashes.
pub(super) fn kernel(args: &Args) -> HashKernel {
    args.one_of("--hash-kernel", &KERNELS)
}

/// Parses a size, which must be whole KiB, and returns these.
fn kib(text: &str) -> Result<u32, String> {
    let bytes = size(text).ok().filter(|bytes| bytes.is_multiple_of(1024));
    let kib = bytes.and_then(|bytes| u32::try_from(bytes / 1024).ok());
    kib.ok_or_else(|| "write it as 19MiB or 19456KiB".to_owned())
}

/// A size in KiB as a flag would be written.
pub(super) fn written_kib(kib: u32) -> String {
    written_size(u64::from(kib) * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("19MiB", Some(19_456)),
            ("19456KiB", Some(19_456)),
            // Bytes, as for every size.
            ("67108864", Some(65_536)),
            ("19456", Some(19)),
            ("19455", None),
            (" 64 MiB ", Some(65_536)),
            ("1GiB", Some(1_048_576)),
            ("4294967295KiB", Some(u32::MAX)),
            ("4294967296KiB", None),
            ("4194304MiB", None),
            ("64M", None),
            ("64MB", None),
            ("64mib", None),
            ("-1", None),
            ("1.5GiB", None),
            ("MiB", None),
            ("", None),
        ] {
            assert_eq!(kib(text).ok(), expected, "{text:?}");
        }
        assert_eq!(written_kib(19_456), "19MiB");
        assert_eq!(written_kib(20_000), "20000KiB");
    }
}
