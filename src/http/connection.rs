//! One HTTP/1 connection without its socket: which bytes are a request, what to answer, when to
//! go on, wait, refuse or close.
//!
//! The caller owns the socket. It hands in what it read ([`Connection::receive`]), writes what
//! comes out, and then does what [`Connection::next`] says. Times come in as a [`Moment`].
//!
//! Here is its state, and how requests are found in bytes and answered; in `writing` what becomes
//! of answers that the client does not take at once, in `ending` how it comes to its end.

mod ending;
#[cfg(test)]
mod tests;
mod writing;

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use zeroize::Zeroizing;

use super::chunked::Decoder;
use super::head::{self, Framing, NO_FIELDS, Scan};
use super::limits::MAX_OUTPUT;
use super::refusal;
use super::response::Persistence;
use super::service::{Answer, Context, Moment, Overload, Queued, Service, Step};
use super::{Limits, Request, Response};
use writing::Unfinished;

/// What the caller does once everything that came out is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Read, when there is something to read.
    Read,
    /// Call [`Connection::receive`] again: more requests are at hand.
    More,
    /// Put the connection into the queue that [`Connection::queued`] names.
    Queue,
    /// Stop writing, then read and throw away until the other side closes, so that it can read
    /// the last answer before the connection is reset (RFC 9112 section 9.6).
    Linger,
    /// Close.
    Close,
}

/// What the connection's deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Nothing: between two requests.
    Idle,
    /// The rest of a head.
    Head,
    /// The rest of a body.
    Body,
    /// The client to read what was answered.
    Reader,
    /// The client to take note of the last answer.
    Lingering,
}

/// The state of one connection. Small while idle: it keeps no buffer then.
#[derive(Debug)]
pub(crate) struct Connection {
    peer: IpAddr,
    /// The request that waits for a thread of a pool; `input` begins with it.
    queued: Option<Queued>,
    /// Its sender's number, if it needs no place in its client's share.
    priority: Option<u64>,
    next: Next,
    wait: Wait,
    deadline: u64,
    blocked_until: Option<u64>,
    /// Bytes that came and are not used yet; they begin with a request. Wiped, since there may
    /// be a password in them.
    pub(crate) input: Zeroizing<Vec<u8>>,
    scan: Scan,
    head_len: Option<usize>,
    /// Fewer bytes than these do not get the request any further.
    need: usize,
    chunked: Option<Box<Decoder>>,
    continued: bool,
    output: Vec<u8>,
    sent: usize,
    /// What is left of a long answer; nothing else is answered before it.
    rest: Option<Box<Unfinished>>,
    lingered: u64,
}

enum Progress {
    Partial,
    Answered { used: usize, last: bool },
    Queue,
    Refused,
}

impl Connection {
    /// A connection that was just accepted.
    pub(crate) fn new(peer: IpAddr, limits: &Limits, at: Moment) -> Connection {
        Connection {
            peer,
            queued: None,
            priority: None,
            next: Next::Read,
            wait: Wait::Head,
            deadline: after(at, limits.head_time),
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

    /// Who is at the other end.
    pub(crate) fn peer(&self) -> IpAddr {
        self.peer
    }

    /// The pool that the next request waits for, and the client who sent it; behind a proxy that
    /// is not the peer. `None` unless [`Next::Queue`] is next.
    pub(crate) fn queued(&self) -> Option<(usize, IpAddr)> {
        self.queued.map(|queued| (queued.pool, queued.client.unwrap_or(self.peer)))
    }

    /// The number of that request's sender, if it may wait although its client has its share.
    pub(crate) fn priority(&self) -> Option<u64> {
        self.queued.and(self.priority)
    }

    /// What to do once all output is written.
    pub(crate) fn next(&self) -> Next {
        self.next
    }

    /// What the connection waits for.
    pub(crate) fn wait(&self) -> Wait {
        match self.blocked_until.is_some() || self.rest.is_some() {
            true => Wait::Reader,
            false => self.wait,
        }
    }

    /// Whether no answer is owed: no complete head is here.
    pub(crate) fn owes_nothing(&self) -> bool {
        match self.wait() {
            Wait::Idle | Wait::Head => self.next == Next::Read,
            Wait::Body | Wait::Reader | Wait::Lingering => false,
        }
    }

    /// When [`Connection::expire`] is due, in the milliseconds of [`Moment`].
    pub(crate) fn deadline(&self) -> u64 {
        self.blocked_until.unwrap_or(self.deadline)
    }

    /// Takes bytes from the client (none, when [`Next::More`] or the slow lane calls) and
    /// appends the answers to `out`, that of an unfinished one first. In the slow lane it answers
    /// one request and stops.
    pub(crate) fn receive<S: Service>(
        &mut self,
        context: &Context<'_, S>,
        step: Step,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) {
        if self.rest.is_some() && !self.go_on(context, out) {
            return self.input.extend_from_slice(bytes);
        }
        if self.input.is_empty() {
            let used = self.process(context, step, bytes, out);
            self.input.extend_from_slice(&bytes[used..]);
            return;
        }
        self.input.extend_from_slice(bytes);
        let mut input = std::mem::take(&mut self.input);
        let used = self.process(context, step, &input, out);
        if used < input.len() {
            input.drain(..used);
            self.input = input;
        }
    }

    /// Works through the requests that `bytes` begin with; says how many bytes are done with.
    fn process<S: Service>(
        &mut self,
        context: &Context<'_, S>,
        step: Step,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> usize {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            if rest.is_empty() || rest.len() < self.need {
                self.next = Next::Read;
                return used;
            }
            if out.len() >= MAX_OUTPUT {
                self.next = Next::More;
                return used;
            }
            if self.wait == Wait::Idle {
                // An empty line before a request is nothing yet (RFC 9112 section 2.2).
                if rest.starts_with(b"\r\n") {
                    used += 2;
                    continue;
                }
                if rest == b"\r" {
                    self.next = Next::Read;
                    return used;
                }
                self.wait = Wait::Head;
                self.deadline = after(context.at, context.limits.head_time);
            }
            match self.request(context, step, rest, out) {
                Progress::Partial => {
                    self.next = Next::Read;
                    return used;
                }
                Progress::Queue => {
                    self.next = Next::Queue;
                    return used;
                }
                Progress::Refused => return bytes.len(),
                Progress::Answered { used: count, last } => {
                    used += count;
                    self.begin_next(context);
                    if self.rest.is_some() && !self.go_on(context, out) {
                        return if last { bytes.len() } else { used };
                    }
                    if last {
                        self.end(context.limits, context.at);
                        return bytes.len();
                    }
                    if step == Step::Pool {
                        self.next = Next::More;
                        return used;
                    }
                }
            }
        }
    }

    /// Tries to answer the one request that `bytes` begin with.
    fn request<S: Service>(
        &mut self,
        context: &Context<'_, S>,
        step: Step,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Progress {
        let head_len = match self.head_len.map_or_else(|| self.scan.find(bytes), |n| Ok(Some(n))) {
            Ok(Some(head_len)) => head_len,
            Ok(None) => return Progress::Partial,
            Err(refusal) => return self.refused(context, &refusal, None, out),
        };
        let mut fields = NO_FIELDS;
        let head = match head::parse(&bytes[..head_len], &mut fields, self.peer) {
            Ok(head) => head,
            Err((refusal, request)) => {
                return self.refused(context, &refusal, request.as_ref(), out);
            }
        };
        let encoded = &bytes[head_len..];
        let limit = context.limits.body;
        // The decoder leaves `self` so that the body can be borrowed from it.
        let mut chunked = self.chunked.take();
        let complete = match head.framing {
            Framing::Length(length) if length > limit => Err(refusal::BODY_TOO_LARGE),
            Framing::Length(length) => {
                Ok(encoded.get(..length).map(|body| (body, head_len + length)))
            }
            Framing::Chunked => {
                let decoder = chunked.get_or_insert_default();
                decoder
                    .advance(encoded, limit)
                    .map(|done| done.then_some((&decoder.body[..], head_len + decoder.used)))
            }
        };
        let (body, used) = match complete {
            Ok(Some(complete)) => complete,
            Err(refusal) => return self.refused(context, &refusal, Some(&head.request), out),
            Ok(None) => {
                self.need = match head.framing {
                    Framing::Length(length) => head_len + length,
                    Framing::Chunked => bytes.len() + 1,
                };
                self.chunked = chunked;
                if self.head_len.is_none() {
                    self.head_len = Some(head_len);
                    self.wait = Wait::Body;
                    self.deadline = after(context.at, context.limits.body_time);
                }
                if head.expects_continue && !self.continued && encoded.is_empty() {
                    self.continued = true;
                    out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                }
                return Progress::Partial;
            }
        };
        let mut request = head.request;
        request.body = body;
        let queued = self.queued.take();
        let reply = catch_unwind(AssertUnwindSafe(|| ask(context, step, &request, queued)));
        let response = match reply {
            Ok(Reply::Response(response)) => response,
            Ok(Reply::Queue(queued, priority)) => {
                // A pool's thread decodes a chunked body once more; that is cheaper than a state.
                self.head_len = Some(head_len);
                self.need = 0;
                self.queued = Some(queued);
                self.priority = priority;
                return Progress::Queue;
            }
            Err(_) => context.service.refuse(&refusal::INTERNAL, Some(&request)),
        };
        let last = !head.keep_alive || context.stopping;
        let persistence = match (last, head.http10) {
            (true, _) => Persistence::Close,
            (false, true) => Persistence::KeepAlive,
            (false, false) => Persistence::Default,
        };
        let head_only = request.method == "HEAD";
        if !response.encode(out, context.date, persistence, head_only) {
            self.rest = Some(Box::new(Unfinished { body: response.into_rest(), last }));
        }
        Progress::Answered { used, last }
    }

    fn begin_next<S>(&mut self, context: &Context<'_, S>) {
        self.scan = Scan::default();
        self.head_len = None;
        self.need = 0;
        self.chunked = None;
        self.continued = false;
        self.wait = Wait::Idle;
        self.deadline = after(context.at, context.limits.idle_time);
    }
}

/// What becomes of a complete request.
enum Reply {
    Response(Response),
    /// It waits for a pool, with its sender's number if it has priority.
    Queue(Queued, Option<u64>),
}

/// Asks the service about a request, or again about one that was to wait in a queue.
fn ask<S: Service>(
    context: &Context<'_, S>,
    step: Step,
    request: &Request<'_>,
    queued: Option<Queued>,
) -> Reply {
    let (service, now) = (context.service, context.at.now);
    let answer = queued.map_or_else(|| service.answer(request, now), Answer::Queue);
    let queued = match answer {
        Answer::Ready(response) => return Reply::Response(response),
        Answer::Queue(queued) => queued,
    };
    let ticket = queued.ticket;
    match step {
        Step::Pool => Reply::Response(service.answer_queued(request, now, ticket)),
        Step::Overloaded(pool, overload) if pool == queued.pool => {
            let priority = match overload {
                Overload::Share => service.has_priority(request, now, ticket),
                Overload::Full => None,
            };
            match priority {
                Some(_) => Reply::Queue(queued, priority),
                None => Reply::Response(service.overloaded(request, now, ticket, overload)),
            }
        }
        Step::Worker | Step::Overloaded(..) => Reply::Queue(queued, None),
    }
}

fn after(at: Moment, time: std::time::Duration) -> u64 {
    at.millis.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
