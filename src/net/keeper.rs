//! The thread that accepts connections and enforces deadlines. No trouble of the machine ends it.

use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::SocketFlags;

use super::evict::Candidates;
use super::lanes::Desk;
use super::poll::{Events, Watch};
use super::table::{Full, Live};
use super::{Engine, Stop};
use crate::http::{Connection, Service};

/// How often deadlines are looked at.
const SWEEP: Duration = Duration::from_millis(250);
/// How long accepting pauses when the machine has no descriptors or memory for it.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections accepted before deadlines get their turn.
pub(super) const ACCEPTS_PER_TURN: usize = 256;
/// Trouble with accepting is logged once in this time.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

const LISTENER: u64 = 0;
const STOP: u64 = 1;

/// How a round of accepting ended.
pub(super) enum Accepted {
    /// Nobody is waiting any more.
    All,
    /// There may be more, but others get their turn.
    Some,
    /// The machine cannot give more now.
    Exhausted(Errno),
}

/// What the keeper works with.
pub(super) struct Keeper {
    pub(super) desk: Desk,
    candidates: Candidates,
    complained: Option<Instant>,
}

impl Keeper {
    /// Logs trouble of the machine, but not each time.
    fn complain(&mut self, error: impl Display) {
        if self.complained.is_none_or(|last| last.elapsed() > COMPLAIN_EVERY) {
            log::warn!("cannot accept connections for now: {error}");
            self.complained = Some(Instant::now());
        }
    }
}

/// Whether the machine has run out of something: descriptors, memory, or what it allows to be
/// watched (`fs.epoll.max_user_watches`).
fn is_exhaustion(error: Errno) -> bool {
    let all = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::NOSPC];
    all.contains(&error)
}

impl<S: Service> Engine<'_, S> {
    /// Runs until the stop, and until what was under way then is finished.
    pub(super) fn keep(&self, listener: TcpListener, stop: &Stop) -> io::Result<()> {
        self.gate.add(&listener, LISTENER, Watch::Level)?;
        self.gate.add(stop, STOP, Watch::Level)?;
        let mut keeper =
            Keeper { desk: self.desk(), candidates: Candidates::default(), complained: None };
        let mut events = Events::new(2);
        let mut swept = Instant::now();
        let mut busy = false;
        let mut paused = false;
        loop {
            let awake = busy || self.table.open() > 0;
            let timeout = if paused { Some(PAUSE) } else { awake.then_some(SWEEP) };
            if let Err(error) = self.gate.wait(&mut events, timeout) {
                keeper.complain(error);
                std::thread::sleep(PAUSE);
            }
            if stop.asked() {
                break;
            }
            if paused {
                paused = !self.accept_again(&listener, &mut keeper);
            } else if events.told().any(|told| told.token == LISTENER)
                && let Accepted::Exhausted(error) = self.accept(&listener, &mut keeper)
            {
                keeper.complain(error);
                paused = self.pause(&listener, &mut keeper);
            }
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                self.sweep(&mut keeper.desk);
                busy = self.table.open() > 0;
                self.service.upkeep(busy);
            }
        }
        self.finish(listener, stop, &mut keeper);
        Ok(())
    }

    /// Stops watching the listener; false if that failed.
    fn pause(&self, listener: &TcpListener, keeper: &mut Keeper) -> bool {
        let changed = self.gate.change(listener, LISTENER, Watch::Nothing);
        if let Err(error) = changed {
            // It will be told again at once, so the pause is a sleep.
            keeper.complain(error);
            std::thread::sleep(PAUSE);
        }
        changed.is_ok()
    }

    /// Watches the listener again; false if that failed.
    fn accept_again(&self, listener: &TcpListener, keeper: &mut Keeper) -> bool {
        let changed = self.gate.change(listener, LISTENER, Watch::Level);
        changed.inspect_err(|error| keeper.complain(error)).is_ok()
    }

    pub(super) fn accept(&self, listener: &TcpListener, keeper: &mut Keeper) -> Accepted {
        // Somebody went to make room for whoever comes next.
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
                    // When that did not help, it is not the connections that use everything up.
                    if made_room || !self.make_room(&mut keeper.candidates, &mut keeper.desk) {
                        return Accepted::Exhausted(error);
                    }
                    made_room = true;
                }
                // The connection that was about to be accepted is gone, or a signal came, or the
                // network has one of the passing troubles that accept(2) tells of.
                Err(error) => log::debug!("accepting a connection failed: {error}"),
            }
        }
        Accepted::Some
    }

    /// Gives the connection a place, if need be that of another one; or closes it. An error says
    /// that the machine has run out of something.
    fn admit(&self, socket: OwnedFd, peer: SocketAddr, keeper: &mut Keeper) -> Result<(), Errno> {
        let ip = peer.ip().to_canonical();
        let http = Connection::new(ip, &self.settings.limits, self.moment());
        let mut live = Live::new(TcpStream::from(socket), http);
        loop {
            match self.table.insert(live) {
                Ok(index) => return self.watch(index, keeper),
                Err((Full::Table, rejected))
                    if self.make_room(&mut keeper.candidates, &mut keeper.desk) =>
                {
                    live = *rejected;
                }
                Err((full, _)) => {
                    log::debug!("connection from {ip} refused: {full:?} full");
                    return Ok(());
                }
            }
        }
    }

    /// Adds a new connection to the epoll set, in the place of another one if the set can hold no
    /// more. If that fails as well, the connection is closed.
    fn watch(&self, index: u32, keeper: &mut Keeper) -> Result<(), Errno> {
        let Some(slot) = self.table.slot(index) else { return Ok(()) };
        let add = || match slot.live().as_deref() {
            Some(live) => self.poll.add(&live.stream, live.token, Watch::Read),
            None => Ok(()),
        };
        let Err(mut error) = add() else { return Ok(()) };
        // No event has come yet, so nobody else holds it; held, it is not the one to make room.
        if slot.take() {
            if is_exhaustion(error) && self.make_room(&mut keeper.candidates, &mut keeper.desk) {
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

    /// Ends every wait that has lasted too long.
    fn sweep(&self, desk: &mut Desk) {
        let now = self.moment().millis;
        for (index, slot) in self.table.used() {
            let overdue = slot.waiting().is_some_and(|(_, deadline)| deadline <= now);
            if overdue && slot.take() {
                self.act(index, desk, |live, context, output| {
                    if live.http.deadline() <= now {
                        live.http.expire(context, output);
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
    use crate::clock::Timestamp;
    use crate::http::{Answer, Request, Response};
    use crate::net::{Settings, listen};

    struct Hello;

    impl Service for Hello {
        fn answer(&self, _: &Request<'_>, _: Timestamp) -> Answer {
            Answer::Ready(Response::fixed(200, "text/plain", &b"hello"[..]))
        }
    }

    /// Asks on a new connection, which stays open; says whether the answer came.
    fn ask(address: SocketAddr) -> (TcpStream, bool) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The server may have closed it already.
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        let count = stream.read(&mut [0; 1000]).unwrap_or_default();
        (stream, count > 0)
    }

    #[test]
    fn an_epoll_call_without_memory_ended_the_server() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Stop::new().unwrap();
        let settings = Settings { workers: 1, ..Settings::default() };
        let engine = Engine::new(&Hello, &settings, Vec::new(), 10).unwrap();
        std::thread::scope(|scope| {
            let running = scope.spawn(|| engine.run(listener, &stop));
            let (mut idle, answered) = ask(address);
            assert!(answered);
            // The set has no room for one more: the idle one goes.
            std::thread::sleep(Duration::from_millis(200));
            engine.poll.trouble.begin(1);
            let (next, answered) = ask(address);
            assert!(answered);
            assert_eq!(idle.read(&mut [0]).unwrap(), 0, "closed to make room");
            drop(next);
            // It has none, and nobody can go: the newcomer is lost, the server is not.
            while engine.table.open() > 0 {
                std::thread::sleep(Duration::from_millis(10));
            }
            engine.poll.trouble.begin(1);
            assert!(!ask(address).1);
            assert!(ask(address).1, "after a pause");
            // Then the listener can neither be left nor watched, nor waited for.
            while engine.table.open() > 0 {
                std::thread::sleep(Duration::from_millis(10));
            }
            engine.gate.trouble.begin(4);
            engine.poll.trouble.begin(1);
            assert!(!ask(address).1);
            assert!(ask(address).1, "after some pauses");
            assert_eq!(engine.gate.trouble.left(), 0);
            stop.stopper().unwrap().stop();
            running.join().unwrap().unwrap();
        });
    }
}
