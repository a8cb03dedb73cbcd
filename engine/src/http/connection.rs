//! One HTTP/1 connection without its socket: which bytes are a request, what the answer is, when
//! the connection reads, waits, refuses or closes.
//!
//! The caller owns the socket. It passes the bytes that it read ([`Connection::receive`]), writes
//! the output, and then does what [`Connection::next`] says. Times come in as a [`Moment`].
//!
//! | file | owns |
//! |---|---|
//! | here | the state of a connection |
//! | `answering` | requests in the bytes, and their answers |
//! | `writing` | answers that the client does not read at once, or that are sent in pieces |
//! | `ending` | deadlines, refusals, the last answer |

mod answering;
mod ending;
mod writing;

use std::net::IpAddr;
use std::time::Duration;

use zeroize::Zeroizing;

use super::Limits;
use super::chunked::Decoder;
use super::head::Scan;
use super::service::{Context, Moment, Queued};
use writing::Unfinished;

/// What the caller does once all output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Read when the socket is readable.
    Read,
    /// Call [`Connection::receive`] again without bytes: there is more to answer.
    More,
    /// Put the connection into the queue that [`Connection::queued`] names.
    Queue,
    /// Stop writing, then read and throw away until the client closes, so that it can read the last
    /// answer before the connection is reset (RFC 9112 section 9.6).
    Linger,
    /// Close.
    Close,
}

/// What the connection waits for until its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The next request.
    Idle,
    /// The rest of a head.
    Head,
    /// The rest of a body.
    Body,
    /// The client to read the answer.
    Reader,
    /// The client to read the last answer and close.
    Lingering,
}

/// The state of one connection. It keeps no buffer while idle.
#[derive(Debug)]
pub struct Connection {
    peer: IpAddr,
    /// The request that waits for a thread of a pool; `input` begins with it.
    queued: Option<Queued>,
    /// Its sender's number, if it needs no place in its client's share.
    priority: Option<u64>,
    /// How often threads of pools have named another pool for it.
    moves: u8,
    next: Next,
    wait: Wait,
    deadline: u64,
    /// The deadline of `output`, which the client does not read.
    blocked_until: Option<u64>,
    /// Bytes that are not used yet; a request begins with the first. Wiped, since there may be a
    /// password in them.
    pub input: Zeroizing<Vec<u8>>,
    scan: Scan,
    /// The length of the head, once its end is found.
    head_len: Option<usize>,
    /// With fewer bytes than this the request cannot be complete.
    need: usize,
    chunked: Option<Box<Decoder>>,
    /// 100 Continue is sent.
    continued: bool,
    /// Answers that the client does not read, and how many of their bytes are sent.
    output: Vec<u8>,
    sent: usize,
    /// The rest of an answer that is sent in pieces; no request is answered before it.
    rest: Option<Box<Unfinished>>,
    /// Bytes thrown away since the last answer.
    lingered: u64,
}

impl Connection {
    /// A connection that was just accepted.
    pub fn new(peer: IpAddr, limits: &Limits, at: Moment) -> Connection {
        Connection {
            peer,
            queued: None,
            priority: None,
            moves: 0,
            next: Next::Read,
            wait: Wait::Head,
            deadline: deadline_after(at, limits.head_time),
            blocked_until: None,
            input: Zeroizing::default(),
            scan: Scan::default(),
            head_len: None,
            need: 0,
            chunked: None,
            continued: false,
            output: Vec::new(),
            sent: 0,
            rest: None,
            lingered: 0,
        }
    }

    /// The other end of the socket.
    pub fn peer(&self) -> IpAddr {
        self.peer
    }

    /// The pool that the next request waits for, and the client in whose share of the queue; `None`
    /// unless [`Next::Queue`] is next.
    pub fn queued(&self) -> Option<(usize, IpAddr)> {
        self.queued.as_ref().map(|queued| (queued.pool, queued.client.unwrap_or(self.peer)))
    }

    /// The number of that request's sender, if it may wait although its client's share is used up.
    pub fn priority(&self) -> Option<u64> {
        self.queued.as_ref().and(self.priority)
    }

    /// Takes out what the service knows about the request that waits;
    /// [`put_queued`](Self::put_queued) puts it back before the next step.
    pub fn take_queued(&mut self) -> Option<Queued> {
        self.queued.take()
    }

    /// Puts back what [`take_queued`](Self::take_queued) took.
    pub fn put_queued(&mut self, queued: Queued) {
        self.queued = Some(queued);
    }

    /// What to do once all output is written.
    pub fn next(&self) -> Next {
        self.next
    }

    /// What the connection waits for.
    pub fn wait(&self) -> Wait {
        match self.blocked_until.is_some() || self.rest.is_some() {
            true => Wait::Reader,
            false => self.wait,
        }
    }

    /// Whether the client is owed no answer: there is no complete head.
    pub fn owes_nothing(&self) -> bool {
        match self.wait() {
            Wait::Idle | Wait::Head => self.next == Next::Read,
            Wait::Body | Wait::Reader | Wait::Lingering => false,
        }
    }

    /// Whether a part of a request is there, and not the rest.
    pub fn has_begun(&self) -> bool {
        !self.input.is_empty()
    }

    /// When to call [`Connection::expire`], in the milliseconds of [`Moment`].
    pub fn deadline(&self) -> u64 {
        self.blocked_until.unwrap_or(self.deadline)
    }

    /// An answer has taken its time: the time that the connection may be idle counts from now.
    pub fn answered(&mut self, limits: &Limits, at: Moment) {
        if self.wait == Wait::Idle {
            self.deadline = deadline_after(at, limits.idle_time);
        }
    }

    /// Forgets the request that was answered; the connection is idle from now on.
    fn begin_next(&mut self, context: &Context<'_>) {
        self.scan = Scan::default();
        self.head_len = None;
        self.need = 0;
        self.chunked = None;
        self.continued = false;
        self.moves = 0;
        self.wait = Wait::Idle;
        self.deadline = deadline_after(context.at, context.limits.idle_time);
    }
}

/// The deadline of something that begins at `at` and may take `time`.
fn deadline_after(at: Moment, time: Duration) -> u64 {
    at.millis.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
