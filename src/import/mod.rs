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

mod export;
mod lictor;
mod mapping;
mod person;
mod preset;
mod rename;
mod report;
mod run;
mod source;
mod time;

pub(crate) use export::{Exported, Failure as ExportFailure, export};
pub(crate) use mapping::Change;
pub(crate) use person::Kind;
pub(crate) use preset::Preset;
pub(crate) use rename::Renames;
pub(crate) use report::{Place, Report};
pub(crate) use run::{Plan, Staged, add_clashes, stage};
pub(crate) use source::{Format, Source};
