//! Answers the requests that connections wait with in the queue of a pool. A pool has threads, which
//! take one connection at a time; or workers take batches of them.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::queue::{Pop, Queue};
use super::scratch::Scratch;
use super::{Engine, lower_priority};
use crate::http::{Pool, Queued, Service, Step};

/// A thread that had no job for this long tells the service.
const IDLE: Duration = Duration::from_secs(5);

/// The connections that a thread has taken.
#[derive(Default)]
pub(super) struct Batch {
    indexes: Vec<u32>,
    /// What the service knows about their requests.
    queued: Vec<Queued>,
    /// Those with which a worker has to go on after the answer.
    held: VecDeque<u32>,
}

impl<S: Service> Engine<'_, S> {
    /// Runs until the queue is closed.
    pub(super) fn run_pool_thread(&self, number: usize, pool: &Pool, queue: &Queue) {
        lower_priority(self.settings.slow_nice);
        let mut scratch = self.scratch();
        let mut batch = Batch::default();
        let mut busy = false;
        loop {
            match queue.pop(busy.then_some(IDLE)) {
                Pop::Closed => return,
                Pop::Nothing => {
                    self.service.idle(number);
                    busy = false;
                }
                Pop::Job(index) => {
                    busy = true;
                    batch.indexes.push(index);
                    self.answer_batch(number, pool, &mut batch, &mut scratch);
                    self.leave(&mut batch.held);
                }
            }
        }
    }

    /// Lets a worker answer batches, as long as requests wait; not if enough others do.
    pub(super) fn answer_batches(
        &self,
        scratch: &mut Scratch,
        later: &mut VecDeque<u32>,
        batch: &mut Batch,
    ) {
        let batched = |(_, (pool, _)): &(usize, &(Pool, Queue))| pool.is_batched();
        for (number, (pool, queue)) in self.pools.iter().enumerate().filter(batched) {
            if !queue.begin_batches(pool.threads.max(1)) {
                continue;
            }
            // A batch may take its time: other workers go on with the connections of this one.
            self.leave(later);
            while queue.pop_batch(pool.batch, &mut batch.indexes) {
                self.answer_batch(number, pool, batch, scratch);
                // On these more has arrived. This worker goes on with them itself, so that no other
                // has to be woken; what they ask for may be in the next batch.
                for _ in 0..batch.held.len() {
                    if let Some(index) = batch.held.pop_front() {
                        self.serve_connection(index, scratch, &mut batch.held);
                    }
                }
                self.leave(&mut batch.held);
            }
        }
    }

    /// Answers the requests that the connections of a batch wait with.
    fn answer_batch(&self, number: usize, pool: &Pool, batch: &mut Batch, scratch: &mut Scratch) {
        let Batch { indexes, queued, held } = batch;
        indexes.retain(|&index| match self.begin_queued(index) {
            Some(one) => {
                queued.push(one);
                true
            }
            None => false,
        });
        scratch.set_clock(self.moment());
        let (service, now) = (self.service, scratch.at.now);
        let prepare = AssertUnwindSafe(|| service.prepare(number, queued, now));
        let step = match catch_unwind(prepare) {
            Ok(()) => Step::Pool,
            Err(_) => Step::Unprepared,
        };
        if pool.is_batched() {
            // Once for the batch: preparing waits, the answers are quick.
            scratch.set_clock(self.moment());
        }
        for (index, queued) in indexes.drain(..).zip(queued.drain(..)) {
            if self.answer_queued(index, pool, (step, queued), scratch) {
                held.push_back(index);
            }
        }
    }

    /// Takes out what the service knows about the request of a connection from the queue. Closes
    /// the connection if its client is gone; one that has only closed its sending half waits.
    fn begin_queued(&self, index: u32) -> Option<Queued> {
        let slot = self.table.slot(index)?;
        if slot.gone() {
            self.table.close(index);
            return None;
        }
        slot.connection().as_deref_mut()?.http.take_queued()
    }

    /// Answers the request that a connection from the queue waits with, sends the answer, and lets
    /// go of the connection. Returns whether it is still held, since a worker has to go on with it.
    fn answer_queued(
        &self,
        index: u32,
        pool: &Pool,
        (step, queued): (Step, Queued),
        scratch: &mut Scratch,
    ) -> bool {
        let Some(slot) = self.table.slot(index) else { return false };
        let mut guard = slot.connection();
        let Some(connection) = guard.as_deref_mut() else { return false };
        connection.http.put_queued(queued);
        let Scratch { output, date, at, .. } = &mut *scratch;
        connection.http.receive(&self.context(date, *at), step, &[], output);
        if !pool.is_batched() {
            // The answer may have taken its time, and what follows counts from now.
            scratch.set_clock(self.moment());
        }
        let written = self.write(connection, scratch);
        scratch.clear();
        drop(guard);
        self.let_go(index, slot, written, scratch.at)
    }
}
