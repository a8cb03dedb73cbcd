//! An open loop: token checks are due at a fixed rate, whenever the answers arrive, and each uses the
//! connection that has been idle for longest. A latency counts from the time at which the request was
//! due, so stalls of the server and of this program are not hidden. When all connections are busy,
//! requests wait for one, which their latencies include.
//!
//! One thread and one epoll set: the server runs on the same machine, and a thread for each connection
//! would cost more than the requests.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::thread::set_current_timer_slack;
use serde_json::{Value, json};

use super::{Client, Outcome, duration, is_ok, is_whole, percentiles, protected_request};

const RATE_MAX: f64 = 1_000_000.0;
const CONNECTIONS_MAX: usize = 1_000;
/// Limit on the time until the last answer, as a multiple of the planned time.
const OVERTIME: u32 = 2;
/// Otherwise the kernel delays wake-ups by up to 50 µs.
const TIMER_SLACK: Option<NonZeroU64> = NonZeroU64::new(1);

pub fn open(address: &str, per_second: &str, seconds: &str, count: &str) -> Outcome<Value> {
    let address: SocketAddr = address.parse()?;
    let rate: f64 = per_second.parse::<f64>()?.clamp(1.0, RATE_MAX);
    let planned = duration(seconds)?;
    let request = protected_request(address)?.into_bytes();
    set_current_timer_slack(TIMER_SLACK)?;
    let mut load = Load::connect(address, count.parse::<usize>()?.min(CONNECTIONS_MAX), request)?;

    let total = (rate * planned.as_secs_f64()) as usize;
    let start = Instant::now();
    let due = |number: usize| start + Duration::from_secs_f64(number as f64 / rate);
    let mut sent = 0;
    let mut latencies = Vec::with_capacity(total);
    while latencies.len() < total && start.elapsed() < planned * OVERTIME {
        while sent < total && due(sent) <= Instant::now() && load.send(due(sent))? {
            sent += 1;
        }
        let until = match sent < total && !load.idle.is_empty() {
            true => due(sent),
            false => start + planned * OVERTIME,
        };
        load.receive(until, &mut latencies)?;
    }
    let elapsed = start.elapsed().as_secs_f64();
    let mut report = percentiles(&mut latencies);
    // Over the whole time with the last answers: less than `rate` if the server could not sustain it.
    report["per_second"] = json!(latencies.len() as f64 / elapsed);
    Ok(report)
}

struct Load {
    epoll: rustix::fd::OwnedFd,
    events: Vec<Event>,
    request: Vec<u8>,
    connections: Vec<Connection>,
    /// Idle connections, the longest idle first.
    idle: VecDeque<usize>,
}

struct Connection {
    socket: TcpStream,
    /// When the request of the next answer was due.
    due: Instant,
    answer: [u8; 4096],
    filled: usize,
}

impl Load {
    /// Opens the connections; each gets one answer before the measurement.
    fn connect(address: SocketAddr, count: usize, request: Vec<u8>) -> Outcome<Load> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut connections = Vec::with_capacity(count);
        for number in 0..count {
            let mut client = Client::connect(address)?;
            client.ask(&request)?;
            client.0.set_nonblocking(true)?;
            epoll::add(&epoll, &client.0, EventData::new_u64(number as u64), EventFlags::IN)?;
            let due = Instant::now();
            connections.push(Connection { socket: client.0, due, answer: [0; 4096], filled: 0 });
        }
        let events = Vec::with_capacity(count);
        Ok(Load { epoll, events, request, connections, idle: (0..count).collect() })
    }

    /// Sends a request; false if all connections are busy.
    fn send(&mut self, due: Instant) -> Outcome<bool> {
        let Some(number) = self.idle.pop_front() else { return Ok(false) };
        let connection = &mut self.connections[number];
        (connection.due, connection.filled) = (due, 0);
        // The socket's buffer is empty, so the request fits.
        connection.socket.write_all(&self.request)?;
        Ok(true)
    }

    /// Waits for answers, at most until `until`, and reads them.
    fn receive(&mut self, until: Instant, latencies: &mut Vec<Duration>) -> Outcome<()> {
        let wait = until.saturating_duration_since(Instant::now());
        let timeout =
            Timespec { tv_sec: wait.as_secs().try_into()?, tv_nsec: wait.subsec_nanos().into() };
        self.events.clear();
        let spare = rustix::buffer::spare_capacity(&mut self.events);
        epoll::wait(&self.epoll, spare, Some(&timeout))?;
        for event in &self.events {
            let number = event.data.u64() as usize;
            if self.connections[number].receive()? {
                latencies.push(self.connections[number].due.elapsed());
                self.idle.push_back(number);
            }
        }
        Ok(())
    }
}

impl Connection {
    /// Reads received bytes; true if the answer is complete.
    fn receive(&mut self) -> Outcome<bool> {
        match self.socket.read(&mut self.answer[self.filled..]) {
            Ok(0) => return Err("the server closed a connection, or an answer is too long".into()),
            Ok(length) => self.filled += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let answer = &self.answer[..self.filled];
        Ok(is_whole(answer)? && is_ok(answer)?)
    }
}
