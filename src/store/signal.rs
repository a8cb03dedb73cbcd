//! Wakes the thread that delivers mail.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Says that a mail has come into the outbox, or that the server ends. One thread waits for it;
/// any thread notifies it. A notice that comes while nobody waits is kept for the next wait.
#[derive(Debug)]
pub struct Signal {
    /// Whether a notice is kept for the next wait; `None` once the server ends.
    notified: Mutex<Option<bool>>,
    changed: Condvar,
}

impl Default for Signal {
    fn default() -> Signal {
        Signal { notified: Mutex::new(Some(false)), changed: Condvar::new() }
    }
}

impl Signal {
    /// Wakes the thread that waits.
    pub fn notify(&self) {
        if let Some(notified) = &mut *self.notified() {
            *notified = true;
        }
        self.changed.notify_all();
    }

    fn notified(&self) -> MutexGuard<'_, Option<bool>> {
        self.notified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For the thread that delivers.
#[cfg(any(test, feature = "mail"))]
impl Signal {
    /// Takes back an earlier [`Signal::end`], for a new thread that waits.
    pub fn begin(&self) {
        self.notified().get_or_insert(true);
    }

    /// Wakes the thread that waits, for the last time until [`Signal::begin`].
    pub fn end(&self) {
        *self.notified() = None;
        self.changed.notify_all();
    }

    /// Waits for a notice, for `longest` at most; false once [`Signal::end`] was called.
    pub fn wait(&self, longest: std::time::Duration) -> bool {
        let quiet = |notified: &mut Option<bool>| *notified == Some(false);
        let waited = self.changed.wait_timeout_while(self.notified(), longest, quiet);
        let (mut notified, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match &mut *notified {
            Some(notified) => {
                *notified = false;
                true
            }
            None => false,
        }
    }

    /// Whether [`Signal::end`] was called.
    pub fn is_over(&self) -> bool {
        self.notified().is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_notice_is_kept_for_the_next_wait() {
        let (signal, long) = (Signal::default(), Duration::from_secs(60));
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
