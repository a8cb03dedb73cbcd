//! The loop of a worker: waits for events and works on the connections that they name.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Engine;
use super::poll::Events;
use super::pool::Batch;
use super::queue::Push;
use super::scratch::Scratch;
use super::turn::{Budget, Outcome};
use crate::http::{Overload, Step};

/// Events taken from the epoll set at once. Few, so that one worker does not sit on work that
/// another could do.
const EVENTS: usize = 8;
/// The pause after epoll failed.
const PAUSE: Duration = Duration::from_millis(100);

impl Engine<'_> {
    /// Runs until the engine is done.
    pub(super) fn run_worker(&self) {
        let mut scratch = self.scratch();
        let mut events = Events::new(EVENTS);
        // Connections that this worker holds; their turn was over before they were done.
        let mut later = VecDeque::new();
        let mut batch = Batch::default();
        while !self.done.load(Ordering::Acquire) {
            scratch.rest();
            let timeout = (!later.is_empty()).then_some(Duration::ZERO);
            if let Err(error) = self.poll.wait(&mut events, timeout) {
                // The set itself is broken, which no client can do. All that is left is not to
                // spin.
                log::error!("waiting for connections failed: {error}");
                std::thread::sleep(PAUSE);
            }
            if events.called() {
                self.roll_call.rest();
            }
            for event in events.iter() {
                if let Some(index) = self.table.notify(event) {
                    self.serve_connection(index, &mut scratch, &mut later);
                }
            }
            for _ in 0..later.len() {
                if let Some(index) = later.pop_front() {
                    self.serve_connection(index, &mut scratch, &mut later);
                }
            }
            if self.batches {
                self.answer_batches(&mut scratch, &mut later, &mut batch);
            }
        }
    }

    /// Works on a held connection until it waits, closes, queues, or has had its turn. Only workers
    /// do this; other threads use [`apply`](Self::apply).
    pub(super) fn serve_connection(
        &self,
        index: u32,
        scratch: &mut Scratch,
        later: &mut VecDeque<u32>,
    ) {
        let Some(slot) = self.table.slot(index) else { return };
        scratch.set_clock(self.moment());
        let mut budget = Budget::default();
        loop {
            let outcome = match slot.connection().as_deref_mut() {
                Some(connection) => self.turn(slot, connection, scratch, &mut budget),
                None => return,
            };
            scratch.clear();
            match outcome {
                Outcome::Wait if slot.release() => return,
                // An event came during the turn.
                Outcome::Wait => budget = Budget::default(),
                Outcome::Later => return later.push_back(index),
                Outcome::Close => return self.table.close(index),
                Outcome::Queue(pool, client) => {
                    if self.enqueue(pool, index, client, scratch) {
                        return;
                    }
                    budget.answered_more = true;
                }
            }
        }
    }

    /// Puts a held connection into the queue of a pool. Returns false if the turn goes on, mostly
    /// since the queue takes no more; the answer that says so is in the output then.
    fn enqueue(&self, pool: usize, index: u32, client: IpAddr, scratch: &mut Scratch) -> bool {
        let full = Step::Overloaded(pool, Overload::Full);
        let Some((_, queue)) = self.pools.get(pool) else {
            log::error!("the service has no pool {pool}");
            self.refuse_queued(index, full, scratch);
            return false;
        };
        match queue.push(index, client, None) {
            Push::Queued => return true,
            Push::NoShare => {
                let share = Step::Overloaded(pool, Overload::Share);
                let priority = self.refuse_queued(index, share, scratch);
                // Answers to requests before this one go out first, while the output is this
                // connection's.
                if priority.is_none() || !scratch.output.is_empty() {
                    return false;
                }
                if queue.push(index, client, priority) == Push::Queued {
                    return true;
                }
            }
            Push::Full => {}
        }
        self.refuse_queued(index, full, scratch);
        false
    }

    /// Lets the service refuse a request that the queue did not take. A request with priority is
    /// not refused: this returns its sender's number then.
    fn refuse_queued(&self, index: u32, overloaded: Step, scratch: &mut Scratch) -> Option<u64> {
        let mut guard = self.table.slot(index)?.connection();
        let connection = guard.as_deref_mut()?;
        let Scratch { output, date, at, .. } = scratch;
        connection.http.receive(&self.context(date, *at), overloaded, &[], output);
        connection.http.priority()
    }
}
