//! The connections, and whether there is a server to connect to.
//!
//! Connections are opened when they are needed, up to a limit for each [`Lane`], and kept. If a
//! server cannot be connected to, the pool is down: every thread that asks is refused at once, and
//! none waits for the network. Only the keeper takes the pool up again. What the pool knows is in
//! `state`.

mod state;

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::state::{Calm, Idle, Shelf, State, Step, unavailable};
use super::connect::{self, CONNECT, Found};
use super::fault;
use super::identity::{Identity, Known};
use super::target::Target;
use super::wire::Connection;
use crate::store::driver::Fault;

pub(super) use self::state::{Lane, Server};

/// How long the pool asks for no further connection after the server had too many.
const FULL: Duration = Duration::from_secs(1);

/// Connections to one server at a time.
#[derive(Debug)]
pub(super) struct Pool {
    target: Target,
    state: Mutex<State>,
    /// A connection or its place is free, or the pool is down; for those who wait in each lane.
    changed: [Condvar; 2],
    /// The keeper has something to do.
    attention: Condvar,
}

/// A connection, until it is given back. If it is dropped instead, as by a panic, the connection is
/// closed, and the server undoes what was not committed.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    pub(super) connection: Connection,
    place: Place<'a>,
}

/// The place of a connection in its lane; dropping it frees the place.
#[derive(Debug)]
struct Place<'a> {
    pool: &'a Pool,
    lane: Lane,
    generation: u64,
    /// The connection's number, once it is open.
    number: Option<u64>,
    /// The connection stays in the place, idle.
    kept: bool,
}

impl Pool {
    /// A pool for a server that was found. The limits are for connections that write and that read.
    pub(super) fn new(target: Target, limits: [usize; 2], found: &Found) -> Pool {
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
            }),
            changed: [Condvar::new(), Condvar::new()],
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
        // Declared before the lock, and so closed after it is released.
        let mut closed = Vec::new();
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let step = state.step(lane, fresh, now, &mut closed)?;
            let generation = state.generation;
            let place = |number| Place { pool: self, lane, generation, number, kept: false };
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
                Step::Wait(until) => {
                    let patience = deadline.saturating_duration_since(now);
                    if patience.is_zero() {
                        let why = match until {
                            Some(_) => "the server has too many connections",
                            None => "all connections are in use",
                        };
                        return Err(Fault::Unavailable(why.into()));
                    }
                    let until = until.map(|until| until.saturating_duration_since(now));
                    let patience = until.map_or(patience, |until| until.min(patience));
                    let waited = self.changed[lane as usize].wait_timeout(state, patience);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// Opens a connection for a place. `None` if the pool has changed meanwhile, or if the server
    /// has no room: the caller looks again.
    fn open<'a>(&self, mut place: Place<'a>, host: usize) -> Result<Option<Lease<'a>>, Fault> {
        let Some(to) = self.target.hosts.get(host) else {
            return Err(Fault::Damaged(format!("there is no host {host}").into()));
        };
        let deadline = Instant::now() + CONNECT;
        match connect::to(&self.target, to, place.lane.role(), deadline) {
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
                let mut state = self.state();
                state.lanes[place.lane as usize].full_until = Some(Instant::now() + FULL);
                drop(state);
                Ok(None)
            }
            Err(failure) => {
                let why = format!("{}: {failure}", connect::name(to));
                Err(self.fall_since(place.generation, &why))
            }
        }
    }

    /// Takes the pool down because of what a connection of `generation` has met, unless that has
    /// happened since. Returns the fault of the request.
    pub(super) fn fall_since(&self, generation: u64, why: &str) -> Fault {
        let state = self.state();
        if state.generation == generation {
            self.fall_from(state, why, false);
        }
        unavailable(why)
    }

    /// Takes the pool down. Idle connections are closed; those in use, when they are given back. If
    /// it is down, another reason is logged if it `matters`: waiting will not help.
    pub(super) fn fall(&self, why: &str, matters: bool) {
        self.fall_from(self.state(), why, matters);
    }

    fn fall_from(&self, mut state: MutexGuard<'_, State>, why: &str, matters: bool) {
        let mut closed = Vec::new();
        match &mut state.server {
            Server::Down { why: known, .. } if known != why => {
                let level = if matters { log::Level::Warn } else { log::Level::Debug };
                log::log!(level, "the database is still not available: {why}");
                why.clone_into(known);
            }
            Server::Down { .. } => {}
            server @ Server::Up { .. } => {
                let now = Instant::now();
                *server = Server::Down { why: why.to_owned(), since: now };
                state.calm.fell(now);
                state.retire(&mut closed);
                state.attention = true;
                drop(state);
                log::warn!("the database is not available, and is tried again: {why}");
                self.attention.notify_all();
                self.changed.iter().for_each(Condvar::notify_all);
            }
        }
    }

    /// Whether the pool is down and must stay so for a while; see [`Calm`].
    pub(super) fn must_stay_down(&self) -> bool {
        let state = self.state();
        matches!(state.server, Server::Down { .. }) && !state.calm.may_rise(Instant::now())
    }

    /// Takes the pool up: the server with the number `host` can be connected to. Connections to
    /// another one are cut: it may be a former primary that does not know it yet.
    pub(super) fn rise(&self, host: usize, writable: bool, identity: Option<Identity>) {
        let mut closed = Vec::new();
        let mut state = self.state();
        let before = std::mem::replace(&mut state.server, Server::Up { host, writable });
        let moved = state.moves(host, identity);
        if matches!(before, Server::Down { .. }) {
            state.calm.rose(Instant::now());
        }
        if moved {
            state.retire(&mut closed);
            state.cut();
        }
        drop(state);
        let line = match before {
            Server::Down { since, .. } => {
                format!("is available again after {:.1} s", since.elapsed().as_secs_f32())
            }
            Server::Up { .. } if moved => "is on another server now".to_owned(),
            Server::Up { writable: could, .. } if could != writable => {
                "has another state".to_owned()
            }
            Server::Up { .. } => return,
        };
        let name = self.target.hosts.get(host).map(connect::name).unwrap_or_default();
        match writable {
            true => log::info!("the database {line}; it takes writes: {name}"),
            false => log::warn!("the database {line}; it takes no writes: {name}"),
        }
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    /// Makes the connection idle. One that is lost, or whose transaction is still open, is closed.
    pub(super) fn give_back(self) {
        let Lease { connection, mut place } = self;
        if connection.is_usable() && !connection.in_transaction() {
            place.keep(connection);
        }
    }

    /// Which generation of the pool's connections it is of.
    pub(super) fn generation(&self) -> u64 {
        self.place.generation
    }
}

impl Place<'_> {
    fn keep(&mut self, connection: Connection) {
        let mut state = self.pool.state();
        let Some(number) = self.number.filter(|_| state.generation == self.generation) else {
            return;
        };
        let idle = Idle { connection, number, since: Instant::now() };
        state.lanes[self.lane as usize].idle.push(idle);
        drop(state);
        self.kept = true;
        self.pool.changed[self.lane as usize].notify_one();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut state = self.pool.state();
        state.lanes[self.lane as usize].open -= 1;
        if let Some(number) = self.number {
            state.breakers.remove(&number);
        }
        drop(state);
        self.pool.changed[self.lane as usize].notify_one();
    }
}
