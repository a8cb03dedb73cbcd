//! Sockets that a service manager hands over, and restarts under load with them. The tests are the
//! service manager: they open the socket and keep it.

use std::io::{ErrorKind, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType};
use serde_json::json;

use crate::support::{
    Client, Dir, PASSWORD, PATIENCE, Reply, SECRET, Server, assert_without, eventually,
    lictor_after, outcome, request,
};

const FLAGS: &[&str] = &["serve", "--database", "lictor.db", "--throttle", "off"];

/// How long a connection is silent before a server that stops closes it.
const SILENCE: Duration = Duration::from_secs(2);
/// How long a request may take to arrive, or to be answered by a server that stops.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Tries again what this machine was too slow for: then `once` returns false.
fn in_time(once: impl Fn() -> bool) {
    assert!((0..5).any(|_| once()), "this machine is too slow for the time limits of the server");
}

/// A command that runs the binary with this socket as the one that is handed over.
fn with_socket(
    dir: &Dir,
    socket: impl Into<OwnedFd>,
    environment: &str,
    flags: &[&str],
) -> Command {
    let prelude = format!("exec 3<&0 0</dev/null && export LISTEN_PID=$$ {environment}");
    let mut command = lictor_after(&prelude, &dir.0, &[FLAGS, flags].concat());
    command.env("SECRET_KEY", SECRET).stdin(Stdio::from(socket.into()));
    command
}

/// Starts a server that gets this socket.
fn start(dir: Dir, socket: &TcpListener, flags: &[&str]) -> Server {
    let environment = "LISTEN_FDS=1 LISTEN_FDNAMES=lictor.socket";
    let command = with_socket(&dir, socket.try_clone().unwrap(), environment, flags);
    Server::spawn(dir, command)
}

fn socket() -> (TcpListener, SocketAddr) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[test]
fn a_socket_that_is_handed_over_is_listened_on() {
    let (socket, address) = socket();
    let server = start(Dir::new(), &socket, &[]);
    assert_eq!(server.address, address);
    assert_eq!(server.get("/api/").status(), 200);
    let log = server.log();
    assert!(log.contains(&format!("has handed over [{address}]")), "{log}");
    assert!(log.contains("127.0.0.1:5000 is not listened on"), "{log}");
    let (code, dir) = server.stop("-TERM");
    assert_eq!(code, Some(0));
    // What is handed over is where links lead to, as with the flag.
    let server = start(dir, &socket, &["--listen", &address.to_string()]);
    assert_eq!(server.log().matches("is not listened on").count(), 1, "not again");
}

#[test]
fn several_sockets_are_listened_on() {
    let ((one, first), (two, second)) = (socket(), socket());
    let dir = Dir::new();
    let prelude = "exec 3<&0 4<&2 0</dev/null 2>log && export LISTEN_PID=$$ LISTEN_FDS=2";
    let mut command = lictor_after(prelude, &dir.0, FLAGS);
    command.env("SECRET_KEY", SECRET);
    command.stdin(OwnedFd::from(one)).stderr(OwnedFd::from(two)).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    for address in [first, second, first] {
        let mut client = Client::connect(address);
        client.send(request("GET", "/api/", &[], ""));
        assert_eq!(client.reply("GET").status(), 200);
    }
    let log = std::fs::read_to_string(dir.0.join("log")).unwrap();
    assert!(log.contains(&format!("has handed over [{first}, {second}]")), "{log}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn sockets_of_another_process_are_left_alone() {
    let (socket, address) = socket();
    for environment in ["LISTEN_PID=1 LISTEN_FDS=1", "LISTEN_FDS=0", ""] {
        let (dir, socket) = (Dir::new(), socket.try_clone().unwrap());
        let command = with_socket(&dir, socket, environment, &["--listen", "127.0.0.1:0"]);
        let server = Server::spawn(dir, command);
        assert_ne!(server.address, address, "{environment}");
    }
}

#[test]
fn other_sockets_are_refused() {
    let dir = Dir::new();
    let path = dir.0.join("socket");
    let quiet = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let (tcp, _) = socket();
    let sockets: [(&str, OwnedFd, &str); 7] = [
        (
            "1",
            UdpSocket::bind("127.0.0.1:0").unwrap().into(),
            "socket 0 (web) is not a listening TCP",
        ),
        ("1", UnixListener::bind(&path).unwrap().into(), "socket 0 (web) is not"),
        ("1", UnixDatagram::unbound().unwrap().into(), "socket 0 (web) is not"),
        ("1", quiet, "socket 0 (web) is not"),
        ("1", std::fs::File::open("/dev/null").unwrap().into(), "socket 0 (web) is not"),
        ("17", tcp.try_clone().unwrap().into(), "at most 16"),
        ("-1", tcp.into(), "at most 16"),
    ];
    for (count, socket, what) in sockets {
        let environment = format!("LISTEN_FDS={count} LISTEN_FDNAMES=web:metrics");
        let mut command = with_socket(&dir, socket, &environment, &[]);
        let (code, out, err) = outcome(&command.output().unwrap());
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        let lines: Vec<_> = err.lines().collect();
        assert!(lines.len() == 2 && lines[0].contains(what), "{err}");
        assert!(lines[1].contains("ListenStream="), "{err}");
        assert!(!dir.file().exists(), "nothing is made");
    }
}

/// Sends a request and reads its answer; `None` if the server closes the connection first.
fn ask(client: &mut Client, bytes: &str, method: &str) -> Option<Reply> {
    client.stream.write_all(bytes.as_bytes()).ok()?;
    client.try_reply(method)
}

/// One client that asks again and again on one connection, as browsers and proxies do: it connects
/// again if the server has said that an answer was the last, or has closed an idle connection.
/// Counts the answers.
fn ask_until(
    done: &AtomicBool,
    answers: &AtomicUsize,
    address: SocketAddr,
    next: impl Fn(usize) -> (String, &'static str),
) {
    let connect = || (Instant::now(), Client::connect(address));
    // When it connected, or sent the last request that was answered: the connection has been silent
    // since then at most.
    let (mut heard, mut client) = connect();
    while !done.load(Ordering::SeqCst) {
        client.stream.set_nonblocking(true).unwrap();
        let closed = match client.stream.peek(&mut [0]) {
            Err(error) => error.kind() != ErrorKind::WouldBlock,
            Ok(_) => true,
        };
        client.stream.set_nonblocking(false).unwrap();
        if closed {
            (heard, client) = connect();
        }
        let (bytes, method) = next(answers.load(Ordering::SeqCst));
        let sent = Instant::now();
        let Some(reply) = ask(&mut client, &bytes, method) else {
            // On a slow machine, a request may be sent when the connection has been silent for so long
            // that the server closes it.
            let (silent, waited) = (heard.elapsed(), sent.elapsed());
            assert!(silent >= SILENCE && waited < PATIENCE, "no answer: {silent:?}, {waited:?}");
            (heard, client) = connect();
            continue;
        };
        assert_eq!(reply.status(), 200, "{reply:?}");
        heard = sent;
        if reply.header("connection") == Some("close") {
            (heard, client) = connect();
        }
        answers.fetch_add(1, Ordering::SeqCst);
    }
}

/// Ends the threads that wait for this, also if the test fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_restart_under_load_loses_no_request() {
    let (socket, address) = socket();
    let mut server = start(Dir::new(), &socket, &[]);
    let token = server.register("ada", PASSWORD).token();
    let done = AtomicBool::new(false);
    let answers = [(); 8].map(|()| AtomicUsize::new(0));
    let counts = || answers.each_ref().map(|count| count.load(Ordering::SeqCst));
    let (checking, registering) = answers.split_at(6);
    let checks = |_| {
        let bearer = format!("Bearer {token}");
        (request("GET", "/api/protected", &[("Authorization", &bearer)], ""), "GET")
    };
    let server = std::thread::scope(|scope| {
        let done = Done(&done);
        let until = done.0;
        for count in checking {
            scope.spawn(move || ask_until(until, count, address, checks));
        }
        for (prefix, count) in ["x", "y"].into_iter().zip(registering) {
            scope.spawn(move || {
                ask_until(until, count, address, |number| {
                    let name = format!("{prefix}{number}");
                    let body = json!({"username": name, "password": PASSWORD}).to_string();
                    (request("POST", "/api/registration", &[], &body), "POST")
                });
            });
        }
        for _ in 0..6 {
            let before = counts();
            eventually(|| counts().iter().zip(before).all(|(now, before)| *now > before));
            let (code, dir) = server.stop("-TERM");
            assert_eq!(code, Some(0));
            server = start(dir, &socket, &[]);
        }
        server
    });
    for (prefix, count) in ["x", "y"].iter().zip(registering) {
        let last = format!("{prefix}{}", count.load(Ordering::SeqCst) - 1);
        assert_eq!(server.login(&last, PASSWORD).status(), 200, "{last}");
    }
    assert_without(&server.log(), &["connections that were cut"], &"a restart");
}

#[test]
fn an_idle_connection_gets_one_more_answer() {
    in_time(|| {
        let (socket, address) = socket();
        let server = start(Dir::new(), &socket, &[]);
        let begun = Instant::now();
        // One that has sent nothing yet, and one that was answered before the stop. Connections are
        // accepted in their order.
        let mut clients = [Client::connect(address), Client::connect(address)];
        let hello = request("GET", "/api/", &[], "");
        clients[1].send(&hello);
        assert_eq!(clients[1].reply("GET").header("connection"), None);
        server.signal("-TERM");
        // The signal takes its time: a request that is faster is answered as usual.
        eventually(|| server.log().contains("stopping; connections open"));
        for client in &mut clients {
            let Some(reply) = ask(client, &hello, "GET") else {
                assert!(begun.elapsed() >= SILENCE, "closed too early");
                return false;
            };
            assert_eq!((reply.status(), reply.header("connection")), (200, Some("close")));
            assert_eq!(client.rest(), "");
        }
        let (code, dir) = server.stop("-0");
        assert_eq!(code, Some(0));
        // Nobody answers on this one before the next process.
        let mut waiting = Client::connect(address);
        waiting.send(&hello);
        let _server = start(dir, &socket, &[]);
        assert_eq!(waiting.reply("GET").status(), 200);
        true
    });
}

#[test]
fn a_request_that_arrives_slowly_is_answered_before_a_restart() {
    in_time(|| {
        let (socket, address) = socket();
        let server = start(Dir::new(), &socket, &[]);
        let begun = Instant::now();
        // One stops in the middle of the head, the other in the middle of the body.
        let mut clients = ["ada", "eve"].map(|name| {
            let body = json!({"username": name, "password": PASSWORD}).to_string();
            let mut whole = request("POST", "/api/registration", &[], &body);
            let rest = whole.split_off(if name == "ada" { 20 } else { whole.len() - 5 });
            let mut client = Client::connect(address);
            client.send(whole);
            (client, rest)
        });
        let mut silent = Client::connect(address);
        // Connections are accepted in their order, so this answer shows that those were.
        assert_eq!(server.get("/api/").status(), 200);
        server.signal("-TERM");
        assert_eq!(silent.rest(), "", "a connection without a request ends first");
        std::thread::sleep(Duration::from_millis(200));
        for (client, rest) in &mut clients {
            let reply = ask(client, rest, "POST");
            if begun.elapsed() >= REQUEST_TIME {
                return false;
            }
            let reply = reply.expect("an answer");
            assert_eq!((reply.status(), reply.header("connection")), (200, Some("close")));
        }
        assert_eq!(server.stop("-0").0, Some(0));
        true
    });
}
