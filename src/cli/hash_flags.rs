//! Flags for what a new password hash costs, and what computes it: those of the server, and of
//! commands that hash a password.

use clap::{Args, ValueEnum};

use super::output::failed;
use super::parse::{size, written_size};
use crate::config::Config;
use crate::error::Problem;
use crate::guard::{HashCost, HashKernel, Hasher};

#[derive(Args, Debug)]
pub(super) struct HashFlags {
    /// Memory of a new password hash, for each thread that hashes: from 19MiB to 256MiB, or
    /// 19456KiB. `lictor hash-cost` measures what this machine can bear
    #[arg(long, value_name = "SIZE", env = "LICTOR_HASH_MEMORY", default_value = "19MiB", value_parser = kib)]
    hash_memory: u32,

    /// Passes of a new password hash over its memory: from 2 to 16
    #[arg(long, value_name = "N", env = "LICTOR_HASH_PASSES", default_value_t = 2)]
    hash_passes: u32,

    #[command(flatten)]
    kernel: KernelFlag,
}

#[derive(Args, Debug)]
pub(super) struct KernelFlag {
    /// What computes password hashes
    #[arg(long, value_name = "KERNEL", env = "LICTOR_HASH_KERNEL", default_value = "auto")]
    hash_kernel: KernelName,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KernelName {
    /// The fast one, with this processor's vector instructions, if it passes its self-test
    Auto,
    /// The older, more widely used one, with little unsafe code and at most AVX2; about half as fast
    /// where there is AVX-512
    Portable,
}

impl HashFlags {
    pub(super) fn apply(&self, config: &mut Config) {
        config.hash_memory = self.hash_memory;
        config.hash_passes = self.hash_passes;
        config.hash_kernel = self.kernel.kernel();
    }

    /// A hasher for a command that hashes one password.
    pub(super) fn hasher(&self) -> Result<Hasher, Problem> {
        let cost = HashCost::new(self.hash_memory, self.hash_passes)?;
        Hasher::with(1, cost, self.kernel.kernel()).map_err(failed)
    }
}

impl KernelFlag {
    pub(super) fn kernel(&self) -> HashKernel {
        match self.hash_kernel {
            KernelName::Auto => HashKernel::Auto,
            KernelName::Portable => HashKernel::Portable,
        }
    }
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
