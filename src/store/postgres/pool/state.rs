//! What the pool knows, behind its lock: the server, and the connections of each lane. Connects to
//! nothing.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::calm::Calm;
use crate::error::Cause;
use crate::store::driver::Fault;
use crate::store::postgres::connect::Role;
use crate::store::postgres::identity::{Identity, Known};
use crate::store::postgres::wire::{Breaker, Cancel, Connection};

/// A connection that was idle for longer is closed and not used: a firewall in between may have
/// forgotten it without a word.
const IDLE_LIMIT: Duration = Duration::from_secs(120);
/// Statements that the server is asked to give up, at most; the oldest is left to itself then. A
/// pool can lose each of its connections some times before the keeper has seen to it.
const MAX_UNANSWERED: usize = 64;

/// Connections of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::postgres) enum Lane {
    /// For transactions that write.
    Write,
    /// For reads; the server refuses writes on them.
    Read,
    /// For checks of tokens, which no list may keep waiting; like those for reads.
    Check,
}

impl Lane {
    pub(super) const ALL: [Lane; 3] = [Lane::Write, Lane::Read, Lane::Check];

    pub(super) fn role(self) -> Role {
        match self {
            Lane::Write => Role::Write,
            Lane::Read | Lane::Check => Role::Read,
        }
    }
}

/// What the pool knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) server: Server,
    /// The place of the server, or of the last one, among the target's hosts.
    pub(super) host: usize,
    /// Which one it is, if it has said that.
    pub(super) identity: Option<Identity>,
    /// The database, as this process has seen it.
    pub(super) known: Known,
    /// Grows when connections that were opened before must not be used any more.
    pub(super) generation: u64,
    pub(super) lanes: [Shelf; 3],
    /// Cuts each connection that is open, by its number.
    pub(super) breakers: HashMap<u64, Breaker>,
    /// The number of the next connection.
    pub(super) number: u64,
    /// Whether the keeper has something to do.
    pub(super) attention: bool,
    pub(super) calm: Calm,
    /// How many threads wait in each lane. A notification that wakes nobody costs a system call.
    pub(super) waiting: [usize; 3],
    /// Statements on `host` that the keeper asks it to give up.
    pub(super) unanswered: VecDeque<Cancel>,
    /// Since when commits are not finished in time; only the keeper's probe gets a connection that
    /// writes.
    pub(super) commits_hang: Option<Instant>,
}

/// The server, as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::postgres) enum Server {
    /// It can be connected to.
    Up {
        /// Its place among the target's hosts.
        host: usize,
        /// Whether it takes writes.
        writable: bool,
    },
    /// It cannot.
    Down { why: String, since: Instant },
}

/// The connections of a lane.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Those that nobody uses, the one used last at the end.
    pub(super) idle: Vec<Idle>,
    /// How many are open or being opened.
    pub(super) open: usize,
    pub(super) limit: usize,
    /// Until then the server has no room for more.
    pub(super) full_until: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Idle {
    pub(super) connection: Connection,
    pub(super) number: u64,
    pub(super) since: Instant,
}

/// What a thread needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub(super) lane: Lane,
    /// A new connection; an idle one has proved lost.
    pub(super) fresh: bool,
    /// It is the keeper, which finds out whether commits are finished again.
    pub(super) probes: bool,
}

/// What a thread that needs a connection does.
#[allow(clippy::large_enum_variant)] // On the stack, for a moment.
pub(super) enum Step {
    Use(Idle),
    /// Opens one to the host with this number; the place is taken.
    Open(usize),
    /// Waits until another thread gives one back; or until then, when the server may have room again.
    Wait(Option<Instant>),
}

impl State {
    /// Decides what a thread that needs a connection does. Adds connections that must be closed to
    /// `closed`.
    pub(super) fn step(
        &mut self,
        need: Need,
        now: Instant,
        closed: &mut Vec<Connection>,
    ) -> Result<Step, Fault> {
        let Need { lane, fresh, probes } = need;
        let host = match &self.server {
            Server::Down { why, .. } => return Err(unavailable(why)),
            Server::Up { writable: false, .. } if lane == Lane::Write => {
                return Err(unavailable("the server takes no writes"));
            }
            Server::Up { .. } if lane == Lane::Write && self.commits_hang.is_some() && !probes => {
                return Err(unavailable("it does not finish commits"));
            }
            Server::Up { host, .. } => *host,
        };
        self.close_old(lane, now, closed);
        let shelf = &mut self.lanes[lane as usize];
        if !fresh && let Some(idle) = shelf.idle.pop() {
            return Ok(Step::Use(idle));
        }
        let is_full = shelf.full_until.is_some_and(|until| now < until);
        if shelf.open < shelf.limit && !is_full {
            shelf.open += 1;
            return Ok(Step::Open(host));
        }
        if let Some(idle) = shelf.idle.pop() {
            // The new one takes its place.
            self.breakers.remove(&idle.number);
            closed.push(idle.connection);
            return Ok(Step::Open(host));
        }
        Ok(Step::Wait(shelf.full_until.filter(|until| now < *until)))
    }

    /// Takes connections that were idle for long out of a lane.
    pub(super) fn close_old(&mut self, lane: Lane, now: Instant, closed: &mut Vec<Connection>) {
        let shelf = &mut self.lanes[lane as usize];
        let old = shelf.idle.partition_point(|idle| now.duration_since(idle.since) > IDLE_LIMIT);
        shelf.open -= old;
        for idle in shelf.idle.drain(..old) {
            self.breakers.remove(&idle.number);
            closed.push(idle.connection);
        }
    }

    /// Remembers the server that was found; returns whether it is another one than before.
    pub(super) fn moves(&mut self, host: usize, identity: Option<Identity>) -> bool {
        let former_host = std::mem::replace(&mut self.host, host);
        let former = std::mem::replace(&mut self.identity, identity);
        self.known.learn(identity);
        let is_another =
            identity.zip(former).is_some_and(|(now, before)| now.is_another_than(&before));
        former_host != host || is_another
    }

    /// Takes all idle connections out, and lets those in use not come back.
    pub(super) fn retire(&mut self, closed: &mut Vec<Connection>) {
        self.generation += 1;
        for shelf in &mut self.lanes {
            shelf.open -= shelf.idle.len();
            shelf.full_until = None;
            for idle in shelf.idle.drain(..) {
                self.breakers.remove(&idle.number);
                closed.push(idle.connection);
            }
        }
    }

    /// Keeps what the keeper asks the server to give up.
    pub(super) fn keep_unanswered(&mut self, cancel: Cancel) {
        if self.unanswered.len() == MAX_UNANSWERED {
            self.unanswered.pop_front();
        }
        self.unanswered.push_back(cancel);
    }

    /// Takes what the keeper asks the server to give up, with the server's place.
    pub(super) fn next_unanswered(&mut self) -> Option<(usize, Cancel)> {
        let cancel = self.unanswered.pop_front()?;
        Some((self.host, cancel))
    }

    /// Whether there is no server, writes are refused, or there is something to give up.
    pub(super) fn needs_keeper(&self) -> bool {
        let is_down = matches!(self.server, Server::Down { .. });
        is_down || self.commits_hang.is_some() || !self.unanswered.is_empty()
    }

    pub(super) fn cut(&self) {
        self.breakers.values().for_each(Breaker::cut);
    }
}

/// The fault of all requests while the pool is down; why is in the log already.
pub(super) fn unavailable(why: &str) -> Fault {
    Fault::Unavailable(Cause::logged(format!("PostgreSQL is not available: {why}")))
}
