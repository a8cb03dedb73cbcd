//! Whether a thread of the engine is stuck, for a watchdog that ends such a process.
//!
//! Each thread notes the time when it begins something, and when it has nothing to do. The keeper
//! compares: a thread that is at one thing for too long is stuck, and so is a queue from which
//! nobody takes what waits there. It calls the workers as well: if none answers, nobody takes events of
//! connections. No separate timer feeds the watchdog, since it would hide stuck threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The note of a thread that has nothing to do.
const IDLE: u64 = u64::MAX;
/// The keeper looks this many times in the watchdog's time.
const LOOKS: u32 = 4;

/// Watchdog of the service manager. `feed` must be called at least once in `time`; otherwise the
/// manager ends the process.
#[derive(Debug, Clone, Copy)]
pub struct Watchdog {
    /// The longest time between two calls of `feed`.
    pub time: Duration,
    /// A thread that is at one thing for this long is stuck, and so is a queue from which nothing is
    /// taken. Longer than anything that a thread waits for.
    pub patience: Duration,
    /// Tells that no thread and no queue is stuck.
    pub feed: fn(),
}

impl Watchdog {
    /// The time between two looks.
    pub(super) fn interval(&self) -> Duration {
        self.time / LOOKS
    }
}

/// The time when a thread began something. On its own cache line, since each thread writes to its own
/// all the time.
#[repr(align(64))]
struct Note(AtomicU64);

/// The notes of all threads.
#[derive(Default)]
pub(super) struct Pulses(Mutex<Vec<Arc<Note>>>);

impl Pulses {
    /// The note of a new thread.
    pub(super) fn add(&self) -> Pulse {
        let note = Arc::new(Note(AtomicU64::new(IDLE)));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only this list has the note of a thread that has ended. If it ended in the middle of something,
        // it has died by a bug: that must still be seen.
        all.retain(|note| Arc::strong_count(note) > 1 || note.0.load(Ordering::Relaxed) != IDLE);
        all.push(Arc::clone(&note));
        Pulse(note)
    }

    /// Whether a thread began something before `millis` and is still at it.
    pub(super) fn any_before(&self, millis: u64) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|note| note.0.load(Ordering::Relaxed) < millis)
    }
}

/// The note of one thread.
pub(super) struct Pulse(Arc<Note>);

impl Pulse {
    /// The thread begins something at this time.
    pub(super) fn begin(&self, millis: u64) {
        self.0.0.store(millis, Ordering::Relaxed);
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.0.0.load(Ordering::Relaxed) == IDLE
    }

    /// The thread has nothing to do.
    pub(super) fn rest(&self) {
        self.0.0.store(IDLE, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_at_one_thing_for_too_long_is_seen() {
        let pulses = Pulses::default();
        let (one, other) = (pulses.add(), pulses.add());
        assert!(!pulses.any_before(100), "both have nothing to do");
        one.begin(50);
        assert!(pulses.any_before(100) && !pulses.any_before(50));
        one.begin(100);
        other.begin(99);
        assert!(pulses.any_before(100));
        other.rest();
        assert!(!pulses.any_before(100));
        one.rest();
        drop(one);
        let next = pulses.add();
        assert_eq!(pulses.0.lock().unwrap().len(), 2, "a thread that has ended is forgotten");
        next.begin(1);
        drop(next);
        let _next = pulses.add();
        assert!(pulses.any_before(100), "one that has died is not");
    }
}
