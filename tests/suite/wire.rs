//! The binary and bytes: framing, limits, pipelining, half-closes. The details are in the unit
//! tests of `engine/src/http`.

use std::io::Write as _;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Client, PASSWORD, Server, request};

const GET: &str = "GET /api/ HTTP/1.1\r\nHost: h\r\n\r\n";

/// Sends `bytes`, closes the sending half, and returns the statuses of all answers.
fn conversation(server: &Server, bytes: &[u8]) -> Vec<u16> {
    let mut client = server.connect();
    client.send(bytes);
    // The server may have answered and closed the connection already.
    let _ = client.stream.shutdown(Shutdown::Write);
    let mut statuses = Vec::new();
    while let Some(reply) = client.try_reply("GET") {
        if reply.status() >= 400 {
            reply.error();
        }
        statuses.push(reply.status());
    }
    statuses
}

#[test]
fn after_a_framing_error_there_is_one_reply_and_no_more() {
    let server = Server::start(&[]);
    for (bytes, expected) in [
        (GET.repeat(3), vec![200, 200, 200]),
        (format!("GET /api/ HTTP/1.1\r\n\r\n{GET}"), vec![400]),
        (format!("GET /api/ HTTP/1.1\nHost: h\n\n{GET}"), vec![400]),
        (format!("{GET}GET /api/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n{GET}"), vec![200, 400]),
        (
            format!(
                "POST /api/login HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{GET}"
            ),
            vec![400],
        ),
        (
            format!(
                "POST /api/login HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n{GET}"
            ),
            vec![400],
        ),
        (
            format!(
                "POST /api/login HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n{GET}"
            ),
            vec![400],
        ),
        (
            format!(
                "POST /api/login HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n{GET}"
            ),
            vec![413],
        ),
        (format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(9000)), vec![414]),
        (format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "a".repeat(20_000)), vec![431]),
        ("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n".into(), vec![501]),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), vec![505]),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\x7f\x03".into(), vec![400]),
        ("GET /api/ HTTP/1.0\r\n\r\n".into(), vec![200]),
        (format!("GET /api/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n{GET}"), vec![200]),
        ("GET /api/".into(), vec![]),
        (String::new(), vec![]),
    ] {
        assert_eq!(conversation(&server, bytes.as_bytes()), expected, "{bytes:.120?}");
    }
}

#[test]
fn a_half_closed_connection_gets_its_answers() {
    let server = Server::start(&[]);
    server.register("ada", PASSWORD).token();
    // A pool answers it, long after the client has closed its sending half.
    let login = json!({"username": "ada", "password": PASSWORD}).to_string();
    let bytes = request("POST", "/api/login", &[], &login) + GET;
    assert_eq!(conversation(&server, bytes.as_bytes()), [200, 200]);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let protected =
        request("GET", "/api/protected", &[("Authorization", &format!("Bearer {token}"))], "");
    let login = request(
        "POST",
        "/api/login",
        &[],
        &json!({"username": "ada", "password": PASSWORD}).to_string(),
    );
    let round = format!("{GET}{protected}{login}{}", request("GET", "/api/nothing", &[], ""));
    let mut client = server.connect();
    let mut writer = client.stream.try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            writer.write_all((GET.repeat(1000) + &round.repeat(20)).as_bytes()).unwrap()
        });
        for _ in 0..1000 {
            assert_eq!(client.reply("GET").status(), 200);
        }
        for _ in 0..20 {
            assert!(client.reply("GET").body.contains("World"));
            assert!(client.reply("GET").body.contains("allowed usr ada"));
            client.reply("POST").token();
            assert_eq!(client.reply("GET").status(), 404);
        }
    });
}

#[test]
fn bytes_may_come_one_by_one() {
    let server = Server::start(&[]);
    let body = r#"{"username":"ada","password":"ten wooden lanterns"}"#;
    let length = request("POST", "/api/registration", &[], body);
    let chunks: String = body.chars().map(|c| format!("1;x=y\r\n{c}\r\n")).collect();
    let chunked = request("POST", "/api/login", &[("Transfer-Encoding", "chunked")], "")
        + &chunks
        + "0\r\nT: u\r\n\r\n";
    for bytes in [length, chunked] {
        let one_by_one = || {
            let mut client = server.connect();
            let begun = Instant::now();
            for byte in bytes.as_bytes() {
                // The server waits for ten seconds at most.
                if begun.elapsed() > Duration::from_secs(5) {
                    return false;
                }
                client.send([*byte]);
            }
            client.reply("POST").token();
            client.send(GET);
            assert_eq!(client.reply("GET").status(), 200, "the connection goes on");
            true
        };
        assert!((0..5).any(|_| one_by_one()), "this machine is too slow");
    }
}

#[test]
fn an_expectation_gets_100_continue_or_a_refusal() {
    let server = Server::start(&[]);
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let length = body.len().to_string();
    let mut client = server.connect();
    client.send(request(
        "POST",
        "/api/registration",
        &[("Expect", "100-continue"), ("Content-Length", &length)],
        "",
    ));
    assert_eq!(client.reply("HEAD").head, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send(&body);
    client.reply("POST").token();
    // A body that is too large is refused before it is sent.
    client.send(request(
        "POST",
        "/api/login",
        &[("Expect", "100-continue"), ("Content-Length", "70000")],
        "",
    ));
    assert_eq!(client.reply("POST").error(), (413, "ContentTooLarge".into()));
}

#[test]
fn body_limits_and_a_413_that_can_be_read() {
    let server = Server::start(&[]);
    let body = |n: usize| "x".repeat(n);
    let limit = 64 * 1024;
    let chunk = |n: usize| format!("{n:x}\r\n{}\r\n0\r\n\r\n", body(n));
    let chunked = [("Transfer-Encoding", "chunked")];
    for (bytes, expected) in [
        (request("POST", "/api/login", &[], &body(limit)), 400),
        (request("POST", "/api/login", &[], &body(limit + 1)), 413),
        (request("POST", "/api/login", &chunked, "") + &chunk(limit), 400),
        (request("POST", "/api/login", &chunked, "") + &chunk(limit + 1), 413),
        (request("POST", "/api/login", &chunked, "") + &"1\r\nx\r\n".repeat(20_000), 413),
        // The client sends all of it before it reads the answer.
        (request("POST", "/api/login", &[], &body(8_000_000)), 413),
    ] {
        let reply = || {
            let mut client = server.connect();
            let begun = Instant::now();
            // More than the buffers of the sockets hold: the server has to read on.
            let is_long = bytes.len() > 1_000_000;
            if !is_long {
                client.send(bytes.as_bytes());
            }
            let sent = !is_long || client.stream.write_all(bytes.as_bytes()).is_ok();
            let reply = client.try_reply("POST").filter(|_| sent);
            // It does so for two seconds after its answer.
            let in_time = begun.elapsed() < Duration::from_secs(2);
            assert!(reply.is_some() || !in_time, "{} bytes, and no answer", bytes.len());
            reply
        };
        let reply = (0..5).find_map(|_| reply()).expect("an answer");
        assert_eq!(reply.status(), expected, "{} bytes", bytes.len());
        assert_eq!(reply.header("connection"), (expected == 413).then_some("close"));
    }
}

#[test]
fn http_1_0_clients_may_keep_the_connection() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for _ in 0..2 {
        client.send("GET /api/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        let reply = client.reply("GET");
        assert_eq!((reply.status(), reply.header("connection")), (200, Some("keep-alive")));
    }
    client.send("GET /api/ HTTP/1.0\r\n\r\n");
    assert_eq!(client.reply("GET").header("connection"), Some("close"));
    assert_eq!(client.rest(), "");
}

#[test]
fn many_logins_are_answered_and_delay_no_token_check() {
    // All of them from one IP, which with the throttle would get a quarter of the queue.
    let server = Server::start(&["--hash-threads", "1", "--throttle", "off"]);
    let token = server.register("ada", PASSWORD).token();
    let login = request(
        "POST",
        "/api/login",
        &[],
        &json!({"username": "ada", "password": PASSWORD}).to_string(),
    );
    // The queue and the one hashing thread take 257; the next is refused. How many more are refused
    // depends on how fast the machine hashes. Until all have been sent, the server stands still: it
    // finds more than it can hash meanwhile.
    server.signal("-STOP");
    let mut clients: Vec<Client> = (0..400).map(|_| server.connect()).collect();
    // The second request shows that neither answer closes the connection. Sent at once: whoever is
    // refused would be idle for too long, if the machine hashes slowly.
    let both = format!("{login}{GET}");
    for client in &mut clients {
        client.send(&both);
    }
    server.signal("-CONT");
    assert!(server.protected(&token).body.contains("ada"));
    let (mut in_time, mut refused) = (0, 0);
    for client in &mut clients {
        let reply = client.reply("POST");
        match reply.status() {
            200 => in_time += 1,
            _ => {
                assert_eq!(reply.error(), (503, "Overloaded".into()));
                assert_eq!(reply.header("retry-after"), Some("1"));
                refused += 1;
            }
        }
        assert_eq!(client.reply("GET").status(), 200);
    }
    assert!(in_time >= 256, "{in_time}");
    assert!(refused >= 1, "{refused}");
}
