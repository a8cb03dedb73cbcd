//! The common parts of the reference servers, which differ only in how they
//! serve: command line, database, sessions, claims, tokens and password hashes.
//! `limit` uses these rules with token and hashing code of its own.

pub mod claims;
pub mod database;
pub mod options;
pub mod password;
pub mod sessions;
pub mod token;

/// The number of threads for work that keeps a core busy.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
