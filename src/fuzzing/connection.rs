//! A whole connection, driven as the engine drives it. The answers do not depend on how the bytes
//! are cut, and are well-formed HTTP whatever the client sends. Nothing that the client sends,
//! withholds or leaves unread makes the connection keep too many bytes or lose its deadline.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{first_line, lines};
use crate::clock::Timestamp;
use lictor_engine::http::limits::{MAX_CHUNK_OVERHEAD, MAX_HEAD, MAX_OUTPUT};
use lictor_engine::http::{
    Answer, Connection, Context, Date, Limits, Moment, Next, Overload, Queued, Refusal, Request,
    Response, Service, Step, Wait,
};

/// Bytes that the engine reads at once.
const READ: usize = 16 * 1024;
/// A body limit that short inputs can reach.
const BODY: usize = 2_000;
/// The most bytes from a client that a connection may keep.
const MAX_KEPT: usize = MAX_HEAD + BODY + MAX_CHUNK_OVERHEAD + READ;
/// The longest answer of [`Echo`]: the whole request, and a head.
const MAX_ANSWER: usize = MAX_HEAD + BODY + 1_000;
/// Inputs longer than this are not sent byte by byte as well.
const BYTEWISE: usize = 600;

/// The target: the first line is a script of how the bytes arrive (see [`Driver::play`]), the rest
/// are the bytes.
pub fn connection(data: &[u8]) {
    let (script, wire) = first_line(data);
    let whole = conversation(wire, &mut std::iter::repeat(READ));
    let mut sizes: Vec<usize> = script.iter().map(|&b| usize::from(b) + 1).collect();
    sizes.push(READ);
    let pieces = conversation(wire, &mut sizes.into_iter().cycle());
    assert_eq!(whole, pieces, "cut as the script says");
    if wire.len() <= BYTEWISE {
        let bytewise = conversation(wire, &mut std::iter::repeat(1));
        assert_eq!(whole, bytewise, "cut at every byte");
    }
    Driver::new().play(script, wire);
}

/// The state of the connection at the end, the bytes that it keeps, and every answer.
type Conversation = (Next, Wait, u64, Vec<u8>, Vec<(u16, Vec<u8>)>);

/// Sends `wire` in pieces of `sizes`, without delay, from a client that reads.
fn conversation(wire: &[u8], sizes: &mut dyn Iterator<Item = usize>) -> Conversation {
    let mut driver = Driver::new();
    let mut rest = wire;
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(READ).min(READ);
        let (piece, behind) = rest.split_at(size.min(rest.len()));
        driver.turn(piece);
        rest = behind;
    }
    let connection = &driver.connection;
    // 100 Continue depends on when the body arrives.
    let answers = responses(&driver.written).into_iter().filter(|answer| answer.0 != 100);
    (
        connection.next(),
        connection.wait(),
        connection.deadline(),
        connection.input.to_vec(),
        answers.collect(),
    )
}

/// A connection and what is around it: a client that may not read, a clock, a pool.
struct Driver {
    connection: Connection,
    limits: Limits,
    date: Date,
    at: Moment,
    echo: Echo,
    /// Bytes that the client reads before it stops.
    room: usize,
    queue_full: bool,
    pool_time: u64,
    stopping: AtomicBool,
    closed: bool,
    /// All bytes that the client has read.
    written: Vec<u8>,
}

impl Driver {
    fn new() -> Driver {
        let mut limits = Limits::default();
        limits.body = BODY;
        let at = Moment { millis: 0, now: Timestamp(1_700_000_000) };
        let mut date = Date::new();
        date.update(at.now);
        Driver {
            connection: Connection::new(Ipv4Addr::LOCALHOST.into(), &limits, at),
            limits,
            date,
            at,
            echo: Echo::default(),
            room: usize::MAX,
            queue_full: false,
            pool_time: 0,
            stopping: AtomicBool::new(false),
            closed: false,
            written: Vec::new(),
        }
    }

    /// Plays a script, one step per byte, until the connection is closed; then the rest of the
    /// bytes arrives at once. A digit lets time pass, `!` checks the deadline, `_` and `=` make the
    /// client stop and go on reading, `~` makes it read a little, `%` and `^` fill the queue and
    /// slow down the pool, `#` stops the server. Every other byte is the size of a read.
    fn play(mut self, script: &[u8], wire: &[u8]) {
        let mut rest = wire;
        for &step in script {
            let mut piece = &b""[..];
            match step {
                b'0'..=b'9' => self.at.millis += 1 << (2 * (step - b'0')),
                b'!' => self.sweep(),
                b'_' => self.room = 0,
                b'=' => self.room = usize::MAX,
                b'~' => self.room = self.room.saturating_add(7),
                b'%' => self.queue_full = !self.queue_full,
                b'^' => self.pool_time = 30_000 - self.pool_time,
                b'#' => self.stopping.store(true, Ordering::Release),
                size => piece = &rest[..rest.len().min(usize::from(size) + 1)],
            }
            if self.closed {
                break;
            }
            rest = &rest[self.turn(piece)..];
        }
        while !rest.is_empty() && !self.closed {
            let used = self.turn(&rest[..rest.len().min(READ)]);
            if used == 0 {
                // The server reads nothing from a client that does not read.
                assert_eq!(self.connection.wait(), Wait::Reader);
                self.at.millis = self.connection.deadline();
                self.sweep();
                assert!(self.closed);
            }
            rest = &rest[used..];
        }
        self.written.extend_from_slice(self.connection.unsent());
        responses(&self.written);
    }

    /// One turn of a worker: writes, does what is next, reads `piece` once reading is next. Returns
    /// how many bytes it read.
    fn turn(&mut self, piece: &[u8]) -> usize {
        let mut unread = piece;
        while !self.closed && self.write() {
            match self.connection.next() {
                Next::Close => self.closed = true,
                Next::Queue => self.queue(),
                Next::More => {
                    let answered = self.receive(Step::Worker, &[]);
                    assert!(answered > 0 || self.connection.next() != Next::More, "no progress");
                }
                Next::Linger if self.connection.wait() != Wait::Lingering => {
                    self.connection.begin_linger(&self.limits, self.at);
                    self.deadline_is(self.limits.linger_time.as_millis());
                }
                Next::Linger | Next::Read if unread.is_empty() => break,
                Next::Linger => {
                    self.connection.discard(unread.len());
                    unread = &[];
                }
                Next::Read => {
                    self.receive(Step::Worker, unread);
                    unread = &[];
                }
            }
        }
        if unread.is_empty() { piece.len() } else { 0 }
    }

    /// Writes what the client reads; true if nothing is left.
    fn write(&mut self) -> bool {
        let unsent = self.connection.unsent();
        assert!(unsent.len() <= MAX_OUTPUT + MAX_ANSWER, "{} bytes unsent", unsent.len());
        let taken = &unsent[..unsent.len().min(self.room)];
        if !taken.is_empty() {
            self.room -= taken.len();
            self.written.extend_from_slice(taken);
            let (taken, deadline) = (taken.len(), self.connection.deadline());
            self.connection.wrote(taken);
            if !self.connection.unsent().is_empty() {
                assert_eq!(self.connection.deadline(), deadline, "reading slowly gains no time");
            }
        }
        let done = self.connection.unsent().is_empty();
        assert_eq!(done, self.connection.wait() != Wait::Reader);
        self.closed |= !done && self.connection.deadline() <= self.at.millis;
        done
    }

    /// Writes an answer; what the client does not read waits in the connection.
    fn send(&mut self, out: &[u8]) {
        let taken = out.len().min(self.room);
        self.room -= taken;
        self.written.extend_from_slice(&out[..taken]);
        if taken < out.len() {
            self.connection.block(&self.limits, self.at, &out[taken..]);
            self.deadline_is(self.limits.unread_time.as_millis());
        }
    }

    fn queue(&mut self) {
        if self.queue_full {
            assert!(self.receive(Step::Overloaded(0, Overload::Full), &[]) > 0);
        } else {
            assert_eq!(self.receive(Step::Pool, &[]), 1, "one request, one answer");
            self.at.millis += self.pool_time;
        }
        assert_ne!(self.connection.next(), Next::Queue);
    }

    /// Passes bytes to the connection and writes its output; returns the number of answers.
    fn receive(&mut self, step: Step, bytes: &[u8]) -> usize {
        let (wait, deadline) = (self.connection.wait(), self.connection.deadline());
        let answered = self.echo.answered.load(Ordering::Relaxed);
        let mut out = Vec::new();
        let (connection, context) = self.parts();
        connection.receive(&context, step, bytes, &mut out);
        let answered = self.echo.answered.load(Ordering::Relaxed) - answered;
        assert!(out.len() <= MAX_OUTPUT + MAX_ANSWER, "{} bytes at once", out.len());
        assert!(self.connection.input.capacity() <= MAX_KEPT, "a connection keeps too much");
        if self.connection.next() == Next::Linger {
            assert!(self.connection.input.is_empty(), "nothing is kept after the last answer");
        } else if answered == 0 && self.connection.wait() == wait {
            assert_eq!(self.connection.deadline(), deadline, "bytes gain no time");
        } else {
            self.deadline_is(match self.connection.wait() {
                Wait::Idle => self.limits.idle_time.as_millis(),
                Wait::Head => self.limits.head_time.as_millis(),
                Wait::Body => self.limits.body_time.as_millis(),
                other => panic!("{other:?} after {wait:?}"),
            });
        }
        self.send(&out);
        answered
    }

    /// Expires the connection, as the keeper does, if its deadline has passed.
    fn sweep(&mut self) {
        if self.closed || self.connection.deadline() > self.at.millis {
            return;
        }
        let wait = self.connection.wait();
        let mut out = Vec::new();
        let (connection, context) = self.parts();
        connection.expire(&context, &mut out);
        let answers = matches!(wait, Wait::Head | Wait::Body);
        assert_eq!(out.starts_with(b"HTTP/1.1 408 "), answers, "after {wait:?}");
        assert_eq!(self.connection.next(), if answers { Next::Linger } else { Next::Close });
        self.send(&out);
        self.closed |= !answers;
    }

    /// Checks that the deadline is `time` milliseconds from now.
    fn deadline_is(&self, time: u128) {
        assert_eq!(u128::from(self.connection.deadline()), u128::from(self.at.millis) + time);
    }

    fn parts(&mut self) -> (&mut Connection, Context<'_>) {
        let context = Context {
            service: &self.echo,
            limits: &self.limits,
            date: &self.date,
            at: self.at,
            stopping: &self.stopping,
        };
        (&mut self.connection, context)
    }
}

/// Answers with the whole request. `/slow` waits for a pool, `/empty` has no body.
#[derive(Default)]
struct Echo {
    answered: AtomicUsize,
    refused: AtomicUsize,
}

/// The ticket of every request that waits for the pool.
const TICKET: u32 = 7;
/// A field that marks an answer without a body, for [`responses`].
const BODILESS: (&str, &str) = ("X-Bodiless", "yes");

impl Service for Echo {
    fn answer(&self, request: &Request<'_>, _: Timestamp) -> Answer {
        assert_eq!(self.refused.load(Ordering::Relaxed), 0, "asked after a refusal");
        match request.path {
            "/slow" => Answer::Queue(Queued::new(0, TICKET)),
            _ => Answer::Ready(self.echo(request)),
        }
    }

    fn answer_queued(&self, request: &Request<'_>, queued: Queued, _: Timestamp) -> Answer {
        assert_eq!((request.path, queued.ticket), ("/slow", TICKET));
        Answer::Ready(self.echo(request))
    }

    fn refuse(&self, refusal: &Refusal, request: Option<&Request<'_>>) -> Response {
        self.answered.fetch_add(1, Ordering::Relaxed);
        // A full queue is the only refusal after which the connection goes on.
        if refusal.status != 503 {
            let before = self.refused.fetch_add(1, Ordering::Relaxed);
            assert_eq!(before, 0, "refused twice");
        }
        bodiless(refusal.response(), request)
    }
}

impl Echo {
    fn echo(&self, request: &Request<'_>) -> Response {
        self.answered.fetch_add(1, Ordering::Relaxed);
        if request.path == "/empty" {
            return Response::empty(204);
        }
        let query = request.query.map(str::as_bytes);
        let parts = [request.method.as_bytes(), request.path.as_bytes()];
        let parts = parts.into_iter().chain(query).chain(request.headers("x"));
        let mut body = parts.collect::<Vec<_>>().join(&b'\n');
        body.push(b'\n');
        body.extend_from_slice(request.body);
        let response = Response::fixed(200, "application/octet-stream", body);
        bodiless(response, Some(request))
    }
}

fn bodiless(response: Response, request: Option<&Request<'_>>) -> Response {
    match request {
        Some(request) if request.method == "HEAD" => response.with(BODILESS.0, BODILESS.1),
        _ => response,
    }
}

/// The status and body of every response in `bytes`. Panics if there is anything else, or anything
/// after the response that says that it is the last.
fn responses(bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = bytes;
    let mut last = false;
    while !rest.is_empty() {
        assert!(!last, "an answer after the last one");
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(rest.len());
        let head = lines(&rest[..end + 2]);
        let status = status(head[0]);
        let field = |name: &str| {
            let mut values = head[1..].iter().filter_map(|line| value(line, name));
            let first = values.next();
            assert!(values.next().is_none(), "{name} is repeated");
            first
        };
        assert!(field("Date").is_some() || status == 100);
        let length = match field("Content-Length").map(str::parse) {
            Some(length) => length.unwrap_or_else(|_| panic!("a length that is no number")),
            None => 0,
        };
        assert_eq!(field("Content-Length").is_none(), [100, 204].contains(&status));
        let length = if field(BODILESS.0).is_some() { 0 } else { length };
        last = field("Connection") == Some("close");
        rest = &rest[end + 4..];
        found.push((status, rest[..length].to_vec()));
        rest = &rest[length..];
    }
    found
}

fn status(line: &[u8]) -> u16 {
    let line = std::str::from_utf8(line).unwrap_or_else(|_| panic!("{line:?}"));
    let code = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split(' ').next());
    code.and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{line:?}"))
}

/// The value of a field line, when it has that name.
fn value<'a>(line: &'a [u8], name: &str) -> Option<&'a str> {
    assert!(line.iter().all(|b| (b' '..=b'~').contains(b)), "{line:?}");
    let line = std::str::from_utf8(line).unwrap_or_else(|_| unreachable!("it is ASCII"));
    let (known, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?}"));
    (known == name).then_some(value)
}
