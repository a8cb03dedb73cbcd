//! The lictor binary: exit codes, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    lictor::cli::main(std::env::args_os())
}
