//! Turns to write: the thread that has waited longest is next. Each thread waits until its own
//! deadline at most.
//!
//! A mutex alone gives the lock to the thread that comes at the right moment, which is mostly the
//! one that has just let go of it. Here the thread that ends its turn gives it to the next one and
//! wakes only that one. A thread that was given the turn takes it even if its deadline has passed,
//! so a transaction that is passed on with the turn is never left without a thread.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<Line>);

#[derive(Debug, Default)]
struct Line {
    /// A thread has the turn, or was given it and is about to wake.
    taken: bool,
    /// The number of the thread that was given the turn and has not woken yet.
    given: Option<u64>,
    /// The threads that wait, the next one first. No more than there are threads.
    waiting: VecDeque<Waiting>,
    /// The number of the next thread that waits.
    number: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    kind: Kind,
    thread: Thread,
}

/// What a thread does with its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It joins a transaction that is open, or opens one that others can join.
    Joins,
    /// It wants the connection without a transaction.
    Alone,
}

/// A turn, until it is dropped or passed on.
#[must_use]
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    /// Waits for a turn; `None` if it did not come before the deadline.
    pub(super) fn take(&self, kind: Kind, deadline: Instant) -> Option<Turn<'_>> {
        let mut line = self.line();
        if !line.taken {
            line.taken = true;
            return Some(Turn(self));
        }
        let number = line.number;
        line.number += 1;
        line.waiting.push_back(Waiting { number, kind, thread: thread::current() });
        loop {
            if line.given == Some(number) {
                line.given = None;
                return Some(Turn(self));
            }
            let patience = deadline.saturating_duration_since(Instant::now());
            if patience.is_zero() {
                line.waiting.retain(|other| other.number != number);
                return None;
            }
            drop(line);
            thread::park_timeout(patience);
            line = self.line();
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many threads wait.
    #[cfg(test)]
    pub(super) fn wait_for(&self, waiting: usize) {
        while self.line().waiting.len() != waiting {
            thread::yield_now();
        }
    }
}

impl Line {
    /// Gives the turn to the next thread, which has to be woken.
    fn give(&mut self) -> Option<Thread> {
        let next = self.waiting.pop_front();
        self.taken = next.is_some();
        self.given = next.as_ref().map(|next| next.number);
        next.map(|next| next.thread)
    }

    fn next_joins(&self) -> bool {
        self.waiting.front().is_some_and(|next| next.kind == Kind::Joins)
    }
}

impl Turn<'_> {
    /// Whether others wait for it.
    pub(super) fn is_awaited(&self) -> bool {
        !self.0.line().waiting.is_empty()
    }

    /// Whether the next thread waits, and joins.
    pub(super) fn next_joins(&self) -> bool {
        self.0.line().next_joins()
    }

    /// Passes the turn on, if the next thread joins; otherwise returns it.
    pub(super) fn pass(self) -> Result<(), Self> {
        let mut line = self.0.line();
        if !line.next_joins() {
            drop(line);
            return Err(self);
        }
        let next = line.give();
        drop(line);
        // It belongs to the next thread now.
        std::mem::forget(self);
        next.iter().for_each(Thread::unpark);
        Ok(())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let next = self.0.line().give();
        next.iter().for_each(Thread::unpark);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn a_thread_that_gave_up_is_passed_over() {
        let turns = Turns::default();
        let first = turns.take(Kind::Joins, later()).unwrap();
        thread::scope(|scope| {
            let short = scope.spawn(|| {
                turns.take(Kind::Joins, Instant::now() + Duration::from_millis(100)).is_none()
            });
            // On a busy machine it may have given up already.
            while turns.line().number == 0 {
                thread::yield_now();
            }
            let next = scope.spawn(|| turns.take(Kind::Joins, later()).is_some());
            assert!(short.join().unwrap(), "the turn was taken");
            drop(first);
            assert!(next.join().unwrap());
        });
        assert!(turns.take(Kind::Joins, Instant::now()).is_some(), "all have let go");
    }

    #[test]
    fn a_turn_is_passed_on_only_to_a_thread_that_joins() {
        let turns = Turns::default();
        let turn = turns.take(Kind::Alone, later()).unwrap();
        assert!(!turn.next_joins());
        let turn = turn.pass().unwrap_err();
        thread::scope(|scope| {
            let alone = scope.spawn(|| turns.take(Kind::Alone, later()).unwrap().pass());
            turns.wait_for(1);
            assert!(!turn.next_joins());
            let turn = turn.pass().unwrap_err();
            let joins = scope.spawn(|| turns.take(Kind::Joins, later()).is_some());
            turns.wait_for(2);
            drop(turn);
            assert!(alone.join().unwrap().is_ok(), "the next one joins");
            assert!(joins.join().unwrap());
        });
        assert!(turns.take(Kind::Joins, Instant::now()).is_some());
    }

    #[test]
    fn a_thread_that_was_given_the_turn_takes_it_after_its_deadline() {
        let turns = Turns::default();
        let turn = turns.take(Kind::Joins, later()).unwrap();
        // On a busy machine the thread may have given up before it is given the turn: then it has longer.
        let given = [200, 2_000, 20_000].into_iter().any(|milliseconds| {
            thread::scope(|scope| {
                let deadline = Instant::now() + Duration::from_millis(milliseconds);
                let turns = &turns;
                let waits = scope.spawn(move || turns.take(Kind::Joins, deadline).is_some());
                while turns.line().waiting.is_empty() && !waits.is_finished() {
                    thread::yield_now();
                }
                // The thread can look only after its deadline.
                let mut line = turns.line();
                let given = !line.waiting.is_empty();
                if given {
                    line.give().unwrap();
                    thread::sleep(deadline.saturating_duration_since(Instant::now()));
                }
                drop(line);
                assert_eq!(waits.join().unwrap(), given, "nobody has the turn");
                given
            })
        });
        assert!(given);
        std::mem::forget(turn);
        assert!(turns.take(Kind::Joins, Instant::now()).is_some());
    }

    #[test]
    fn threads_have_their_turns_in_the_order_in_which_they_ask() {
        let turns = Turns::default();
        let turn = turns.take(Kind::Joins, later()).unwrap();
        let order = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for number in 0..8 {
                let (turns, order) = (&turns, &order);
                scope.spawn(move || {
                    let turn = turns.take(Kind::Joins, later()).unwrap();
                    order.lock().unwrap().push(number);
                    drop(turn);
                });
                turns.wait_for(number + 1);
            }
            drop(turn);
        });
        assert_eq!(order.into_inner().unwrap(), (0..8).collect::<Vec<_>>());
    }
}
