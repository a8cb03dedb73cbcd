//! Brings people in from other programs, and out again: sources, presets, what a row must be.
//! Compiled for the command line.
//!
//! | file | owns |
//! |---|---|
//! | `preset` | what the tables of other programs are called, and their columns |
//! | `mapping` | which column of a source gives which field |
//! | `person` | one row: an account, or why it cannot be one |
//! | `time` | times as other programs write them |

mod mapping;
mod preset;
mod time;
