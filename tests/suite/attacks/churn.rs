//! Clients that open a connection for every request, so that a slot of the server's table has another
//! connection a moment later.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use serde_json::json;

use super::answers::statuses;
use super::crowd::connect_from;
use super::vitals::Target;
use crate::support::{PASSWORD, request};

/// All requests, each on its own connection.
const REQUESTS: usize = 100_000;
/// Clients at once, and the connections that each of them opens before it reads.
const CLIENTS: usize = 4;
const AT_ONCE: usize = 8;
/// One request in this many hashes a password.
const HASHED: usize = 5_000;

/// How a client ends a connection after its answer.
#[derive(Clone, Copy)]
enum Ending {
    Close,
    /// The client closes its sending half before it reads.
    HalfClose,
    Reset,
}

/// Requests that leave the worker, and the status of their answers.
fn requests() -> Vec<(String, u16)> {
    let post = |path, body: &str| request("POST", path, &[("Connection", "close")], body);
    let login = json!({"username": "ada", "password": PASSWORD}).to_string();
    vec![
        (post("/api/login", &login), 200),
        (post("/api/refresh", ""), 401),
        (post("/api/login", r#"{"username":"ada"}"#), 400),
        (post("/api/reset_finalize", r#"{"password":1}"#), 401),
        (post("/api/registration", r#"{"username":1}"#), 400),
        (post("/api/logout", ""), 401),
    ]
}

/// Sends a request on a new connection.
fn send(target: &Target, from: Ipv4Addr, bytes: &str, ending: Ending) -> TcpStream {
    let mut stream = connect_from(from, target.address, None);
    stream.write_all(bytes.as_bytes()).unwrap();
    if matches!(ending, Ending::HalfClose) {
        stream.shutdown(Shutdown::Write).unwrap();
    }
    stream
}

/// Everything that the server sends on a connection.
fn read_all(mut stream: TcpStream, ending: Ending) -> Vec<u8> {
    let mut received = Vec::with_capacity(2_000);
    stream.read_to_end(&mut received).unwrap();
    if matches!(ending, Ending::Reset) {
        set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    }
    received
}

/// One client: several connections at a time, each from another address.
fn client(target: &Target, number: usize, requests: &[(String, u16)]) {
    for first in (0..REQUESTS / CLIENTS).step_by(AT_ONCE) {
        let sent = (0..AT_ONCE).map(|at| {
            let round = first + at;
            let which = match round % HASHED {
                0 => 0,
                _ => 1 + (number + round) % (requests.len() - 1),
            };
            let (bytes, expected) = &requests[which];
            let from = [127, 1, number as u8, 1 + at as u8].into();
            let ending = [Ending::Close, Ending::Reset, Ending::HalfClose][round % 3];
            (round, send(target, from, bytes, ending), ending, *expected)
        });
        for (round, stream, ending, expected) in sent.collect::<Vec<_>>() {
            let received = read_all(stream, ending);
            assert_eq!(statuses(&received), Ok(vec![expected]), "request {round} of {number}");
        }
    }
}

/// At two thousand connections a second, one to three requests were lost: the end of a closed
/// connection was taken for the end of the next connection in its slot.
#[test]
fn one_of_a_thousand_short_connections_got_no_answer() {
    let target = Target::start_warm();
    target.register("ada", PASSWORD).token();
    let requests = requests();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (target, requests) = (&target, &requests);
            scope.spawn(move || client(target, number, requests));
        }
    });
    println!("{REQUESTS} connections in {:?}", start.elapsed());
    target.unharmed();
}
