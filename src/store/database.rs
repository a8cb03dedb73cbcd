//! The name of a database (the path of its file), and the result of inspecting it.

use std::fmt;
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

/// The result of inspecting a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inspection {
    /// Nothing, or an empty file: it can be made.
    Absent,
    /// One of ours, of this version.
    Current,
    /// One of ours, of an older version: opening it will bring it to this one.
    Older(i64),
}

impl Database {
    /// Reads what an operator typed: the path of a file. A URL is refused.
    pub fn parse(text: &str) -> Result<Database, Problem> {
        // Only the scheme is shown: the rest of a URL may hold a password.
        match text.split_once("://") {
            Some((scheme, _)) => Err(Problem::usage(
                format!("the database is a URL ({scheme}:), and this lictor opens only files"),
                "give the path of an SQLite file",
            )),
            None if text.is_empty() => Err(Problem::usage(
                "the path of the database is empty",
                "give the path of an SQLite file",
            )),
            None => Ok(Database::File(text.into())),
        }
    }

    /// Where the keys are unless another place is configured: beside the file, under its name with
    /// the ending `.key`.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn default_key_file(&self) -> PathBuf {
        let path = match self {
            Database::File(path) => path,
            // The place where it is with the default of `--database`.
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => return PathBuf::from("lictor.key"),
        };
        let file = path.with_extension("key");
        // A database that itself ends in .key has its keys beside it all the same.
        if file == *path { file.with_extension("key.key") } else { file }
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

/// The path of the file. It never holds a secret.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::File(path) => path.display().fmt(f),
            #[cfg(feature = "postgres")]
            Database::Postgres(target) => target.fmt(f),
        }
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
    fn a_path_is_taken_and_a_url_is_refused() {
        for path in ["lictor.db", "/srv/a b/lictor.db", "postgres", "c:lictor.db", "a:/b", "./a:b"]
        {
            assert_eq!(Database::parse(path), Ok(Database::from(path)), "{path}");
        }
        for url in [
            "postgres://ada:secret@db.example/lictor",
            "postgresql://db.example/lictor?password=secret",
            "file:///srv/secret.db",
            "://secret",
            "",
        ] {
            let refused = Database::parse(url).unwrap_err();
            assert!(refused.usage, "{url}");
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
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
        let Database::File(path) = Database::from("lictor.db").absolute() else { panic!() };
        assert!(path.is_absolute() && path.ends_with("lictor.db"));
    }
}
