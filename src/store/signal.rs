//! Wakes the thread that delivers mail.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Says that a mail has come into the outbox, or that the server ends. One thread waits for it;
/// any thread notifies it. A notice that comes while nobody waits is kept for the next wait.
#[derive(Debug, Default)]
pub struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    notified: bool,
    over: bool,
}

impl Signal {
    /// Wakes the thread that waits.
    pub fn notify(&self) {
        self.state().notified = true;
        self.changed.notify_all();
    }

    /// Takes back an earlier [`Signal::end`], for a new thread that waits.
    pub fn begin(&self) {
        self.state().over = false;
    }

    /// Wakes the thread that waits, for the last time until [`Signal::begin`].
    pub fn end(&self) {
        self.state().over = true;
        self.changed.notify_all();
    }

    /// Waits for a notice, for `longest` at most; false once [`Signal::end`] was called.
    pub fn wait(&self, longest: Duration) -> bool {
        let quiet = |state: &mut State| !state.notified && !state.over;
        let waited = self.changed.wait_timeout_while(self.state(), longest, quiet);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.notified = false;
        !state.over
    }

    /// Whether [`Signal::end`] was called.
    pub fn is_over(&self) -> bool {
        self.state().over
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_kept_for_the_next_wait() {
        let (signal, long) = (Signal::default(), Duration::from_secs(20));
        signal.notify();
        signal.notify();
        assert!(signal.wait(long));
        assert!(signal.wait(Duration::ZERO), "the second notice is the same one");
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| signal.wait(long));
            signal.end();
            assert!(!waiter.join().unwrap());
        });
        assert!(signal.is_over() && !signal.wait(long));
        signal.begin();
        signal.notify();
        assert!(!signal.is_over() && signal.wait(long));
    }
}
