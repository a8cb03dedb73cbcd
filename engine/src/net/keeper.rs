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
use super::poll::{Events, Interest, RollCall};
use super::queue::Queue;
use super::scratch::Scratch;
use super::table::{Full, OpenConnection};
use super::{Engine, Listeners, Stop};
use crate::http::{Connection, Pool};

/// The time between two sweeps of the deadlines.
const SWEEP: Duration = Duration::from_millis(250);
/// How long accepting pauses when there are no descriptors or no memory for it.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections accepted before the next sweep.
pub(super) const ACCEPTS_PER_TURN: usize = 256;
/// Failures to accept are logged once in this time.
const WARN_INTERVAL: Duration = Duration::from_secs(10);

/// The token of the stop. A smaller one is the number of a listener.
const STOP: u64 = 1 << 32;

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
    /// When the keeper last checked whether a thread is stuck.
    last_check: Instant,
    /// Calls the workers, if there is a watchdog.
    workers: Option<RollCall>,
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
    // Long: what the keeper does, and in which order, is seen at once.
    pub(super) fn run_keeper(&self, listeners: Listeners, stop: &Stop) -> io::Result<()> {
        for (token, listener) in (0..).zip(&listeners.sockets) {
            self.keeper_poll.add(listener, token, Interest::Level)?;
        }
        self.keeper_poll.add(stop, STOP, Interest::Level)?;
        let mut keeper = Keeper {
            scratch: self.scratch(),
            candidates: Candidates::default(),
            warned: None,
            last_check: Instant::now(),
            workers: self.settings.watchdog.map(|_| self.poll.prepare_roll_call()).transpose()?,
        };
        let mut events = Events::new(listeners.sockets.len() + 1);
        let mut swept = Instant::now();
        let mut busy = false;
        let mut paused = false;
        let mut leave = None;
        loop {
            let awake = busy || leave.is_some() || self.table.open() > 0;
            let idle = self.settings.watchdog.map(|watchdog| watchdog.interval());
            let timeout = if paused {
                Some(PAUSE)
            } else if awake {
                Some(SWEEP)
            } else {
                idle
            };
            keeper.scratch.rest();
            if let Err(error) = self.keeper_poll.wait(&mut events, timeout) {
                keeper.warn(error);
                std::thread::sleep(PAUSE);
            }
            leave = self.leave_at(stop, leave);
            if leave.is_some_and(|at| at <= Instant::now()) {
                break;
            }
            if paused {
                paused = !self.watch_listeners(&listeners, Interest::Level, &mut keeper);
            } else if let Some(error) = self.accept_all(&listeners, &events, &mut keeper) {
                keeper.warn(error);
                paused = self.watch_listeners(&listeners, Interest::None, &mut keeper);
                if !paused {
                    // epoll will report the listeners again at once, so the pause is a sleep.
                    std::thread::sleep(PAUSE);
                }
            }
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                self.sweep(&mut keeper.scratch);
                busy = self.table.open() > 0;
                self.service.upkeep(busy);
                self.publish_gauges();
            }
            self.feed_watchdog(&mut keeper);
        }
        self.finish(listeners, stop, &mut keeper);
        Ok(())
    }

    /// When to stop accepting, once the stop was requested. A second request ends the delay.
    fn leave_at(&self, stop: &Stop, leave: Option<Instant>) -> Option<Instant> {
        if !stop.requested() {
            return leave;
        }
        self.service.stopping();
        let delay = leave.map_or(self.settings.drain_delay, |_| Duration::ZERO);
        Some(Instant::now() + delay)
    }

    /// Feeds the watchdog, unless a thread or a queue is stuck, if it is time for that.
    fn feed_watchdog(&self, keeper: &mut Keeper) {
        let Some(watchdog) = self.settings.watchdog else { return };
        if keeper.last_check.elapsed() < watchdog.interval() {
            return;
        }
        keeper.last_check = Instant::now();
        let now = self.moment().millis;
        let patience = u64::try_from(watchdog.patience.as_millis()).unwrap_or(u64::MAX);
        let begun_before = now.saturating_sub(patience);
        // Each queue is asked, since an answer is about the time since the last one.
        let is_stuck = |(_, queue): &&(Pool, Queue)| queue.is_stuck(watchdog.patience);
        let stuck_queues = self.pools.iter().filter(is_stuck).count();
        if stuck_queues > 0 || self.pulses.any_before(begun_before) {
            log::error!("a thread or a queue is stuck; the watchdog is not fed");
        } else {
            (watchdog.feed)();
        }
        if let Some(workers) = &keeper.workers
            && self.roll_call.is_at_rest()
        {
            self.roll_call.begin(now);
            workers.call();
        }
    }

    /// Changes the interest in the listeners; false if that failed.
    pub(super) fn watch_listeners(
        &self,
        listeners: &Listeners,
        interest: Interest,
        keeper: &mut Keeper,
    ) -> bool {
        let change = |(token, one)| self.keeper_poll.change(one, token, interest);
        let changed = (0..).zip(&listeners.sockets).try_for_each(change);
        changed.inspect_err(|error| keeper.warn(error)).is_ok()
    }

    /// Accepts from the listeners that the events name; returns what is used up, if something is.
    fn accept_all(
        &self,
        listeners: &Listeners,
        events: &Events,
        keeper: &mut Keeper,
    ) -> Option<Errno> {
        let tokens = events.iter().filter_map(|event| usize::try_from(event.token).ok());
        let ready = tokens.filter_map(|token| listeners.sockets.get(token));
        ready.map(|listener| self.accept(listener, keeper)).find_map(|accepted| match accepted {
            Accepted::Exhausted(error) => Some(error),
            Accepted::All | Accepted::Some => None,
        })
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
                Ok(index) => {
                    self.count(|gauges| &gauges.accepted);
                    return self.watch(index, keeper);
                }
                Err((Full::Table, rejected))
                    if self.make_room(&mut keeper.candidates, &mut keeper.scratch) =>
                {
                    connection = *rejected;
                }
                Err((full, _)) => {
                    self.count(|gauges| &gauges.refused[usize::from(full == Full::Client)]);
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::net::testing::{GET, TestService, engine};
    use crate::net::{Settings, Watchdog, listen};

    /// Time limit on what needs a moment on a machine that has nothing else to do.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Sends a request on a new connection, which stays open; says whether the answer came.
    fn ask(address: SocketAddr) -> (TcpStream, bool) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The server may have closed it already.
        let _ = stream.write_all(GET);
        let count = stream.read(&mut [0; 1000]).unwrap_or_default();
        (stream, count > 0)
    }

    #[test]
    fn workers_that_take_no_events_are_seen() {
        static FED: AtomicUsize = AtomicUsize::new(0);
        let feed = || {
            FED.fetch_add(1, Ordering::Relaxed);
        };
        let (time, patience) = (Duration::from_millis(400), Duration::from_millis(500));
        let watchdog = Some(Watchdog { time, patience, feed });
        let settings = Settings { watchdog, ..Settings::default() };
        let engine = engine(&TestService, &settings);
        let stop = Stop::new().unwrap();
        std::thread::scope(|scope| {
            // Without workers, as if a debugger had stopped all of them while they had nothing to do.
            let listeners = listen("127.0.0.1:0".parse().unwrap()).unwrap();
            let running = scope.spawn(|| engine.run_keeper(listeners, &stop));
            let fed = || {
                let before = FED.load(Ordering::Relaxed);
                std::thread::sleep(2 * time);
                FED.load(Ordering::Relaxed) > before
            };
            let eventually = |expected| (0..75).any(|_| fed() == expected);
            // On a busy machine this may be over before the first look at whether it goes on.
            let begun = Instant::now();
            while FED.load(Ordering::Relaxed) == 0 {
                assert!(begun.elapsed() < PATIENCE, "it is never fed");
                std::thread::sleep(Duration::from_millis(10));
            }
            assert!(eventually(false), "it is fed for ever");
            let worker = scope.spawn(|| engine.run_worker());
            assert!(eventually(true), "a worker takes events again");
            engine.done.store(true, Ordering::Release);
            engine.poll.prepare_wake().unwrap().all();
            worker.join().unwrap();
            stop.stopper().unwrap().stop();
            running.join().unwrap().unwrap();
        });
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
            // The set takes no more: the idle connection is closed, once the worker has let go of it.
            let begun = Instant::now();
            let next = loop {
                engine.poll.faults.fail_next(1);
                let (next, answered) = ask(address);
                if answered {
                    break next;
                }
                assert!(begun.elapsed() < PATIENCE, "no room was made");
                std::thread::sleep(Duration::from_millis(50));
            };
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
