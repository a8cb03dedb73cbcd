//! The database that a command works on: its flag, the environment, and how it is opened.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::path::Path;

use super::args::Args;
use super::flag::{Row, flag};
use super::kind::Kind;
use super::parse::naming;
use super::secret_source::{DATABASE, SHARED_DATABASES};
use super::service;
use super::typed::Typed;
use crate::error::Problem;
use crate::store::{Database, Inspection, Store};

/// The file that is used if nothing names a database.
const DEFAULT: &str = "lictor.db";

/// What named the database if nothing did.
pub(super) const BY_DEFAULT: &str = "the default";

pub(super) const FLAGS: &[Row] =
    &[flag("--database PATH|URL", Kind::Database).env("LICTOR_DATABASE").secret().help(
        "The database: path of an SQLite file, or URL of a PostgreSQL database like \
         postgres://USER@HOST/NAME. Set the variable if the URL has a password: other users \
         of the machine can see flags [default: DATABASE_URL, or SQLALCHEMY_DATABASE_URI, if \
         that is a URL of PostgreSQL, else lictor.db]",
    )];

/// The flag of a command that makes the database.
pub(super) const MADE_IF_MISSING: &[Row] =
    &[flag("--database PATH|URL", Kind::Database).env("LICTOR_DATABASE").secret().help(
        "The database: path of an SQLite file, made if it does not exist, or URL of a \
         PostgreSQL database like postgres://USER@HOST/NAME, in which the schema lictor is \
         made. Set the variable if the URL has a password: other users of the machine can see \
         flags [default: DATABASE_URL, or SQLALCHEMY_DATABASE_URI, if that is a URL of \
         PostgreSQL, else lictor.db]",
    )];

/// Whether a command may make what is missing.
pub(super) const CREATE: &[Row] = &[flag("--create", Kind::Switch)
    .help("Make the database if it does not exist: the file, or the schema lictor in PostgreSQL")];

/// The database of a command.
pub(super) struct DatabaseFlag<'a> {
    typed: Option<&'a Typed>,
    chosen: OnceCell<Chosen>,
}

/// The database, and what named it.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) database: Database,
    /// `--database`, a variable, or `the default`.
    pub(super) origin: &'static str,
}

impl DatabaseFlag<'_> {
    pub(super) fn of(args: &Args) -> DatabaseFlag<'_> {
        DatabaseFlag { typed: args.get("--database"), chosen: OnceCell::new() }
    }

    /// The database.
    pub(super) fn find(&self) -> Result<&Database, Problem> {
        self.choose().map(|chosen| &chosen.database)
    }

    /// The database, and what named it.
    pub(super) fn choose(&self) -> Result<&Chosen, Problem> {
        if let Some(chosen) = self.chosen.get() {
            return Ok(chosen);
        }
        let in_file = match self.typed {
            Some(typed) if typed.on_command_line => None,
            typed => DATABASE.find_in_file(typed.is_some())?,
        };
        let chosen = match (in_file, self.typed) {
            (Some(found), _) => {
                let typed = Typed { text: found.os_string(), on_command_line: false };
                Chosen { database: typed.parse(found.origin)?, origin: found.origin }
            }
            (None, typed @ Some(_)) => choose(typed, None, false)?,
            (None, None) => choose(None, shared()?, Path::new(DEFAULT).exists())?,
        };
        Ok(self.chosen.get_or_init(|| chosen))
    }
}

/// The first of the variables that programs share that is set, with its value.
fn shared() -> Result<Option<(&'static str, OsString)>, Problem> {
    for setting in SHARED_DATABASES {
        if let Some(found) = setting.find()?.filter(|found| !found.value.is_empty()) {
            return Ok(Some((found.origin, found.os_string())));
        }
    }
    Ok(None)
}

/// Chooses between the flag, or its variable, and a variable that many programs share, with its value:
/// another database than PostgreSQL in that is not for lictor. If there is a `file` with the default's
/// name as well, the users may be in either, so somebody has to say where.
fn choose(
    typed: Option<&Typed>,
    shared: Option<(&'static str, OsString)>,
    file: bool,
) -> Result<Chosen, Problem> {
    let shared = shared.as_ref().and_then(|(name, url)| Some((*name, url.to_str()?)));
    let (database, origin) = match (typed, shared.filter(|(_, url)| Database::is_server(url))) {
        (Some(typed), _) if typed.on_command_line => (typed.parse("--database")?, "--database"),
        (Some(typed), _) => (typed.parse("LICTOR_DATABASE")?, "LICTOR_DATABASE"),
        (None, Some((name, _))) if file => {
            return Err(Problem::usage(
                format!("{name} names a PostgreSQL database, and there is {DEFAULT} as well"),
                "name the one with the users: --database lictor.db, or LICTOR_DATABASE with the URL",
            ));
        }
        (None, Some((name, url))) => (Database::parse(url).map_err(naming(name))?, name),
        (None, None) => (Database::from(DEFAULT), BY_DEFAULT),
    };
    Ok(Chosen { database, origin })
}

/// What to say about a database that was made.
pub(super) fn made(database: &Database) -> String {
    if database.is_shared() {
        return format!("made the schema lictor in {database}");
    }
    format!("made a new database at {}", database.absolute())
}

/// The text, and the database that was changed: a reader sees whether it is the one that was meant.
pub(super) fn placed(text: &str, database: &Database) -> String {
    format!("{text} in {}", database.absolute())
}

/// Opens a database that exists.
pub(super) fn open_existing(database: &Database) -> Result<Store, Problem> {
    match Store::inspect(database)? {
        Inspection::Current | Inspection::Older(_) => Store::open(database, 1),
        Inspection::Absent => Err(missing(database, "lictor user add NAME --create makes one")),
    }
}

/// Says whether the database of a command with `--create` is there; an error if it is not, and must not be
/// made.
pub(super) fn inspect(args: &Args, database: &Database) -> Result<Inspection, Problem> {
    match Store::inspect(database)? {
        Inspection::Absent if !args.is_given("--create") => {
            Err(missing(database, "--create makes one there"))
        }
        found => Ok(found),
    }
}

/// The error for a database that does not exist; `make` says how to make one. Names the service's
/// database if the default was meant and the service has one.
fn missing(database: &Database, make: &str) -> Problem {
    let shown = database.absolute();
    if database.is_shared() {
        return Problem::new(
            format!("the database {shown} has no schema lictor"),
            format!("name another with --database or --env-file; {make}"),
        );
    }
    let what = format!("there is no database at {shown}");
    let meant = (*database == Database::from(DEFAULT)).then(|| service::instead(Path::new("/")));
    match meant.flatten() {
        Some(command) => Problem::new(
            format!("{what}, but the service seems to have one"),
            format!("write: {command}"),
        ),
        None => Problem::new(what, format!("name it with --database or --env-file; {make}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, on_command_line: bool) -> Typed {
        Typed { text: text.into(), on_command_line }
    }

    #[test]
    fn the_flag_wins_then_a_shared_url_of_postgresql() {
        let flag = || Some(typed("a.db", true));
        let variable = || Some(typed("postgres://ada:secret@h/b", false));
        let url = "postgresql+psycopg2://bob:secret@h2/c";
        for (given, shared, expected, origin) in [
            (flag(), Some(url), "a.db", "--database"),
            (variable(), Some(url), "postgres://ada@h:5432/b", "LICTOR_DATABASE"),
            (None, Some(url), "postgres://bob@h2:5432/c", "DATABASE_URL"),
            (None, Some("mysql://h/d"), "lictor.db", "the default"),
            (None, Some("sqlite:///app.db"), "lictor.db", "the default"),
            (None, Some(""), "lictor.db", "the default"),
            (None, None, "lictor.db", "the default"),
        ] {
            let shared = shared.map(|url| ("DATABASE_URL", OsString::from(url)));
            let chosen = choose(given.as_ref(), shared, false).unwrap();
            assert_eq!((chosen.database.to_string().as_str(), chosen.origin), (expected, origin));
        }
        for (given, shared, name) in [
            (Some(typed("", true)), None, "--database"),
            (Some(typed("mysql://a:secret@h/d", false)), None, "LICTOR_DATABASE"),
            (None, Some("postgres://a:secret@h:x/d"), "DATABASE_URL"),
        ] {
            let shared = shared.map(|url| ("DATABASE_URL", OsString::from(url)));
            let refused = choose(given.as_ref(), shared, false).unwrap_err();
            assert!(refused.usage && refused.what.starts_with(name), "{refused}");
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
        let shared = || Some(("SQLALCHEMY_DATABASE_URI", OsString::from(url)));
        let either = choose(None, shared(), true).unwrap_err();
        assert!(either.usage && either.what.starts_with("SQLALCHEMY_DATABASE_URI"), "{either}");
        assert_eq!(choose(None, shared(), false).unwrap().origin, "SQLALCHEMY_DATABASE_URI");
        assert_eq!(choose(flag().as_ref(), shared(), true).unwrap().origin, "--database");
        assert_eq!(choose(None, None, true).unwrap().origin, "the default");
        assert!(!format!("{:?}", variable()).contains("secret"));
    }
}
