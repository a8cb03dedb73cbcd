//! Brings people in from other programs, and out again: sources, presets, what a row must be.
//! Compiled for the command line.
//!
//! | file | owns |
//! |---|---|
//! | `source/` | where rows come from: tables, CSV, JSON Lines |
//! | `preset` | what the tables of other programs are called, and their columns |
//! | `mapping` | which column of a source gives which field |
//! | `rename` | new names for accounts |
//! | `person` | one row: an account, or why it cannot be one |
//! | `lictor` | one line of lictor's own export: the same |
//! | `report` | what came, what did not, and why; the file of `--report` |
//! | `run` | an import from its source to the store |
//! | `export` | the way out: lines of JSON |
//! | `time` | times as other programs write them |

mod mapping;
mod preset;
pub(crate) mod rename;
pub(crate) mod source;
mod time;
