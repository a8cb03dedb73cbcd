//! Replaces what is large in the static program for x86-64 and could be small: see `glibc.c` and `p256.c`.

use std::env;

fn main() {
    for file in ["build.rs", "glibc.c", "p256.c"] {
        println!("cargo:rerun-if-changed={file}");
    }
    let target = |name| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if is_static && target("ENV") == "gnu" && target("ARCH") == "x86_64" {
        replace();
    }
}

fn replace() {
    cc::Build::new()
        .files(["glibc.c", "p256.c"])
        .flag("-ffreestanding")
        .opt_level_str("s")
        .compile("small");
    // The linker finds a function of glibc here first. The file of ring with these two has more that is
    // needed, so the linker has to be told.
    let ours = "lictor_p256_point_mul_base";
    println!("cargo:rustc-link-arg-bins=-Wl,-u,{ours}");
    for name in ["p256_point_mul_base", "p256_point_mul_base_vartime"] {
        println!("cargo:rustc-link-arg-bins=-Wl,--defsym=ring_core_0_17_14__{name}={ours}");
    }
}
