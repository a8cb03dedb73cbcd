//! A connection of the pool while a thread has it, and its place in a lane.

use std::time::Instant;

use super::Pool;
use super::state::{Idle, Need};
use crate::store::postgres::wire::{Cancel, Connection};

/// A connection, until it is given back. If it is dropped instead, as by a panic, the connection is
/// closed, and the server undoes what was not committed.
#[derive(Debug)]
pub(in crate::store::postgres) struct Lease<'a> {
    pub(in crate::store::postgres) connection: Connection,
    pub(super) place: Place<'a>,
}

/// The place of a connection in its lane; dropping it frees the place.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) pool: &'a Pool,
    pub(super) need: Need,
    /// The place of its server among the target's hosts.
    pub(super) host: usize,
    pub(super) generation: u64,
    /// The connection's number, once it is open.
    pub(super) number: Option<u64>,
    /// The connection stays in the place, idle.
    pub(super) kept: bool,
}

impl Lease<'_> {
    /// Makes the connection idle. One that is lost, or whose transaction is still open, is closed.
    pub(in crate::store::postgres) fn give_back(self) {
        if !self.connection.is_usable() || self.connection.in_transaction() {
            return self.close();
        }
        let Lease { connection, mut place } = self;
        place.keep(connection);
    }

    /// Closes the connection. If it was lost while it waited for an answer, the keeper asks the
    /// server to give up.
    pub(in crate::store::postgres) fn close(self) {
        let Lease { connection, place } = self;
        let unanswered = connection.unanswered();
        drop(connection);
        if let Some(cancel) = unanswered {
            place.leave(cancel);
        }
    }

    /// Which generation of the pool's connections it is of.
    pub(in crate::store::postgres) fn generation(&self) -> u64 {
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
        let lane = self.need.lane as usize;
        state.lanes[lane].idle.push(idle);
        self.kept = true;
        self.pool.wake_one(state, lane);
    }

    /// Leaves a statement that the server may still run to the keeper, unless that is on another
    /// server by now.
    fn leave(&self, cancel: Cancel) {
        let mut state = self.pool.state();
        if state.host != self.host {
            return;
        }
        state.keep_unanswered(cancel);
        // The keeper sees to its own.
        if !self.need.probes {
            state.attention = true;
            drop(state);
            self.pool.attention.notify_all();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut state = self.pool.state();
        let lane = self.need.lane as usize;
        state.lanes[lane].open -= 1;
        if let Some(number) = self.number {
            state.breakers.remove(&number);
        }
        self.pool.wake_one(state, lane);
    }
}
