//! The loop of a worker thread: wait, read, answer, write. All workers wait on the
//! same epoll set, and each serves a connection until it has no more requests.

use std::io;
use std::mem::take;
use std::net::{IpAddr, SocketAddr};

use lictor_bench::claims::{self, Login};
use lictor_bench::database::STANDING;
use lictor_bench::sessions::Sessions;
use rusqlite::{Connection as Reader, Statement};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::{Errno, read, write};
use rustix::net::{self, SocketFlags, SocketType, sockopt};

use crate::answer::{self, Parsed, Request};
use crate::connection::{Connection, Slots};
use crate::lane::{Job, Lane};
use crate::token::{Checked, Key, PAYLOAD_MAX};

/// Few events per wait, so that the other workers get some too.
const EVENTS: usize = 8;
const BACKLOG: i32 = 1024;
const READ: usize = 16 * 1024;
const INPUT_MAX: usize = 64 * 1024;
/// The token of the listener, which is no connection's number.
const LISTENER: u64 = u64::MAX;

const READABLE: EventFlags = EventFlags::IN.union(EventFlags::RDHUP).union(EventFlags::ET);
const CLOSING: EventFlags = EventFlags::RDHUP.union(EventFlags::HUP).union(EventFlags::ERR);

/// The state that all workers share.
pub struct Shared {
    pub key: Key,
    pub sessions: Sessions,
    epoll: OwnedFd,
    listener: OwnedFd,
    slots: Slots,
}

impl Shared {
    pub fn new(listen: SocketAddr, key: Key, sessions: Sessions) -> io::Result<Shared> {
        let (family, flags) = (net::AddressFamily::INET, SocketFlags::NONBLOCK);
        let listener = net::socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_socket_reuseaddr(&listener, true)?;
        net::bind(&listener, &listen)?;
        net::listen(&listener, BACKLOG)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), READABLE)?;
        let slots = Slots::new();
        Ok(Shared { key, sessions, epoll, listener, slots })
    }
}

pub struct Worker<'a> {
    pub shared: &'a Shared,
    pub reader: &'a Reader,
    /// Answers that are written after the last request.
    pub output: Vec<u8>,
    lane: &'a Lane,
    standing: Statement<'a>,
    input: Vec<u8>,
}

/// Why a worker releases a connection.
enum Outcome {
    /// The connection waits for the client, or is closed.
    Idle,
    /// The queue for hashing has the connection.
    Handed,
}

impl<'a> Worker<'a> {
    pub fn new(shared: &'a Shared, lane: &'a Lane, reader: &'a Reader) -> io::Result<Worker<'a>> {
        let standing = reader.prepare(STANDING).map_err(io::Error::other)?;
        let (input, output) = (Vec::with_capacity(READ), Vec::new());
        Ok(Worker { shared, reader, output, lane, standing, input })
    }

    pub fn serve(&mut self) -> io::Result<()> {
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
        loop {
            events.clear();
            match epoll::wait(&self.shared.epoll, spare_capacity(&mut events), None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                let (data, flags) = (event.data.u64(), event.flags);
                match data {
                    LISTENER => self.accept(),
                    number => self.arrived(number as usize, flags.intersects(CLOSING)),
                }
            }
        }
    }

    fn accept(&self) {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        // Any error means that no connection is waiting, or that no descriptor is left.
        while let Ok(socket) = net::accept_with(&self.shared.listener, flags) {
            let _ = sockopt::set_tcp_nodelay(&socket, true);
            let number = socket.as_raw_fd() as usize;
            let Some(slot) = self.shared.slots.get(number) else {
                continue;
            };
            let mut connection = slot.connection.lock().expect("no thread panics with it");
            let data = EventData::new_u64(number as u64);
            if epoll::add(&self.shared.epoll, &socket, data, READABLE).is_ok() {
                connection.socket = Some(socket);
            }
        }
    }

    fn arrived(&mut self, number: usize, closing: bool) {
        if self.shared.slots.get(number).is_some_and(|slot| slot.take()) {
            self.run(number, closing);
        }
    }

    /// Writes the answer that a hashing thread has put into `output`, and goes on.
    pub fn resume(&mut self, number: usize) {
        self.run(number, false);
    }

    /// Serves a connection until it has no more requests.
    fn run(&mut self, number: usize, mut to_the_end: bool) {
        let Some(slot) = self.shared.slots.get(number) else {
            return;
        };
        loop {
            let mut connection = slot.connection.lock().expect("no thread panics with it");
            match self.step(number, &mut connection, to_the_end) {
                Ok(Outcome::Idle) => {}
                Ok(Outcome::Handed) => return,
                Err(_) => {
                    self.output.clear();
                    *connection = Connection::default();
                }
            }
            drop(connection);
            if slot.release() {
                return;
            }
            to_the_end = true;
        }
    }

    /// Answers the received requests. An error means that the connection must be closed.
    fn step(
        &mut self,
        number: usize,
        connection: &mut Connection,
        to_the_end: bool,
    ) -> io::Result<Outcome> {
        let Some(socket) = &connection.socket else {
            return Ok(Outcome::Idle);
        };
        self.input.clear();
        self.input.append(&mut connection.input);
        let mut more = true;
        loop {
            let login = self.answer()?;
            send(socket, &mut self.output, &mut connection.output, &self.shared.epoll)?;
            if let Some(login) = login {
                connection.input.append(&mut self.input);
                if self.lane.push(Job { number, login, address: peer(socket) }) {
                    return Ok(Outcome::Handed);
                }
                self.input.append(&mut connection.input);
                answer::status(&mut self.output, "503 Service Unavailable");
                continue;
            }
            if !more {
                break;
            }
            self.input.reserve(READ);
            let room = self.input.spare_capacity_mut().len();
            match read(socket, spare_capacity(&mut self.input)) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                // A short read has emptied the socket, so no second read is needed.
                Ok(length) => more = length == room || to_the_end,
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if self.input.len() > INPUT_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        connection.input.append(&mut self.input);
        Ok(Outcome::Idle)
    }

    /// Answers every complete request in `input`, up to the first login.
    fn answer(&mut self) -> io::Result<Option<Login>> {
        let mut used = 0;
        let mut login = None;
        while login.is_none() && used < self.input.len() {
            let (request, length) = match answer::parse(&self.input[used..]) {
                Parsed::Complete(request, length) => (request, length),
                Parsed::Partial => break,
                Parsed::Malformed => return Err(io::ErrorKind::InvalidData.into()),
            };
            match request {
                Request::Hello => answer::hello(&mut self.output),
                Request::Login(sent) => login = Some(sent),
                Request::Other => answer::status(&mut self.output, "404 Not Found"),
                Request::Protected(authorization) => {
                    let key = &self.shared.key;
                    protected(key, &mut self.standing, authorization, &mut self.output);
                }
            }
            used += length;
        }
        self.input.drain(..used);
        Ok(login)
    }
}

/// The client's IP address. Only logins need it, where a hash costs ten thousand times more.
fn peer(socket: &OwnedFd) -> Option<IpAddr> {
    let address = net::getpeername(socket).ok()??;
    SocketAddr::try_from(address).ok().map(|address| address.ip())
}

fn protected(key: &Key, standing: &mut Statement, authorization: &[u8], output: &mut Vec<u8>) {
    let token = authorization.strip_prefix(b"Bearer ");
    let mut payload = [0; PAYLOAD_MAX];
    let claims = token.and_then(|token| key.verify(token, claims::now(), &mut payload));
    let Some(Checked { id, jti, .. }) = claims else {
        return answer::status(output, "401 Unauthorized");
    };
    let found = standing.query_row([jti], |row| {
        let allowed = row.get::<_, i64>(0)? == id && row.get(2)? && !row.get::<_, bool>(3)?;
        if allowed {
            answer::allowed(output, row.get_ref(1)?.as_str()?);
        }
        Ok(allowed)
    });
    // A missing session is refused like the other cases.
    if !matches!(found, Ok(true)) {
        answer::status(output, "403 Forbidden");
    }
}

/// Writes the answers. Bytes that the client does not read wait in `rest`, until
/// epoll reports that the socket is writable.
fn send(
    socket: &OwnedFd,
    output: &mut Vec<u8>,
    rest: &mut Vec<u8>,
    epoll: &OwnedFd,
) -> io::Result<()> {
    if output.is_empty() && rest.is_empty() {
        return Ok(());
    }
    let kept = !rest.is_empty();
    if kept {
        rest.append(output);
        *output = take(rest);
    }
    let taken = match write(socket, output) {
        Ok(taken) => taken,
        Err(Errno::AGAIN) => 0,
        Err(error) => return Err(error.into()),
    };
    if taken < output.len() {
        rest.extend_from_slice(&output[taken..]);
        if !kept {
            let data = EventData::new_u64(socket.as_raw_fd() as u64);
            epoll::modify(epoll, socket, data, READABLE | EventFlags::OUT)?;
        }
    }
    output.clear();
    Ok(())
}
