//! A database that this process has to itself, from the first look to the commit: copying one.
//!
//! One connection does all of it. Every server holds a shared advisory lock (`schema::SERVER`) on a session
//! as long as it runs; here the session takes it exclusively. PostgreSQL drops the lock when the
//! connection ends, however the process ends. Commands beside a server have no such lock: each of
//! their transactions takes `turn`, which is locked here as well.

use std::thread;
use std::time::{Duration, Instant};

use super::Target;
use super::connect::{Found, Role, first};
use super::inspect::inspect;
use super::schema::create;
use super::statements::Statements;
use super::wire::{Connection, Failure, Statement};
use crate::error::Problem;
use crate::store::Inspection;
use crate::store::driver::Queries;

/// How long a statement may take; each reads or adds a thousand rows at most, or counts a table.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long asking the server to give up the end of a copy may take.
const CANCEL: Duration = Duration::from_secs(1);
/// How long making the tables may take.
const MAKING: Duration = Duration::from_secs(60);

/// What the session is told. The limits of a server's session are too short for a copy. A page is
/// read by its key, also while PostgreSQL knows nothing yet of the rows that were just added.
const SESSION: &str = "SET application_name = 'lictor database copy';
SET statement_timeout = '100s';
SET idle_in_transaction_session_timeout = '1h';
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET jit = off;
SET lock_timeout = '1s'";
/// A request that waits would keep the servers that run from taking their shared lock again.
const TAKE: &str = "SELECT pg_catalog.pg_try_advisory_lock(1279869780, 3)";
/// How long the end of the server that was just stopped is waited for, if it was.
const ENDING: Duration = Duration::from_secs(1);
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(50);
/// Whether another copy has the lock. Two names of one database are found out by this.
const COPIED: &str = "SELECT 1 FROM pg_catalog.pg_locks JOIN pg_catalog.pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND classid = 1279869780 AND objid = 3 AND mode = 'ExclusiveLock'
AND pg_locks.granted AND application_name = 'lictor database copy' AND datname = current_database()";
/// `LOCK TABLE` comes before the first snapshot, which then sees all that others have committed.
const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL lock_timeout = '10s';
LOCK TABLE turn IN EXCLUSIVE MODE";
const BEGIN_WRITING: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL lock_timeout = '10s'";
/// Gives everything back at once; the end of the connection does the same a little later.
const END: &str = "ROLLBACK; SELECT pg_catalog.pg_advisory_unlock_all()";

/// Runs `work` on a database of the current version. No server can serve it meanwhile, and no command
/// can change it.
pub(in crate::store) fn read<T>(
    target: &Target,
    work: impl FnOnce(&mut dyn Queries) -> Result<T, Problem>,
) -> Result<T, Problem> {
    match inspect(target)? {
        Inspection::Current => {}
        Inspection::Older(version) => return Err(older(target, version)),
        Inspection::Absent => return Err(absent(target)),
    }
    let mut connection = take(target)?.connection;
    script(target, &mut connection, BEGIN_READING)?;
    let done = work(&mut Statements::new(&mut connection, PATIENCE));
    end(&mut connection);
    done
}

/// Runs `work` in one transaction on a database of the current version, which is made in the same
/// transaction if it is absent. If anything fails, the database is as before. No server can serve it
/// meanwhile, and no command can change it.
pub(in crate::store) fn write<T>(
    target: &Target,
    work: impl FnOnce(&mut dyn Queries) -> Result<T, Problem>,
) -> Result<T, Problem> {
    if let Inspection::Older(version) = inspect(target)? {
        return Err(older(target, version));
    }
    let Found { mut connection, host, .. } = take(target)?;
    let written = write_rows(target, &mut connection, work);
    end(&mut connection);
    // Without this the server's process would wait for the standby, with all locks that it has.
    if let (Some(cancel), Some(host)) = (connection.unanswered(), target.hosts.get(host)) {
        drop(connection);
        // If it fails, the process waits until the standby is back.
        let _ = cancel.send(target, host, Instant::now() + CANCEL);
    }
    written
}

fn write_rows<T>(
    target: &Target,
    connection: &mut Connection,
    work: impl FnOnce(&mut dyn Queries) -> Result<T, Problem>,
) -> Result<T, Problem> {
    script(target, connection, BEGIN_WRITING)?;
    create(connection, target, Instant::now() + MAKING)?;
    script(target, connection, "LOCK TABLE turn IN EXCLUSIVE MODE")?;
    let done = work(&mut Statements::new(connection, PATIENCE))?;
    // Not as a script: that would not notice a COMMIT that the server answers with a rollback.
    let commit = Statement { sql: "COMMIT", values: &[] };
    match connection.run(&[commit], Instant::now() + PATIENCE, &mut |_, _| Ok(())) {
        Ok(_) if connection.warned() => Err(Problem::new(
            format!(
                "the copy is in {target}, but the server says that its synchronous standby may not \
                 have it: somebody ended the wait for it"
            ),
            "do not copy again: start lictor on it when the standby has caught up (pg_stat_replication \
             on the server)",
        )),
        Ok(_) => Ok(done),
        Err(Failure::Lost(why)) => Err(Problem::new(
            format!("the connection to {target} was lost at the end: {}", why.text()),
            "the copy is there as a whole, or not at all: copy again, and if the database is not \
             empty then, it is there; if the server has a synchronous standby, check that it is up",
        )),
        Err(failure) => Err(failed(target, &failure)),
    }
}

/// Connects, and takes the lock that running servers share.
fn take(target: &Target) -> Result<Found, Problem> {
    let mut found = first(target, Role::Setup)?;
    let connection = &mut found.connection;
    script(target, connection, SESSION)?;
    let until = Instant::now() + ENDING;
    while !try_take(connection).map_err(|failure| failed(target, &failure))? {
        if Instant::now() >= until {
            return Err(in_use(target, connection));
        }
        thread::sleep(PAUSE);
    }
    Ok(found)
}

fn try_take(connection: &mut Connection) -> Result<bool, Failure> {
    let mut taken = false;
    let statement = Statement { sql: TAKE, values: &[] };
    connection.run(&[statement], Instant::now() + PATIENCE, &mut |_, row| {
        taken = row.boolean(0)?;
        Ok(())
    })?;
    Ok(taken)
}

fn in_use(target: &Target, connection: &mut Connection) -> Problem {
    let mut copied = false;
    let sql = Statement { sql: COPIED, values: &[] };
    let asked = connection.run(&[sql], Instant::now() + PATIENCE, &mut |_, _| {
        copied = true;
        Ok(())
    });
    match asked {
        Ok(_) if copied => Problem::new(
            format!("the database {target} is in use: `lictor database copy` has it"),
            "wait for the other copy; if there is none, FROM and TO are the same database",
        ),
        _ => Problem::new(
            format!("the database {target} is in use: a lictor server runs on it"),
            "stop every server on it, and try again",
        ),
    }
}

fn script(target: &Target, connection: &mut Connection, sql: &str) -> Result<(), Problem> {
    connection.script(sql, Instant::now() + PATIENCE).map_err(|failure| failed(target, &failure))
}

fn end(connection: &mut Connection) {
    // If this fails the connection is lost, and the server does the same by itself.
    let _ = connection.script(END, Instant::now() + PATIENCE);
}

fn absent(target: &Target) -> Problem {
    Problem::new(
        format!("{target} has no tables of lictor"),
        "give the database that the server used",
    )
}

fn older(target: &Target, version: i64) -> Problem {
    Problem::new(
        format!("the database {target} is of version {version}; a copy needs the current one"),
        "upgrade it first: start this lictor on it once, and stop it",
    )
}

fn failed(target: &Target, failure: &Failure) -> Problem {
    let next = match failure {
        Failure::Refused(refusal) if refusal.code == *b"55P03" => {
            "another program has a table locked: end it, and try again"
        }
        Failure::Refused(refusal) if refusal.code == *b"42501" => {
            "copy as the owner of the tables, or let this user write them: docs/postgres.md"
        }
        _ => "nothing was copied; try again",
    };
    Problem::new(format!("cannot copy with {target}: {failure}"), next)
}

#[cfg(test)]
mod tests;
