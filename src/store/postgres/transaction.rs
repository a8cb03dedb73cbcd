//! One transaction, begun again until it is committed, refused, or out of time.
//!
//! **Why SERIALIZABLE.** The rules of the store read and then write: "another administrator is
//! left" reads one row and changes another. At any weaker level two such transactions, each right
//! by itself, can be wrong together (write skew), and every rule would need locks of its own. At
//! this level PostgreSQL lets a set of transactions commit only if some order of them, one after
//! the other, has the same outcome; otherwise it fails one of them, which is run again.
//!
//! **Why `turn`.** A transaction that is run again may fail again, and under load for ever. So
//! after [`TRIES`] runs it is run alone, unless an import is under way (`turn`). Every transaction locks the empty table `turn` before
//! anything else: in ROW SHARE mode, which many can hold at the same time, or, to be alone, in
//! EXCLUSIVE mode, which excludes all others. `LOCK TABLE` takes no snapshot; the first statement
//! after it does.
//!
//! **Why the last run does not fail to serialize.** PostgreSQL fails a transaction only for its
//! conflicts with concurrent ones: those whose commit its snapshot does not see. When the lock is
//! granted, all transactions that held it have ended, and PostgreSQL makes a commit visible before
//! it releases the locks; so the snapshot, which comes later, sees them all. No other one begins to
//! read before this one has ended. Reads outside of transactions are READ COMMITTED and play no part
//! in conflicts. For the same reason it cannot deadlock: nobody else holds locks on our rows.
//! PostgreSQL queues waiting locks, so ROW SHARE locks that are asked for later do not overtake
//! the exclusive one. A person with psql can still be in the way; then it is the time limit that
//! ends it.
//!
//! **Why an import is tried more often.** While it is alone, for seconds or minutes, no other transaction
//! can write. So it is run [`IMPORT_TRIES`] times beside others first.
//!
//! **A lost connection.** Before COMMIT is sent the server undoes the transaction, so it is run
//! again on a new connection, once. After that nobody knows whether it was committed. It is never
//! run again then: a registration that was committed would be refused as taken, a code as used.
//! The request is answered 503.
//!
//! **A refusal by a rule** ends with ROLLBACK, so PostgreSQL does not confirm what was read. That
//! is enough: it was one snapshot, a state that did exist, and nothing was written.

use std::thread;
use std::time::{Duration, Instant};

use super::fault::{self, Reach};
use super::pool::{Lane, Lease, Pool};
use super::statements::{Failed, Limit, Statements};
use super::turn::{Turn, is_import_under_way};
use super::wire::{Connection, Statement};
use crate::error::Cause;
use crate::store::driver::{Abort, Fault, PROBE, Writing};
use crate::values::random;

/// How long a transaction may take in all, waiting and repeating included.
const LIMIT: Duration = Duration::from_secs(5);
/// How long one that adds very many rows may take in all, and each round trip of it. The server's
/// limits on a session are on single statements and on pauses between them, and stay.
#[cfg(any(test, feature = "cli"))]
const LONG_LIMIT: Duration = Duration::from_secs(600);
#[cfg(any(test, feature = "cli"))]
const ROUND_TRIP: Duration = Duration::from_secs(30);
/// How long COMMIT may take if less than that is left: giving up on it leaves the outcome unknown.
const COMMIT_LIMIT: Duration = Duration::from_secs(2);
/// How long ROLLBACK may take before the connection is closed instead.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(2);
/// How often a transaction is run beside others before it is run alone.
const TRIES: u32 = 3;
/// The same for an import.
#[cfg(any(test, feature = "cli"))]
pub(super) const IMPORT_TRIES: u32 = 10;
/// The longest pause before the second run. It is twice as long before the third, and three times as
/// long before each that follows, but for the first that may be alone.
const PAUSE: Duration = Duration::from_millis(4);

/// Why a connection is of no use, if a new one is not either.
const STANDBY: &str = "the server begins no serializable transaction";

const COMMIT: Statement<'static> = Statement { sql: "COMMIT", values: &[] };
const ROLLBACK: Statement<'static> = Statement { sql: "ROLLBACK", values: &[] };

/// How long a transaction may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// As long as a client waits.
    Short,
    /// As long as the check for monitoring waits.
    Probe,
    /// As long as a person waits who brings accounts in.
    #[cfg(any(test, feature = "cli"))]
    Import,
    /// As long as a busy machine may need for a test.
    #[cfg(test)]
    Test,
}

impl Patience {
    fn whole(self) -> Duration {
        match self {
            Patience::Short => LIMIT,
            Patience::Probe => PROBE,
            #[cfg(any(test, feature = "cli"))]
            Patience::Import => LONG_LIMIT,
            #[cfg(test)]
            Patience::Test => LONG_LIMIT,
        }
    }

    fn limit(self, deadline: Instant) -> Limit {
        match self {
            Patience::Short | Patience::Probe => Limit::Until(deadline),
            #[cfg(any(test, feature = "cli"))]
            Patience::Import => Limit::Each(ROUND_TRIP),
            #[cfg(test)]
            Patience::Test => Limit::Each(ROUND_TRIP),
        }
    }

    /// How a run takes its turn, after as many conflicts.
    fn turn(self, conflicts: u32, connection: &mut Connection, deadline: Instant) -> Turn {
        match self {
            #[cfg(any(test, feature = "cli"))]
            Patience::Import if conflicts < IMPORT_TRIES => Turn::Import,
            #[cfg(any(test, feature = "cli"))]
            Patience::Import => Turn::Alone,
            _ if conflicts < TRIES || is_import_under_way(connection, deadline) => Turn::Beside,
            _ => Turn::Alone,
        }
    }
}

/// Why a run of a transaction did not commit.
enum Ended {
    /// It is not run again.
    Finally(Abort),
    /// Another transaction was in the way. The fault is for the case that this was the last run.
    Conflict { last: Fault },
    /// The connection was lost before COMMIT was sent.
    Lost(Fault),
    /// The connection is of no use any more; see [`Reach::Stale`].
    Stale,
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Ended {
        Ended::Finally(fault.into())
    }
}

/// Runs `work` in a transaction; see [`Driver::write`](crate::store::driver::Driver::write).
pub(super) fn write(pool: &Pool, patience: Patience, work: &mut Writing<'_>) -> Result<(), Abort> {
    let deadline = Instant::now() + patience.whole();
    let limit = patience.limit(deadline);
    let (mut conflicts, mut lost) = (0, false);
    // Whether the next connection must be a new one.
    let mut fresh = false;
    loop {
        let mut lease = pool.take(Lane::Write, fresh, deadline)?;
        let generation = lease.generation();
        let turn = patience.turn(conflicts, &mut lease.connection, deadline);
        let ended = match run(pool, lease, turn, (limit, deadline), work) {
            Ok(()) => return Ok(()),
            Err(ended) => ended,
        };
        fresh = matches!(ended, Ended::Lost(_) | Ended::Stale);
        let fault = match ended {
            Ended::Finally(abort) => return Err(abort),
            Ended::Conflict { last } if turn == Turn::Alone => return Err(last.into()),
            Ended::Lost(fault) if lost => return Err(fault.into()),
            Ended::Stale if lost => return Err(pool.fall_since(generation, STANDBY).into()),
            Ended::Conflict { last } => {
                conflicts += 1;
                pause(conflicts);
                // Beside others a violation may be the work of another transaction.
                match last {
                    Fault::Damaged(why) => Fault::Unavailable(why),
                    last => last,
                }
            }
            Ended::Lost(fault) => fault,
            Ended::Stale => Fault::Unavailable(STANDBY.into()),
        };
        lost |= fresh;
        if Instant::now() >= deadline {
            return Err(fault.into());
        }
    }
}

/// Runs `work` once.
fn run(
    pool: &Pool,
    mut lease: Lease<'_>,
    turn: Turn,
    (limit, deadline): (Limit, Instant),
    work: &mut Writing<'_>,
) -> Result<(), Ended> {
    let mut statements = Statements::opened_by(turn.opening(), &mut lease.connection, limit);
    let worked = work(&mut statements);
    let (begun, failed) = statements.end();
    let outcome = match (worked, failed) {
        // What a lost connection or a conflict made of the work does not count.
        (worked, Some(failed)) => {
            if failed.reach == Reach::ReadOnly {
                let why = "the server takes no writes any more";
                return Err(pool.fall_since(lease.generation(), why).into());
            }
            Err(after_failure(worked, failed))
        }
        (Ok(()), None) if begun => return commit(pool, lease, deadline),
        (Ok(()), None) => Ok(()),
        (Err(Abort::Fault(Fault::Retry(why))), None) => {
            Err(Ended::Conflict { last: Fault::Unavailable(why) })
        }
        (Err(abort), None) => Err(Ended::Finally(abort)),
    };
    undo(lease, begun, &outcome);
    outcome
}

/// Undoes a transaction, if it was begun. If ROLLBACK fails, or cannot be sent, the connection is
/// closed, which does the same.
fn undo(mut lease: Lease<'_>, begun: bool, outcome: &Result<(), Ended>) {
    if let Err(Ended::Lost(_) | Ended::Stale) = outcome {
        return lease.close();
    }
    if begun {
        let deadline = Instant::now() + ROLLBACK_LIMIT;
        let undone = lease.connection.run(&[ROLLBACK], deadline, &mut |_, _| Ok(()));
        if let Err(failure) = undone {
            log::debug!("a connection is closed, since ROLLBACK failed: {failure}");
        }
    }
    lease.give_back();
}

/// Returns what follows after a statement failed, whatever `work` has made of the fault. If it has
/// swallowed the fault, nothing was written all the same.
fn after_failure(worked: Result<(), Abort>, failed: Failed) -> Ended {
    match (failed.fault, worked) {
        (fault, _) if failed.reach == Reach::Lost => Ended::Lost(fault),
        _ if failed.reach == Reach::Stale => Ended::Stale,
        // Alone, there was no other transaction that could have caused a violation.
        (Fault::Retry(why), _) if failed.is_violation => {
            Ended::Conflict { last: Fault::Damaged(why) }
        }
        (Fault::Retry(why), _) => Ended::Conflict { last: Fault::Unavailable(why) },
        (_, Err(abort)) => Ended::Finally(abort),
        (fault, Ok(())) => Ended::Finally(fault.into()),
    }
}

/// Commits. If the server does not finish that in time, other writes are refused; see `commits`.
fn commit(pool: &Pool, mut lease: Lease<'_>, deadline: Instant) -> Result<(), Ended> {
    let deadline = deadline.max(Instant::now() + COMMIT_LIMIT);
    let committed = send_commit(&mut lease.connection, deadline);
    if lease.connection.timed_out() || lease.connection.warned() {
        pool.refuse_writes(lease.generation());
    }
    lease.give_back();
    committed
}

fn send_commit(connection: &mut Connection, deadline: Instant) -> Result<(), Ended> {
    let failure = match connection.run(&[COMMIT], deadline, &mut |_, _| Ok(())) {
        // A warning: somebody has ended the wait for the synchronous standby. The transaction is
        // committed here, and would be lost with this server.
        Ok(_) if connection.warned() => return Err(unknown("the standby may not have it").into()),
        Ok(_) => return Ok(()),
        Err(failure) => failure,
    };
    if !fault::is_undone(&failure) {
        return Err(unknown(&failure.to_string()).into());
    }
    match fault::of(failure) {
        Fault::Retry(why) => Err(Ended::Conflict { last: Fault::Unavailable(why) }),
        fault => Err(fault.into()),
    }
}

fn unknown(why: &str) -> Fault {
    let text = format!("it is not known whether a transaction was committed: {why}");
    Fault::Unavailable(Cause::from(text))
}

/// Waits for a random while, so that transactions which met do not meet again; not before the first run
/// that may be alone.
fn pause(conflicts: u32) {
    if conflicts == TRIES {
        return;
    }
    let [random] = random::<1>().unwrap_or([128]);
    thread::sleep(PAUSE * conflicts.min(TRIES) * u32::from(random) / 256);
}
