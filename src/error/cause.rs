//! The cause of a fault.

use std::sync::Arc;

use super::Source;

/// The cause of a fault: a line for the log, and the error that it comes from, if there is one.
///
/// ```
/// use lictor::{Cause, Error};
/// let error = "x".parse::<u8>().unwrap_err();
/// let error = Error::Internal(Cause::new(format!("no number: {error}"), error));
/// assert!(std::error::Error::source(&error).is_some());
/// assert_eq!(Error::Internal("no number".into()).cause(), Some("no number"));
/// ```
#[derive(Debug, Clone)]
pub struct Cause {
    pub(super) text: String,
    pub(super) source: Option<Source>,
    /// It is in the log already, once for all the requests that it fails.
    pub(super) logged: bool,
}

impl Cause {
    /// A cause that comes from another error.
    pub fn new(
        text: impl Into<String>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Cause {
        Cause { text: text.into(), source: Some(Arc::new(source)), logged: false }
    }
}

impl Cause {
    /// A cause that is in the log already, once for all the requests that it fails.
    pub(crate) fn logged(text: impl Into<String>) -> Cause {
        Cause { logged: true, ..Cause::from(text) }
    }

    /// What happened, in words.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The same cause, after the name of the part that failed.
    pub(crate) fn within(self, part: &str) -> Cause {
        Cause { text: format!("{part}: {}", self.text), ..self }
    }
}

impl<T: Into<String>> From<T> for Cause {
    fn from(text: T) -> Cause {
        Cause { text: text.into(), source: None, logged: false }
    }
}
