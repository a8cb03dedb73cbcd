//! Answers the requests that connections wait with in the queue of a pool. A pool has threads, which
//! take one connection at a time; or workers take batches of them.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::thread::Scope;
use std::time::Duration;

use super::queue::{Pop, Queue, Taker};
use super::scratch::Scratch;
use super::{Engine, lower_priority};
use crate::http::{Pool, Queued, Step};

/// A thread that had no job for this long tells the service, or ends.
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

impl Engine<'_> {
    /// Starts a pool's thread, which runs until the queue is closed, or until it is one too many.
    pub(super) fn start_pool_thread<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        number: usize,
    ) -> io::Result<()> {
        let Some((pool, queue)) = self.pools.get(number) else { return Ok(()) };
        let name = format!("{}-{}", pool.name, self.pool_threads.fetch_add(1, Ordering::Relaxed));
        let run = move || self.run_pool_thread(scope, number, queue);
        std::thread::Builder::new().name(name).spawn_scoped(scope, run).map(drop)
    }

    fn run_pool_thread<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        number: usize,
        queue: &Queue,
    ) {
        lower_priority(self.settings.slow_nice);
        let mut scratch = self.scratch();
        let mut batch = Batch::default();
        let mut patience = Some(IDLE);
        loop {
            scratch.rest();
            match queue.pop(patience) {
                Pop::Closed => return,
                Pop::Nothing if queue.lets_end() => return,
                Pop::Nothing => {
                    self.service.idle(number);
                    patience = None;
                }
                Pop::Job(index) => {
                    patience = Some(IDLE);
                    if queue.wants_thread() && self.start_pool_thread(scope, number).is_err() {
                        // The threads that there are go on; the next job asks again.
                        queue.has_no_thread();
                    }
                    batch.indexes.push(index);
                    self.answer_batch(number, None, &mut batch, &mut scratch);
                    self.leave(&mut batch.held);
                }
            }
        }
    }

    /// Lets a worker answer batches until no request waits that others do not take. Looks at all
    /// pools again after the last batch: a request may have gone from one to another.
    pub(super) fn answer_batches(
        &self,
        scratch: &mut Scratch,
        later: &mut VecDeque<u32>,
        batch: &mut Batch,
    ) {
        let batched = |(_, (pool, _)): &(usize, &(Pool, Queue))| pool.is_batched();
        let mut again = true;
        while again {
            again = false;
            for (number, (pool, queue)) in self.pools.iter().enumerate().filter(batched) {
                let threads = pool.threads.max(1);
                while let Some(taker) = queue.take_batch(threads, pool.batch, &mut batch.indexes) {
                    again = true;
                    // A batch may take its time: other workers go on with this one's connections.
                    self.leave(later);
                    self.answer_batch(number, Some(taker), batch, scratch);
                    self.go_on_after(batch, scratch);
                }
            }
        }
    }

    /// Goes on with the connections of a batch on which more has arrived. The worker does so
    /// itself, so that no other has to be woken; what they ask for may be in the next batch.
    fn go_on_after(&self, batch: &mut Batch, scratch: &mut Scratch) {
        for _ in 0..batch.held.len() {
            if let Some(index) = batch.held.pop_front() {
                self.serve_connection(index, scratch, &mut batch.held);
            }
        }
        self.leave(&mut batch.held);
    }

    /// Answers the requests that the connections of a batch wait with. Gives the place of a worker's
    /// batch, `taker`, back as soon as the service has prepared it, so that another worker can take
    /// the next one during the answers.
    fn answer_batch(
        &self,
        number: usize,
        taker: Option<Taker<'_>>,
        batch: &mut Batch,
        scratch: &mut Scratch,
    ) {
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
        let is_batch = taker.is_some();
        drop(taker);
        if is_batch {
            // Once for the batch: preparing waits, the answers are quick.
            scratch.set_clock(self.moment());
        }
        for (index, queued) in indexes.drain(..).zip(queued.drain(..)) {
            if self.answer_queued(index, is_batch, (step, queued), scratch) {
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
        let queued = slot.connection().as_deref_mut()?.http.take_queued()?;
        Some(queued.taken_out_of(index))
    }

    /// Answers the request that a connection from the queue waits with, sends the answer, and lets
    /// go of the connection. Returns whether it is still held, since a worker has to go on with it.
    fn answer_queued(
        &self,
        index: u32,
        is_batch: bool,
        (step, queued): (Step, Queued),
        scratch: &mut Scratch,
    ) -> bool {
        let Some(slot) = self.table.slot(index) else { return false };
        let mut guard = slot.connection();
        let Some(connection) = guard.as_deref_mut() else { return false };
        let step = match queued.is_of(index) {
            true => step,
            false => {
                log::error!("the service has changed the order of a batch");
                Step::Unprepared
            }
        };
        connection.http.put_queued(queued);
        let Scratch { output, date, at, .. } = &mut *scratch;
        connection.http.receive(&self.context(date, *at), step, &[], output);
        if !is_batch {
            // The answer may have taken its time, and what follows counts from now.
            scratch.set_clock(self.moment());
            connection.http.answered(&self.settings.limits, scratch.at);
        }
        let written = self.write(connection, scratch);
        scratch.clear();
        drop(guard);
        self.let_go(index, slot, written, scratch.at)
    }
}
