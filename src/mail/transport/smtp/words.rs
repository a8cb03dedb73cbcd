//! Errors of a socket in words.

use std::io;

/// The error in words. The kinds that a socket with a time limit returns have words of their own.
pub(super) fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "the server took too long".into(),
        io::ErrorKind::UnexpectedEof => "the server closed the connection".into(),
        _ => error.to_string(),
    }
}
