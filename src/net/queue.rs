//! The bounded queue before a pool: connections in the order in which they came, with a share for
//! each client.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, PoisonError};
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
    /// How many of one client may wait.
    share: usize,
}

struct State {
    jobs: VecDeque<Job>,
    closed: bool,
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
        let state = State { jobs, closed: false };
        Queue { state: Mutex::new(state), changed: Condvar::new(), room, share }
    }

    /// Adds a connection, in its client's share; or, with `priority`, in the second share that all
    /// senders with priority at that client have together, so that others there cannot keep them
    /// out.
    pub(super) fn push(&self, index: u32, client: IpAddr, priority: Option<u64>) -> Push {
        let client = grouped(client);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed || state.jobs.len() >= self.room {
            return Push::Full;
        }
        let in_share =
            |job: &&Job| job.client == client && job.priority.is_some() == priority.is_some();
        let in_use = state.jobs.iter().filter(in_share).count();
        let same_sender = |job: &&Job| priority.is_some() && job.priority == priority;
        if in_use >= self.share || state.jobs.iter().filter(same_sender).count() >= PRIORITY_PLACES
        {
            return Push::NoShare;
        }
        state.jobs.push_back(Job { index, client, priority });
        drop(state);
        self.changed.notify_one();
        Push::Queued
    }

    /// Takes the next job; waits for it, at most for `patience` if that is given.
    pub(super) fn pop(&self, patience: Option<Duration>) -> Pop {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.closed {
                return Pop::Closed;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Pop::Job(job.index);
            }
            let Some(patience) = patience else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (next, timeout) =
                self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if timeout.timed_out() && state.jobs.is_empty() && !state.closed {
                return Pop::Nothing;
            }
        }
    }

    /// Nothing goes in or out from now on.
    pub(super) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
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
}
