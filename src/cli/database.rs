//! The database that a command works on: its flag, the environment, and how it is opened.
//!
//! clap takes the text as it is, and has neither its value nor a wrong one to show: a URL may hold a
//! password.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use clap::builder::{TypedValueParser, ValueParserFactory};
use clap::parser::ValueSource;
use clap::{Arg, Args, Command};

use super::parse::naming;
use crate::error::Problem;
use crate::store::{Database, Inspection, Store};

/// The file that is used if nothing names a database.
const DEFAULT: &str = "lictor.db";

/// What named the database if nothing did.
pub(super) const BY_DEFAULT: &str = "the default";

/// The variables that programs share: the first that is set counts. The second one is the name that
/// Flask apps use.
const SHARED: [&str; 2] = ["DATABASE_URL", "SQLALCHEMY_DATABASE_URI"];

#[derive(Args, Debug)]
pub(super) struct DatabaseFlag {
    /// The database: path of an SQLite file, or URL of a PostgreSQL database like
    /// postgres://USER@HOST/NAME. Set the variable if the URL has a password: other users of the
    /// machine can see flags [default: DATABASE_URL, or SQLALCHEMY_DATABASE_URI, if that is a URL of
    /// PostgreSQL, else lictor.db]
    #[arg(long, value_name = "PATH|URL", env = "LICTOR_DATABASE", hide_env_values = true)]
    database: Option<Typed>,
    #[arg(skip)]
    chosen: OnceCell<Chosen>,
}

/// The database, and what named it.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) database: Database,
    /// `--database`, a variable, or `the default`.
    pub(super) origin: &'static str,
}

impl DatabaseFlag {
    /// The database.
    pub(super) fn find(&self) -> Result<&Database, Problem> {
        self.choose().map(|chosen| &chosen.database)
    }

    /// The database, and what named it.
    pub(super) fn choose(&self) -> Result<&Chosen, Problem> {
        if let Some(chosen) = self.chosen.get() {
            return Ok(chosen);
        }
        let set = |name| Some((name, std::env::var_os(name).filter(|url| !url.is_empty())?));
        let shared = SHARED.into_iter().find_map(set);
        let chosen = choose(self.database.as_ref(), shared, Path::new(DEFAULT).exists())?;
        Ok(self.chosen.get_or_init(|| chosen))
    }
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

/// The name of a database, as it was typed.
#[derive(Clone)]
pub(super) struct Typed {
    text: OsString,
    on_command_line: bool,
}

impl Typed {
    /// Reads the name; `flag` names it in an error. A password on the command line is warned of.
    pub(super) fn parse(&self, flag: &'static str) -> Result<Database, Problem> {
        // Anything that is not UTF-8 is the path of a file.
        let Some(text) = self.text.to_str() else {
            return Ok(Database::from(PathBuf::from(&self.text)));
        };
        self.warn_of_password(flag, text);
        Database::parse(text).map_err(naming(flag))
    }

    /// The text, for a command that reads it in another way.
    pub(super) fn source(&self, flag: &'static str) -> Result<String, Problem> {
        let Some(text) = self.text.to_str() else {
            return Err(Problem::usage(
                format!("{flag}: the path is not UTF-8"),
                "name it otherwise, or send the file to standard input and give -",
            ));
        };
        self.warn_of_password(flag, text);
        Ok(text.to_owned())
    }

    /// Warns of a password on the command line.
    fn warn_of_password(&self, flag: &'static str, text: &str) {
        if self.on_command_line && Database::has_password(text) {
            let instead = match flag {
                "--database" => {
                    "set LICTOR_DATABASE or PGPASSWORD instead, or use a password file (PGPASSFILE)"
                }
                // Two databases: no variable of lictor's names the source.
                _ => "set PGPASSWORD instead, or use a password file (PGPASSFILE)",
            };
            log::warn!(
                "other users of this machine can see the password in {flag} (ps shows it); {instead}"
            );
        }
    }
}

/// Without the text, which may hold a password.
impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typed").field("on_command_line", &self.on_command_line).finish()
    }
}

/// Takes every text, and notes where it came from.
#[derive(Clone)]
pub(super) struct TypedParser;

impl ValueParserFactory for Typed {
    type Parser = TypedParser;

    fn value_parser() -> TypedParser {
        TypedParser
    }
}

impl TypedValueParser for TypedParser {
    type Value = Typed;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Typed, clap::Error> {
        self.parse_ref_(command, arg, value, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        _: &Command,
        _: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<Typed, clap::Error> {
        Ok(Typed { text: value.to_owned(), on_command_line: source == ValueSource::CommandLine })
    }
}

/// The help of `--database` for a command that makes what is missing.
pub(super) fn made_if_missing(arg: Arg) -> Arg {
    arg.help(
        "The database: path of an SQLite file, made if it does not exist, or URL of a PostgreSQL \
         database like postgres://USER@HOST/NAME, in which the schema lictor is made. Set the \
         variable if the URL has a password: other users of the machine can see flags [default: \
         DATABASE_URL, or SQLALCHEMY_DATABASE_URI, if that is a URL of PostgreSQL, else lictor.db]",
    )
}

/// What to say about a database that was made.
pub(super) fn made(database: &Database) -> String {
    if database.is_shared() {
        return format!("made the schema lictor in {database}");
    }
    format!("made a new database at {}", database.absolute())
}

/// Opens a database that exists: a command that looks for users makes none.
pub(super) fn open_existing(database: &Database) -> Result<Store, Problem> {
    match Store::inspect(database)? {
        Inspection::Current | Inspection::Older(_) => Store::open(database, 1),
        Inspection::Absent if database.is_shared() => Err(Problem::new(
            format!("the database {database} has no schema lictor"),
            "name another with --database, or make the first user: lictor user add NAME",
        )),
        Inspection::Absent => Err(Problem::new(
            format!("there is no database at {database}"),
            "give its path with --database, or make the first user: lictor user add NAME",
        )),
    }
}

/// A text in which every argument that is a URL is replaced by its scheme, as it may hold a password.
pub(super) fn without_urls(text: &str, arguments: &[OsString]) -> String {
    let mut text = text.to_owned();
    for argument in arguments {
        let argument = argument.to_string_lossy();
        if let Some((before, _)) = argument.split_once("://") {
            // The value of `--flag=value` begins after the sign.
            let start = before.rfind('=').map_or(0, |at| at + 1);
            text = text.replace(&argument[start..], &format!("{}://…", &before[start..]));
        }
    }
    text
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

    #[test]
    fn urls_are_taken_out_of_a_text() {
        let arguments =
            ["lictor", "postgres://a:secret@h/b?x=1", "--listen=smtp://a:secret@h", "x"];
        let arguments = arguments.map(OsString::from);
        for (text, expected) in [
            ("unexpected 'postgres://a:secret@h/b?x=1' found", "unexpected 'postgres://…' found"),
            ("'smtp://a:secret@h' for '--listen'", "'smtp://…' for '--listen'"),
            ("'--listen=smtp://a:secret@h'", "'--listen=smtp://…'"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(without_urls(text, &arguments), expected);
        }
    }
}
