//! What computes Argon2: one seam, two kernels. The hasher gives parameters, password, salt and
//! room for the output; the kernel computes in an arena, memory that is kept between hashes.
//!
//! | file | owns |
//! |---|---|
//! | `fast` | argon2-rust: the processor's vector instructions, huge pages |
//! | `portable` | RustCrypto's argon2: at most AVX2, little `unsafe` code |
//!
//! The fast kernel is young and has much `unsafe` code. So each hasher first compares it with a known
//! answer, and `--hash-kernel portable` turns it off.

mod fast;
mod portable;
#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use portable::{Algorithm, Version};

use super::cost::HashCost;

/// What computes password hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HashKernel {
    /// The fast kernel, if it computes a known answer at the start; otherwise, and on machines of 32
    /// bits, the portable one.
    #[default]
    Auto,
    /// The portable kernel.
    Portable,
}

/// What a hash is computed with, apart from password and salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub algorithm: Algorithm,
    pub version: Version,
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    /// Associated data; hashes of node-argon2 can have some.
    pub data: Vec<u8>,
}

/// The memory of one hash, and the kernel that computes in it.
pub(crate) trait Arena: Send {
    /// Computes the output; an error says why not. The memory grows if the hash needs more.
    fn compute(
        &mut self,
        parameters: &Parameters,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), String>;

    /// Returns the size in KiB.
    fn kib(&self) -> usize;
}

impl fmt::Debug for dyn Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arena({} KiB)", self.kib())
    }
}

/// A way to compute Argon2.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// The name for people.
    pub describe: fn() -> String,
    /// Makes an arena for hashes of so many KiB.
    pub arena: fn(u32) -> Box<dyn Arena>,
}

/// The fast kernel.
pub(crate) static FAST: Kernel = Kernel { describe: fast::describe, arena: fast::arena };
/// The portable kernel.
pub(crate) static PORTABLE: Kernel =
    Kernel { describe: portable::describe, arena: portable::arena };

/// The hash of the self-test. It is small, but large enough that every step runs: its segments need
/// a second block of addresses.
static TEST: Parameters = Parameters {
    algorithm: Algorithm::Argon2id,
    version: Version::V0x13,
    memory_kib: 520,
    passes: 2,
    lanes: 1,
    data: Vec::new(),
};
const TEST_PASSWORD: &[u8] = b"correct horse battery staple";
const TEST_SALT: &[u8] = b"lictor self-test";
/// What the C reference, RustCrypto's argon2 and rust-argon2 answer.
const TEST_OUTPUT: [u8; 32] = [
    0xc3, 0x7e, 0x1a, 0x8b, 0x4c, 0x54, 0x9e, 0x93, 0x9c, 0x92, 0xf7, 0x64, 0x8f, 0x79, 0xa3, 0x3b,
    0x62, 0xe7, 0xd8, 0x8e, 0xef, 0x62, 0xf8, 0x72, 0xf4, 0x7b, 0x42, 0xe0, 0x55, 0x3a, 0xde, 0x02,
];

/// Returns the kernel that a setting asks for.
pub(super) fn choose(setting: HashKernel) -> &'static Kernel {
    // On 32 bits argon2-rust would declare `mmap` with an offset that glibc does not have.
    let fast = setting == HashKernel::Auto && cfg!(target_pointer_width = "64");
    if fast { tested(&FAST) } else { &PORTABLE }
}

/// Returns `kernel` if it computes the known answer, else the portable one.
fn tested(kernel: &'static Kernel) -> &'static Kernel {
    let mut output = [0; TEST_OUTPUT.len()];
    // With the memory of a real hash, so that its mapping is tested as well.
    let mut arena = (kernel.arena)(HashCost::FLOOR.memory_kib());
    match arena.compute(&TEST, TEST_PASSWORD, TEST_SALT, &mut output) {
        Ok(()) if output == TEST_OUTPUT => kernel,
        outcome => {
            let why = outcome.err().unwrap_or_else(|| "it computes a wrong answer".into());
            log::error!(
                "the hash kernel {} failed its self-test, so {} hashes passwords: {why}",
                (kernel.describe)(),
                (PORTABLE.describe)(),
            );
            &PORTABLE
        }
    }
}
