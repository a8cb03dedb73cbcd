//! The interface between the engine and the program behind it. Knows no socket.

use std::net::IpAddr;

use super::refusal::{self, Refusal};
use super::{Date, Limits, Request, Response};
use crate::clock::Timestamp;

/// The two clocks, read once per turn of a worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Milliseconds on a clock that never goes back: for deadlines.
    pub(crate) millis: u64,
    /// The time of day: for tokens and the `Date` header.
    pub(crate) now: Timestamp,
}

/// What a [`Service`] answers on a worker.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// The response.
    Ready(Response),
    /// The response takes time: a thread of a pool makes it.
    Queue(Queued),
}

/// A request that waits for a thread of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Queued {
    /// The pool's place in [`Service::pools`].
    pub pool: usize,
    /// What the service found for the request, such as the number of its route. It gets the ticket
    /// back with the request, so it need not look again.
    pub ticket: u32,
    /// The client whose share of the queue the request uses; the peer if `None`.
    pub client: Option<IpAddr>,
}

impl Queued {
    /// A request of the peer.
    pub fn new(pool: usize, ticket: u32) -> Queued {
        Queued { pool, ticket, client: None }
    }

    /// The request in the share of `client`, which behind a proxy is not the peer.
    pub fn of(self, client: Option<IpAddr>) -> Queued {
        Queued { client, ..self }
    }
}

/// Threads for answers that take time, and the queue before them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pool {
    /// The name of the threads, without their number.
    pub name: &'static str,
    /// How many threads; 0 counts as 1.
    pub threads: usize,
    /// Requests that may wait; more are [`Overload::Full`].
    pub queue: usize,
    /// Requests of one client that may wait, an IPv6 /64 counting as one client; more are
    /// [`Overload::Share`].
    pub per_client: usize,
}

impl Pool {
    /// A pool in which 256 requests may wait, 64 of one client.
    pub fn new(name: &'static str, threads: usize) -> Pool {
        Pool { name, threads, queue: 256, per_client: 64 }
    }
}

/// Why a request gets no place in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overload {
    /// The queue is full.
    Full,
    /// The queue has room, but the client has used up its share.
    Share,
}

/// The program behind the engine.
pub trait Service: Sync {
    /// The pools that [`Answer::Queue`] can name. The engine calls this once, when it starts. If
    /// there are none, it makes pool 0 from its settings.
    fn pools(&self) -> Vec<Pool> {
        Vec::new()
    }

    /// Answers a request on a worker. Many connections wait for the worker, so this must be quick;
    /// what takes time goes into a queue.
    fn answer(&self, request: &Request<'_>, now: Timestamp) -> Answer;

    /// Answers a request on a thread of the pool that [`Service::answer`] named. A service that
    /// never queues needs no such method; the default is a 500.
    fn answer_queued(&self, request: &Request<'_>, now: Timestamp, ticket: u32) -> Response {
        let _ = (now, ticket);
        self.refuse(&refusal::INTERNAL, Some(request))
    }

    /// Returns a number that tells the sender from others, if the request may wait although its
    /// client has its share of the queue. The engine calls this only when the share is used up, and
    /// limits the places of one sender.
    fn has_priority(&self, request: &Request<'_>, now: Timestamp, ticket: u32) -> Option<u64> {
        let _ = (request, now, ticket);
        None
    }

    /// The response to a request that got no place in a queue.
    fn overloaded(
        &self,
        request: &Request<'_>,
        now: Timestamp,
        ticket: u32,
        overload: Overload,
    ) -> Response {
        let _ = (now, ticket, overload);
        self.refuse(&refusal::OVERLOADED, Some(request))
    }

    /// The response to a request that the engine refuses; `request` is `None` if it cannot be read.
    fn refuse(&self, refusal: &Refusal, request: Option<&Request<'_>>) -> Response {
        let _ = request;
        refusal.response()
    }

    /// Called on a thread of the pool that had no job for 5 seconds, once until its next job;
    /// memory can be given back.
    fn idle(&self, pool: usize) {
        let _ = pool;
    }

    /// Called four times a second while connections are open (`busy`), and once more when the last
    /// one is closed. No connection is accepted meanwhile.
    fn upkeep(&self, busy: bool) {
        let _ = busy;
    }
}

/// Where a connection takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// On a worker.
    Worker,
    /// On a thread of the pool whose queue the request waited in.
    Pool,
    /// On a worker, after the queue of this pool did not take the request.
    Overloaded(usize, Overload),
}

/// What a connection needs from its surroundings to take a step.
pub(crate) struct Context<'a, S> {
    pub(crate) service: &'a S,
    pub(crate) limits: &'a Limits,
    pub(crate) date: &'a Date,
    pub(crate) at: Moment,
    /// The server is going down: every answer is the last of its connection.
    pub(crate) stopping: bool,
}
