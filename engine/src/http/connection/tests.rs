//! Connections without a socket: bytes and times in, answers out.

use std::fs::File;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::body::{Body, Rest};
use super::super::limits::{MAX_LINGER_BYTES, MAX_OUTPUT, MAX_PIECE};
use super::super::refusal::Refusal;
use super::super::service::{Answer, Overload, Queued, Service, Step};
use super::super::{Date, Request, Response};
use super::*;
use crate::clock::Timestamp;

/// Echoes the path and body; `/slow` waits for pool 0 with the ticket 7, and `/write` for pool 1;
/// `/panic` panics, `/panic/twice` in `refuse` as well, `/long` does not fit in one piece. `/move` waits for pool 0 and then for pool 1,
/// `/bounce` for one after the other without end.
struct Echo;

const LONG: usize = 2 * MAX_PIECE + 1;

impl Service for Echo {
    fn answer(&self, request: &Request<'_>, _: Timestamp) -> Answer {
        match request.path {
            "/slow" => return Answer::Queue(Queued::new(0, 7)),
            "/write" => return Answer::Queue(Queued::new(1, 8)),
            "/move" | "/bounce" => return Answer::Queue(Queued::new(0, 8).with("payload")),
            "/panic" | "/panic/twice" => panic!("a handler's bug"),
            "/long" => {
                let body = vec![b'x'; LONG];
                return Answer::Ready(Response::fixed(200, "text/plain", body));
            }
            _ => {}
        }
        Answer::Ready(echo(request))
    }

    fn answer_queued(&self, request: &Request<'_>, mut queued: Queued, _: Timestamp) -> Answer {
        assert_eq!(queued.ticket, if request.path == "/slow" { 7 } else { 8 });
        if request.path == "/bounce" || (request.path == "/move" && queued.pool == 0) {
            queued.pool = 1 - queued.pool;
            return Answer::Queue(queued);
        }
        Answer::Ready(echo(request))
    }

    fn refuse(&self, refusal: &Refusal, request: Option<&Request<'_>>) -> Response {
        assert!(request.is_none_or(|request| request.path != "/panic/twice"), "another bug");
        refusal.response()
    }

    fn has_priority(&self, request: &Request<'_>, queued: &Queued, _: Timestamp) -> Option<u64> {
        assert_eq!(queued.ticket, if request.path == "/slow" { 7 } else { 8 });
        request.header("x").map(|_| 9)
    }
}

fn echo(request: &Request<'_>) -> Response {
    let mut body = request.path.as_bytes().to_vec();
    body.push(b'=');
    body.extend_from_slice(request.body);
    Response::fixed(200, "text/plain", body)
}

/// A connection in a test: bytes and times in, statuses and bodies out.
struct Scenario {
    connection: Connection,
    at: Moment,
    date: Date,
    limits: Limits,
    stopping: AtomicBool,
}

impl Scenario {
    fn new() -> Scenario {
        let at = Moment { millis: 0, now: Timestamp(0) };
        let limits = Limits { body: 100, ..Limits::default() };
        let connection = Connection::new(Ipv4Addr::LOCALHOST.into(), &limits, at);
        Scenario { connection, at, date: Date::new(), limits, stopping: AtomicBool::new(false) }
    }

    /// Statuses and bodies of the answers, with ` close` where a response says so.
    fn step(&mut self, act: impl FnOnce(&mut Connection, &Context<'_>, &mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        let context = Context {
            service: &Echo,
            limits: &self.limits,
            date: &self.date,
            at: self.at,
            stopping: &self.stopping,
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
        self.step(|connection, context, out| {
            connection.receive(context, Step::Worker, bytes.as_bytes(), out);
        })
    }

    /// Takes the next step with the request that waits for a pool.
    fn go_on(&mut self, step: Step) -> String {
        self.step(|connection, context, out| connection.receive(context, step, &[], out))
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
        (post("/panic/twice", "X: y", "") + GET, "500 200/a=", Next::Read),
        (post("/panic/twice", "Content-Length: 101", "") + GET, "500 close", Next::Linger),
        (format!("{GET}{}{GET}", post("/slow", "X: y", "")), "200/a=", Next::Queue),
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
        let answers: String = whole.split_inclusive(|_| true).map(|b| bytewise.send(b)).collect();
        assert_eq!(answers, expected);
        assert_eq!(bytewise.connection.input.capacity(), 0, "an idle connection keeps no buffer");
    }
}

#[test]
fn a_pool_answers_one_request() {
    let mut scenario = Scenario::new();
    let both = post("/slow", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n") + GET;
    assert_eq!(scenario.send(&both), "");
    assert_eq!(scenario.connection.next(), Next::Queue);
    assert_eq!(scenario.connection.queued(), Some((0, Ipv4Addr::LOCALHOST.into())));
    assert_eq!(scenario.go_on(Step::Pool), "200/slow=hello");
    assert_eq!(scenario.connection.next(), Next::More);
    assert_eq!(scenario.connection.queued(), None);
    assert_eq!(scenario.send(""), "200/a=");
    assert_eq!(scenario.connection.next(), Next::Read);
}

#[test]
fn a_connection_without_another_request_needs_no_worker_after_a_pool() {
    let mut scenario = Scenario::new();
    assert_eq!(scenario.send(&post("/slow", "Content-Length: 5", "hello")), "");
    assert_eq!(scenario.go_on(Step::Pool), "200/slow=hello");
    assert_eq!((scenario.connection.next(), scenario.connection.wait()), (Next::Read, Wait::Idle));
    assert_eq!(scenario.connection.input.capacity(), 0);
    // The beginning of another one does.
    assert_eq!(scenario.send(&(post("/slow", "X: y", "") + "GET")), "");
    assert_eq!(scenario.go_on(Step::Pool), "200/slow=");
    assert_eq!(scenario.connection.next(), Next::More);
    assert_eq!(scenario.send(""), "");
    assert_eq!((scenario.connection.next(), scenario.connection.wait()), (Next::Read, Wait::Head));
}

#[test]
fn a_pool_names_another_pool() {
    let mut scenario = Scenario::new();
    let moved = post("/move", "Content-Length: 5", "hello");
    assert_eq!(scenario.send(&(moved.clone() + GET)), "");
    assert_eq!(scenario.go_on(Step::Pool), "");
    assert_eq!(scenario.connection.next(), Next::Queue);
    assert_eq!(scenario.connection.queued().unwrap().0, 1);
    let mut queued = scenario.connection.take_queued().unwrap();
    assert_eq!(queued.payload_mut::<u8>(), None);
    assert_eq!(queued.take_payload::<u8>(), None);
    assert_eq!(queued.take_payload(), Some("payload"));
    assert_eq!(queued.take_payload::<&str>(), None);
    scenario.connection.put_queued(queued);
    assert_eq!(scenario.go_on(Step::Pool), "200/move=hello");
    assert_eq!(scenario.send(""), "200/a=");
    // The second pool has no room.
    assert_eq!(scenario.send(&moved), "");
    assert_eq!(scenario.go_on(Step::Pool), "");
    assert_eq!(scenario.go_on(Step::Overloaded(1, Overload::Full)), "503");
}

#[test]
fn a_request_that_is_moved_without_end_is_answered() {
    let mut scenario = Scenario::new();
    for _ in 0..2 {
        assert_eq!(scenario.send(&post("/bounce", "X: y", "")), "");
        for _ in 0..4 {
            assert_eq!(scenario.go_on(Step::Pool), "");
            assert_eq!(scenario.connection.next(), Next::Queue);
        }
        assert_eq!(scenario.go_on(Step::Pool), "500");
    }
    assert_eq!(scenario.send(GET), "200/a=");
}

#[test]
fn a_request_whose_batch_failed_is_answered_500() {
    let mut scenario = Scenario::new();
    assert_eq!(scenario.send(&(post("/slow", "X: y", "") + &post("/slow", "X: y", ""))), "");
    assert_eq!(scenario.go_on(Step::Unprepared), "500");
    assert_eq!(scenario.send(""), "");
    assert_eq!(scenario.go_on(Step::Pool), "200/slow=");
}

#[test]
fn a_full_queue_refuses_every_request_at_hand_that_names_it() {
    let mut scenario = Scenario::new();
    let slow = GET.replace("/a", "/slow");
    assert_eq!(scenario.send(&(slow.repeat(2) + GET + &GET.replace("/a", "/write"))), "");
    let full = Step::Overloaded(0, Overload::Full);
    assert_eq!(scenario.go_on(full), "503 503 200/a=");
    // The other pool may have room.
    assert_eq!(scenario.connection.next(), Next::Queue);
    assert_eq!(scenario.connection.queued().unwrap().0, 1);
    assert_eq!(scenario.go_on(Step::Pool), "200/write=");
}

#[test]
fn a_full_share_refuses_who_has_no_priority() {
    let share = Step::Overloaded(0, Overload::Share);
    let mut scenario = Scenario::new();
    let slow = GET.replace("/a", "/slow");
    assert_eq!(scenario.send(&(slow.clone() + GET)), "");
    assert_eq!(scenario.go_on(share), "503 200/a=");

    assert_eq!(scenario.send(&slow.replace("Host", "X: y\r\nHost")), "");
    assert_eq!(scenario.go_on(share), "");
    assert_eq!(scenario.connection.next(), Next::Queue);
    assert_eq!(scenario.connection.priority(), Some(9));
    assert_eq!(scenario.go_on(Step::Overloaded(0, Overload::Full)), "503");
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
            connection.receive(context, Step::Worker, bytes, out);
            assert!(out.len() <= MAX_OUTPUT + MAX_PIECE + 1_000, "{}", out.len());
            pieces.push(String::from_utf8(out.clone()).unwrap());
        });
        bytes = b"";
        if scenario.connection.next() != Next::More {
            assert!(scenario.connection.rest.is_none());
            return (pieces, scenario.connection.next());
        }
        assert!(!scenario.connection.owes_nothing());
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
        connection.receive(context, Step::Worker, long.as_bytes(), out);
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
        connection.receive(context, Step::Worker, b"", out);
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
    scenario.stopping.store(true, Ordering::Release);
    assert_eq!(scenario.send(GET), "200/a= close");
    assert_eq!(scenario.connection.next(), Next::Linger);
}
