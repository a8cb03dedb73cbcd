//! The program behind the engine, as a connection sees it: what is asked of it, and what it needs
//! to know. Knows no program and no socket.

use std::net::IpAddr;

use super::refusal::Refusal;
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

/// Where a request may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// By a worker that many connections wait for: nothing slow here.
    Fast,
    /// By a thread that may take its time.
    Slow,
    /// By a fast worker, when the slow lane takes no more.
    Full,
    /// By a fast worker, when the slow lane has room, but no more for this client.
    Share,
}

/// What a [`Service`] says to a request.
#[derive(Debug)]
pub enum Answer {
    /// The response.
    Ready(Response),
    /// Ask again in the slow lane.
    Slow,
}

/// The program behind the engine.
pub trait Service: Sync {
    /// Answers a request. In [`Lane::Slow`] the answer has to be ready.
    fn answer(&self, request: &Request<'_>, now: Timestamp, lane: Lane) -> Answer;

    /// Who sends a request, as far as shares of the slow lane are concerned.
    fn client(&self, request: &Request<'_>) -> Option<IpAddr> {
        request.peer
    }

    /// Whose request it is if it may wait for the slow lane although its client's share is full, as
    /// a number that tells them from others. Asked only then.
    fn favoured(&self, request: &Request<'_>, now: Timestamp) -> Option<u64> {
        let _ = (request, now);
        None
    }

    /// Whether a request that belongs in the slow lane is done soon, once it is its turn. It then
    /// does not wait behind those that take long.
    fn brief(&self, request: &Request<'_>) -> bool {
        let _ = request;
        false
    }

    /// The slow lane has had nothing to do for a while; memory can be given back.
    fn idle(&self) {}

    /// Called a few times a second while connections are open, and once more when none is
    /// (`busy` is false then). Whoever accepts connections waits for it meanwhile.
    fn upkeep(&self, busy: bool) {
        let _ = busy;
    }

    /// The engine's own refusal as a response; the request is there when it could be read.
    fn refuse(&self, refusal: &Refusal, request: Option<&Request<'_>>) -> Response {
        let _ = request;
        refusal.response()
    }
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
