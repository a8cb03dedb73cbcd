//! The database that a command works on: its flag, and how it is opened.

use std::ffi::OsString;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser as _};

use crate::error::Problem;
use crate::store::{Database, Inspection, Sqlite};

#[derive(Args, Debug)]
pub(super) struct DatabaseFlag {
    /// The SQLite file; made if it does not exist
    #[arg(
        long,
        value_name = "PATH",
        env = "LICTOR_DATABASE",
        default_value = "lictor.db",
        value_parser = OsStringValueParser::new().try_map(parse)
    )]
    pub(super) database: Database,
}

/// Parses text; anything that is not UTF-8 is the path of a file.
fn parse(typed: OsString) -> Result<Database, String> {
    match typed.to_str() {
        Some(text) => Database::parse(text).map_err(|problem| problem.to_string()),
        None => Ok(Database::from(std::path::PathBuf::from(typed))),
    }
}

/// Opens a database; makes one if there is none.
pub(super) fn open(database: &Database) -> Result<Sqlite, Problem> {
    let Database::File(path) = database;
    Sqlite::open(path, 1)
}

/// Says whether there is a database, and of which version; changes nothing.
pub(super) fn inspect(database: &Database) -> Result<Inspection, Problem> {
    let Database::File(path) = database;
    Sqlite::inspect(path)
}

/// An error if the database is damaged.
pub(super) fn check(database: &Database) -> Result<(), Problem> {
    let Database::File(path) = database;
    Sqlite::check(path)
}

/// Opens a database that exists: a command that looks for users makes no file.
pub(super) fn open_existing(database: &Database) -> Result<Sqlite, Problem> {
    match inspect(database)? {
        Inspection::Current | Inspection::Older(_) => open(database),
        Inspection::Absent => Err(Problem::new(
            format!("there is no database at {database}"),
            "give its path with --database, or make the first user: lictor user add NAME",
        )),
    }
}
