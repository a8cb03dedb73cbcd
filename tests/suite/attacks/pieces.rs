//! Good requests in unusual pieces: split anywhere, byte by byte, many at once, half closed.

use std::io::Write as _;
use std::net::Shutdown;
use std::time::Duration;

use serde_json::json;

use super::answers::{conversation, statuses};
use super::vitals::Target;
use crate::support::{PASSWORD, request};

const GET: &str = "GET /api/ HTTP/1.1\r\nHost: h\r\n\r\n";
const WITH_LENGTH: &str =
    "POST /api/refresh HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nnot a jwt";
const CHUNKED: &str = "POST /api/refresh HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
                       3;x=y\r\nnot\r\n6\r\n a jwt\r\n0\r\nT: u\r\n\r\n";
const MISSING: &str = "GET /api/missing?q HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n";

/// A short conversation and the statuses of its answers.
const ALL: [(&str, u16); 4] = [(GET, 200), (WITH_LENGTH, 401), (CHUNKED, 401), (MISSING, 404)];

#[test]
fn a_request_may_be_split_at_every_byte() {
    let target = Target::start(&[]);
    let mut client = target.connect();
    let bytes = ALL.map(|(bytes, _)| bytes).concat();
    for at in 1..bytes.len() {
        client.send(&bytes[..at]);
        // The first part arrives alone.
        std::thread::sleep(Duration::from_millis(1));
        client.send(&bytes[at..]);
        for (_, expected) in ALL {
            assert_eq!(client.reply("GET").status(), expected, "split at {at}");
        }
    }
    drop(client);
    target.unharmed();
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let target = Target::start(&[]);
    let mut client = target.connect();
    for (bytes, expected) in ALL {
        for byte in bytes.bytes() {
            client.send([byte]);
            std::thread::sleep(Duration::from_micros(200));
        }
        assert_eq!(client.reply("GET").status(), expected);
    }
    drop(client);
    target.unharmed();
}

#[test]
fn a_thousand_requests_may_come_at_once() {
    let target = Target::start(&[]);
    let mut client = target.connect();
    let mut writer = client.stream.try_clone().unwrap();
    let order = |number: usize| ALL[number * number % 7 % 4];
    let bytes: String = (0..1_000).map(|number| order(number).0).collect();
    std::thread::scope(|scope| {
        scope.spawn(move || writer.write_all(bytes.as_bytes()).unwrap());
        for number in 0..1_000 {
            assert_eq!(client.reply("GET").status(), order(number).1, "{number}");
        }
    });
    drop(client);
    target.unharmed();
}

#[test]
fn half_a_close_ends_only_the_unfinished_request() {
    let target = Target::start_warm();
    target.register("ada", PASSWORD).token();
    let login = json!({"username": "ada", "password": PASSWORD}).to_string();
    let login = request("POST", "/api/login", &[], &login);
    for (bytes, expected) in [
        (String::new(), vec![]),
        ("\r\n".into(), vec![]),
        ("G".into(), vec![]),
        (GET[..GET.len() - 1].into(), vec![]),
        (GET.into(), vec![200]),
        (GET.to_owned() + "\r\n", vec![200]),
        (GET.to_owned() + &GET[..10], vec![200]),
        (WITH_LENGTH[..WITH_LENGTH.len() - 1].into(), vec![]),
        (CHUNKED[..CHUNKED.len() - 1].into(), vec![]),
        (CHUNKED.into(), vec![401]),
        (login.clone(), vec![200]),
        (login.clone() + GET, vec![200, 200]),
        (login.repeat(5), vec![200; 5]),
        (login.clone() + &login[..60], vec![200]),
        (GET.repeat(300), vec![200; 300]),
    ] {
        let got = conversation(target.address, bytes.as_bytes());
        assert_eq!(got, Ok(expected), "{bytes:.200?}");
        // The close may also come a little later, while the server works or waits.
        let mut client = target.connect();
        client.send(&bytes);
        std::thread::sleep(Duration::from_millis(5));
        client.stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(statuses(client.rest().as_bytes()), got, "later: {bytes:.200?}");
    }
    target.unharmed();
}
