//! Every limit of a request. At and under it the request is answered and the connection goes on;
//! over it the client can read the refusal, and no later byte is parsed.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::answers::conversation;
use super::crowd::{Crowd, connect_from};
use super::vitals::{FRESH, Target, in_time};
use crate::support::{Client, PATIENCE, eventually, request};

const GET: &str = "GET /api/ HTTP/1.1\r\nHost: h\r\n\r\n";

/// Checks the status under, at and over a limit: `fine`, `fine`, `refused`.
fn check(name: &str, limit: usize, fine: u16, refused: u16, make: impl Fn(usize) -> String) {
    let target = Target::start(&[]);
    for (size, expected) in [
        (limit / 2, vec![fine, 200]),
        (limit - 1, vec![fine, 200]),
        (limit, vec![fine, 200]),
        (limit + 1, vec![refused]),
        (limit * 2, vec![refused]),
        (limit * 50, vec![refused]),
    ] {
        let bytes = make(size) + GET;
        let got = conversation(target.address, bytes.as_bytes());
        assert_eq!(got, Ok(expected), "{name} of {size}");
    }
    target.unharmed();
}

#[test]
fn a_head_has_16_kib() {
    check("a head", 16 * 1024, 200, 431, |size| {
        let frame = "GET /api/ HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n".len();
        format!("GET /api/ HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(size - frame))
    });
}

#[test]
fn a_head_has_64_fields() {
    check("fields", 64, 200, 431, |count| {
        format!("GET /api/ HTTP/1.1\r\nHost: h\r\n{}\r\n", "A: b\r\n".repeat(count - 1))
    });
}

#[test]
fn a_target_has_8_kib() {
    check("a target", 8 * 1024, 200, 414, |size| {
        format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(size - 1))
    });
    check("a query", 8 * 1024, 200, 414, |size| {
        format!("GET /api/?{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(size - 6))
    });
}

#[test]
fn a_body_has_64_kib_by_its_length() {
    check("a body", 64 * 1024, 401, 413, |size| {
        request("POST", "/api/refresh", &[], &"x".repeat(size))
    });
}

#[test]
fn a_body_has_64_kib_by_its_chunks() {
    let head = request("POST", "/api/refresh", &[("Transfer-Encoding", "chunked")], "");
    for chunk in [1_000, 65_536, usize::MAX] {
        check("a chunked body", 64 * 1024, 401, 413, |size| {
            let body = "x".repeat(size);
            let chunks = body.as_bytes().chunks(chunk).map(|part| {
                format!("{:x}\r\n{}\r\n", part.len(), std::str::from_utf8(part).unwrap())
            });
            format!("{head}{}0\r\n\r\n", chunks.collect::<String>())
        });
    }
}

#[test]
fn chunks_may_spend_16_kib() {
    let head = request("POST", "/api/refresh", &[("Transfer-Encoding", "chunked")], "");
    check("an extension", 16 * 1024, 401, 413, |overhead| {
        let frame = "1;\r\n\r\n0\r\n\r\n".len();
        format!("{head}1;{}\r\na\r\n0\r\n\r\n", "x".repeat(overhead - frame))
    });
    check("a trailer", 16 * 1024, 401, 413, |overhead| {
        let frame = "1\r\n\r\n0\r\nT:\r\n\r\n".len();
        format!("{head}1\r\na\r\n0\r\nT:{}\r\n\r\n", "x".repeat(overhead - frame))
    });
    check("a size's zeros", 16 * 1024, 401, 413, |overhead| {
        let frame = "1\r\n\r\n0\r\n\r\n".len();
        format!("{head}{}1\r\na\r\n0\r\n\r\n", "0".repeat(overhead - frame))
    });
    check("small chunks", 16 * 1024, 401, 413, |overhead| {
        let last = "0\r\n\r\n".len();
        let (small, rest) = ((overhead - last) / 5, (overhead - last) % 5);
        format!("{head}{}{}0\r\n\r\n", "1\r\na\r\n".repeat(small), "0".repeat(rest))
    });
}

#[test]
fn a_length_is_never_believed() {
    let target = Target::start(&[]);
    for digits in ["65537", "99999999999", "18446744073709551615", "18446744073709551616"] {
        for length in [digits.to_owned(), digits.repeat(50)] {
            let bytes =
                format!("POST /api/login HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
            let got = conversation(target.address, (bytes + GET).as_bytes());
            assert_eq!(got, Ok(vec![413]), "{length}");
        }
    }
    // A thousand announced bodies of the largest size cost almost nothing until bytes come.
    let mut crowd = Crowd::gather(target.address, 0, 1_000, None);
    crowd.say(b"POST /api/login HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n");
    std::thread::sleep(Duration::from_millis(200));
    let grown = target.vitals().rss.saturating_sub(target.before().rss);
    assert!(grown < 16 << 20, "{grown} bytes");
    drop(crowd);
    target.unharmed();
}

#[test]
fn a_client_that_still_sends_can_read_the_refusal() {
    let target = Target::start(&[]);
    // Less than the 16 MiB that the server throws away, more than any socket buffers.
    let body = "x".repeat(12 << 20);
    for _ in 0..5 {
        // A client has two seconds for the rest.
        in_time(Duration::from_secs(1), || {
            let mut client = target.connect();
            client.send(request("POST", "/api/login", &[], &body));
            assert_eq!(client.reply("POST").error(), (413, "ContentTooLarge".into()));
        });
    }
    // A client that sends more is cut.
    let mut client = target.connect();
    let mut endless = request("POST", "/api/login", &[("Content-Length", "9999999999")], "");
    endless += &"x".repeat(1 << 20);
    let sent = (0..200).take_while(|_| client.stream.write_all(endless.as_bytes()).is_ok());
    assert!(sent.count() < 200, "the server reads without end");
    target.unharmed();
}

/// Whether this connection is served at all.
fn served(client: &mut Client) -> bool {
    // A refused connection may be closed before it can send.
    let _ = client.stream.write_all(GET.as_bytes());
    client.try_reply("GET").is_some_and(|reply| reply.status() == 200)
}

#[test]
fn there_are_as_many_connections_as_allowed() {
    // A head must come within 10 s.
    in_time(Duration::from_secs(5), fifty_connections);
}

fn fifty_connections() {
    let target = Target::start(&["--max-connections", "50"]);
    let at = target.address;
    let mut busy = vec![Client::connect(at)];
    eventually(|| target.open() == 1);
    std::thread::sleep(Duration::from_millis(20));
    busy.extend((0..48).map(|_| Client::connect(at)));
    busy.iter_mut().for_each(|client| client.send(&GET[..20]));
    let mut last = Client::connect(at);
    assert!(served(&mut last), "one under the limit");
    last.send(&GET[..20]);
    std::thread::sleep(Duration::from_millis(100));
    // One more: the connection that has waited longest for its head is closed, and no other.
    let mut ended = Client::connect(at);
    assert!(served(&mut ended));
    assert_eq!(busy.remove(0).rest(), "");
    assert_eq!(target.open(), 50);
    for client in busy.iter_mut().chain([&mut last]) {
        client.send(&GET[20..]);
        assert_eq!(client.reply("GET").status(), 200);
        // The server counts milliseconds.
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(served(&mut ended));
    // Now all are idle, and the longest idle one makes room.
    let start = Instant::now();
    assert!(served(&mut Client::connect(at)));
    assert_eq!(busy[0].rest(), "");
    assert!(start.elapsed() < PATIENCE, "it was another one");
    assert!(served(&mut last));
    drop((busy, last, ended));
    target.unharmed();
}

#[test]
fn one_address_has_1024_connections() {
    // A head must come within 10 s.
    in_time(Duration::from_secs(5), connections_of_one_address);
}

fn connections_of_one_address() {
    let target = Target::start(&[]);
    let mut crowd = Crowd::gather(target.address, 0, 1_000, None);
    let here = super::crowd::address(0);
    let mut more: Vec<Client> =
        (0..24).map(|_| Client::over(connect_from(here, target.address, None))).collect();
    assert!(more.iter_mut().all(served), "at the limit");
    crowd.say(GET.as_bytes());
    for _ in 0..10 {
        assert!(!served(&mut Client::over(connect_from(here, target.address, None))), "over it");
    }
    let elsewhere = super::crowd::address(super::crowd::PER_ADDRESS);
    assert!(served(&mut Client::over(connect_from(elsewhere, target.address, None))));
    assert!((0..50).any(|_| target.fresh() < FRESH), "others do not notice");
    more.pop();
    // A place was given free.
    eventually(|| served(&mut Client::over(connect_from(here, target.address, None))));
    drop((crowd, more));
    target.unharmed();
}
