//! Brings people in from other programs, and out again: sources, presets, what a row must be.
//! Compiled for the command line.

pub(crate) mod rename;
pub(crate) mod source;
pub(crate) mod time;
