//! The keeper: the thread that accepts connections and enforces deadlines. Running out of
//! descriptors or memory does not end it.

use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::SocketFlags;

use super::evict::Candidates;
use super::poll::{Events, Interest};
use super::scratch::Scratch;
use super::table::{Full, OpenConnection};
use super::{Engine, Stop};
use crate::http::Connection;

/// The time between two sweeps of the deadlines.
const SWEEP: Duration = Duration::from_millis(250);
/// How long accepting pauses when there are no descriptors or no memory for it.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections accepted before the next sweep.
pub(super) const ACCEPTS_PER_TURN: usize = 256;
/// Failures to accept are logged once in this time.
const WARN_INTERVAL: Duration = Duration::from_secs(10);

const LISTENER: u64 = 0;
const STOP: u64 = 1;

/// How a round of accepting ended.
pub(super) enum Accepted {
    /// The backlog is empty.
    All,
    /// There may be more in the backlog, but other work comes first.
    Some,
    /// Descriptors, memory or epoll watches are used up.
    Exhausted(Errno),
}

/// What the keeper works with.
pub(super) struct Keeper {
    pub(super) scratch: Scratch,
    candidates: Candidates,
    warned: Option<Instant>,
}

impl Keeper {
    /// Logs a failure to accept, at most once in [`WARN_INTERVAL`].
    fn warn(&mut self, error: impl Display) {
        if self.warned.is_none_or(|last| last.elapsed() > WARN_INTERVAL) {
            log::warn!("cannot accept connections for now: {error}");
            self.warned = Some(Instant::now());
        }
    }
}

/// Whether something is used up: descriptors, memory, or epoll watches
/// (`fs.epoll.max_user_watches`).
fn is_exhaustion(error: Errno) -> bool {
    let all = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::NOSPC];
    all.contains(&error)
}

impl Engine<'_> {
    /// Runs until the stop, then until the requests under way are answered.
    pub(super) fn run_keeper(&self, listener: TcpListener, stop: &Stop) -> io::Result<()> {
        self.keeper_poll.add(&listener, LISTENER, Interest::Level)?;
        self.keeper_poll.add(stop, STOP, Interest::Level)?;
        let mut keeper =
            Keeper { scratch: self.scratch(), candidates: Candidates::default(), warned: None };
        let mut events = Events::new(2);
        let mut swept = Instant::now();
        let mut busy = false;
        let mut paused = false;
        loop {
            let awake = busy || self.table.open() > 0;
            let timeout = if paused { Some(PAUSE) } else { awake.then_some(SWEEP) };
            if let Err(error) = self.keeper_poll.wait(&mut events, timeout) {
                keeper.warn(error);
                std::thread::sleep(PAUSE);
            }
            if stop.requested() {
                break;
            }
            if paused {
                paused = !self.accept_again(&listener, &mut keeper);
            } else if events.iter().any(|event| event.token == LISTENER)
                && let Accepted::Exhausted(error) = self.accept(&listener, &mut keeper)
            {
                keeper.warn(error);
                paused = self.pause(&listener, &mut keeper);
            }
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                self.sweep(&mut keeper.scratch);
                busy = self.table.open() > 0;
                self.service.upkeep(busy);
            }
        }
        self.finish(listener, stop, &mut keeper);
        Ok(())
    }

    /// Takes the interest in the listener away; false if that failed.
    fn pause(&self, listener: &TcpListener, keeper: &mut Keeper) -> bool {
        let changed = self.keeper_poll.change(listener, LISTENER, Interest::None);
        if let Err(error) = changed {
            // epoll will report the listener again at once, so the pause is a sleep.
            keeper.warn(error);
            std::thread::sleep(PAUSE);
        }
        changed.is_ok()
    }

    /// Takes interest in the listener again; false if that failed.
    fn accept_again(&self, listener: &TcpListener, keeper: &mut Keeper) -> bool {
        let changed = self.keeper_poll.change(listener, LISTENER, Interest::Level);
        changed.inspect_err(|error| keeper.warn(error)).is_ok()
    }

    /// Accepts what is in the backlog, at most [`ACCEPTS_PER_TURN`].
    pub(super) fn accept(&self, listener: &TcpListener, keeper: &mut Keeper) -> Accepted {
        // A connection was closed to make room for the next one.
        let mut made_room = false;
        for _ in 0..ACCEPTS_PER_TURN {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            match rustix::net::acceptfrom_with(listener, flags) {
                Ok((socket, Some(peer))) => {
                    made_room = false;
                    // An address that is not IP cannot come from a TCP listener.
                    let Ok(peer) = SocketAddr::try_from(peer) else { continue };
                    if let Err(error) = self.admit(socket, peer, keeper) {
                        return Accepted::Exhausted(error);
                    }
                }
                Ok((_, None)) => {}
                Err(Errno::AGAIN) => return Accepted::All,
                Err(error) if is_exhaustion(error) => {
                    // If that did not help, it is not the connections that use everything up.
                    if made_room || !self.make_room(&mut keeper.candidates, &mut keeper.scratch) {
                        return Accepted::Exhausted(error);
                    }
                    made_room = true;
                }
                // The connection is gone again, a signal came, or one of the passing network errors
                // that accept(2) lists.
                Err(error) => log::debug!("accepting a connection failed: {error}"),
            }
        }
        Accepted::Some
    }

    /// Puts the connection into a slot, if need be that of another connection; or closes it. Fails
    /// if something is used up.
    fn admit(&self, socket: OwnedFd, peer: SocketAddr, keeper: &mut Keeper) -> Result<(), Errno> {
        let ip = peer.ip().to_canonical();
        let http = Connection::new(ip, &self.settings.limits, self.moment());
        let mut connection = OpenConnection::new(TcpStream::from(socket), http);
        loop {
            match self.table.insert(connection) {
                Ok(index) => return self.watch(index, keeper),
                Err((Full::Table, rejected))
                    if self.make_room(&mut keeper.candidates, &mut keeper.scratch) =>
                {
                    connection = *rejected;
                }
                Err((full, _)) => {
                    let why = match full {
                        Full::Table => "the table is full",
                        Full::Client => "the client has used up its share",
                    };
                    log::debug!("connection from {ip} refused: {why}");
                    return Ok(());
                }
            }
        }
    }

    /// Adds a new connection to the epoll set; if the set takes no more, in exchange for another
    /// connection. Closes the new one if that fails as well.
    fn watch(&self, index: u32, keeper: &mut Keeper) -> Result<(), Errno> {
        let Some(slot) = self.table.slot(index) else { return Ok(()) };
        let add = || match slot.connection().as_deref() {
            Some(open) => self.poll.add(&open.stream, open.token, Interest::Read),
            None => Ok(()),
        };
        let Err(mut error) = add() else { return Ok(()) };
        // No event has come yet, so no other thread holds it. While it is held, `make_room` does
        // not choose it.
        if slot.take() {
            if is_exhaustion(error) && self.make_room(&mut keeper.candidates, &mut keeper.scratch) {
                slot.rearm();
                match add() {
                    Ok(()) => return Ok(()),
                    Err(again) => error = again,
                }
                slot.take();
            }
            self.table.close(index);
        }
        Err(error)
    }

    /// Expires every connection whose deadline has passed.
    fn sweep(&self, scratch: &mut Scratch) {
        let now = self.moment().millis;
        for (index, slot) in self.table.used() {
            let overdue = slot.waiting().is_some_and(|(_, deadline)| deadline <= now);
            if overdue && slot.take() {
                self.apply(index, scratch, |connection, context, output| {
                    if connection.http.deadline() <= now {
                        connection.http.expire(context, output);
                    }
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;
    use crate::net::testing::{GET, TestService, engine};
    use crate::net::{Settings, listen};

    /// Sends a request on a new connection, which stays open; says whether the answer came.
    fn ask(address: SocketAddr) -> (TcpStream, bool) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The server may have closed it already.
        let _ = stream.write_all(GET);
        let count = stream.read(&mut [0; 1000]).unwrap_or_default();
        (stream, count > 0)
    }

    #[test]
    fn an_epoll_call_without_memory_does_not_end_the_server() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Stop::new().unwrap();
        let settings = Settings { workers: 1, ..Settings::default() };
        let engine = engine(&TestService, &settings);
        std::thread::scope(|scope| {
            let running = scope.spawn(|| engine.run(listener, &stop));
            let (mut idle, answered) = ask(address);
            assert!(answered);
            // The set takes no more: the idle connection is closed.
            std::thread::sleep(Duration::from_millis(200));
            engine.poll.faults.fail_next(1);
            let (next, answered) = ask(address);
            assert!(answered);
            assert_eq!(idle.read(&mut [0]).unwrap(), 0, "closed to make room");
            drop(next);
            // It takes no more, and no connection can be closed: the new one is lost, not the
            // server.
            while engine.table.open() > 0 {
                std::thread::sleep(Duration::from_millis(10));
            }
            engine.poll.faults.fail_next(1);
            assert!(!ask(address).1);
            assert!(ask(address).1, "after a pause");
            // Now changing the interest in the listener fails, and waiting too.
            while engine.table.open() > 0 {
                std::thread::sleep(Duration::from_millis(10));
            }
            engine.keeper_poll.faults.fail_next(4);
            engine.poll.faults.fail_next(1);
            assert!(!ask(address).1);
            assert!(ask(address).1, "after some pauses");
            assert_eq!(engine.keeper_poll.faults.left(), 0);
            stop.stopper().unwrap().stop();
            running.join().unwrap().unwrap();
        });
    }
}
