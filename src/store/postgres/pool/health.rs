//! The pool goes down and up, and refuses and admits writes; each is said in the log once.

use std::sync::{Condvar, MutexGuard};
use std::time::{Duration, Instant};

use super::Pool;
use super::state::{Lane, Server, State, unavailable};
use crate::store::driver::Fault;
use crate::store::postgres::connect;
use crate::store::postgres::identity::Identity;
use crate::store::postgres::wire::Failure;

/// How long the pool asks for no further connection after the server had too many.
const FULL: Duration = Duration::from_secs(1);
/// After so long without that, the log says it again.
const SAID: Duration = Duration::from_secs(60);

impl Pool {
    /// Opens no further connection in a lane for a while: the server has too many.
    pub(super) fn wait_for_room(&self, lane: Lane, failure: &Failure) {
        let now = Instant::now();
        let mut state = self.state();
        let before = state.lanes[lane as usize].full_until.replace(now + FULL);
        drop(state);
        if before.is_none_or(|until| until + SAID < now) {
            log::warn!(
                "the database has no room for a connection; requests wait for one: {failure}"
            );
        }
    }

    /// Takes the pool down because of what a connection of `generation` has met, unless that has
    /// happened since. Returns the fault of the request.
    pub(in crate::store::postgres) fn fall_since(&self, generation: u64, why: &str) -> Fault {
        let state = self.state();
        if state.generation == generation {
            self.fall_from(state, why, false);
        }
        unavailable(why)
    }

    /// Takes the pool down. Idle connections are closed; those in use, when they are given back. If
    /// it is down, another reason is logged if it `matters`: waiting will not help.
    pub(in crate::store::postgres) fn fall(&self, why: &str, matters: bool) {
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
                state.commits_hang = None;
                state.attention = true;
                drop(state);
                log::warn!("the database is not available, and is tried again: {why}");
                self.attention.notify_all();
                self.changed.iter().for_each(Condvar::notify_all);
            }
        }
    }

    /// Whether the pool is down and must stay so for a while; see [`Calm`].
    pub(in crate::store::postgres) fn must_stay_down(&self) -> bool {
        let state = self.state();
        matches!(state.server, Server::Down { .. }) && !state.calm.may_rise(Instant::now())
    }

    /// Takes the pool up: the server with the number `host` can be connected to. Connections to
    /// another one are cut: it may be a former primary that does not know it yet.
    pub(in crate::store::postgres) fn rise(
        &self,
        host: usize,
        writable: bool,
        identity: Option<Identity>,
    ) {
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
            state.unanswered.clear();
            state.commits_hang = None;
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

    /// Refuses writes: a commit on a connection of `generation` was not finished in time. See
    /// `commits`.
    pub(in crate::store::postgres) fn refuse_writes(&self, generation: u64) {
        let mut state = self.state();
        if state.generation != generation || state.commits_hang.is_some() {
            return;
        }
        state.commits_hang = Some(Instant::now());
        state.attention = true;
        drop(state);
        log::warn!(
            "the database does not finish commits, as without its synchronous standby; requests \
             that write are refused until it does"
        );
        self.attention.notify_all();
        self.changed[Lane::Write as usize].notify_all();
    }

    /// Admits writes again.
    pub(in crate::store::postgres) fn admit_writes(&self) {
        let Some(since) = self.state().commits_hang.take() else { return };
        let seconds = since.elapsed().as_secs_f32();
        log::info!("the database finishes commits again after {seconds:.1} s; writes are admitted");
    }

    /// Whether writes are refused because commits hang.
    pub(in crate::store::postgres) fn commits_hang(&self) -> bool {
        self.state().commits_hang.is_some()
    }
}
