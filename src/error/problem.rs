//! Why the program cannot start, or a command cannot run.

use std::fmt;
use std::sync::Arc;

use super::{Source, source};

/// Why the program cannot start or a command cannot run: one lower-case line that names the
/// thing, and a line with the next step.
///
/// A setting is named by its field of [`Config`](crate::Config), as in ``the setting `database` ``.
///
/// `Debug` writes the same two lines as `Display`, since a `main` that returns `Result<(), Problem>`
/// prints its error that way.
#[derive(Clone)]
#[non_exhaustive]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub next: String,
    /// A setting or an argument is wrong, so trying again cannot help: the program's exit code is 2
    /// instead of 1.
    pub usage: bool,
    pub(crate) source: Option<Source>,
}

impl Problem {
    /// A problem with its next step.
    pub fn new(what: impl Into<String>, next: impl Into<String>) -> Problem {
        Problem { what: what.into(), next: next.into(), usage: false, source: None }
    }

    /// A wrong setting or argument.
    pub fn usage(what: impl Into<String>, next: impl Into<String>) -> Problem {
        Problem { usage: true, ..Problem::new(what, next) }
    }

    /// The problem with the error that it comes from.
    pub fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Problem {
        Problem { source: Some(Arc::new(source)), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.what, self.next)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        source(&self.source)
    }
}

/// Two problems are equal if they say the same.
impl PartialEq for Problem {
    fn eq(&self, other: &Problem) -> bool {
        (&self.what, &self.next, self.usage) == (&other.what, &other.next, other.usage)
    }
}

impl Eq for Problem {}
