//! What the pool knows, behind its lock: the server, and the connections of each lane. Connects to
//! nothing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::error::Cause;
use crate::store::driver::Fault;
use crate::store::postgres::connect::Role;
use crate::store::postgres::identity::{Identity, Known};
use crate::store::postgres::wire::{Breaker, Connection};

/// A connection that was idle for longer is closed and not used: a firewall in between may have
/// forgotten it without a word.
const IDLE_LIMIT: Duration = Duration::from_secs(120);

/// A pool that falls so soon after it rose stays down for a while.
const SHORT: Duration = Duration::from_secs(1);
/// How long it stays down the first time; twice as long with each such fall in a row.
const FIRST_CALM: Duration = Duration::from_millis(500);
const LONGEST_CALM: Duration = Duration::from_secs(8);

/// Connections of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::postgres) enum Lane {
    /// For transactions that write.
    Write,
    /// For reads; the server refuses writes on them.
    Read,
}

impl Lane {
    pub(super) const ALL: [Lane; 2] = [Lane::Write, Lane::Read];

    pub(super) fn role(self) -> Role {
        match self {
            Lane::Write => Role::Write,
            Lane::Read => Role::Read,
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
    pub(super) lanes: [Shelf; 2],
    /// Cuts each connection that is open, by its number.
    pub(super) breakers: HashMap<u64, Breaker>,
    /// The number of the next connection.
    pub(super) number: u64,
    /// Whether the keeper has something to do.
    pub(super) attention: bool,
    pub(super) calm: Calm,
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

/// What a thread that needs a connection does.
#[allow(clippy::large_enum_variant)] // On the stack, for a moment.
pub(super) enum Step {
    Use(Idle),
    /// Opens one to the host with this number; the place is taken.
    Open(usize),
    /// Waits until another thread gives one back; or until then, when the server may have room again.
    Wait(Option<Instant>),
}

/// Keeps a pool down for a while that fell right after it had risen. If the keeper can connect and
/// requests cannot, each request would take the pool down and the keeper would take it up again.
#[derive(Debug, Default)]
pub(super) struct Calm {
    /// When the pool rose last.
    risen: Option<Instant>,
    /// How often in a row it fell within [`SHORT`].
    falls: u32,
    /// It does not rise before.
    until: Option<Instant>,
}

impl Calm {
    pub(super) fn rose(&mut self, now: Instant) {
        self.risen = Some(now);
    }

    pub(super) fn fell(&mut self, now: Instant) {
        let was_short = self.risen.is_some_and(|risen| now.duration_since(risen) < SHORT);
        self.falls = if was_short { self.falls.saturating_add(1) } else { 0 };
        let doubled = |falls: u32| FIRST_CALM * 2_u32.pow((falls - 1).min(8));
        let pause = was_short.then(|| doubled(self.falls).min(LONGEST_CALM));
        self.until = pause.map(|pause| now + pause);
    }

    pub(super) fn may_rise(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now >= until)
    }
}

impl State {
    /// Decides what a thread that needs a connection does. Adds connections that must be closed to
    /// `closed`.
    pub(super) fn step(
        &mut self,
        lane: Lane,
        fresh: bool,
        now: Instant,
        closed: &mut Vec<Connection>,
    ) -> Result<Step, Fault> {
        let host = match &self.server {
            Server::Down { why, .. } => return Err(unavailable(why)),
            Server::Up { writable: false, .. } if lane == Lane::Write => {
                return Err(unavailable("the server takes no writes"));
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

    pub(super) fn cut(&self) {
        self.breakers.values().for_each(Breaker::cut);
    }
}

/// The fault of all requests while the pool is down; why is in the log already.
pub(super) fn unavailable(why: &str) -> Fault {
    Fault::Unavailable(Cause::logged(format!("PostgreSQL is not available: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_falls_again_and_again_stays_down_longer_and_longer() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut calm = Calm::default();
        calm.fell(at(0));
        assert!(calm.may_rise(at(0)), "it has not risen before");
        // When it rises, when it falls, and how long it stays down then.
        for (risen, fallen, pause) in [
            (0, 10, 500),
            (1_000, 1_900, 1_000),
            (5_000, 5_001, 2_000),
            (10_000, 10_001, 4_000),
            (20_000, 20_001, 8_000),
            (40_000, 40_001, 8_000),
            (60_000, 61_000, 0),
            (70_000, 70_001, 500),
        ] {
            calm.rose(at(risen));
            calm.fell(at(fallen));
            assert!(calm.may_rise(at(fallen + pause)), "{fallen}");
            assert!(pause == 0 || !calm.may_rise(at(fallen + pause - 1)), "{fallen}");
        }
    }
}
