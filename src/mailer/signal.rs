//! Wakes the thread that delivers mails. Knows no mail.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Says that the outbox has a new mail, or that the server ends.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    /// A mail was put into the outbox after the last [`Signal::wait`].
    notified: bool,
    over: bool,
}

impl Signal {
    /// Wakes the waiting thread: the outbox has a new mail.
    pub(crate) fn notify(&self) {
        self.lock().notified = true;
        self.changed.notify_all();
    }

    /// Wakes the waiting thread: the server ends.
    pub(crate) fn end(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    /// Waits for [`Signal::notify`] or [`Signal::end`], at most `longest`. Returns false after
    /// `end`.
    pub(crate) fn wait(&self, longest: Duration) -> bool {
        let quiet = |state: &mut State| !state.notified && !state.over;
        let waited = self.changed.wait_timeout_while(self.lock(), longest, quiet);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.notified = false;
        !state.over
    }

    /// Whether the server ends.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().over
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
