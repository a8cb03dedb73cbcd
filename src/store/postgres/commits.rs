//! Statements and commits that the server does not finish in time.
//!
//! **What is left behind.** When a deadline passes, the connection is closed. The process of the server
//! behind it notices that only when it is done; and a COMMIT that waits for a synchronous standby has
//! no time limit, holds its locks, and looks at no socket. With the standby away each failed write
//! would leave one more process there, up to `max_connections`. So the keeper asks the server to
//! give up (CancelRequest): a statement fails, a COMMIT ends its wait, and then the process finds its
//! socket closed and ends.
//!
//! **Why not `pg_terminate_backend`.** It takes a process id. What pgbouncer says at the login is not the
//! server's, and a process may have ended, and its number may be another's. The secret of a
//! CancelRequest names this connection and no other one, it goes through pgbouncer, needs no right,
//! and works while the server has no room for another session. It is done by the keeper, after
//! the server has answered it, and not by the thread of the request, which has a client to answer.
//!
//! **What a cancelled COMMIT means.** The transaction is committed on the primary and can be seen; the
//! standby may not have it. The request was answered 503, which promises nothing. But if it is repeated
//! it may find its work done, write nothing, and so wait for nothing: a logout would be acknowledged
//! that a failover undoes. And each of the other writes would wait for its whole deadline.
//!
//! **So writes are refused** after a COMMIT that was not finished in time, until the keeper has
//! committed something. The standby gets the log of the primary in order: when it has confirmed that
//! commit, it has all before it. A query would not do, since it waits for no standby. The probe
//! is a message in the log, for which no table is needed; nobody reads it. While one waits it is the
//! only one, and it returns at the moment when the standby is back. Another process on the database
//! finds out by a commit of its own.

use std::time::{Duration, Instant};

use super::pool::{Pool, Server};
use super::wire::{Breaker, Failure, Statement};

/// How long the keeper's commit may take; as long as one of a request may at least.
const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// Needs no right, writes to the log, and commits. The server sends it to nobody who does not ask
/// for messages of logical decoding.
const PROBE: &str =
    "SELECT pg_catalog.pg_logical_emit_message(true, 'lictor'::text, ''::text) IS NOT NULL";

/// Asks the server to give up what nobody waits for any more, for `patience` at most.
pub(super) fn give_up(pool: &Pool, patience: Duration) {
    let deadline = Instant::now() + patience;
    while matches!(pool.server(), Server::Up { .. }) && Instant::now() < deadline {
        let Some((host, cancel)) = pool.next_unanswered() else { return };
        let Some(host) = pool.target().hosts.get(host) else { return };
        match cancel.send(pool.target(), host, deadline) {
            Ok(()) => log::debug!("the server was asked to give up: {cancel:?}"),
            Err(failure) => log::debug!("the server was not asked to give up: {failure}"),
        }
    }
}

/// Commits, and admits writes again if that is finished in time. `watch` gets what cuts the
/// connection.
pub(super) fn probe(pool: &Pool, watch: impl FnOnce(Breaker)) {
    let deadline = Instant::now() + PROBE_LIMIT;
    let Ok(mut lease) = pool.take_to_probe(deadline) else { return };
    watch(lease.connection.breaker());
    let statement = Statement { sql: PROBE, values: &[] };
    let finished = match lease.connection.run(&[statement], deadline, &mut |_, _| Ok(())) {
        // A warning: somebody has ended the wait for the standby.
        Ok(_) => !lease.connection.warned(),
        // It is the server's setting that there is no such function for us. Without a probe, requests
        // find out.
        Err(Failure::Refused(refusal)) => !refusal.fatal,
        Err(_) => false,
    };
    lease.give_back();
    if finished {
        pool.admit_writes();
    }
}
