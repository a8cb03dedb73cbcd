//! The others that must agree: RustCrypto's argon2, rust-argon2, and the command of the C reference.

use std::io::Write as _;
use std::process::{Command, Stdio};

use argon2::{Argon2, AssociatedData, ParamsBuilder};
use argon2_rust::{Algorithm, Version};

use crate::sets::Set;

pub fn rustcrypto(set: &Set) -> Vec<u8> {
    let algorithm = match set.algorithm {
        Algorithm::Argon2d => argon2::Algorithm::Argon2d,
        Algorithm::Argon2i => argon2::Algorithm::Argon2i,
        Algorithm::Argon2id => argon2::Algorithm::Argon2id,
    };
    let version = match set.version {
        Version::V0x10 => argon2::Version::V0x10,
        Version::V0x13 => argon2::Version::V0x13,
    };
    let params = ParamsBuilder::new()
        .m_cost(set.memory_kib)
        .t_cost(set.passes)
        .p_cost(set.lanes)
        .data(AssociatedData::new(&set.data).expect("data"))
        .output_len(set.length)
        .build()
        .expect("parameters");
    let mut output = vec![0; set.length];
    let hashed = Argon2::new(algorithm, version, params);
    hashed.hash_password_into(&set.password, &set.salt, &mut output).expect("a hash");
    output
}

pub fn rust_argon2(set: &Set) -> Vec<u8> {
    use argon2_other::{Config, ThreadMode, Variant, Version as Other, hash_raw};
    let config = Config {
        ad: &set.data,
        hash_length: set.length as u32,
        lanes: set.lanes,
        mem_cost: set.memory_kib,
        secret: &[],
        thread_mode: ThreadMode::Sequential,
        time_cost: set.passes,
        variant: match set.algorithm {
            Algorithm::Argon2d => Variant::Argon2d,
            Algorithm::Argon2i => Variant::Argon2i,
            Algorithm::Argon2id => Variant::Argon2id,
        },
        version: match set.version {
            Version::V0x10 => Other::Version10,
            Version::V0x13 => Other::Version13,
        },
    };
    hash_raw(&set.password, &set.salt, &config).expect("a hash")
}

/// Whether the C reference's command is installed.
pub fn is_there() -> bool {
    let mut command = Command::new("argon2");
    command.arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

pub fn c_reference(set: &Set) -> Vec<u8> {
    let version = match set.version {
        Version::V0x10 => "10",
        Version::V0x13 => "13",
    };
    let kind = match set.algorithm {
        Algorithm::Argon2d => "-d",
        Algorithm::Argon2i => "-i",
        Algorithm::Argon2id => "-id",
    };
    let numbers = [
        ("-k", set.memory_kib as usize),
        ("-t", set.passes as usize),
        ("-p", set.lanes as usize),
        ("-l", set.length),
    ];
    let mut command = Command::new("argon2");
    command.arg(str::from_utf8(&set.salt).expect("letters")).args([kind, "-r", "-v", version]);
    for (flag, number) in numbers {
        command.arg(flag).arg(number.to_string());
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command argon2 starts");
    child.stdin.take().expect("its input").write_all(&set.password).expect("it reads");
    let done = child.wait_with_output().expect("it ends");
    assert!(done.status.success(), "argon2 failed: {set:?}");
    let text = String::from_utf8(done.stdout).expect("hexadecimal digits");
    let digits = text.trim().as_bytes().chunks(2);
    digits
        .map(|pair| str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect::<Option<_>>()
        .expect("hexadecimal digits")
}
