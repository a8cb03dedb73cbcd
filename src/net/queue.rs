//! The bounded queue before a pool: connections in the order in which they came, with a share for
//! each client. A thread takes several at once; waking it costs a system call only if it sleeps.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ip::grouped;

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
    /// At least one connection.
    Jobs,
    /// Nothing came in time.
    Nothing,
    Closed,
}

impl Queue {
    pub(super) fn new(room: usize, share: usize) -> Queue {
        // A push allocates nothing.
        let jobs = VecDeque::with_capacity(room);
        let state = State { jobs, closed: false, sleeping: 0, woken: 0 };
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

    /// Appends the next jobs' connections to `indexes`, at most `most` of them. Waits for the
    /// first, at most for `patience` if that is given.
    pub(super) fn pop(
        &self,
        most: usize,
        patience: Option<Duration>,
        indexes: &mut Vec<u32>,
    ) -> Pop {
        let mut state = self.lock();
        let mut timed_out = false;
        loop {
            if state.closed {
                return Pop::Closed;
            }
            if !state.jobs.is_empty() {
                let count = most.min(state.jobs.len());
                indexes.extend(state.jobs.drain(..count).map(|job| job.index));
                return Pop::Jobs;
            }
            if timed_out {
                return Pop::Nothing;
            }
            (state, timed_out) = self.sleep(state, patience);
        }
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

    /// The connections that a thread takes at once.
    fn pop(queue: &Queue, most: usize) -> Vec<u32> {
        let mut indexes = Vec::new();
        assert_eq!(queue.pop(most, None, &mut indexes), Pop::Jobs);
        indexes
    }

    #[test]
    fn a_queue_is_bounded_and_in_order() {
        let queue = Queue::new(2, 2);
        let client = IpAddr::from([127, 0, 0, 1]);
        let push = |index| queue.push(index, client, None) == Push::Queued;
        assert!(push(1) && push(2));
        assert!(!push(3));
        assert_eq!(pop(&queue, 1), [1]);
        assert!(push(3));
        assert_eq!(pop(&queue, 1), [2]);
        assert_eq!(pop(&queue, 1), [3]);
        assert_eq!(queue.pop(1, Some(Duration::ZERO), &mut Vec::new()), Pop::Nothing);
        queue.close();
        assert!(!push(4));
        assert_eq!(queue.pop(1, None, &mut Vec::new()), Pop::Closed);
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
        assert_eq!(pop(&queue, 1), [1]);
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
        assert_eq!(pop(&queue, 1), [0]);
        assert_eq!(push(15, None), Push::Queued);
        let full = Queue::new(1, 1);
        assert_eq!(full.push(0, client, None), Push::Queued);
        assert_eq!(full.push(1, client, Some(1)), Push::Full);
    }

    #[test]
    fn a_thread_takes_a_batch_in_order() {
        let queue = Queue::new(8, 8);
        let client = IpAddr::from([127, 0, 0, 1]);
        for index in 0..8 {
            // As much as there is room for is no share.
            assert_eq!(queue.push(index, client, None), Push::Queued);
        }
        assert_eq!(queue.push(8, client, None), Push::Full);
        assert_eq!(pop(&queue, 3), [0, 1, 2]);
        assert_eq!(queue.push(8, client, None), Push::Queued);
        assert_eq!(pop(&queue, 9), [3, 4, 5, 6, 7, 8]);
        assert_eq!(queue.pop(9, Some(Duration::ZERO), &mut Vec::new()), Pop::Nothing);
        let state = queue.lock();
        assert_eq!((state.sleeping, state.woken), (0, 0));
    }

    #[test]
    fn no_thread_sleeps_while_a_job_waits() {
        const JOBS: u32 = 20_000;
        let client = IpAddr::from([127, 0, 0, 1]);
        for (threads, most, patience) in [
            (1, 1, None),
            (1, 4, None),
            (3, 1, None),
            (3, 2, Some(Duration::from_micros(20))),
            (3, 64, Some(Duration::ZERO)),
        ] {
            let queue = Queue::new(16, 16);
            let taken = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        let mut indexes = Vec::new();
                        while queue.pop(most, patience, &mut indexes) != Pop::Closed {
                            taken.fetch_add(indexes.len(), Ordering::SeqCst);
                            indexes.clear();
                        }
                    });
                }
                for index in 0..JOBS {
                    while queue.push(index, client, None) != Push::Queued {
                        std::thread::yield_now();
                    }
                    // Now and then all of them fall asleep.
                    if index % 64 == 0 {
                        let start = std::time::Instant::now();
                        while taken.load(Ordering::SeqCst) != index as usize + 1 {
                            assert!(start.elapsed().as_secs() < 20, "{index} is forgotten");
                            std::thread::yield_now();
                        }
                    }
                }
                while taken.load(Ordering::SeqCst) < JOBS as usize {
                    std::thread::yield_now();
                }
                queue.close();
            });
            assert_eq!(taken.into_inner(), JOBS as usize);
        }
    }
}
