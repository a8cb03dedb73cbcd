//! The portable kernel: RustCrypto's argon2. It lets the caller keep the memory.

use argon2::{Argon2, AssociatedData, Block, Error, ParamsBuilder};
use lictor_engine::kdf::{self, ALWAYS_MAPPED};
use zeroize::Zeroize as _;

pub(crate) use argon2::{Algorithm, Version};

use super::{Arena, Parameters};

pub(super) fn describe() -> String {
    "portable".into()
}

/// The memory grows with the first hash.
pub(super) fn arena(_: u32) -> Box<dyn Arena> {
    Box::new(Portable(Vec::new()))
}

struct Portable(Vec<Block>);

impl Arena for Portable {
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
        self.0.len()
    }
}

impl Portable {
    fn try_compute(
        &mut self,
        parameters: &Parameters,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), Error> {
        let params = ParamsBuilder::new()
            .m_cost(parameters.memory_kib)
            .t_cost(parameters.passes)
            .p_cost(parameters.lanes)
            .data(AssociatedData::new(&parameters.data)?)
            .output_len(output.len())
            .build()?;
        self.grow_to(params.block_count())?;
        let argon2 = Argon2::new(parameters.algorithm, parameters.version, params);
        kdf::argon2(&argon2, password, salt, output, &mut self.0)
    }

    /// Makes the memory at least this large. If the system refuses it, the hash fails, and not the
    /// process.
    fn grow_to(&mut self, blocks: usize) -> Result<(), Error> {
        if self.0.len() < blocks {
            self.wipe();
            // Given back before the larger one is taken.
            self.0 = Vec::new();
            let capacity = blocks.max(ALWAYS_MAPPED / Block::SIZE);
            self.0.try_reserve_exact(capacity).map_err(|_| Error::OutOfMemory)?;
            self.0.resize(blocks, Block::new());
        }
        Ok(())
    }

    fn wipe(&mut self) {
        self.0.iter_mut().for_each(|block| block.zeroize());
    }
}

impl Drop for Portable {
    fn drop(&mut self) {
        self.wipe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_refused_is_an_error_and_not_the_end() {
        let mut arena = Portable(Vec::new());
        assert_eq!(arena.grow_to(usize::MAX / 4 / Block::SIZE), Err(Error::OutOfMemory));
        assert_eq!(arena.grow_to(usize::MAX), Err(Error::OutOfMemory));
        assert_eq!((arena.grow_to(8), arena.kib()), (Ok(()), 8));
    }
}
