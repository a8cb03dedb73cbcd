//! The bounded queue before a pool: connections in the order in which they came, with a share for
//! each client. A thread of the pool takes one at a time, and is woken only if it sleeps; or workers
//! take batches.
//!
//! The thread that fell asleep last is woken first, so threads that are not needed sleep on, and
//! end if the pool was started with fewer.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::grouping::grouped;

/// Places that one sender with priority has, beyond the share of its client.
const PRIORITY_PLACES: usize = 4;

/// Connections that wait for a thread of a pool.
pub(super) struct Queue {
    state: Mutex<State>,
    /// How many may wait.
    room: usize,
    /// How many of one client may wait; as many as there is room for means that there are no
    /// shares.
    share: usize,
    /// The fewest and the most threads of the pool.
    threads: RangeInclusive<usize>,
}

struct State {
    jobs: VecDeque<Job>,
    closed: bool,
    /// Whether something was taken since [`Queue::is_stuck`] was last asked, or nothing waited then.
    taken: bool,
    /// When that was last so.
    moved: Instant,
    /// The pool's threads.
    threads: usize,
    /// Those of them that sleep, and that nobody has woken. A thread that is woken looks at the
    /// queue before it sleeps again.
    sleeping: Vec<Thread>,
    /// Workers that have taken a batch and prepare it.
    takers: usize,
}

/// A connection that waits.
struct Job {
    index: u32,
    client: IpAddr,
    /// The sender's number, if the job takes no place of its client's share.
    priority: Option<u64>,
}

/// What [`Queue::push`] did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Push {
    Queued,
    /// There is room, but the client has its share.
    NoShare,
    Full,
}

/// What [`Queue::pop`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pop {
    /// The connection with this index.
    Job(u32),
    /// Nothing came in time.
    Nothing,
    Closed,
}

impl Queue {
    /// A queue before a pool that has between `threads` threads, and as many at first as it has at
    /// least.
    pub(super) fn new(room: usize, share: usize, threads: RangeInclusive<usize>) -> Queue {
        // A push allocates nothing.
        let jobs = VecDeque::with_capacity(room);
        let (first, sleeping) = (*threads.start(), Vec::with_capacity(*threads.end()));
        let (taken, moved) = (true, Instant::now());
        let state =
            State { jobs, closed: false, taken, moved, threads: first, sleeping, takers: 0 };
        Queue { state: Mutex::new(state), room, share, threads }
    }

    /// Adds a connection, in its client's share; or, with `priority`, in the second share that all
    /// senders with priority at that client have together, so that others there cannot keep them
    /// out.
    pub(super) fn push(&self, index: u32, client: IpAddr, priority: Option<u64>) -> Push {
        let client = grouped(client);
        let job = Job { index, client, priority };
        let mut state = self.lock();
        if state.closed || state.jobs.len() >= self.room {
            return Push::Full;
        }
        // Counting looks at each job: a queue without shares can be long.
        if self.share < self.room && !state.has_place(&job, self.share) {
            return Push::NoShare;
        }
        state.jobs.push_back(job);
        let sleeper = state.sleeping.pop();
        drop(state);
        sleeper.iter().for_each(Thread::unpark);
        Push::Queued
    }

    /// Takes the next job; waits for it, at most for `patience` if that is given.
    pub(super) fn pop(&self, patience: Option<Duration>) -> Pop {
        let mut state = self.lock();
        let mut timed_out = false;
        loop {
            if state.closed {
                return Pop::Closed;
            }
            if let Some(job) = state.jobs.pop_front() {
                state.taken = true;
                return Pop::Job(job.index);
            }
            if timed_out {
                return Pop::Nothing;
            }
            (state, timed_out) = self.sleep(state, patience);
        }
    }

    /// Takes the next batch: fills `indexes`, which is empty, with at most `most` connections. The
    /// caller is one of at most `takers` that prepare a batch until it drops the result, and must
    /// look here again after that: a job that is queued while there are `takers` of them waits for
    /// one of them. Returns `None` if nothing waits, or if there are as many takers.
    pub(super) fn take_batch(
        &self,
        takers: usize,
        most: usize,
        indexes: &mut Vec<u32>,
    ) -> Option<Taker<'_>> {
        let mut state = self.lock();
        if state.closed || state.jobs.is_empty() || state.takers >= takers {
            return None;
        }
        state.takers += 1;
        state.taken = true;
        let count = most.min(state.jobs.len());
        indexes.extend(state.jobs.drain(..count).map(|job| job.index));
        Some(Taker(self))
    }

    /// Sleeps until there may be a job; says whether that took longer than `patience`.
    fn sleep<'q>(
        &'q self,
        mut state: MutexGuard<'q, State>,
        patience: Option<Duration>,
    ) -> (MutexGuard<'q, State>, bool) {
        let (thread, begun) = (thread::current(), Instant::now());
        state.sleeping.push(thread.clone());
        drop(state);
        match patience {
            None => thread::park(),
            Some(patience) => thread::park_timeout(patience),
        }
        let mut state = self.lock();
        state.sleeping.retain(|sleeping| sleeping.id() != thread.id());
        (state, patience.is_some_and(|patience| begun.elapsed() >= patience))
    }

    /// Whether nobody would take the next job, and the pool may have another thread. The caller
    /// starts it, or says that it [cannot](Queue::has_no_thread).
    pub(super) fn wants_thread(&self) -> bool {
        let mut state = self.lock();
        let wanted =
            !state.closed && state.sleeping.is_empty() && state.threads < *self.threads.end();
        state.threads += usize::from(wanted);
        wanted
    }

    /// Whether a thread that finds nothing to do is one too many, and ends. Another one sleeps then: while
    /// all others are at work, nobody else would take the next job.
    pub(super) fn lets_end(&self) -> bool {
        let mut state = self.lock();
        let spare = !state.sleeping.is_empty();
        let ends = spare && state.jobs.is_empty() && state.threads > *self.threads.start();
        state.threads -= usize::from(ends);
        ends
    }

    /// Takes back that a thread was wanted: it cannot be started.
    pub(super) fn has_no_thread(&self) {
        self.lock().threads -= 1;
    }

    /// How many connections wait.
    pub(super) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Whether something has waited for `patience`, and nothing was taken since. Must be asked again and
    /// again: an answer is about the time since the last one.
    pub(super) fn is_stuck(&self, patience: Duration) -> bool {
        let mut state = self.lock();
        let empty = state.jobs.is_empty();
        if std::mem::replace(&mut state.taken, empty) || empty {
            state.moved = Instant::now();
            return false;
        }
        state.moved.elapsed() >= patience
    }

    /// Nothing goes in or out from now on.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.sleeping.drain(..).for_each(|sleeper| sleeper.unpark());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a worker among those that prepare a batch. Dropping it, in a panic too, gives the
/// place to another.
pub(super) struct Taker<'q>(&'q Queue);

impl Drop for Taker<'_> {
    fn drop(&mut self) {
        self.0.lock().takers -= 1;
    }
}

impl State {
    /// Whether a job is within its client's `share`; if it has priority, within the second share,
    /// and within its sender's places.
    fn has_place(&self, job: &Job, share: usize) -> bool {
        let count =
            |counts: &dyn Fn(&Job) -> bool| self.jobs.iter().filter(|one| counts(one)).count();
        let prior = job.priority.is_some();
        let in_share = |one: &Job| one.client == job.client && one.priority.is_some() == prior;
        let same_sender = |one: &Job| prior && one.priority == job.priority;
        count(&in_share) < share && count(&same_sender) < PRIORITY_PLACES
    }
}

#[cfg(test)]
mod tests;
