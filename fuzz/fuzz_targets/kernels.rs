//! Hands the fuzzer's bytes to `lictor::fuzzing::kernels`, which owns what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lictor::fuzzing::kernels(data));
