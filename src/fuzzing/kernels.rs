//! Argon2 with any parameters, password and salt: the two kernels give the same output, or both
//! refuse.

use crate::guard::kernel::{Algorithm, FAST, PORTABLE, Parameters, Version};

/// Most KiB of memory, so that one input takes milliseconds.
const MAX_KIB: u32 = 2_047;
/// Bytes before salt, associated data and password.
const NUMBERS: usize = 9;

/// The target. Nine bytes say what is computed, then come salt, associated data and password.
pub fn kernels(data: &[u8]) {
    let Some((&[kind, memory, kib, passes, lanes, high, low, salt, with], rest)) =
        data.split_first_chunk::<NUMBERS>()
    else {
        return;
    };
    let parameters = Parameters {
        algorithm: [Algorithm::Argon2id, Algorithm::Argon2i, Algorithm::Argon2d]
            [usize::from(kind & 15) % 3],
        version: if kind & 16 == 0 { Version::V0x13 } else { Version::V0x10 },
        memory_kib: u32::from(u16::from_be_bytes([memory, kib])).min(MAX_KIB),
        passes: u32::from(passes % 5),
        lanes: u32::from(lanes % 18),
        data: Vec::new(),
    };
    let (salt, rest) = rest.split_at(usize::from(salt).min(rest.len()));
    let (with, password) = rest.split_at(usize::from(with % 33).min(rest.len()));
    let parameters = Parameters { data: with.to_vec(), ..parameters };
    let length = usize::from(u16::from_be_bytes([high, low]) % 1_025);
    // Twice in the same memory, which the first hash has used.
    let mut arenas = [&FAST, &PORTABLE].map(|kernel| (kernel.arena)(parameters.memory_kib.max(8)));
    let mut results = arenas.each_mut().map(|arena| {
        [(); 2].map(|()| {
            let mut output = vec![0; length];
            arena.compute(&parameters, password, salt, &mut output).ok().map(|()| output)
        })
    });
    let [[fast, fast_again], [portable, portable_again]] = &mut results;
    assert_eq!(fast, portable, "{parameters:?}");
    assert_eq!((fast, portable), (fast_again, portable_again), "{parameters:?}");
}
