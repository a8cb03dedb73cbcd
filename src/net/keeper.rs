//! The thread that accepts connections, enforces deadlines, and brings the engine to its end.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::SocketFlags;

use super::lanes::Desk;
use super::poll::{Events, Poll, Watch};
use super::table::{Full, Live};
use super::{BACKLOG, Engine, Stop};
use crate::http::{Connection, Service, Wait};

/// How often deadlines are looked at.
const SWEEP: Duration = Duration::from_millis(250);
/// How long accepting pauses when the machine has no descriptors or memory for it.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections accepted before deadlines get their turn.
const ACCEPTS_PER_TURN: usize = 256;
/// How often it is looked whether everything is finished, once the stop was asked for.
const DRAIN_LOOK: Duration = Duration::from_millis(10);
/// The same trouble with accepting is logged once in so long.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

const LISTENER: u64 = 0;
const STOP: u64 = 1;

/// How a round of accepting ended.
enum Accepted {
    /// Nobody is waiting any more.
    All,
    /// There may be more, but others get their turn.
    Some,
    /// The machine cannot give more now.
    Exhausted(Errno),
}

impl<S: Service> Engine<'_, S> {
    /// Runs until the stop, and until what was under way then is finished.
    pub(super) fn keep(&self, listener: TcpListener, stop: &Stop) -> io::Result<()> {
        let poll = Poll::new()?;
        poll.add(&listener, LISTENER, Watch::Level)?;
        poll.add(stop, STOP, Watch::Level)?;
        let mut events = Events::new(2);
        let mut desk = self.desk();
        let mut swept = Instant::now();
        let mut busy = false;
        let mut paused = false;
        let mut complained: Option<Instant> = None;
        loop {
            let awake = busy || self.table.open() > 0;
            let timeout = if paused { Some(PAUSE) } else { awake.then_some(SWEEP) };
            poll.wait(&mut events, timeout)?;
            if stop.asked() {
                break;
            }
            if paused {
                poll.add(&listener, LISTENER, Watch::Level)?;
                paused = false;
            } else if events.told().any(|told| told.token == LISTENER)
                && let Accepted::Exhausted(error) = self.accept(&listener, &mut desk)
            {
                if complained.is_none_or(|last| last.elapsed() > COMPLAIN_EVERY) {
                    log::warn!("cannot accept connections for now: {error}");
                    complained = Some(Instant::now());
                }
                poll.remove(&listener)?;
                paused = true;
            }
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                self.sweep(&mut desk);
                busy = self.table.open() > 0;
                self.service.upkeep(busy);
            }
        }
        self.finish(listener, stop, &poll, &mut desk)
    }

    fn accept(&self, listener: &TcpListener, desk: &mut Desk) -> Accepted {
        for _ in 0..ACCEPTS_PER_TURN {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            match rustix::net::acceptfrom_with(listener, flags) {
                Ok((socket, Some(peer))) => {
                    // An address that is not IP cannot come from a TCP listener.
                    if let Ok(peer) = SocketAddr::try_from(peer) {
                        self.admit(socket, peer, desk);
                    }
                }
                Ok((_, None)) => {}
                Err(Errno::AGAIN) => return Accepted::All,
                Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => {
                    if !self.close_longest_idle(desk) {
                        return Accepted::Exhausted(error);
                    }
                }
                // The connection that was about to be accepted is gone, or a signal came, or the
                // network has one of the passing troubles that accept(2) tells of.
                Err(error) => log::debug!("accepting a connection failed: {error}"),
            }
        }
        Accepted::Some
    }

    /// Gives the connection a place, if need be that of the longest idle one; or closes it.
    fn admit(&self, socket: OwnedFd, peer: SocketAddr, desk: &mut Desk) {
        let ip = peer.ip().to_canonical();
        let mut live = Live {
            stream: TcpStream::from(socket),
            http: Connection::new(ip, &self.settings.limits, self.moment()),
            watches_write: false,
        };
        loop {
            match self.table.insert(live) {
                Ok(index) => return self.watch(index),
                Err((Full::Table, rejected)) if self.close_longest_idle(desk) => live = *rejected,
                Err((full, _)) => {
                    log::debug!("connection from {ip} refused: {full:?} full");
                    return;
                }
            }
        }
    }

    /// Makes room; false if no connection is idle.
    fn close_longest_idle(&self, desk: &mut Desk) -> bool {
        while let Some(index) = self.table.take_longest_idle() {
            let Some(slot) = self.table.slot(index) else { continue };
            let still_idle = slot.live().as_ref().is_some_and(|live| {
                let silent = live.stream.peek(&mut [0]);
                live.http.wait() == Wait::Idle
                    && silent.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
            });
            if still_idle {
                self.table.close(index);
                return true;
            }
            // It woke up between the look and the grip, or a request has come meanwhile.
            self.act(index, desk, |_, _, _| {});
        }
        false
    }

    fn watch(&self, index: u32) {
        let Some(slot) = self.table.slot(index) else { return };
        let watched = match slot.live().as_deref() {
            Some(live) => self.poll.add(&live.stream, index.into(), Watch::Read),
            None => return,
        };
        if let Err(error) = watched {
            log::warn!("cannot watch a connection: {error}");
            if slot.take() {
                self.table.close(index);
            }
        }
    }

    /// Ends every wait that has lasted too long.
    fn sweep(&self, desk: &mut Desk) {
        let now = self.moment().millis;
        for (index, slot) in self.table.used() {
            if slot.overdue(now) && slot.take() {
                self.act(index, desk, |live, context, output| {
                    if live.http.deadline() <= now {
                        live.http.expire(context, output);
                    }
                });
            }
        }
    }

    /// Stops accepting, lets everything under way finish, and closes the rest.
    fn finish(
        &self,
        listener: TcpListener,
        stop: &Stop,
        poll: &Poll,
        desk: &mut Desk,
    ) -> io::Result<()> {
        // Who is in the backlog has connected as far as it knows; it gets its answer.
        let rounds = (BACKLOG as usize).div_ceil(ACCEPTS_PER_TURN);
        for _ in 0..rounds {
            if !matches!(self.accept(&listener, desk), Accepted::Some) {
                break;
            }
        }
        drop(listener);
        self.stopping.store(true, Ordering::Release);
        log::info!("stopping; connections open: {}", self.table.open());
        for (index, slot) in self.table.used() {
            // The workers have a last look at each: it may have sent something, else it is closed.
            if slot.take() {
                self.act(index, desk, |_, _, _| {});
            }
        }
        let until = Instant::now() + self.settings.drain_time;
        let mut events = Events::new(1);
        while self.table.open() > 0 && Instant::now() < until {
            poll.wait(&mut events, Some(DRAIN_LOOK))?;
            if stop.asked() {
                log::warn!("stopped again; not waiting any longer");
                break;
            }
            self.sweep(desk);
        }
        match self.table.open() {
            0 => log::debug!("every connection is closed"),
            open => log::warn!("connections that were cut: {open}"),
        }
        Ok(())
    }
}
