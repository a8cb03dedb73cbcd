//! Tests of the program as its users meet it: the real binary on a real socket with a real file,
//! and the engine as a library with real sockets.

#![allow(clippy::unwrap_used)]

mod administration;
mod attacks;
mod authority;
mod batches;
mod commands;
mod deployment;
mod devices;
mod documents;
mod durability;
mod embedding;
mod endpoints;
mod engine;
mod foreign_hashes;
mod groups;
mod hashing;
mod import;
mod invitations;
mod keys;
mod layout;
mod moving;
mod names;
mod passwords;
mod resets;
mod second_factor;
mod sessions;
mod short_secret;
mod soundness;
mod sql;
mod start;
mod support;
mod throttle;
mod tokens;
mod verify;
mod weaknesses;
mod web;
mod wire;
