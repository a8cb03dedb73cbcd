//! Loads that wrk cannot make. Each command is one kind of load and prints one line of JSON:
//!
//! ```text
//! probe login ADDR CLIENTS SECONDS        clients log in without a pause
//! probe refresh ADDR CLIENTS SECONDS      clients exchange tokens without a pause (writes.rs)
//! probe register ADDR CLIENTS SECONDS     clients register without a pause
//! probe rate ADDR PER_SECOND SECONDS      token checks at a constant rate
//! probe open ADDR PER_SECOND SECONDS CONNECTIONS
//!                                         like rate, thousands a second (open.rs)
//! probe idle ADDR COUNT                   opens connections and keeps them until stdin ends
//! probe cold ADDR PROGRAM ARGUMENT...     time from the start to the first 200
//! ```
//!
//! `login` reads BENCH_USERS, joined by commas and used in turn, and their
//! BENCH_PASSWORD; `rate` and `open` read BENCH_TOKEN.

mod open;
mod writes;

use std::error::Error;
use std::io::{ErrorKind, Read, Write, stdin, stdout};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::process::{Command, Stdio, exit};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};
use serde_json::{Value, json};

/// Limit on every wait; no answer takes this long.
const PATIENCE: Duration = Duration::from_secs(20);
const SECONDS_MAX: f64 = 600.0;
/// The number of connections that share a constant rate.
const RATE_CONNECTIONS: u32 = 20;
/// Idle connections per source IP address, because servers limit the connections of one.
const PER_SOURCE: usize = 500;
/// Time within which all of them must be open.
const OPENING_MAX: Duration = Duration::from_secs(60);
const FRESH_REQUESTS: usize = 200;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["login", address, clients, seconds] => login(address, clients, seconds),
        ["refresh", address, clients, seconds] => writes::refresh(address, clients, seconds),
        ["register", address, clients, seconds] => writes::register(address, clients, seconds),
        ["rate", address, per_second, seconds] => rate(address, per_second, seconds),
        ["open", address, per_second, seconds, connections] => {
            open::open(address, per_second, seconds, connections)
        }
        ["idle", address, count] => idle(address, count),
        ["cold", address, program, ref arguments @ ..] => cold(address, program, arguments),
        _ => Err("usage: probe login|refresh|register|rate|open|idle|cold ADDR ...".into()),
    };
    match result {
        Ok(report) => println!("{report}"),
        Err(error) => {
            eprintln!("error: {error}");
            exit(1);
        }
    }
}

/// Every client logs in repeatedly, on a connection of its own and, while there
/// are enough users, as a user of its own.
fn login(address: &str, clients: &str, seconds: &str) -> Outcome<Value> {
    let address: SocketAddr = address.parse()?;
    let clients: usize = clients.parse()?;
    let (users, password) = (std::env::var("BENCH_USERS")?, std::env::var("BENCH_PASSWORD")?);
    let users: Vec<&str> = users.split(',').collect();
    let span = Span::begin(seconds)?;
    let latencies = in_parallel(clients, |index| {
        let request = login_request(address, users[index % users.len()], &password);
        let mut client = Client::connect(address)?;
        let mut latencies = Vec::new();
        while !span.is_over() {
            let sent = Instant::now();
            client.ask(request.as_bytes())?;
            latencies.push(sent.elapsed());
        }
        Ok(latencies)
    })?;
    Ok(span.report(latencies))
}

fn login_request(address: SocketAddr, user: &str, password: &str) -> String {
    let body = json!({"username": user, "password": password}).to_string();
    format!(
        "POST /api/login HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends requests at fixed times, whenever the answers arrive. A latency counts
/// from the time at which the request was due, so that a stall is not hidden.
fn rate(address: &str, per_second: &str, seconds: &str) -> Outcome<Value> {
    let address: SocketAddr = address.parse()?;
    let interval = Duration::from_secs_f64(1.0 / per_second.parse::<f64>()?);
    let request = protected_request(address)?;
    // The time for every thread to start and connect.
    let start = Instant::now() + Duration::from_millis(200);
    let end = start + duration(seconds)?;
    let mut latencies = in_parallel(RATE_CONNECTIONS as usize, |index| {
        let mut client = Client::connect(address)?;
        let mut latencies = Vec::new();
        let mut due = start + interval * index as u32;
        while due < end {
            sleep(due.saturating_duration_since(Instant::now()));
            client.ask(request.as_bytes())?;
            latencies.push(due.elapsed());
            due += interval * RATE_CONNECTIONS;
        }
        Ok(latencies)
    })?;
    Ok(percentiles(&mut latencies))
}

fn protected_request(address: SocketAddr) -> Outcome<String> {
    let token = std::env::var("BENCH_TOKEN")?;
    Ok(format!(
        "GET /api/protected HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
    ))
}

/// Opens connections that get one answer each, measures the latency of fresh
/// connections, reports, and keeps the connections until stdin ends.
fn idle(address: &str, count: &str) -> Outcome<Value> {
    let address: SocketAddrV4 = address.parse()?;
    let count: usize = count.parse()?;
    let request = format!("GET /api/ HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let start = Instant::now();
    let mut held = Vec::with_capacity(count);
    for index in 0..count {
        if start.elapsed() > OPENING_MAX {
            return Err(format!("{index} connections took {OPENING_MAX:?}").into());
        }
        let mut client = Client::connect_from(source(index), address)?;
        client.ask(request.as_bytes())?;
        held.push(client.0);
    }
    let open = held.iter().filter(|socket| is_open(socket)).count();
    // Measured last: with a full table, each of these may evict the oldest connection.
    let mut latencies = Vec::new();
    for _ in 0..FRESH_REQUESTS {
        let start = Instant::now();
        Client::connect_from(source(count), address)?.ask(request.as_bytes())?;
        latencies.push(start.elapsed());
    }
    let mut report = percentiles(&mut latencies);
    report["open"] = json!(open);
    println!("{report}");
    stdout().flush()?;
    stdin().read_to_end(&mut Vec::new())?;
    Ok(json!({"held": held.len()}))
}

/// Whether the connection is open and nothing was received.
fn is_open(socket: &TcpStream) -> bool {
    let nothing = socket.set_nonblocking(true).and_then(|()| socket.peek(&mut [0]));
    nothing.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// A loopback IP address for every `PER_SOURCE` connections.
fn source(index: usize) -> Ipv4Addr {
    let number = 2 + (index / PER_SOURCE) as u32;
    Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() - 1 + number)
}

/// Starts a server and measures the time until it answers `/api/` with 200.
fn cold(address: &str, program: &str, arguments: &[&str]) -> Outcome<Value> {
    let address: SocketAddr = address.parse()?;
    let request = format!("GET /api/ HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut server = command.spawn()?;
    let mut answered = None;
    while answered.is_none() && start.elapsed() < PATIENCE {
        answered = Client::connect(address)
            .and_then(|mut client| client.ask(request.as_bytes()))
            .ok()
            .map(|()| start.elapsed());
        sleep(Duration::from_micros(100));
    }
    server.kill()?;
    server.wait()?;
    let answered = answered.ok_or("the server did not answer")?;
    Ok(json!({"ms": answered.as_secs_f64() * 1e3}))
}

/// The time in which clients send requests without a pause.
struct Span {
    start: Instant,
    end: Instant,
}

impl Span {
    fn begin(seconds: &str) -> Outcome<Span> {
        let start = Instant::now();
        Ok(Span { start, end: start + duration(seconds)? })
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    fn report(&self, mut latencies: Vec<Duration>) -> Value {
        let mut report = percentiles(&mut latencies);
        report["per_second"] = json!(latencies.len() as f64 / self.start.elapsed().as_secs_f64());
        report
    }
}

/// One keep-alive connection.
struct Client(TcpStream);

impl Client {
    fn connect(address: SocketAddr) -> Outcome<Client> {
        Client::new(TcpStream::connect_timeout(&address, PATIENCE)?)
    }

    fn connect_from(source: Ipv4Addr, address: SocketAddrV4) -> Outcome<Client> {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        // The limit counts for connect() too.
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(PATIENCE))?;
        bind(&socket, &SocketAddrV4::new(source, 0))?;
        connect(&socket, &address)?;
        Client::new(TcpStream::from(socket))
    }

    fn new(socket: TcpStream) -> Outcome<Client> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Client(socket))
    }

    /// Sends a request and reads the complete answer, which must be a 200.
    fn ask(&mut self, request: &[u8]) -> Outcome<()> {
        self.0.write_all(request)?;
        let mut answer = [0; 4096];
        let mut filled = 0;
        loop {
            let length = self.0.read(&mut answer[filled..])?;
            if length == 0 {
                return Err("the server closed the connection, or its answer is too long".into());
            }
            filled += length;
            if is_whole(&answer[..filled])? {
                break;
            }
        }
        is_ok(&answer[..filled]).map(|_| ())
    }
}

/// True for a complete answer with status 200, an error for any other.
fn is_ok(answer: &[u8]) -> Outcome<bool> {
    let line = String::from_utf8_lossy(&answer[..answer.len().min(12)]);
    match line == "HTTP/1.1 200" {
        true => Ok(true),
        false => Err(format!("answered with {line}").into()),
    }
}

/// Whether head and body are complete; answers have a `Content-Length`.
fn is_whole(answer: &[u8]) -> Outcome<bool> {
    let Some(end) = memchr::memmem::find(answer, b"\r\n\r\n") else {
        return Ok(false);
    };
    let head = str::from_utf8(&answer[..end])?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .ok_or("an answer without Content-Length")?;
    let length: usize = length.1.trim().parse()?;
    Ok(answer.len() >= end + 4 + length)
}

fn in_parallel<F>(threads: usize, work: F) -> Outcome<Vec<Duration>>
where
    F: Fn(usize) -> Outcome<Vec<Duration>> + Sync,
{
    let work = &work;
    let parts = thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|i| scope.spawn(move || work(i))).collect();
        let parts = started.into_iter().map(|t| t.join().map_err(|_| "a thread panicked")?);
        parts.collect::<Outcome<Vec<_>>>()
    })?;
    Ok(parts.concat())
}

fn duration(seconds: &str) -> Outcome<Duration> {
    Ok(Duration::from_secs_f64(seconds.parse::<f64>()?.clamp(0.1, SECONDS_MAX)))
}

fn percentiles(latencies: &mut [Duration]) -> Value {
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        let latency = latencies.get(index.min(latencies.len().saturating_sub(1)));
        latency.map(|latency| latency.as_secs_f64() * 1e3)
    };
    json!({
        "count": latencies.len(),
        "p50_ms": at(0.50),
        "p99_ms": at(0.99),
        "p999_ms": at(0.999),
        "max_ms": at(1.0),
    })
}
