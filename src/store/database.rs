//! The name of a database: the path of a file, or the URL of a server.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

#[cfg(feature = "postgres")]
use super::postgres::Target;
use crate::error::Problem;

/// Where the users are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// An SQLite file; made if it is not there.
    File(PathBuf),
    /// A database of a PostgreSQL server; lictor's schema in it is made if it is not there.
    #[cfg(feature = "postgres")]
    Postgres(Box<Target>),
}

impl Database {
    /// Reads what an operator typed: the path of an SQLite file, or a URL of PostgreSQL
    /// (`postgres://user:password@host:5432/name`), of which the variables of libpq (PGHOST, PGUSER,
    /// PGPASSWORD, PGPASSFILE, …) give what the URL leaves out. `sqlite:///path`, as SQLAlchemy
    /// writes it, is a path as well.
    ///
    /// ```
    /// use lictor::Database;
    /// let file = Database::parse("app.db")?;
    /// # #[cfg(feature = "postgres")] {
    /// let server = Database::parse("postgres://ada:secret@db.example/app")?;
    /// assert_eq!(server.to_string(), "postgres://ada@db.example:5432/app");
    /// # }
    /// # Ok::<(), lictor::Problem>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The path is empty; the URL is malformed or of another kind of database. The error never
    /// repeats the URL, which may hold a password.
    pub fn parse(text: &str) -> Result<Database, Problem> {
        let scheme = text.trim_start().split_once("://").map(|(scheme, _)| scheme);
        match scheme {
            #[cfg(feature = "postgres")]
            Some(scheme) if super::postgres::is_scheme(scheme) => {
                Ok(Database::Postgres(Box::new(Target::parse(text)?)))
            }
            #[cfg(not(feature = "postgres"))]
            Some(scheme) if scheme.to_ascii_lowercase().starts_with("postgres") => {
                Err(Problem::usage(
                    "the database is a URL of PostgreSQL, and this build of lictor has no PostgreSQL",
                    "build it with the feature `postgres`, or give the path of an SQLite file",
                ))
            }
            Some("sqlite" | "sqlite+pysqlite") => sqlite_url(text),
            Some(scheme) => Err(other_scheme(scheme)),
            None if text.is_empty() => {
                Err(Problem::usage("the path of the database is empty", FORMS))
            }
            None if is_broken_url(text) => {
                Err(Problem::usage("the URL of the database has no // after its scheme", FORMS))
            }
            None => Ok(Database::File(text.into())),
        }
    }

    /// Whether the text is a URL of PostgreSQL.
    #[cfg(feature = "cli")]
    pub(crate) fn is_server(text: &str) -> bool {
        text.trim().split_once("://").is_some_and(|(it, _)| super::postgres::is_scheme(it))
    }

    /// Whether the text holds a password, which must not be on a command line.
    #[cfg(feature = "cli")]
    pub(crate) fn has_password(text: &str) -> bool {
        super::postgres::has_password(text)
    }

    /// Whether other processes, on this or on other machines, serve with the same database.
    pub(crate) fn is_shared(&self) -> bool {
        match self {
            Database::File(_) => false,
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => true,
        }
    }

    /// What is not said by its name: names of settings, and their values in words.
    #[cfg(feature = "cli")]
    pub(crate) fn describe(&self) -> Vec<(&'static str, String)> {
        match self {
            Database::File(_) => Vec::new(),
            #[cfg(feature = "postgres")]
            Database::Postgres(target) => target.describe(),
        }
    }

    /// A setting of it that is allowed, but most likely a mistake.
    #[cfg(feature = "cli")]
    pub(crate) fn warning(&self) -> Option<&'static str> {
        match self {
            Database::File(_) => None,
            #[cfg(feature = "postgres")]
            Database::Postgres(target) => target.warning(),
        }
    }

    /// Where the keys are unless another place is configured: beside the file, under its name with
    /// the ending `.key`.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn default_key_file(&self) -> PathBuf {
        match self {
            Database::File(path) => {
                let file = path.with_extension("key");
                // A database that itself ends in .key has its keys beside it all the same.
                if file == *path { file.with_extension("key.key") } else { file }
            }
            // The place where it is with the default of `--database`.
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => PathBuf::from("lictor.key"),
        }
    }

    /// The files that must not be given out with the pages of an app. What lies beside them is as
    /// private.
    pub(crate) fn private_files(&self) -> Vec<PathBuf> {
        match self {
            Database::File(path) => vec![path.clone()],
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => Vec::new(),
        }
    }

    /// The bytes of the file, and of its write-ahead log; `None` if there is no file.
    pub(crate) fn sizes(&self) -> Option<[u64; 2]> {
        match self {
            Database::File(path) => {
                let mut log = path.clone().into_os_string();
                log.push("-wal");
                let log = fs::metadata(log).map_or(0, |log| log.len());
                Some([fs::metadata(path).ok()?.len(), log])
            }
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => None,
        }
    }

    /// The same database, by a name that does not depend on the working directory.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn absolute(&self) -> Database {
        match self {
            Database::File(path) => {
                Database::File(std::path::absolute(path).unwrap_or_else(|_| path.clone()))
            }
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => self.clone(),
        }
    }
}

/// The path of the file, or the URL without its password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::File(path) => path.display().fmt(f),
            #[cfg(feature = "postgres")]
            Database::Postgres(target) => target.fmt(f),
        }
    }
}

#[cfg(feature = "postgres")]
const FORMS: &str =
    "give the path of an SQLite file, or a URL like postgres://USER:PASSWORD@HOST:5432/NAME";
#[cfg(not(feature = "postgres"))]
const FORMS: &str = "give the path of an SQLite file";

/// The error about a scheme that is none of ours. Only the scheme is shown: the rest of a URL may
/// hold a password.
fn other_scheme(scheme: &str) -> Problem {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    let shown = if scheme.len() <= 32 && scheme.bytes().all(allowed) { scheme } else { "" };
    let what = format!("the database is a URL ({shown}:) of a kind that lictor does not open");
    Problem::usage(what, FORMS)
}

/// A URL of PostgreSQL without its slashes; taken for a path, its password would be the name of a
/// file.
fn is_broken_url(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.trim().to_ascii_lowercase());
    scheme.is_some_and(|scheme| scheme == "postgres" || scheme.starts_with("postgresql"))
}

/// Reads SQLAlchemy's form: `sqlite:///` and a path, which is absolute if it begins with a slash.
fn sqlite_url(text: &str) -> Result<Database, Problem> {
    let path = text.trim().split_once(":///").map(|(_, path)| path);
    match path.filter(|path| !path.is_empty() && *path != ":memory:" && !path.contains('?')) {
        Some(path) => Ok(Database::File(path.into())),
        None => Err(Problem::usage(
            "the database is a URL (sqlite:) that names no file",
            "give the path of an SQLite file, or write sqlite:///PATH",
        )),
    }
}

impl From<PathBuf> for Database {
    fn from(path: PathBuf) -> Database {
        Database::File(path)
    }
}

impl From<&PathBuf> for Database {
    fn from(path: &PathBuf) -> Database {
        Database::File(path.clone())
    }
}

impl From<&Path> for Database {
    fn from(path: &Path) -> Database {
        Database::File(path.to_owned())
    }
}

/// The path of a file, whatever it looks like; [`Database::parse`] is for what people type.
impl From<&str> for Database {
    fn from(path: &str) -> Database {
        Database::File(path.into())
    }
}

impl From<String> for Database {
    fn from(path: String) -> Database {
        Database::File(path.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_and_other_urls_are_refused() {
        for path in ["lictor.db", "/srv/a b/lictor.db", "postgres", "c:lictor.db", "a:/b", "./a:b"]
        {
            assert_eq!(Database::parse(path), Ok(Database::from(path)), "{path}");
        }
        for (url, path) in [
            ("sqlite:///lictor.db", "lictor.db"),
            ("sqlite:////srv/lictor.db", "/srv/lictor.db"),
            ("sqlite+pysqlite:///a%20b.db", "a%20b.db"),
        ] {
            assert_eq!(Database::parse(url), Ok(Database::from(path)), "{url}");
        }
        let other_driver = match cfg!(feature = "postgres") {
            true => "(postgresql+mysqldb:)",
            false => "has no PostgreSQL",
        };
        for (url, what) in [
            ("mysql://ada:secret@db.example/lictor", "(mysql:)"),
            ("file:///srv/secret.db", "(file:)"),
            ("my secret://x", "(:)"),
            ("://secret", "(:)"),
            ("sqlite://", "names no file"),
            ("sqlite:///:memory:", "names no file"),
            ("sqlite:///secret.db?mode=ro", "names no file"),
            ("postgres:ada:secret@db.example/app", "no // after its scheme"),
            ("postgresql:/secret", "no // after its scheme"),
            ("postgresql+mysqldb://ada:secret@db.example/app", other_driver),
            ("", "is empty"),
        ] {
            let refused = Database::parse(url).unwrap_err();
            assert!(refused.usage && refused.what.contains(what), "{url}: {refused}");
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
        // What converts from text is a path, whatever it looks like.
        assert_eq!(Database::from("postgres://h"), Database::File("postgres://h".into()));
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_server_is_shown_without_its_password() {
        for url in [
            "postgres://ada:secret@db.example:5433/app",
            "postgresql+psycopg2://ada@db.example:5433/app?password=secret",
        ] {
            let database = Database::parse(url).unwrap();
            assert_eq!(database.to_string(), "postgres://ada@db.example:5433/app");
            assert!(!format!("{database:?} {:?}", database.describe()).contains("secret"));
            assert_eq!(database.absolute(), database);
            assert_eq!(database.default_key_file(), Path::new("lictor.key"));
            assert!(database.is_shared() && Database::has_password(url));
        }
        let refused = Database::parse("postgres://ada:secret@db.example:x/app").unwrap_err();
        assert!(refused.usage && !refused.to_string().contains("secret"), "{refused}");
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn a_build_without_postgresql_says_so() {
        let refused = Database::parse("postgres://ada:secret@db.example/app").unwrap_err();
        assert!(refused.usage && refused.what.contains("this build"), "{refused}");
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }

    #[test]
    fn the_keys_lie_beside_the_file() {
        for (database, keys) in [
            ("lictor.db", "lictor.key"),
            ("/srv/lictor.db", "/srv/lictor.key"),
            ("/srv/lictor", "/srv/lictor.key"),
            ("a.b.db", "a.b.key"),
            ("lictor.key", "lictor.key.key"),
        ] {
            let database = Database::from(database);
            assert_eq!(database.default_key_file(), Path::new(keys), "{database}");
            assert!(!database.private_files().contains(&database.default_key_file()));
        }
    }

    #[test]
    fn an_absolute_name_stays() {
        let database = Database::from("/srv/lictor.db");
        assert_eq!(database.absolute(), database);
        assert_eq!(database.to_string(), "/srv/lictor.db");
        let name = Database::from("lictor.db").absolute().to_string();
        assert!(name.starts_with('/') && name.ends_with("/lictor.db"), "{name}");
    }
}
