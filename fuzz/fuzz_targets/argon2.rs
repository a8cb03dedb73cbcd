//! Hands the fuzzer's bytes to `lictor::fuzzing::argon2`, which owns what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lictor::fuzzing::argon2(data));
