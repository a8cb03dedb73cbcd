//! Which thread holds a slot of the connection table, and which connection an event is for.
//!
//! One atomic word holds the whole state: the generation, which counts the connections that were in
//! the slot; whether a thread holds the slot; and what events said about the connection. An event
//! names a generation; comparing it and changing the state is one step. So a late event, for a
//! connection that is closed, changes nothing.
//!
//! ```text
//!            open               notify, take             notify
//!   EMPTY ----------> WAITING ----------------> HELD -----------> NOTIFIED
//!     ^                  ^                      |  ^                  |
//!     |                  +----- release, rearm -+  +----- release ----+
//!     +---------------------------- close ------+---------------------+
//! ```
//!
//! The word is generic, so that `slot/model.rs` can run every interleaving with loom's atomics.
//! Knows no socket and no table.

#[cfg(test)]
mod model;

use std::sync::atomic::{AtomicU64, Ordering};

/// The atomic integer under a [`SlotState`].
pub(super) trait Word {
    fn new(value: u64) -> Self;
    /// With `Acquire`.
    fn load(&self) -> u64;
    /// Replaces the value by the result of `change`, with `AcqRel`; returns the value before. If
    /// `change` returns `None`, the value stays, and the result is an error.
    fn update(&self, change: impl FnMut(u64) -> Option<u64>) -> Result<u64, u64>;
}

impl Word for AtomicU64 {
    fn new(value: u64) -> AtomicU64 {
        AtomicU64::new(value)
    }

    fn load(&self) -> u64 {
        self.load(Ordering::Acquire)
    }

    fn update(&self, change: impl FnMut(u64) -> Option<u64>) -> Result<u64, u64> {
        self.fetch_update(Ordering::AcqRel, Ordering::Acquire, change)
    }
}

/// The lowest two bits are one of the four states.
const STATE: u64 = 0b11;
/// No connection.
const EMPTY: u64 = 0;
/// A connection that no thread holds.
const WAITING: u64 = 1;
/// A thread holds the connection.
const HELD: u64 = 2;
/// A thread holds the connection, and an event has come since.
const NOTIFIED: u64 = 3;
/// An event said that no more bytes will come.
const ENDED: u64 = 0b0100;
/// An event said that the connection is broken.
const GONE: u64 = 0b1000;
/// The generation is in the upper half.
const GENERATION: u32 = 32;

fn generation(word: u64) -> u32 {
    (word >> GENERATION) as u32
}

fn with_state(word: u64, state: u64) -> u64 {
    word & !STATE | state
}

/// The state of one slot.
pub(super) struct SlotState<W>(W);

impl<W: Word> SlotState<W> {
    /// An empty slot.
    pub(super) fn new() -> SlotState<W> {
        SlotState(W::new(EMPTY))
    }

    /// The generation of the connection in the slot; of the next one if the slot is empty.
    pub(super) fn generation(&self) -> u32 {
        generation(self.0.load())
    }

    /// A connection is in the slot from now on; no thread holds it. Only the thread that took the
    /// empty slot from the free list calls this.
    pub(super) fn open(&self) {
        self.set(|word| with_state(word, WAITING));
    }

    /// An event for the connection of generation `of`. Returns true if the caller holds the slot
    /// now. Otherwise another thread holds it, and its [`release`](Self::release) will fail; or the
    /// event is for an earlier connection, and nothing changes.
    pub(super) fn notify(&self, of: u32, ended: bool, gone: bool) -> bool {
        let flags = if ended { ENDED } else { 0 } | if gone { GONE } else { 0 };
        let before = self.0.update(|word| {
            let state = match word & STATE {
                _ if generation(word) != of => return None,
                EMPTY => return None,
                WAITING => HELD,
                _ => NOTIFIED,
            };
            Some(with_state(word, state) | flags)
        });
        before.is_ok_and(|word| word & STATE == WAITING)
    }

    /// Holds the connection in the slot from now on, unless another thread does; false then.
    pub(super) fn take(&self) -> bool {
        self.0.update(|word| (word & STATE == WAITING).then(|| with_state(word, HELD))).is_ok()
    }

    /// Ends holding the slot. Returns false, and goes on holding it, if an event came meanwhile.
    pub(super) fn release(&self) -> bool {
        let before = self.0.update(|word| match word & STATE {
            EMPTY => None,
            NOTIFIED => Some(with_state(word, HELD)),
            _ => Some(with_state(word, WAITING)),
        });
        !before.is_ok_and(|word| word & STATE == NOTIFIED)
    }

    /// Ends holding the slot and forgets events. The caller then makes epoll report everything
    /// again.
    pub(super) fn rearm(&self) {
        self.set(|word| with_state(word, WAITING));
    }

    /// Empties the slot. From now on events for its connection are for an earlier generation.
    pub(super) fn close(&self) {
        self.set(|word| u64::from(generation(word).wrapping_add(1)) << GENERATION | EMPTY);
    }

    fn set(&self, change: impl Fn(u64) -> u64) {
        // It cannot fail, since `change` always returns a value.
        let _ = self.0.update(|word| Some(change(word)));
    }

    /// Whether an event said that no more bytes will come.
    pub(super) fn ended(&self) -> bool {
        self.0.load() & ENDED != 0
    }

    /// Whether an event said that the connection is broken.
    pub(super) fn gone(&self) -> bool {
        self.0.load() & GONE != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_no_event_is_lost() {
        let slot = SlotState::<AtomicU64>::new();
        let notify = || slot.notify(0, false, false);
        assert!(!slot.take() && !notify(), "empty");
        slot.open();
        assert!(notify());
        assert!(!notify(), "held");
        assert!(!notify(), "notified already");
        assert!(!slot.take());
        assert!(!slot.release(), "an event came");
        assert!(slot.release());
        assert!(slot.take());
        assert!(!notify());
        slot.rearm();
        assert!(slot.take(), "the event is forgotten");
    }

    #[test]
    fn a_late_event_changes_nothing() {
        let slot = SlotState::<AtomicU64>::new();
        slot.open();
        let first = slot.generation();
        assert!(slot.notify(first, true, false));
        assert!(slot.ended() && !slot.gone());
        slot.close();
        assert!(!slot.notify(first, true, true), "empty");
        slot.open();
        assert_ne!(slot.generation(), first);
        assert!(!slot.notify(first, true, true), "it is for the earlier connection");
        assert!(!slot.ended() && !slot.gone());
        assert!(slot.take() && slot.release());
    }

    #[test]
    fn generations_wrap_around() {
        let slot = SlotState::<AtomicU64>::new();
        slot.set(|_| u64::from(u32::MAX) << GENERATION);
        slot.open();
        assert!(slot.take());
        slot.close();
        assert_eq!(slot.generation(), 0);
        slot.open();
        assert!(!slot.notify(u32::MAX, true, true));
        assert!(slot.notify(0, false, false));
    }
}
