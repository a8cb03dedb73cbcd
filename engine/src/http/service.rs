//! The interface between the engine and the program behind it. Knows no socket.

use std::any::Any;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::refusal::{self, Refusal};
use super::{Date, Limits, Request, Response};
use crate::clock::Timestamp;
use crate::stats::Gauges;

/// The two clocks, read once per turn of a worker.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Milliseconds on a clock that never goes back: for deadlines.
    pub millis: u64,
    /// The time of day: for tokens and the `Date` header.
    pub now: Timestamp,
}

/// What a [`Service`] says to a request.
#[derive(Debug)]
pub enum Answer {
    /// The response.
    Ready(Response),
    /// The response takes time: a thread of a pool makes it.
    Queue(Queued),
}

/// A request that waits for a thread of a pool. The service gets it back with the request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Queued {
    /// The pool's place in [`Service::pools`].
    pub pool: usize,
    /// What the service found for the request, such as the number of its route, so that it need
    /// not look again.
    pub ticket: u32,
    /// The client whose share of the queue the request uses; the peer if `None`.
    pub client: Option<IpAddr>,
    /// What else the service found out about the request, of a type of its own.
    pub payload: Option<Box<dyn Any + Send>>,
    /// When the request came, and how long it has waited in the queue, if the service measures that.
    pub begun: Option<Instant>,
    /// See `begun`.
    pub waited: Option<Duration>,
    /// The connection of the request, while it is out of it.
    connection: Option<u32>,
}

impl Queued {
    /// A request of the peer, without a payload.
    pub fn new(pool: usize, ticket: u32) -> Queued {
        let (begun, waited) = (None, None);
        Queued { pool, ticket, client: None, payload: None, begun, waited, connection: None }
    }

    /// The request in the share of `client`, which behind a proxy is not the peer.
    pub fn of(self, client: Option<IpAddr>) -> Queued {
        Queued { client, ..self }
    }

    /// The request with a payload.
    pub fn with(self, payload: impl Any + Send) -> Queued {
        Queued { payload: Some(Box::new(payload)), ..self }
    }

    /// The payload, if it has this type.
    pub fn payload_mut<T: Any>(&mut self) -> Option<&mut T> {
        self.payload.as_mut()?.downcast_mut()
    }

    /// The request with the number of the connection that it is taken out of.
    pub(crate) fn taken_out_of(self, connection: u32) -> Queued {
        Queued { connection: Some(connection), ..self }
    }

    /// Whether it was taken out of this connection, and not made by the service since then.
    pub(crate) fn is_of(&self, connection: u32) -> bool {
        self.connection == Some(connection)
    }

    /// Takes the payload out, if it has this type.
    pub fn take_payload<T: Any>(&mut self) -> Option<T> {
        let (payload, other) = match self.payload.take()?.downcast() {
            Ok(payload) => (Some(*payload), None),
            Err(other) => (None, Some(other)),
        };
        self.payload = other;
        payload
    }
}

/// Threads for answers that take time, and the queue before them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pool {
    /// The name of the threads, without their number.
    pub name: &'static str,
    /// How many threads at most; 0 counts as 1. For a pool of batches, how many batches at once.
    pub threads: usize,
    /// How many of them there are from the start, and always. The others are started when nobody
    /// would take the next request, and end when they had none for 5 seconds.
    pub started: usize,
    /// Requests that may wait; more are [`Overload::Full`].
    pub queue: usize,
    /// Requests of one client that may wait, an IPv6 /64 counting as one client; more are
    /// [`Overload::Share`]. As many as `queue` means that clients have no shares.
    pub per_client: usize,
    /// The most requests of a batch ([`Pool::batched`]). With 0 or 1 there are no batches: threads
    /// of the pool's own take one request at a time, with the nice value of the engine's settings.
    pub batch: usize,
}

impl Pool {
    /// A pool in which 256 requests may wait, 64 of one client. Its threads take one at a time and
    /// give way to the workers.
    pub fn new(name: &'static str, threads: usize) -> Pool {
        Pool { name, threads, started: threads, queue: 256, per_client: 64, batch: 1 }
    }

    /// A pool for many quick answers that wait for the same thing. It has no threads of its own:
    /// the engine has `at_once` workers more, and as many of all workers at most prepare a batch
    /// of this pool at a time. The worker that queues a request takes what waits itself, up to
    /// `most` requests, unless others do so already; they take the request with their next batch.
    /// So no thread has to be woken.
    ///
    /// Every connection has a place in the queue. A connection waits in at most one queue, with one
    /// request; so the limits on connections, that for each client included, limit this queue.
    pub fn batched(name: &'static str, at_once: usize, most: usize) -> Pool {
        let (queue, per_client) = (usize::MAX, usize::MAX);
        Pool { queue, per_client, batch: most, ..Pool::new(name, at_once) }
    }

    /// The fewest and the most threads.
    pub(crate) fn range(&self) -> RangeInclusive<usize> {
        let most = self.threads.max(1);
        self.started.clamp(1, most)..=most
    }

    /// Whether workers answer its requests in batches.
    pub(crate) fn is_batched(&self) -> bool {
        self.batch > 1
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
///
/// A service that looks things up in another place, where one question about many keys costs hardly
/// more than one about a single key, queues its requests in a pool of batches
/// ([`Pool::batched`]). While one batch is under way, the next one gathers in the queue.
///
/// ```
/// # use lictor_engine as lictor;
/// use lictor::clock::Timestamp;
/// use lictor::http::{Answer, Pool, Queued, Request, Response, Service};
///
/// struct Prices;
///
/// /// Asks the other place about all of these.
/// fn prices(names: &[String]) -> Vec<u64> {
///     names.iter().map(|name| name.len() as u64).collect()
/// }
///
/// impl Service for Prices {
///     fn pools(&self) -> Vec<Pool> {
///         vec![Pool::batched("price", 1, 100)]
///     }
///
///     fn answer(&self, request: &Request<'_>, _: Timestamp) -> Answer {
///         match request.path.strip_prefix("/price/") {
///             Some(name) => Answer::Queue(Queued::new(0, 0).with(name.to_owned())),
///             None => Answer::Ready(Response::empty(404)),
///         }
///     }
///
///     // Once for all requests that the thread has taken.
///     fn prepare(&self, _: usize, batch: &mut [Queued], _: Timestamp) {
///         let names: Vec<String> = batch.iter_mut().filter_map(Queued::take_payload).collect();
///         for (queued, price) in batch.iter_mut().zip(prices(&names)) {
///             queued.payload = Some(Box::new(price));
///         }
///     }
///
///     // Once for each of them.
///     fn answer_queued(&self, _: &Request<'_>, mut queued: Queued, _: Timestamp) -> Answer {
///         let price: Option<u64> = queued.take_payload();
///         Answer::Ready(Response::json(200, &price))
///     }
/// }
/// # let mut batch = [Queued::new(0, 0).with("lantern".to_owned())];
/// # Prices.prepare(0, &mut batch, Timestamp(0));
/// # let [queued] = batch;
/// # let request = Request::new("GET", "/price/lantern", &[]);
/// # let answer = Prices.answer_queued(&request, queued, Timestamp(0));
/// # assert!(matches!(answer, Answer::Ready(response) if response.body() == b"7"));
/// ```
pub trait Service: Sync {
    /// The pools that [`Answer::Queue`] can name. The engine calls this once, when it starts. If
    /// there are none, it makes pool 0 from its settings.
    fn pools(&self) -> Vec<Pool> {
        Vec::new()
    }

    /// Answers a request on a worker. Many connections wait for the worker, so this must be quick;
    /// what takes time goes into a queue.
    fn answer(&self, request: &Request<'_>, now: Timestamp) -> Answer;

    /// Called with all requests that a thread has taken from the queue of a pool, before
    /// [`Service::answer_queued`] of each: at most [`Pool::batch`] of them. What it finds out goes
    /// into the payloads. Their order must stay: a request that is not at its place any more is
    /// answered 500. Each of these requests waits for it, so it must end in any case. If it
    /// panics, they are answered 500.
    fn prepare(&self, pool: usize, batch: &mut [Queued], now: Timestamp) {
        let _ = (pool, batch, now);
    }

    /// Answers a request on a thread of the pool that [`Service::answer`] named. Can name another
    /// pool, if the answer turns out to wait for something else; a request that does so again and
    /// again is answered 500. In a pool of batches the other requests of the batch wait for the
    /// answer, so it must be quick; the next batch is prepared meanwhile if another worker is free.
    ///
    /// A service that never queues needs no such method; the default is a 500.
    fn answer_queued(&self, request: &Request<'_>, queued: Queued, now: Timestamp) -> Answer {
        let _ = (queued, now);
        Answer::Ready(self.refuse(&refusal::INTERNAL, Some(request)))
    }

    /// Returns a number that tells the sender from others, if the request may wait although its
    /// client has its share of the queue. The engine calls this only when the share is used up, and
    /// limits the places of one sender.
    fn has_priority(&self, request: &Request<'_>, queued: &Queued, now: Timestamp) -> Option<u64> {
        let _ = (request, queued, now);
        None
    }

    /// The response to a request that got no place in a queue.
    fn overloaded(
        &self,
        request: &Request<'_>,
        queued: &Queued,
        now: Timestamp,
        overload: Overload,
    ) -> Response {
        let _ = (queued, now, overload);
        self.refuse(&refusal::OVERLOADED, Some(request))
    }

    /// The response to a request that the engine refuses; `request` is `None` if it cannot be read.
    /// If this panics, the client gets lictor's own 500.
    fn refuse(&self, refusal: &Refusal, request: Option<&Request<'_>>) -> Response {
        let _ = request;
        refusal.response()
    }

    /// Called on a thread of the pool that had no job for 5 seconds and does not end, once until its
    /// next job; memory can be given back. Not for a pool of batches, which has no threads.
    fn idle(&self, pool: usize) {
        let _ = pool;
    }

    /// Called four times a second while connections are open (`busy`), and once more when the last
    /// one is closed. No connection is accepted meanwhile.
    fn upkeep(&self, busy: bool) {
        let _ = busy;
    }

    /// Called when the engine is asked to stop. It accepts and answers as before for the
    /// `drain_delay` of its settings.
    fn stopping(&self) {}

    /// Where the engine writes down its state, if the service shows it.
    #[doc(hidden)]
    fn gauges(&self) -> Option<&Gauges> {
        None
    }
}

/// Lets the service refuse a request. It runs where no other answer is left, so a panic costs no more
/// than the service's own words.
pub(crate) fn refuse(
    service: &dyn Service,
    refusal: &Refusal,
    request: Option<&Request<'_>>,
) -> Response {
    catch_unwind(AssertUnwindSafe(|| service.refuse(refusal, request)))
        .unwrap_or_else(|_| refusal::INTERNAL.response())
}

/// Where a connection takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// On a worker.
    Worker,
    /// On a thread of the pool whose queue the request waited in.
    Pool,
    /// There, after [`Service::prepare`] has panicked.
    Unprepared,
    /// On a worker, after the queue of this pool did not take the request.
    Overloaded(usize, Overload),
}

/// What a connection needs from its surroundings to take a step.
pub struct Context<'a> {
    /// Who answers.
    pub service: &'a dyn Service,
    /// The limits of a connection.
    pub limits: &'a Limits,
    /// The `Date` header.
    pub date: &'a Date,
    /// The time.
    pub at: Moment,
    /// The server is going down: every answer is the last of its connection. Asked when an answer
    /// is ready, which may be long after the request.
    pub stopping: &'a AtomicBool,
}
