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

use super::Limits;
use super::chunked::Decoder;
use super::head::{self, Framing, NO_FIELDS, Scan};
use super::limits::MAX_OUTPUT;
use super::refusal;
use super::response::Persistence;
use super::service::{Answer, Context, Lane, Moment, Service};
use writing::Unfinished;

/// What the caller does once everything that came out is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Read, when there is something to read.
    Read,
    /// Call [`Connection::receive`] again: more requests are at hand.
    More,
    /// Bring the connection to the slow lane.
    Slow,
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
    /// Who sent the request that is on its way to the slow lane.
    client: IpAddr,
    /// Whether that request is a brief one.
    brief: bool,
    /// Whose it is, if it needs no share.
    favoured: Option<u64>,
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
    Slow,
    Refused,
}

impl Connection {
    /// A connection that was just accepted.
    pub(crate) fn new(peer: IpAddr, limits: &Limits, at: Moment) -> Connection {
        Connection {
            peer,
            client: peer,
            brief: false,
            favoured: None,
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

    /// Who sent the request that goes to the slow lane; behind a proxy that is not the peer.
    pub(crate) fn client(&self) -> IpAddr {
        self.client
    }

    /// Whether the request that goes to the slow lane is done soon there.
    pub(crate) fn brief(&self) -> bool {
        self.brief
    }

    /// Whose request it is, if it may wait although its client's share is full.
    pub(crate) fn favoured(&self) -> Option<u64> {
        self.favoured
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
        lane: Lane,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) {
        if self.rest.is_some() && !self.go_on(context, out) {
            return self.input.extend_from_slice(bytes);
        }
        if self.input.is_empty() {
            let used = self.process(context, lane, bytes, out);
            self.input.extend_from_slice(&bytes[used..]);
            return;
        }
        self.input.extend_from_slice(bytes);
        let mut input = std::mem::take(&mut self.input);
        let used = self.process(context, lane, &input, out);
        if used < input.len() {
            input.drain(..used);
            self.input = input;
        }
    }

    /// Works through the requests that `bytes` begin with; says how many bytes are done with.
    fn process<S: Service>(
        &mut self,
        context: &Context<'_, S>,
        lane: Lane,
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
            match self.request(context, lane, rest, out) {
                Progress::Partial => {
                    self.next = Next::Read;
                    return used;
                }
                Progress::Slow => {
                    self.next = Next::Slow;
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
                    if lane == Lane::Slow {
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
        lane: Lane,
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
        let answer = catch_unwind(AssertUnwindSafe(|| {
            let answer = context.service.answer(&request, context.at.now, lane);
            let favoured = match (&answer, lane) {
                (Answer::Slow, Lane::Share) => context.service.favoured(&request, context.at.now),
                _ => None,
            };
            (answer, favoured)
        }));
        let response = match answer {
            Ok((Answer::Ready(response), _)) => response,
            Ok((Answer::Slow, favoured)) if lane == Lane::Fast || favoured.is_some() => {
                // A chunked body is decoded once more over there; that is cheaper than a state.
                self.head_len = Some(head_len);
                self.need = 0;
                self.client = context.service.client(&request).unwrap_or(self.peer);
                self.brief = context.service.brief(&request);
                self.favoured = favoured;
                return Progress::Slow;
            }
            Ok((Answer::Slow, _)) => context.service.refuse(&refusal::OVERLOADED, Some(&request)),
            Err(_) => context.service.refuse(&refusal::PANIC, Some(&request)),
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

fn after(at: Moment, time: std::time::Duration) -> u64 {
    at.millis.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
