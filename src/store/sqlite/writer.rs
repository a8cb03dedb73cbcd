//! The connection that writes, and what stands between its transactions: the anchor, the size of
//! the log, the patience with other processes, and the group that is open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use super::BUSY;
use super::anchor::Anchor;
use super::checkpoint::LogSize;
use super::group::{Done, Group, OPEN, Outcome};
use super::readers::Readers;
use super::turns::{Kind, Turn};
use crate::store::driver::{Fault, Writing};

/// How long a transaction waits when the lock had been in the way for [`BUSY`] before it began.
const BUSY_AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) anchor: Anchor,
    pub(super) connection: Connection,
    pub(super) log: LogSize,
    /// How long a group takes more members.
    pub(super) open: Duration,
    /// Set while another process keeps the file locked.
    locked: Option<Locked>,
    /// The transaction that is open between the turns of its members.
    group: Option<Group>,
}

/// A lock of another process that writers gave up on.
#[derive(Debug, Clone, Copy)]
struct Locked {
    /// When the first gave up.
    since: Instant,
    /// When the last gave up.
    seen: Instant,
}

impl Writer {
    pub(super) fn new(connection: Connection, anchor: Anchor, log: LogSize) -> Writer {
        Writer { anchor, connection, log, open: OPEN, locked: None, group: None }
    }

    /// Renews the anchor, or releases it if nobody reads (not `busy`). While a group is open, that
    /// is left to its end.
    pub(super) fn upkeep(&mut self, busy: bool) {
        if let Some(group) = &mut self.group {
            group.anchored = busy;
            return;
        }
        // Release the read transaction even if a new one follows: only a new one sees later writes.
        self.anchor.release();
        if busy {
            self.anchor.hold();
        }
    }

    /// Runs `act` between two transactions.
    pub(super) fn alone<T>(
        &mut self,
        begun: Instant,
        readers: &Readers,
        act: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let anchored = self.prepare(begun, BUSY)?;
        let done = act(&mut self.connection);
        self.rest(anchored, done.as_ref().is_err_and(is_busy), readers, false);
        done
    }

    /// Opens a group, if none is open, for a thread that has waited since `begun`, and waits for
    /// `patience` in all.
    pub(super) fn open_group(
        &mut self,
        begun: Instant,
        patience: Duration,
        readers: &Readers,
    ) -> rusqlite::Result<()> {
        if self.group.is_some() {
            return Ok(());
        }
        let anchored = self.prepare(begun, patience)?;
        let locked = self.locked;
        match Group::open(&self.connection, anchored) {
            Ok(group) => self.group = Some(group),
            Err(error) => {
                self.rest(anchored, is_busy(&error), readers, true);
                // Those who wait longer may still succeed.
                if is_busy(&error) && patience < BUSY {
                    self.locked = locked;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Runs the work of the thread that has the turn, in the group that is open.
    pub(super) fn run(&self, work: &mut Writing<'_>) -> Done {
        match &self.group {
            Some(group) => group.run(&self.connection, work),
            None => Ok(Err(Fault::Damaged("no transaction is open".into()).into())),
        }
    }

    /// Joins those that wait for the group's commit, if the next thread can go on with it.
    pub(super) fn join(
        &mut self,
        kind: Kind,
        turn: &Turn<'_>,
        done: &Done,
    ) -> Option<Arc<Outcome>> {
        let group = self.group.as_mut()?;
        let goes_on = kind == Kind::Joins && turn.next_joins();
        (goes_on && group.goes_on(&self.connection, done, self.open)).then(|| group.join())
    }

    /// Ends the group, and tells its members; returns what became of it. `last` is what the work of
    /// the last one came to.
    pub(super) fn end_group(
        &mut self,
        turn: &Turn<'_>,
        last: &Done,
        readers: &Readers,
    ) -> Result<(), Fault> {
        let Some(group) = self.group.take() else { return Ok(()) };
        let (anchored, shared) = (group.anchored, group.is_shared());
        let outcome = group.end(&self.connection, last);
        self.rest(anchored, false, readers, shared || turn.is_awaited());
        outcome
    }

    /// Prepares for a transaction that has waited since `begun`, and waits for `patience` in all;
    /// returns whether the anchor was held.
    fn prepare(&mut self, begun: Instant, patience: Duration) -> rusqlite::Result<bool> {
        self.connection.busy_timeout(self.rest_of(patience, begun))?;
        // Reads that begin while this is written may cost a little more.
        Ok(self.anchor.release())
    }

    /// Follows a transaction. With `busy`, it could not begin because another process has the file
    /// locked; `crowded` says whether many write.
    fn rest(&mut self, anchored: bool, busy: bool, readers: &Readers, crowded: bool) {
        self.log.bound(&self.connection, readers, crowded);
        if anchored {
            self.anchor.hold();
        }
        let seen = Instant::now();
        let since = self.still_locked(seen).map_or(seen, |locked| locked.since);
        self.locked = busy.then_some(Locked { since, seen });
    }

    /// Returns another process's lock, if a writer gave up on it less than [`BUSY`] ago.
    fn still_locked(&self, now: Instant) -> Option<Locked> {
        self.locked.filter(|locked| now.duration_since(locked.seen) < BUSY)
    }

    /// Returns how long a transaction may still wait, if it began to wait at `begun`.
    fn rest_of(&self, patience: Duration, begun: Instant) -> Duration {
        let now = Instant::now();
        match self.still_locked(now) {
            Some(locked) if locked.since <= begun => BUSY_AGAIN,
            _ => patience.saturating_sub(now.duration_since(begun)).max(BUSY_AGAIN),
        }
    }
}

/// Whether another process has the file locked.
fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}
