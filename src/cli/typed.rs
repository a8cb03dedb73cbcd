//! The name of a database, as people typed it or set it. clap takes the text as it is, and has neither its
//! value nor a wrong one to show: a URL may hold a password.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use super::parse::naming;
use crate::error::Problem;
use crate::store::Database;

/// The name of a database, as it was typed.
#[derive(Clone)]
pub(super) struct Typed {
    pub(super) text: OsString,
    pub(super) on_command_line: bool,
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
