//! Both kernels agree with each other, with a third implementation and with the C reference.

use super::*;

/// Numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    /// From `least` to `most`.
    fn from(&mut self, least: usize, most: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        least + number as usize % (most - least + 1)
    }

    fn bytes(&mut self, least: usize, most: usize) -> Vec<u8> {
        (0..self.from(least, most)).map(|_| self.from(0, 255) as u8).collect()
    }
}

fn compute(
    arena: &mut dyn Arena,
    parameters: &Parameters,
    password: &[u8],
    salt: &[u8],
    length: usize,
) -> Vec<u8> {
    let mut output = vec![0; length];
    arena.compute(parameters, password, salt, &mut output).unwrap();
    output
}

#[test]
fn the_kernels_and_a_third_implementation_agree() {
    use argon2_other::{Config, Variant, Version as OtherVersion};
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    // One arena for all, so that each hash finds what larger and smaller ones have left there.
    let mut arenas = [&FAST, &PORTABLE].map(|kernel| (kernel.arena)(4_096));
    for _ in 0..200 {
        let lanes = numbers.from(1, 4) as u32;
        let (algorithm, variant) = [
            (Algorithm::Argon2id, Variant::Argon2id),
            (Algorithm::Argon2i, Variant::Argon2i),
            (Algorithm::Argon2d, Variant::Argon2d),
        ][numbers.from(0, 2)];
        let (version, other_version) =
            [(Version::V0x13, OtherVersion::Version13), (Version::V0x10, OtherVersion::Version10)]
                [numbers.from(0, 1)];
        let parameters = Parameters {
            algorithm,
            version,
            memory_kib: 8 * lanes + numbers.from(0, 600) as u32,
            passes: numbers.from(1, 4) as u32,
            lanes,
            data: numbers.bytes(0, 32),
        };
        let (password, salt) = (numbers.bytes(0, 300), numbers.bytes(8, 64));
        let length = numbers.from(4, 128);
        let config = Config {
            ad: &parameters.data,
            hash_length: length as u32,
            lanes,
            mem_cost: parameters.memory_kib,
            secret: &[],
            thread_mode: argon2_other::ThreadMode::Sequential,
            time_cost: parameters.passes,
            variant,
            version: other_version,
        };
        let expected = argon2_other::hash_raw(&password, &salt, &config).unwrap();
        for arena in &mut arenas {
            let output = compute(&mut **arena, &parameters, &password, &salt, length);
            assert_eq!(output, expected, "{arena:?} {parameters:?}");
        }
    }
}

#[test]
fn what_one_kernel_refuses_the_other_refuses() {
    for kernel in [&FAST, &PORTABLE] {
        let mut arena = (kernel.arena)(64);
        let mut refuses = |change: fn(&mut Parameters), salt: &[u8], length| {
            let mut parameters = TEST.clone();
            change(&mut parameters);
            arena.compute(&parameters, b"x", salt, &mut vec![0; length]).is_err()
        };
        assert!(!refuses(|_| (), TEST_SALT, 32), "{kernel:?}");
        assert!(refuses(|p| p.memory_kib = 7, TEST_SALT, 32), "{kernel:?}");
        assert!(refuses(|p| p.passes = 0, TEST_SALT, 32), "{kernel:?}");
        assert!(refuses(|p| p.lanes = 0, TEST_SALT, 32), "{kernel:?}");
        assert!(refuses(|p| p.lanes = p.memory_kib, TEST_SALT, 32), "{kernel:?}");
        assert!(refuses(|_| (), b"7 bytes", 32), "{kernel:?}");
        assert!(refuses(|_| (), TEST_SALT, 3), "{kernel:?}");
    }
}

#[test]
fn the_answer_of_the_self_test_is_known() {
    let output = compute(&mut *(PORTABLE.arena)(0), &TEST, TEST_PASSWORD, TEST_SALT, 32);
    assert_eq!(output, TEST_OUTPUT, "{output:?}");
}

#[test]
fn a_kernel_that_lies_or_fails_is_not_used() {
    /// Computes what the fast kernel does, and changes it.
    struct Faulty(Box<dyn Arena>, fn(&mut [u8]) -> Result<(), String>);
    impl Arena for Faulty {
        fn compute(
            &mut self,
            parameters: &Parameters,
            password: &[u8],
            salt: &[u8],
            output: &mut [u8],
        ) -> Result<(), String> {
            self.0.compute(parameters, password, salt, output)?;
            (self.1)(output)
        }
        fn kib(&self) -> usize {
            self.0.kib()
        }
    }
    static HONEST: Kernel = Kernel {
        describe: || "honest".into(),
        arena: |kib| Box::new(Faulty((FAST.arena)(kib), |_| Ok(()))),
    };
    static LYING: Kernel = Kernel {
        describe: || "lying".into(),
        arena: |kib| {
            Box::new(Faulty((FAST.arena)(kib), |output| {
                output[31] ^= 1;
                Ok(())
            }))
        },
    };
    static FAILING: Kernel = Kernel {
        describe: || "failing".into(),
        arena: |kib| Box::new(Faulty((FAST.arena)(kib), |_| Err("no memory".into()))),
    };
    assert_eq!((tested(&HONEST).describe)(), "honest");
    assert_eq!((tested(&LYING).describe)(), "portable");
    assert_eq!((tested(&FAILING).describe)(), "portable");
}

#[test]
fn the_setting_decides() {
    assert_eq!((choose(HashKernel::Portable).describe)(), "portable");
    if cfg!(target_pointer_width = "64") {
        assert!((choose(HashKernel::Auto).describe)().starts_with("argon2-rust ("));
    }
}
