//! Turns to write: the thread that has waited longest is next. Each thread waits until its own
//! deadline at most.
//!
//! A mutex alone gives the lock to the thread that comes at the right moment, which is mostly the
//! one that has just let go of it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Turns {
    line: Mutex<Line>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Line {
    /// A thread has the turn.
    taken: bool,
    /// The numbers of the threads that wait, the next one first. No more than there are threads.
    waiting: VecDeque<u64>,
    /// The number of the next thread that waits.
    number: u64,
}

/// A turn, until it is dropped.
#[must_use]
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    /// Waits for a turn; `None` if it did not come before the deadline.
    pub(super) fn take(&self, deadline: Instant) -> Option<Turn<'_>> {
        let mut line = self.line();
        let number = line.number;
        line.number += 1;
        line.waiting.push_back(number);
        loop {
            if !line.taken && line.waiting.front() == Some(&number) {
                line.waiting.pop_front();
                line.taken = true;
                return Some(Turn(self));
            }
            let patience = deadline.saturating_duration_since(Instant::now());
            if patience.is_zero() {
                line.waiting.retain(|other| *other != number);
                // The thread behind may be the next.
                self.changed.notify_all();
                return None;
            }
            let waited = self.changed.wait_timeout(line, patience);
            line = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.line().taken = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_thread_that_gave_up_is_passed_over() {
        let turns = Turns::default();
        let long = Instant::now() + Duration::from_secs(20);
        let first = turns.take(long).unwrap();
        std::thread::scope(|scope| {
            let short =
                scope.spawn(|| turns.take(Instant::now() + Duration::from_millis(100)).is_none());
            while turns.line().waiting.is_empty() {
                std::thread::yield_now();
            }
            let next = scope.spawn(|| turns.take(long).is_some());
            assert!(short.join().unwrap(), "the turn was taken");
            drop(first);
            assert!(next.join().unwrap());
        });
        assert!(turns.take(Instant::now()).is_some(), "all have let go");
    }
}
