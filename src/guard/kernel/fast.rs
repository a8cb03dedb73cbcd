//! The fast kernel: the crate argon2-rust. It chooses AVX-512, AVX2, SSE2 or NEON by the processor
//! that it runs on, maps its memory with huge pages, and wipes it after each hash.

use argon2_rust::params::{Memory, TagLen};
use argon2_rust::{Argon2, Error, Hasher, Params, detected_backend};

use super::{Algorithm, Arena, Parameters, Version};

pub(super) fn describe() -> String {
    format!("argon2-rust ({})", detected_backend())
}

/// Maps memory for hashes of so many KiB; it takes none before the first hash. Mapped at once, so
/// that a small hash of another program does not begin one in the heap, where it could stay.
pub(super) fn arena(kib: u32) -> Box<dyn Arena> {
    let params = Params::builder().memory(Memory::kib(kib.into())).build().unwrap_or_default();
    let mut hasher = Argon2::new(Default::default(), Default::default(), params).hasher();
    // If the system refuses, the hash tries again and reports it.
    let _ = hasher.reserve();
    Box::new(Fast(hasher))
}

struct Fast(Hasher);

impl Fast {
    fn try_compute(
        &mut self,
        parameters: &Parameters,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), Error> {
        let params = Params::builder()
            .memory(Memory::kib(parameters.memory_kib.into()))
            .passes(parameters.passes)
            .lanes(parameters.lanes)
            .threads(1)
            .tag_len(TagLen::bytes(output.len() as u64))
            .build()?;
        let algorithm = match parameters.algorithm {
            Algorithm::Argon2d => argon2_rust::Algorithm::Argon2d,
            Algorithm::Argon2i => argon2_rust::Algorithm::Argon2i,
            Algorithm::Argon2id => argon2_rust::Algorithm::Argon2id,
        };
        let version = match parameters.version {
            Version::V0x10 => argon2_rust::Version::V0x10,
            Version::V0x13 => argon2_rust::Version::V0x13,
        };
        self.0.set_argon2(Argon2::new(algorithm, version, params));
        self.0.hash_into_with_ad(password, salt, &[], &parameters.data, output)
    }
}

impl Arena for Fast {
    fn compute(
        &mut self,
        parameters: &Parameters,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), String> {
        self.try_compute(parameters, password, salt, output).map_err(|error| error.to_string())
    }

    fn kib(&self) -> usize {
        self.0.reserved_blocks()
    }
}
