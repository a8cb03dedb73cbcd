//! The one-time token with which the first administrator is made. It lives in memory: a restart makes
//! another one, and it is gone as soon as there is an administrator. Only its hash is kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::App;
use crate::error::Error;
use crate::values::{Code, CodeHash};

/// What this process knows of the first administrator.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    /// The hash of the token that is good; `None` if there is none.
    token: Mutex<Option<CodeHash>>,
    /// Whether an administrator was seen. Then there is one for good: the last one cannot go.
    done: AtomicBool,
}

impl App {
    /// Whether no active user with a password has the role `admin`. Asks the database until there is one.
    pub(crate) fn needs_admin(&self) -> Result<bool, Error> {
        if self.setup.done.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let found = self.store.has_admin()?;
        if found {
            self.end_setup();
        }
        Ok(!found)
    }

    /// Makes the token, in place of an earlier one; `None` if there is an administrator.
    #[cfg(feature = "cli")]
    pub(crate) fn begin_setup(&self) -> Result<Option<Code>, Error> {
        if !self.needs_admin()? {
            return Ok(None);
        }
        let token = Code::generate()?;
        *self.setup_token() = Some(token.hash());
        Ok(Some(token))
    }

    /// Refuses a wrong token, and every token once there is an administrator.
    pub(crate) fn check_setup(&self, typed: &str) -> Result<(), Error> {
        if !self.needs_admin()? {
            return Err(Error::SetupDone);
        }
        let typed = Code::typed(typed).map(|token| token.hash());
        match (typed, *self.setup_token()) {
            (Some(typed), Some(token)) if typed.is(&token) => Ok(()),
            _ => Err(Error::InvalidSetupToken),
        }
    }

    /// Forgets the token: there is an administrator.
    pub(crate) fn end_setup(&self) {
        self.setup.done.store(true, Ordering::Relaxed);
        *self.setup_token() = None;
    }

    fn setup_token(&self) -> std::sync::MutexGuard<'_, Option<CodeHash>> {
        self.setup.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
