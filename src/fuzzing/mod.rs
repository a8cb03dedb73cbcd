//! The targets of the fuzzers: one function each, which takes any bytes and panics if a promise is
//! broken. Only tests and `fuzz/` see this module.
//!
//! | file | owns |
//! |---|---|
//! | `head` | a request's head: its end and its content |
//! | `chunked` | the chunked transfer coding |
//! | `token` | tokens that only the owner of a key can make |
//! | `json` | the fields of a body |
//! | `foreign_hash` | a hash of another program, and what somebody types |
//! | `rows` | CSV and JSON Lines with accounts of another program |
//! | `kernels` | Argon2 with any parameters, by both kernels |
//! | `connection` | a whole connection, with any bytes at any time |
//!
//! The oracles read the same bytes a second time, in a simpler way, and must agree. The inputs are
//! in `fuzz/corpus`; an ordinary test runs each of them.

mod chunked;
mod connection;
#[cfg(feature = "foreign-hashes")]
mod foreign_hash;
mod head;
mod json;
mod kernels;
mod rows;
mod token;

pub use chunked::chunked;
pub use connection::connection;
#[cfg(feature = "foreign-hashes")]
pub use foreign_hash::foreign_hash;
pub use head::head;
pub use json::json;
pub use kernels::kernels;
pub use rows::rows;
pub use token::token;

/// The bytes before the first line feed, and those after it.
fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|&b| b == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[]),
    }
}

/// A character of a method or a header field's name (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The lines of `bytes`, each without its CR LF.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        lines.push(&rest[..end]);
        rest = &rest[end + 2..];
    }
    assert!(rest.is_empty(), "the last line does not end: {:?}", String::from_utf8_lossy(rest));
    lines
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Runs every input of a corpus through its target.
    fn corpus(name: &str, target: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut count = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // Shown only if the target panics.
            eprintln!("{}", path.display());
            target(&fs::read(&path).unwrap());
            count += 1;
        }
        assert!(count > 0, "{} is empty", folder.display());
    }

    #[test]
    fn hashes_of_argon2() {
        corpus("kernels", super::kernels);
    }

    #[test]
    fn heads() {
        corpus("head", super::head);
    }

    #[test]
    fn chunked_bodies() {
        corpus("chunked", super::chunked);
    }

    #[test]
    fn tokens() {
        corpus("token", super::token);
    }

    #[test]
    fn json_bodies() {
        corpus("json", super::json);
    }

    #[cfg(feature = "foreign-hashes")]
    #[test]
    fn foreign_hashes() {
        corpus("foreign_hash", super::foreign_hash);
    }

    #[test]
    fn rows_of_files() {
        corpus("rows", super::rows);
    }

    #[test]
    fn connections() {
        corpus("connection", super::connection);
    }
}
