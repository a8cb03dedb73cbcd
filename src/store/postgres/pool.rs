//! The connections, and whether there is a server to connect to.
//!
//! Connections are opened when they are needed, up to a limit for each [`Lane`], and kept. If a
//! server cannot be connected to, the pool is down: every thread that asks is refused at once, and
//! none waits for the network. Only the keeper takes the pool up again. What the pool knows is in
//! `state`; a connection in use is a `Lease`.

mod calm;
mod health;
mod lease;
mod state;

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::calm::Calm;
use self::lease::Place;
use self::state::{Idle, Need, Shelf, State, Step, unavailable};
use super::connect::{self, CONNECT, Found};
use super::fault;
use super::identity::Known;
use super::target::Target;
use super::wire::Cancel;
use crate::store::driver::Fault;

pub(super) use self::lease::Lease;
pub(super) use self::state::{Lane, Server};

/// Connections to one server at a time.
#[derive(Debug)]
pub(super) struct Pool {
    target: Target,
    state: Mutex<State>,
    /// A connection or its place is free, or the pool is down; for those who wait in each lane.
    changed: [Condvar; 3],
    /// The keeper has something to do.
    attention: Condvar,
}

impl Pool {
    /// A pool for a server that was found. The limits are for connections that write, that
    /// read, and that check tokens.
    pub(super) fn new(target: Target, limits: [usize; 3], found: &Found) -> Pool {
        let (host, writable, identity) = (found.host, found.writable, found.identity);
        let mut known = Known::default();
        known.learn(identity);
        let shelf = |limit| Shelf { idle: Vec::new(), open: 0, limit, full_until: None };
        Pool {
            target,
            state: Mutex::new(State {
                server: Server::Up { host, writable },
                host,
                identity,
                known,
                generation: 0,
                lanes: limits.map(shelf),
                breakers: HashMap::new(),
                number: 0,
                attention: false,
                calm: Calm::default(),
                waiting: [0; 3],
                unanswered: VecDeque::new(),
                commits_hang: None,
            }),
            changed: Lane::ALL.map(|_| Condvar::new()),
            attention: Condvar::new(),
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// What the process knows of the database, which tells a former primary from the current one.
    pub(super) fn known(&self) -> Known {
        self.state().known
    }

    /// The server, as it was last seen.
    pub(super) fn server(&self) -> Server {
        self.state().server.clone()
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.state().server, Server::Up { .. })
    }

    /// Returns a connection: an idle one, or a new one. Waits until `deadline` if all are in use.
    /// With `fresh` it is a new one: an idle one has proved lost.
    pub(super) fn take(
        &self,
        lane: Lane,
        fresh: bool,
        deadline: Instant,
    ) -> Result<Lease<'_>, Fault> {
        self.take_for(Need { lane, fresh, probes: false }, deadline)
    }

    /// Returns a connection that writes, also while commits hang.
    pub(super) fn take_to_probe(&self, deadline: Instant) -> Result<Lease<'_>, Fault> {
        self.take_for(Need { lane: Lane::Write, fresh: false, probes: true }, deadline)
    }

    fn take_for(&self, need: Need, deadline: Instant) -> Result<Lease<'_>, Fault> {
        // Declared before the lock, and so closed after it is released.
        let mut closed = Vec::new();
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let step = state.step(need, now, &mut closed)?;
            let (generation, host) = (state.generation, state.host);
            let place = |number| Place { pool: self, need, host, generation, number, kept: false };
            match step {
                Step::Use(Idle { connection, number, .. }) => {
                    return Ok(Lease { connection, place: place(Some(number)) });
                }
                Step::Open(host) => {
                    let place = place(None);
                    drop(state);
                    closed.clear();
                    if now >= deadline {
                        return Err(Fault::Unavailable("no connection was free in time".into()));
                    }
                    if let Some(lease) = self.open(place, host)? {
                        return Ok(lease);
                    }
                    state = self.state();
                }
                Step::Wait(until) => state = self.wait(state, need.lane, until, deadline)?,
            }
        }
    }

    /// Waits until something changes in a lane; `until` then at most, when the server may have room
    /// again.
    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        lane: Lane,
        until: Option<Instant>,
        deadline: Instant,
    ) -> Result<MutexGuard<'a, State>, Fault> {
        let now = Instant::now();
        if now >= deadline {
            return Err(match until {
                Some(_) => unavailable("it has too many connections"),
                None => Fault::Unavailable("all connections are in use".into()),
            });
        }
        let end = until.map_or(deadline, |until| until.min(deadline));
        let lane = lane as usize;
        state.waiting[lane] += 1;
        let patience = end.saturating_duration_since(now);
        let waited = self.changed[lane].wait_timeout(state, patience);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.waiting[lane] -= 1;
        Ok(state)
    }

    /// Returns an idle connection, if there is one. Waits for none and opens none.
    pub(super) fn take_idle(&self, lane: Lane) -> Option<Lease<'_>> {
        let mut closed = Vec::new();
        let mut state = self.state();
        state.close_old(lane, Instant::now(), &mut closed);
        let Idle { connection, number, .. } = state.lanes[lane as usize].idle.pop()?;
        let (generation, host) = (state.generation, state.host);
        let need = Need { lane, fresh: false, probes: false };
        let number = Some(number);
        let place = Place { pool: self, need, host, generation, number, kept: false };
        Some(Lease { connection, place })
    }

    /// Opens a connection for a place. `None` if the pool has changed meanwhile, or if the server
    /// has no room: the caller looks again.
    fn open<'a>(&self, mut place: Place<'a>, host: usize) -> Result<Option<Lease<'a>>, Fault> {
        let Some(to) = self.target.hosts.get(host) else {
            return Err(Fault::Damaged(format!("there is no host {host}").into()));
        };
        let deadline = Instant::now() + CONNECT;
        match connect::to(&self.target, to, place.need.lane.role(), deadline) {
            Ok(connection) => {
                let mut state = self.state();
                if state.generation != place.generation {
                    drop(state);
                    return Ok(None);
                }
                let number = state.number;
                state.number += 1;
                state.breakers.insert(number, connection.breaker());
                place.number = Some(number);
                Ok(Some(Lease { connection, place }))
            }
            Err(failure) if fault::is_full(&failure) => {
                self.wait_for_room(place.need.lane, &failure);
                Ok(None)
            }
            Err(failure) => {
                let why = format!("{}: {failure}", connect::name(to));
                Err(self.fall_since(place.generation, &why))
            }
        }
    }

    /// Takes the next statement that the server must be asked to give up; with the place of the
    /// server among the target's hosts.
    pub(super) fn next_unanswered(&self) -> Option<(usize, Cancel)> {
        self.state().next_unanswered()
    }

    /// Whether something went wrong that only the keeper can mend.
    pub(super) fn needs_keeper(&self) -> bool {
        self.state().needs_keeper()
    }

    /// Cuts all connections that are in use: the threads that wait for an answer get an error.
    pub(super) fn cut(&self) {
        self.state().cut();
    }

    /// Closes connections that were idle for long.
    pub(super) fn tidy(&self) {
        let now = Instant::now();
        let mut closed = Vec::new();
        let mut state = self.state();
        for lane in Lane::ALL {
            state.close_old(lane, now, &mut closed);
        }
    }

    /// Wakes the keeper.
    pub(super) fn attend(&self) {
        self.state().attention = true;
        self.attention.notify_all();
    }

    /// Waits until the keeper has something to do, for `longest` at most.
    pub(super) fn rest(&self, longest: Duration) {
        let calm = |state: &mut State| !state.attention;
        let waited = self.attention.wait_timeout_while(self.state(), longest, calm);
        waited.unwrap_or_else(PoisonError::into_inner).0.attention = false;
    }

    /// Wakes one of the threads that wait in a lane, if there are any.
    fn wake_one(&self, state: MutexGuard<'_, State>, lane: usize) {
        let somebody_waits = state.waiting[lane] > 0;
        drop(state);
        if somebody_waits {
            self.changed[lane].notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
