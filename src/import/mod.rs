//! Brings people in from other programs, and out again: sources, presets, what a row must be.
//! Compiled for the command line; for the fuzzers, what reads files.

#[cfg(feature = "cli")]
pub(crate) mod rename;
pub(crate) mod source;
#[cfg(feature = "cli")]
pub(crate) mod time;
