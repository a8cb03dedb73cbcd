//! `lictor-kernels N [SEED]`: N random sets of parameters for each backend that this processor has,
//! and N for the kernel as lictor calls it, with memory that is kept. Each output must be that of
//! RustCrypto's argon2 and of rust-argon2; every tenth must be that of the C reference too, if its
//! command `argon2` is there. Prints the seed, so that a failure can be repeated.

mod reference;
mod sets;

use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use argon2_rust::__internal::{Backend, audit, hash_with_backend};
use argon2_rust::{Argon2, Hasher, Params};

use reference::{c_reference, is_there, rust_argon2, rustcrypto};
use sets::{Numbers, Set};

/// Every so many sets, the C reference answers as well: it is a process of its own each time.
const C_REFERENCE: usize = 10;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let count = arguments.next().unwrap_or(1_000) as usize;
    let clock =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_nanos() as u64);
    let seed = arguments.next().unwrap_or(clock | 1);
    println!("seed {seed}, the processor's backend is {}", argon2_rust::detected_backend());
    let with_c = is_there();
    if !with_c {
        println!("without the C reference: there is no command argon2");
    }
    for &backend in Backend::ALL {
        if backend.is_available() {
            check(backend.name(), seed, count, with_c, |set, output| {
                // SAFETY: the backend is available, which is all that this function asks for.
                unsafe {
                    hash_with_backend(
                        backend,
                        set.algorithm,
                        set.version,
                        &params(set),
                        &set.password,
                        &set.salt,
                        &[],
                        &set.data,
                        output,
                    )
                }
                .unwrap_or_else(|error| panic!("{error}: {set:?}"));
            });
        } else {
            println!("{:8} not on this processor", backend.name());
        }
    }
    let mut kept = Argon2::new(Default::default(), Default::default(), Params::DEFAULT).hasher();
    kept.reserve().expect("19 MiB");
    check("kept", seed, count, with_c, |set, output| compute_in(&mut kept, set, output));
    wiped(seed);
    ExitCode::SUCCESS
}

/// Computes `count` sets, and compares.
fn check(
    name: &str,
    seed: u64,
    count: usize,
    with_c: bool,
    mut compute: impl FnMut(&Set, &mut [u8]),
) {
    let begun = Instant::now();
    let mut numbers = Numbers::new(seed);
    let mut by_c = 0;
    for number in 0..count {
        let set = Set::random(&mut numbers, number % C_REFERENCE == 0);
        let mut output = vec![0; set.length];
        compute(&set, &mut output);
        assert_eq!(output, rustcrypto(&set), "RustCrypto's argon2 differs: {set:?}");
        assert_eq!(output, rust_argon2(&set), "rust-argon2 differs: {set:?}");
        if with_c && number % C_REFERENCE == 0 {
            assert_eq!(output, c_reference(&set), "the C reference differs: {set:?}");
            by_c += 1;
        }
    }
    println!("{name:8} {count} sets agree, {by_c} with C, {:.1} s", begun.elapsed().as_secs_f64());
}

fn params(set: &Set) -> Params {
    use argon2_rust::params::{Memory, TagLen};
    Params::builder()
        .memory(Memory::kib(set.memory_kib.into()))
        .passes(set.passes)
        .lanes(set.lanes)
        .threads(1)
        .tag_len(TagLen::bytes(set.length as u64))
        .build()
        .unwrap_or_else(|error| panic!("{error}: {set:?}"))
}

/// As lictor's kernel does.
fn compute_in(hasher: &mut Hasher, set: &Set, output: &mut [u8]) {
    hasher.set_argon2(Argon2::new(set.algorithm, set.version, params(set)));
    hasher
        .hash_into_with_ad(&set.password, &set.salt, &[], &set.data, output)
        .unwrap_or_else(|error| panic!("{error}: {set:?}"));
}

/// The memory of each size is zero when it is given back: in the heap, and mapped.
fn wiped(seed: u64) {
    let mut numbers = Numbers::new(seed);
    for memory_kib in [64, 1_024, 4_096, 19_456] {
        let set = Set { memory_kib, lanes: 1, passes: 1, ..Set::random(&mut numbers, false) };
        let blocks = params(&set).memory_blocks() as usize;
        let mut hasher = Argon2::new(set.algorithm, set.version, params(&set)).hasher();
        audit::watch(blocks);
        compute_in(&mut hasher, &set, &mut vec![0; set.length]);
        assert_eq!(audit::released(), 0, "{memory_kib} KiB: the memory is not kept");
        drop(hasher);
        assert_eq!((audit::released(), audit::released_dirty()), (1, 0), "{memory_kib} KiB");
    }
    println!("memory   wiped when it is given back");
}
