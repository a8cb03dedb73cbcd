//! The bounded queue before a pool: connections in the order in which they came, with a share for
//! each client. A thread of the pool takes one at a time, and is woken only if it sleeps; or workers
//! take batches.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::grouping::grouped;

/// Places that one sender with priority has, beyond the share of its client.
const PRIORITY_PLACES: usize = 4;

/// Connections that wait for a thread of a pool.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// How many may wait.
    room: usize,
    /// How many of one client may wait; as many as there is room for means that there are no
    /// shares.
    share: usize,
}

struct State {
    jobs: VecDeque<Job>,
    closed: bool,
    /// Threads that sleep.
    sleeping: usize,
    /// How many of them are on their way: each has been woken, or its patience is over. All of them
    /// look at the queue before they sleep again.
    woken: usize,
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
    pub(super) fn new(room: usize, share: usize) -> Queue {
        // A push allocates nothing.
        let jobs = VecDeque::with_capacity(room);
        let state = State { jobs, closed: false, sleeping: 0, woken: 0, takers: 0 };
        Queue { state: Mutex::new(state), changed: Condvar::new(), room, share }
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
        let wake = state.sleeping > state.woken;
        state.woken += usize::from(wake);
        drop(state);
        if wake {
            self.changed.notify_one();
        }
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
        let count = most.min(state.jobs.len());
        indexes.extend(state.jobs.drain(..count).map(|job| job.index));
        Some(Taker(self))
    }

    /// Sleeps until there may be a job; says whether that took longer than `patience`.
    fn sleep<'q>(
        &self,
        mut state: MutexGuard<'q, State>,
        patience: Option<Duration>,
    ) -> (MutexGuard<'q, State>, bool) {
        state.sleeping += 1;
        let (mut state, timed_out) = match patience {
            None => (self.changed.wait(state).unwrap_or_else(PoisonError::into_inner), false),
            Some(patience) => {
                let waited = self.changed.wait_timeout(state, patience);
                let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                (state, timeout.timed_out())
            }
        };
        state.sleeping -= 1;
        state.woken = state.woken.saturating_sub(1);
        (state, timed_out)
    }

    /// Nothing goes in or out from now on.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
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
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_queue_is_bounded_and_in_order() {
        let queue = Queue::new(2, 2);
        let client = IpAddr::from([127, 0, 0, 1]);
        let push = |index| queue.push(index, client, None) == Push::Queued;
        assert!(push(1) && push(2));
        assert!(!push(3));
        assert_eq!(queue.pop(None), Pop::Job(1));
        assert!(push(3));
        assert_eq!(queue.pop(None), Pop::Job(2));
        assert_eq!(queue.pop(None), Pop::Job(3));
        assert_eq!(queue.pop(Some(Duration::ZERO)), Pop::Nothing);
        queue.close();
        assert!(!push(4));
        assert_eq!(queue.pop(None), Pop::Closed);
    }

    #[test]
    fn a_client_has_at_most_its_share() {
        let queue = Queue::new(8, 2);
        let push =
            |index, client: &str| queue.push(index, client.parse().unwrap(), None) == Push::Queued;
        assert!(push(1, "192.0.2.1") && push(2, "::ffff:192.0.2.1"));
        assert!(!push(3, "192.0.2.1"));
        assert!(push(4, "192.0.2.2"));
        assert!(push(5, "2001:db8::1") && push(6, "2001:db8::2"));
        assert!(!push(7, "2001:db8::3"));
        assert_eq!(queue.pop(None), Pop::Job(1));
        assert!(push(8, "192.0.2.1"));
    }

    #[test]
    fn a_sender_with_priority_is_queued_although_its_client_has_its_share() {
        let queue = Queue::new(32, 6);
        let client = IpAddr::from([192, 0, 2, 1]);
        let push = |index, priority| queue.push(index, client, priority);
        for index in 0..6 {
            assert_eq!(push(index, None), Push::Queued);
        }
        assert_eq!(push(6, None), Push::NoShare);
        // Another sender has some places, and all senders with priority share as many as the rest.
        for (index, sender, expected) in [
            (7, 1, Push::Queued),
            (8, 1, Push::Queued),
            (9, 1, Push::Queued),
            (10, 1, Push::Queued),
            (11, 1, Push::NoShare),
            (12, 2, Push::Queued),
            (13, 3, Push::Queued),
            (14, 4, Push::NoShare),
        ] {
            assert_eq!(push(index, Some(sender)), expected, "{index}");
        }
        assert_eq!(queue.pop(None), Pop::Job(0));
        assert_eq!(push(15, None), Push::Queued);
        let full = Queue::new(1, 1);
        assert_eq!(full.push(0, client, None), Push::Queued);
        assert_eq!(full.push(1, client, Some(1)), Push::Full);
    }

    #[test]
    fn workers_take_batches_in_order() {
        let queue = Queue::new(8, 8);
        let client = IpAddr::from([127, 0, 0, 1]);
        let take = |takers, most| {
            let mut indexes = Vec::new();
            queue.take_batch(takers, most, &mut indexes).map(|taker| (indexes, taker))
        };
        assert!(take(2, 8).is_none(), "nothing waits");
        for index in 0..8 {
            // As much as there is room for is no share.
            assert_eq!(queue.push(index, client, None), Push::Queued);
        }
        assert_eq!(queue.push(8, client, None), Push::Full);
        let (first, taker) = take(2, 3).unwrap();
        let (second, other) = take(2, 3).unwrap();
        assert_eq!((first, second), (vec![0, 1, 2], vec![3, 4, 5]));
        assert!(take(2, 3).is_none(), "two are on it");
        assert_eq!(queue.push(8, client, None), Push::Queued);
        drop(taker);
        let (third, taker) = take(2, 9).unwrap();
        assert_eq!(third, [6, 7, 8]);
        drop((taker, other));
        assert!(take(2, 9).is_none(), "nothing waits");
        assert_eq!(queue.push(9, client, None), Push::Queued);
        // A panic gives the place back.
        let panics = std::panic::AssertUnwindSafe(|| {
            let _taker = take(1, 9);
            panic!("a bug");
        });
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(queue.lock().takers, 0);
        assert_eq!(queue.push(10, client, None), Push::Queued);
        queue.close();
        assert!(take(1, 9).is_none());
    }

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// Waits until `taken` is `count`.
    fn wait_for(taken: &AtomicUsize, count: usize) {
        let start = std::time::Instant::now();
        while taken.load(Ordering::SeqCst) != count {
            assert!(start.elapsed().as_secs() < 20, "a job of {count} is forgotten");
            std::thread::yield_now();
        }
    }

    #[test]
    fn no_thread_sleeps_while_a_job_waits() {
        const JOBS: u32 = 10_000;
        for (threads, patience) in
            [(1, None), (3, None), (3, Some(Duration::from_micros(20))), (3, Some(Duration::ZERO))]
        {
            let queue = Queue::new(16, 16);
            let taken = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        loop {
                            match queue.pop(patience) {
                                Pop::Job(_) => taken.fetch_add(1, Ordering::SeqCst),
                                Pop::Nothing => 0,
                                Pop::Closed => return,
                            };
                        }
                    });
                }
                for index in 0..JOBS {
                    while queue.push(index, CLIENT, None) != Push::Queued {
                        std::thread::yield_now();
                    }
                    // Now and then all of them fall asleep.
                    if index % 64 == 0 {
                        wait_for(&taken, index as usize + 1);
                    }
                }
                wait_for(&taken, JOBS as usize);
                queue.close();
            });
            let state = queue.lock();
            assert_eq!((state.sleeping, state.woken), (0, 0));
        }
    }

    #[test]
    fn no_batch_is_forgotten() {
        const JOBS: u32 = 5_000;
        for most in [1, 2] {
            let queue = Queue::new(64, 64);
            let taken = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        for index in 0..JOBS {
                            assert_eq!(queue.push(index, CLIENT, None), Push::Queued);
                            let mut indexes = Vec::new();
                            while let Some(taker) = queue.take_batch(most, 8, &mut indexes) {
                                drop(taker);
                                taken.fetch_add(indexes.len(), Ordering::SeqCst);
                                indexes.clear();
                            }
                            while queue.lock().jobs.len() > 60 {
                                std::thread::yield_now();
                            }
                        }
                    });
                }
            });
            assert_eq!(taken.into_inner(), 4 * JOBS as usize);
            assert_eq!(queue.lock().takers, 0);
        }
    }
}
