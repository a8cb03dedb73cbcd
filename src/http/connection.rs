//! One HTTP/1 connection without its socket: which bytes are a request, what to answer, when to
//! go on, wait, refuse or close.
//!
//! The caller owns the socket. It hands in what it read ([`Connection::receive`]), writes what
//! comes out, and then does what [`Connection::next`] says. Times come in as a [`Moment`].

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use zeroize::Zeroizing;

use super::body::Rest;
use super::chunked::Decoder;
use super::head::{self, Framing, NO_FIELDS, Scan};
use super::limits::{MAX_LINGER_BYTES, MAX_OUTPUT};
use super::refusal::{self, Refusal};
use super::response::Persistence;
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

/// An answer that is sent in pieces.
#[derive(Debug)]
struct Unfinished {
    body: Rest,
    /// No other answer follows.
    last: bool,
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

    /// Whether nothing of a request is here: no answer is owed.
    pub(crate) fn at_rest(&self) -> bool {
        match self.wait() {
            Wait::Idle => true,
            Wait::Head => self.input.is_empty(),
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

    /// The deadline has passed; a last answer may come out.
    pub(crate) fn expire<S: Service>(&mut self, context: &Context<'_, S>, out: &mut Vec<u8>) {
        match self.wait() {
            _ if self.next == Next::Linger => self.next = Next::Close,
            Wait::Head | Wait::Body => self.refuse(context, &refusal::TIMEOUT, None, out),
            Wait::Idle | Wait::Reader | Wait::Lingering => self.next = Next::Close,
        }
    }

    /// The client did not take all of what was written: `rest` waits for it.
    pub(crate) fn block(&mut self, limits: &Limits, at: Moment, rest: &[u8]) {
        self.output.extend_from_slice(rest);
        self.blocked_until.get_or_insert(after(at, limits.unread_time));
    }

    /// What still has to be written before anything else.
    pub(crate) fn unsent(&self) -> &[u8] {
        &self.output[self.sent..]
    }

    /// So many bytes of [`Connection::unsent`] were written.
    pub(crate) fn wrote(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.output.len() {
            self.output = Vec::new();
            self.sent = 0;
            self.blocked_until = None;
        }
    }

    /// The last answer is written: from now on bytes are only thrown away.
    pub(crate) fn begin_linger(&mut self, limits: &Limits, at: Moment) {
        if self.wait != Wait::Lingering {
            self.wait = Wait::Lingering;
            self.deadline = after(at, limits.linger_time);
        }
    }

    /// Throws `count` bytes away while lingering.
    pub(crate) fn discard(&mut self, count: usize) {
        self.lingered += count as u64;
        if self.lingered > MAX_LINGER_BYTES {
            self.next = Next::Close;
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
            context.service.answer(&request, context.at.now, lane)
        }));
        let response = match answer {
            Ok(Answer::Ready(response)) => response,
            Ok(Answer::Slow) if lane == Lane::Fast => {
                // A chunked body is decoded once more over there; that is cheaper than a state.
                self.head_len = Some(head_len);
                self.need = 0;
                self.client = context.service.client(&request).unwrap_or(self.peer);
                self.brief = context.service.brief(&request);
                return Progress::Slow;
            }
            Ok(Answer::Slow) => context.service.refuse(&refusal::OVERLOADED, Some(&request)),
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

    /// Adds the next piece of an answer that is sent in pieces, if there is one; says whether the
    /// next request may be looked at.
    fn go_on<S>(&mut self, context: &Context<'_, S>, out: &mut Vec<u8>) -> bool {
        let Some(unfinished) = &mut self.rest else { return true };
        match unfinished.body.push_piece(out) {
            Ok(false) => {
                self.next = Next::More;
                false
            }
            Ok(true) => {
                let last = unfinished.last;
                self.rest = None;
                self.deadline = after(context.at, context.limits.idle_time);
                if last {
                    self.end(context.limits, context.at);
                }
                !last
            }
            Err(error) => {
                log::warn!("an answer breaks off, its file could not be read: {error}");
                self.rest = None;
                self.next = Next::Close;
                false
            }
        }
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

    fn refused<S: Service>(
        &mut self,
        context: &Context<'_, S>,
        refusal: &Refusal,
        request: Option<&Request<'_>>,
        out: &mut Vec<u8>,
    ) -> Progress {
        self.refuse(context, refusal, request, out);
        Progress::Refused
    }

    /// Exactly one reply, and no later byte is ever looked at.
    fn refuse<S: Service>(
        &mut self,
        context: &Context<'_, S>,
        refusal: &Refusal,
        request: Option<&Request<'_>>,
        out: &mut Vec<u8>,
    ) {
        let response = context.service.refuse(refusal, request);
        let head_only = request.is_some_and(|request| request.method == "HEAD");
        if !response.encode(out, context.date, Persistence::Close, head_only) {
            self.rest = Some(Box::new(Unfinished { body: response.into_rest(), last: true }));
        }
        self.input = Zeroizing::default();
        self.chunked = None;
        if self.go_on(context, out) {
            self.end(context.limits, context.at);
        }
    }

    /// This was the last answer. The client has its time to take note from now on, whether a
    /// worker comes to it at once or not.
    fn end(&mut self, limits: &Limits, at: Moment) {
        self.next = Next::Linger;
        self.deadline = after(at, limits.linger_time);
    }
}

fn after(at: Moment, time: std::time::Duration) -> u64 {
    at.millis.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use super::super::body::Body;
    use super::super::limits::MAX_PIECE;
    use super::*;

    /// Echoes the path and body; `/slow` belongs in the slow lane, `/panic` panics, `/long` does
    /// not fit in one piece.
    struct Echo;

    const LONG: usize = 2 * MAX_PIECE + 1;

    impl Service for Echo {
        fn answer(&self, request: &Request<'_>, _: Timestamp, lane: Lane) -> Answer {
            match request.path {
                "/slow" if lane != Lane::Slow => return Answer::Slow,
                "/panic" => panic!("a handler's bug"),
                "/long" => {
                    let body = vec![b'x'; LONG];
                    return Answer::Ready(Response::fixed(200, "text/plain", body));
                }
                _ => {}
            }
            let mut body = request.path.as_bytes().to_vec();
            body.push(b'=');
            body.extend_from_slice(request.body);
            Answer::Ready(Response::fixed(200, "text/plain", body))
        }
    }

    /// A connection in a test: bytes and times in, statuses and bodies out.
    struct Scenario {
        connection: Connection,
        at: Moment,
        date: Date,
        limits: Limits,
        stopping: bool,
    }

    impl Scenario {
        fn new() -> Scenario {
            let at = Moment { millis: 0, now: Timestamp(0) };
            let limits = Limits { body: 100, ..Limits::default() };
            let connection = Connection::new(Ipv4Addr::LOCALHOST.into(), &limits, at);
            Scenario { connection, at, date: Date::new(), limits, stopping: false }
        }

        /// Statuses and bodies of the answers, with ` close` where a response says so.
        fn step(
            &mut self,
            act: impl FnOnce(&mut Connection, &Context<'_, Echo>, &mut Vec<u8>),
        ) -> String {
            let mut out = Vec::new();
            let context = Context {
                service: &Echo,
                limits: &self.limits,
                date: &self.date,
                at: self.at,
                stopping: self.stopping,
            };
            act(&mut self.connection, &context, &mut out);
            let text = String::from_utf8(out).unwrap();
            let answers = text.split("HTTP/1.1 ").skip(1).map(|answer| {
                let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                let close = if head.contains("Connection: close") { " close" } else { "" };
                let body = if body.starts_with('{') { "" } else { body };
                format!("{}{body}{close}", &head[..3])
            });
            answers.collect::<Vec<_>>().join(" ")
        }

        fn send(&mut self, bytes: &str) -> String {
            self.send_in(Lane::Fast, bytes)
        }

        fn send_in(&mut self, lane: Lane, bytes: &str) -> String {
            self.step(|connection, context, out| {
                connection.receive(context, lane, bytes.as_bytes(), out);
            })
        }

        fn expire_at(&mut self, millis: u64) -> String {
            assert_eq!(self.connection.deadline(), millis);
            self.at.millis = millis;
            self.step(|connection, context, out| connection.expire(context, out))
        }
    }

    const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

    fn post(path: &str, fields: &str, body: &str) -> String {
        format!("POST {path} HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n{body}")
    }

    #[test]
    fn conversations() {
        for (bytes, answers, next) in [
            (GET.into(), "200/a=", Next::Read),
            (format!("{GET}{GET}"), "200/a= 200/a=", Next::Read),
            (format!("\r\n{GET}\r\n{GET}"), "200/a= 200/a=", Next::Read),
            (post("/b", "Content-Length: 5", "hello"), "200/b=hello", Next::Read),
            (post("/b", "Content-Length: 5", "helloGET"), "200/b=hello", Next::Read),
            (
                post("/b", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
                "200/b=hello",
                Next::Read,
            ),
            (
                post("/b", "Content-Length: 5\r\nConnection: close", "hello"),
                "200/b=hello close",
                Next::Linger,
            ),
            (format!("{}{GET}", post("/b", "Connection: close", "")), "200/b= close", Next::Linger),
            ("GET /a HTTP/1.0\r\n\r\n".into(), "200/a= close", Next::Linger),
            (post("/b", "Content-Length: 101", ""), "413 close", Next::Linger),
            (post("/b", "Content-Length: 99999999999", ""), "413 close", Next::Linger),
            (post("/b", "Transfer-Encoding: chunked", "ff\r\n"), "413 close", Next::Linger),
            (post("/b", "Transfer-Encoding: chunked", "zz\r\n"), "400 close", Next::Linger),
            (format!("GET / HTTP/1.1\r\n\r\n{GET}"), "400 close", Next::Linger),
            (format!("{GET}BAD\r\n\r\n{GET}"), "200/a= 400 close", Next::Linger),
            (post("/panic", "X: y", "") + GET, "500 200/a=", Next::Read),
            (format!("{GET}{}{GET}", post("/slow", "X: y", "")), "200/a=", Next::Slow),
            (post("/b", "Content-Length: 5\r\nExpect: 100-continue", ""), "100", Next::Read),
            (
                post("/b", "Content-Length: 5\r\nExpect: 100-continue", "hello"),
                "200/b=hello",
                Next::Read,
            ),
        ] {
            let mut at_once = Scenario::new();
            assert_eq!(at_once.send(&bytes), answers, "{bytes:?}");
            assert_eq!(at_once.connection.next(), next, "{bytes:?}");
        }
    }

    #[test]
    fn a_request_split_at_every_byte_is_the_same_request() {
        for whole in [
            GET.to_owned(),
            post("/b", "Content-Length: 5", "hello"),
            post("/b", "Transfer-Encoding: chunked", "2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: u\r\n\r\n"),
        ] {
            let expected = Scenario::new().send(&whole);
            assert!(expected.starts_with("200"), "{expected}");
            for at in 1..whole.len() {
                let mut split = Scenario::new();
                assert_eq!(split.send(&whole[..at]), "", "{at} of {whole:?}");
                assert_eq!(split.send(&whole[at..]), expected, "{at} of {whole:?}");
            }
            let mut bytewise = Scenario::new();
            let answers: String =
                whole.split_inclusive(|_| true).map(|b| bytewise.send(b)).collect();
            assert_eq!(answers, expected);
            assert_eq!(
                bytewise.connection.input.capacity(),
                0,
                "an idle connection keeps no buffer"
            );
        }
    }

    #[test]
    fn the_slow_lane_answers_one_request() {
        let mut scenario = Scenario::new();
        let both = post("/slow", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n") + GET;
        assert_eq!(scenario.send(&both), "");
        assert_eq!(scenario.connection.next(), Next::Slow);
        assert_eq!(scenario.send_in(Lane::Slow, ""), "200/slow=hello");
        assert_eq!(scenario.connection.next(), Next::More);
        assert_eq!(scenario.send(""), "200/a=");
        assert_eq!(scenario.connection.next(), Next::Read);

        assert_eq!(scenario.send(&both), "");
        assert_eq!(scenario.send_in(Lane::Full, ""), "503 200/a=");
    }

    #[test]
    fn deadlines() {
        // Nothing ever comes.
        assert_eq!(Scenario::new().expire_at(10_000), "408 close");
        // A head that comes byte by byte gains no time.
        let mut slow_head = Scenario::new();
        slow_head.at.millis = 9_000;
        slow_head.send("GET");
        assert_eq!(slow_head.expire_at(10_000), "408 close");
        // A body has its own time, from the end of the head on.
        let mut slow_body = Scenario::new();
        slow_body.at.millis = 9_000;
        slow_body.send(&post("/b", "Content-Length: 5", "he"));
        slow_body.at.millis = 18_000;
        slow_body.send("l");
        assert_eq!(slow_body.expire_at(19_000), "408 close");
        // Between requests a connection is closed without a word.
        let mut idle = Scenario::new();
        idle.at.millis = 5_000;
        idle.send(GET);
        assert_eq!(idle.connection.wait(), Wait::Idle);
        assert_eq!(idle.expire_at(65_000), "");
        assert_eq!(idle.connection.next(), Next::Close);
        // Empty lines between requests change nothing.
        let mut blank = Scenario::new();
        blank.send(GET);
        for bytes in ["\r\n", "\r", "\n\r\n"] {
            assert_eq!(blank.send(bytes), "");
            assert_eq!(blank.connection.wait(), Wait::Idle);
        }
        assert_eq!(blank.connection.deadline(), 60_000);
        assert_eq!(blank.send(GET), "200/a=");
        // The next request has its time from its own first byte on.
        let mut second = Scenario::new();
        second.send(GET);
        second.at.millis = 50_000;
        second.send("G");
        second.at.millis = 59_999;
        second.send("E");
        assert_eq!(second.expire_at(60_000), "408 close");
    }

    #[test]
    fn a_client_that_does_not_read_is_cut() {
        let mut scenario = Scenario::new();
        scenario.send(GET);
        scenario.connection.block(&scenario.limits, scenario.at, b"answer");
        scenario.at.millis = 5_000;
        scenario.connection.wrote(2);
        assert_eq!(scenario.connection.unsent(), b"swer");
        assert_eq!(scenario.connection.wait(), Wait::Reader);
        assert_eq!(scenario.expire_at(10_000), "");
        assert_eq!(scenario.connection.next(), Next::Close);
    }

    #[test]
    fn answers_in_hand_are_limited() {
        let mut scenario = Scenario::new();
        let many = GET.repeat(1_000);
        let mut answers = scenario.send(&many).matches("200").count();
        assert!(answers < 1_000, "{answers}");
        while scenario.connection.next() == Next::More {
            answers += scenario.send("").matches("200").count();
        }
        assert_eq!(answers, 1_000);
        assert_eq!(scenario.connection.next(), Next::Read);
    }

    /// What comes out until there is nothing more to do, in pieces; and what is next then.
    fn pieces(bytes: &str) -> (Vec<String>, Next) {
        let mut scenario = Scenario::new();
        let mut pieces = Vec::new();
        let mut bytes = bytes.as_bytes();
        loop {
            scenario.step(|connection, context, out| {
                connection.receive(context, Lane::Fast, bytes, out);
                assert!(out.len() <= MAX_OUTPUT + MAX_PIECE + 1_000, "{}", out.len());
                pieces.push(String::from_utf8(out.clone()).unwrap());
            });
            bytes = b"";
            if scenario.connection.next() != Next::More {
                assert!(scenario.connection.rest.is_none());
                return (pieces, scenario.connection.next());
            }
            assert!(!scenario.connection.at_rest());
        }
    }

    #[test]
    fn a_long_answer_goes_out_in_pieces_and_the_next_one_after_it() {
        let long = GET.replace("/a", "/long");
        for (bytes, expected, next) in [
            (long.clone(), "L", Next::Read),
            (format!("{GET}{long}{GET}"), "/a=L/a=", Next::Read),
            (format!("{long}{long}"), "LL", Next::Read),
            (long.replace("Host", "Connection: close\r\nHost") + GET, "L", Next::Linger),
            (long.replace("GET", "HEAD") + GET, "/a=", Next::Read),
        ] {
            let (pieces, last) = pieces(&bytes);
            let whole = pieces.concat();
            let heads = whole.split("HTTP/1.1 200 OK\r\n").skip(1);
            let bodies: String = heads.map(|one| one.split_once("\r\n\r\n").unwrap().1).collect();
            assert_eq!(bodies.replace(&"x".repeat(LONG), "L"), expected, "{bytes:?}");
            assert_eq!(last, next, "{bytes:?}");
            assert_eq!(pieces.len() > 2, expected.contains('L'), "{bytes:?}");
        }
    }

    #[test]
    fn a_client_that_reads_no_long_answer_keeps_a_piece_of_it_and_is_cut() {
        let mut scenario = Scenario::new();
        let long = GET.replace("/a", "/long");
        scenario.step(|connection, context, out| {
            connection.receive(context, Lane::Fast, long.as_bytes(), out);
            connection.block(context.limits, context.at, out);
        });
        assert!(scenario.connection.unsent().len() <= MAX_PIECE + 1_000);
        assert_eq!(scenario.connection.wait(), Wait::Reader);
        // Each piece has its time.
        scenario.at.millis = 9_000;
        let unsent = scenario.connection.unsent().len();
        scenario.connection.wrote(unsent);
        assert_eq!(
            (scenario.connection.wait(), scenario.connection.next()),
            (Wait::Reader, Next::More)
        );
        scenario.step(|connection, context, out| {
            connection.receive(context, Lane::Fast, b"", out);
            connection.block(context.limits, context.at, out);
        });
        assert_eq!(scenario.expire_at(19_000), "");
        assert_eq!(scenario.connection.next(), Next::Close);
    }

    #[test]
    fn the_idle_time_begins_when_a_long_answer_is_written() {
        let mut scenario = Scenario::new();
        scenario.send(&GET.replace("/a", "/long"));
        scenario.at.millis = 30_000;
        while scenario.connection.next() == Next::More {
            scenario.send("");
        }
        assert_eq!(scenario.connection.wait(), Wait::Idle);
        assert_eq!(scenario.connection.deadline(), 90_000);
    }

    #[test]
    fn an_answer_whose_file_became_shorter_breaks_off() {
        let path = std::env::temp_dir().join(format!("lictor-short-{}", std::process::id()));
        std::fs::write(&path, vec![b'x'; LONG]).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        let body = Body::File(Arc::new(file.try_clone().unwrap()), LONG as u64);
        let mut scenario = Scenario::new();
        scenario.connection.rest = Some(Box::new(Unfinished { body: Rest::of(body), last: false }));
        scenario.send("");
        file.set_len(LONG as u64 - 1).unwrap();
        while scenario.connection.next() == Next::More {
            scenario.send("");
        }
        assert_eq!(scenario.connection.next(), Next::Close);
    }

    #[test]
    fn a_refused_client_is_heard_out_within_limits() {
        let mut scenario = Scenario::new();
        scenario.send("BAD\r\n\r\n");
        scenario.connection.begin_linger(&scenario.limits, scenario.at);
        scenario.connection.discard(1_000);
        assert_eq!(scenario.connection.next(), Next::Linger);
        assert_eq!(scenario.connection.deadline(), 2_000);
        scenario.connection.discard(usize::try_from(MAX_LINGER_BYTES).unwrap());
        assert_eq!(scenario.connection.next(), Next::Close);
    }

    #[test]
    fn the_last_answer_before_the_end_says_so() {
        let mut scenario = Scenario::new();
        scenario.stopping = true;
        assert_eq!(scenario.send(GET), "200/a= close");
        assert_eq!(scenario.connection.next(), Next::Linger);
    }
}
