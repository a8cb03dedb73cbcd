//! The database that a command works on: its flag, and how it is opened.

use std::ffi::OsString;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Arg, Args};

use crate::error::Problem;
use crate::store::{Database, Inspection, Store};

#[derive(Args, Debug)]
pub(super) struct DatabaseFlag {
    /// The SQLite file
    #[arg(
        long,
        value_name = "PATH",
        env = "LICTOR_DATABASE",
        default_value = "lictor.db",
        value_parser = OsStringValueParser::new().try_map(parse)
    )]
    pub(super) database: Database,
}

/// The help of `--database` for a command that makes the file.
pub(super) fn made_if_missing(arg: Arg) -> Arg {
    arg.help("The SQLite file; made if it does not exist")
}

/// Parses text; anything that is not UTF-8 is the path of a file.
fn parse(typed: OsString) -> Result<Database, String> {
    match typed.to_str() {
        Some(text) => Database::parse(text).map_err(|problem| problem.to_string()),
        None => Ok(Database::from(std::path::PathBuf::from(typed))),
    }
}

/// The database that an argument names. Its text may hold a password, so no message repeats it.
pub(super) fn named(typed: OsString) -> Result<Database, Problem> {
    match typed.into_string() {
        Ok(text) => Database::parse(&text),
        Err(typed) => Ok(Database::from(std::path::PathBuf::from(typed))),
    }
}

/// Opens a database that exists: a command that looks for users makes no file.
pub(super) fn open_existing(database: &Database) -> Result<Store, Problem> {
    match Store::inspect(database)? {
        Inspection::Current | Inspection::Older(_) => Store::open(database, 1),
        Inspection::Absent => Err(Problem::new(
            format!("there is no database at {database}"),
            "give its path with --database, or make the first user: lictor user add NAME",
        )),
    }
}
