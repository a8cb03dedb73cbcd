//! Brings people in from other programs, and out again: sources, presets, what a row must be.
//! Compiled for the command line; for the fuzzers, what reads files.
//!
//! | file | owns |
//! |---|---|
//! | `source/` | where rows come from: tables, CSV, JSON Lines |
//! | `preset` | what the tables of other programs are called, and their columns |
//! | `mapping` | which column of a source gives which field |
//! | `plan` | preset, table and mapping of one source |
//! | `rename` | new names for accounts |
//! | `person` | one row: an account, or why it cannot be one |
//! | `lictor` | one line of lictor's own export: the same |
//! | `report` | what came, what did not, and why; the file of `--report` |
//! | `run` | from a source to the staging database |
//! | `export` | the way out: lines of JSON |
//! | `quoted` | values of a source in messages |
//! | `time` | times as other programs write them |

#[cfg(feature = "cli")]
mod export;
#[cfg(feature = "cli")]
mod lictor;
#[cfg(feature = "cli")]
mod mapping;
#[cfg(feature = "cli")]
mod person;
#[cfg(feature = "cli")]
mod plan;
#[cfg(feature = "cli")]
mod preset;
#[cfg_attr(not(feature = "cli"), allow(dead_code))]
mod quoted;
#[cfg(feature = "cli")]
mod rename;
#[cfg(feature = "cli")]
mod report;
#[cfg(feature = "cli")]
mod run;
#[cfg_attr(not(feature = "cli"), allow(dead_code))]
pub(crate) mod source;
#[cfg(feature = "cli")]
mod time;

#[cfg(feature = "cli")]
pub(crate) use {
    export::{Exported, Failure as ExportFailure, export},
    mapping::Change,
    person::Kind,
    plan::Plan,
    preset::Preset,
    quoted::escaped,
    rename::{Reached, Renames},
    report::{Place, Refused, Report},
    run::{Staged, correct, stage},
    source::{Format, Source},
};
