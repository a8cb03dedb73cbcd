//! What the reference servers share, so that they differ only in how they
//! serve: command line, database, sessions, claims, tokens and password hashes.
//! `limit` takes the rules from here and brings its own token and hashing code.

pub mod claims;
pub mod database;
pub mod options;
pub mod password;
pub mod sessions;
pub mod token;

/// How many threads one should use for work that keeps a core busy.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
