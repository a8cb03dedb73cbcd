//! Clients that reset their connection in the middle of something.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use serde_json::json;

use super::vitals::Target;
use crate::support::{Client, PASSWORD, request};

const GET: &str = "GET /api/ HTTP/1.1\r\nHost: h\r\n\r\n";
const CUTS: usize = 300;

/// Ends the connection with a reset instead of a close.
fn reset(stream: TcpStream) {
    set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
}

/// Sends `bytes`, waits for `delay`, and resets; many times.
fn cut(target: &Target, bytes: &[u8], delay: Duration) {
    for _ in 0..CUTS {
        let mut stream = target.connect().stream;
        stream.write_all(bytes).unwrap();
        std::thread::sleep(delay);
        reset(stream);
    }
}

#[test]
fn a_reset_in_the_middle_of_a_request() {
    let target = Target::start(&[]);
    let chunked = request("POST", "/api/login", &[("Transfer-Encoding", "chunked")], "");
    for bytes in [
        String::new(),
        GET[..1].into(),
        GET[..GET.len() - 2].into(),
        request("POST", "/api/login", &[("Content-Length", "60000")], "") + "{",
        request("POST", "/api/login", &[("Content-Length", "9999999")], "") + "{",
        chunked.clone() + "ff\r\n{",
        chunked + "1\r\n{\r",
    ] {
        for delay in [Duration::ZERO, Duration::from_millis(1)] {
            cut(&target, bytes.as_bytes(), delay);
        }
    }
    target.unharmed();
}

#[test]
fn a_reset_in_the_middle_of_an_answer() {
    let target = Target::start(&[]);
    cut(&target, GET.as_bytes(), Duration::ZERO);
    // More answers than the socket buffers hold; then a few bytes of them are read.
    let many = GET.repeat(2_000);
    for round in 0..CUTS {
        let client = target.connect();
        let (mut stream, mut writer) = (client.stream.try_clone().unwrap(), client.stream);
        stream.write_all(&many.as_bytes()[..many.len() / 2]).unwrap();
        writer.set_nonblocking(true).unwrap();
        let _ = writer.write(&many.as_bytes()[many.len() / 2..]);
        writer.set_nonblocking(false).unwrap();
        let _ = stream.read(&mut [0; 512][..round % 512]);
        drop(writer);
        reset(stream);
    }
    target.unharmed();
}

#[test]
fn a_reset_while_the_pool_works() {
    let target = Target::start_warm();
    target.register("ada", PASSWORD).token();
    let login = json!({"username": "ada", "password": PASSWORD}).to_string();
    let login = request("POST", "/api/login", &[], &login);
    let mut clients: Vec<Client> = (0..40).map(|_| target.connect()).collect();
    for client in &mut clients {
        client.send(&login);
    }
    std::thread::sleep(Duration::from_millis(50));
    for client in clients {
        reset(client.stream);
    }
    // A new client is served, although the pool still has requests of clients that are gone.
    assert_eq!(target.login("ada", PASSWORD).status(), 200);
    target.unharmed();
}
