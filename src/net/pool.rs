//! The loop of a pool's thread: takes connections out of the pool's queue and answers the request
//! that each of them waits with.

use std::time::Duration;

use super::Engine;
use super::queue::{Pop, Queue};
use super::scratch::Scratch;
use super::table::Slot;
use crate::http::{Service, Step};

/// A thread that had no job for this long tells the service.
const IDLE: Duration = Duration::from_secs(5);

impl<S: Service> Engine<'_, S> {
    /// Runs until the queue is closed.
    pub(super) fn run_pool_thread(&self, pool: usize, queue: &Queue) {
        let nice = self.settings.slow_nice;
        if let Err(error) = rustix::process::setpriority_process(None, nice) {
            log::debug!("a pool's thread keeps its priority: {error}");
        }
        let mut scratch = self.scratch();
        let mut busy = false;
        loop {
            match queue.pop(busy.then_some(IDLE)) {
                Pop::Closed => return,
                Pop::Nothing => {
                    self.service.idle(pool);
                    busy = false;
                }
                Pop::Job(index) => {
                    busy = true;
                    self.answer_queued(index, &mut scratch);
                }
            }
        }
    }

    /// Answers the request that a connection from the queue waits with.
    fn answer_queued(&self, index: u32, scratch: &mut Scratch) {
        // No work for a client that is gone; one that has only closed its sending half waits.
        if self.table.slot(index).is_some_and(Slot::gone) {
            return self.table.close(index);
        }
        self.apply(index, scratch, |connection, context, output| {
            connection.http.receive(context, Step::Pool, &[], output);
        });
    }
}
