//! A group: writers that share one transaction, and so one sync of the disk.
//!
//! A thread that has the turn to write and finds others waiting does not commit: it passes the turn
//! on with the transaction open, and waits. The next thread runs inside the same transaction and
//! sees what those before it wrote. A thread behind which nobody waits commits for all. While its
//! sync is under way, the next group gathers; there is no timer.
//!
//! Each member after the first runs inside a savepoint, so its failure undoes its own changes only.
//! If the first fails, the whole transaction is undone: nobody else is in it yet. No member is
//! answered before the commit, not even one that failed, because its failure may depend on what
//! others wrote. If the commit fails, or SQLite has rolled back by itself, all members fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::statements::{Statements, fault};
use crate::store::driver::{Abort, Fault, Writing};

/// The most members of a group.
const MOST: usize = 128;
/// How long a group takes more members: then the first one has waited long enough. Tests wait longer,
/// because their machine may be busy.
pub(super) const OPEN: Duration = Duration::from_millis(if cfg!(test) { 60_000 } else { 50 });

/// A transaction that is open, and the threads that wait for its commit.
#[derive(Debug)]
pub(super) struct Group {
    outcome: Arc<Outcome>,
    members: Vec<Thread>,
    opened: Instant,
    /// Whether the anchor is held again afterwards.
    pub(super) anchored: bool,
}

/// What became of a group's transaction. Set once, after the commit.
#[derive(Debug, Default)]
pub(super) struct Outcome(OnceLock<Result<(), Fault>>);

/// What a member's work came to; the error is its panic.
pub(super) type Done = thread::Result<Result<(), Abort>>;

impl Group {
    /// Begins the transaction.
    pub(super) fn open(connection: &Connection, anchored: bool) -> rusqlite::Result<Group> {
        execute(connection, "BEGIN IMMEDIATE")?;
        let (outcome, members) = (Arc::default(), Vec::new());
        Ok(Group { outcome, members, opened: Instant::now(), anchored })
    }

    /// Runs the work of the thread that has the turn. What it has changed is undone if it fails or
    /// panics.
    pub(super) fn run(&self, connection: &Connection, work: &mut Writing<'_>) -> Done {
        let work = AssertUnwindSafe(|| work(&mut Statements(connection)));
        if self.members.is_empty() {
            let done = catch_unwind(work);
            if !matches!(done, Ok(Ok(()))) {
                roll_back(connection);
            }
            return done;
        }
        if let Err(error) = execute(connection, "SAVEPOINT member") {
            return Ok(Err(Abort::Fault(fault(error))));
        }
        let mut done = catch_unwind(work);
        if let Ok(Ok(())) = done {
            match execute(connection, "RELEASE member") {
                Ok(()) => return done,
                Err(error) => done = Ok(Err(Abort::Fault(fault(error)))),
            }
        }
        let undone = execute(connection, "ROLLBACK TO member");
        if undone.and_then(|()| execute(connection, "RELEASE member")).is_err() {
            // What this member has changed must not be committed.
            roll_back(connection);
        }
        done
    }

    /// Whether it has several members.
    pub(super) fn is_shared(&self) -> bool {
        !self.members.is_empty()
    }

    /// Whether another member may join after the last one, whose work came to `last`: not after the
    /// group was open for `longest`.
    pub(super) fn goes_on(&self, connection: &Connection, last: &Done, longest: Duration) -> bool {
        !self.is_void(last)
            && !connection.is_autocommit()
            && self.members.len() + 1 < MOST
            && self.opened.elapsed() < longest
    }

    /// Whether the only member has failed, and so has undone the transaction.
    fn is_void(&self, last: &Done) -> bool {
        self.members.is_empty() && !matches!(last, Ok(Ok(())))
    }

    /// Adds this thread to those that wait; returns what it waits for.
    pub(super) fn join(&mut self) -> Arc<Outcome> {
        self.members.push(thread::current());
        Arc::clone(&self.outcome)
    }

    /// Ends the transaction, and tells every member what became of it. `last` is what the work of
    /// the last one came to.
    pub(super) fn end(self, connection: &Connection, last: &Done) -> Result<(), Fault> {
        if self.is_void(last) {
            // Nobody waits for it.
            return Ok(());
        }
        let outcome = match connection.is_autocommit() {
            // SQLite rolls back by itself after some errors, such as a full disk.
            true => Err(lost(last)),
            false => execute(connection, "COMMIT").map_err(|error| {
                roll_back(connection);
                fault(error)
            }),
        };
        // Nobody else sets it.
        let _ = self.outcome.0.set(outcome.clone());
        self.members.iter().for_each(Thread::unpark);
        outcome
    }
}

impl Outcome {
    /// Waits for the end of the transaction, however long it takes: its outcome is not known before.
    pub(super) fn wait(&self) -> Result<(), Fault> {
        loop {
            match self.0.get() {
                Some(outcome) => return outcome.clone(),
                None => thread::park(),
            }
        }
    }
}

/// Why a transaction that SQLite has rolled back is lost.
fn lost(last: &Done) -> Fault {
    match last {
        Ok(Err(Abort::Fault(
            why @ (Fault::Unavailable(_) | Fault::Corrupt(_) | Fault::Damaged(_)),
        ))) => why.clone(),
        _ => Fault::Unavailable("the transaction was rolled back".into()),
    }
}

/// Undoes the transaction, if SQLite has not done so.
fn roll_back(connection: &Connection) {
    if connection.is_autocommit() {
        return;
    }
    if let Err(error) = execute(connection, "ROLLBACK") {
        // The next transaction cannot begin, so nothing of this one is ever acknowledged.
        log::error!("a transaction cannot be rolled back: {error}");
    }
}

fn execute(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests;
