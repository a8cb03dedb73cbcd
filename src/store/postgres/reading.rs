//! Reads: each statement is a transaction of its own, on a connection that cannot write.

use std::time::{Duration, Instant};

use super::fault::{self, Reach};
use super::pool::{Lane, Lease, Pool};
use super::statements::{Limit, Statements, first_of};
use super::wire::{Failure, Statement};
use crate::store::driver::{Dialect, Fault, Queries, Reading, Row, Value};

/// How long the search for one row may take, waiting for a connection included. Tests wait longer,
/// because their machine may be busy.
const FIRST: (Lane, Duration) = (Lane::Read, Duration::from_secs(if cfg!(test) { 60 } else { 5 }));
/// The same for the check of tokens: no other request waits for the database as often, and what a
/// check would be good for has given up by then.
const KEYS: (Lane, Duration) = (Lane::Check, Duration::from_secs(2));
/// How long a list may take; as long as `statement_timeout` of these sessions.
const LIST: (Lane, Duration) = (Lane::Read, Duration::from_secs(30));

/// How long a read beside an open transaction may take.
const BESIDE_LIMIT: Duration = Duration::from_millis(200);

/// Runs `work` once. A statement takes no longer than `longest`.
pub(super) fn read(pool: &Pool, longest: Duration, work: &mut Reading<'_>) -> Result<(), Fault> {
    let mut reader = Reader { pool, longest, lease: None, repeated: false };
    let worked = work(&mut reader);
    if let Some(lease) = reader.lease {
        lease.give_back();
    }
    worked
}

/// Runs `work` once, on a connection that is idle now; returns whether that succeeded. A thread that
/// holds a transaction open waits for no connection and opens none: others may wait for its locks.
pub(super) fn read_beside(pool: &Pool, work: &mut Reading<'_>) -> bool {
    let Some(mut lease) = pool.take_idle(Lane::Read) else { return false };
    let limit = Limit::Until(Instant::now() + BESIDE_LIMIT);
    let mut statements = Statements::opened_by(&[], &mut lease.connection, limit);
    let worked = work(&mut statements);
    let (_, failed) = statements.end();
    lease.give_back();
    worked.is_ok() && failed.is_none()
}

/// Runs statements on a connection that it takes for the first of them.
struct Reader<'a> {
    pool: &'a Pool,
    longest: Duration,
    lease: Option<Lease<'a>>,
    /// A statement was run a second time; no other will be.
    repeated: bool,
}

impl Reader<'_> {
    /// Runs a statement; returns how many rows it answered. If the connection proves lost, or a
    /// standby has cancelled the statement, it is run once more, unless a row was handed over.
    fn run(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        (lane, limit): (Lane, Duration),
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<u64, Fault> {
        let deadline = Instant::now() + limit.min(self.longest);
        let mut fresh = false;
        loop {
            let mut lease = match self.lease.take() {
                Some(lease) => lease,
                None => self.pool.take(lane, fresh, deadline)?,
            };
            let statement = Statement { sql, values };
            let (failure, handed) = match once(&mut lease, statement, deadline, row) {
                Ok(count) => {
                    self.lease = Some(lease);
                    return Ok(count);
                }
                Err(failed) => failed,
            };
            let reach = fault::reach(&failure);
            fresh = matches!(reach, Reach::Lost | Reach::Stale);
            match fresh {
                true => lease.close(),
                false => self.lease = Some(lease),
            }
            let fault = match reach {
                Reach::ReadOnly => Fault::Damaged("a read was asked to write".into()),
                _ => fault::of(failure),
            };
            // A standby asks for a retry if it had to remove what the statement was reading.
            let may_help = fresh || matches!(fault, Fault::Retry(_));
            if !may_help || handed || self.repeated || Instant::now() >= deadline {
                return Err(fault);
            }
            self.repeated = true;
        }
    }
}

/// Runs a statement once; returns how many rows it answered, or the failure and whether a row was
/// handed over before.
fn once(
    lease: &mut Lease<'_>,
    statement: Statement<'_>,
    deadline: Instant,
    row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
) -> Result<u64, (Failure, bool)> {
    let mut handed = false;
    let run = lease.connection.run(&[statement], deadline, &mut |_, found| {
        handed = true;
        row(found)
    });
    match run {
        Ok(counts) => Ok(counts.first().copied().unwrap_or(0)),
        Err(failure) => Err((failure, handed)),
    }
}

impl Queries for Reader<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, Fault> {
        let changed = self.run(sql, values, FIRST, &mut |_| Ok(()))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.run(sql, values, LIST, row).map(drop)
    }

    fn query_keys(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.run(sql, values, KEYS, row).map(drop)
    }

    fn query_first(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.run(sql, values, FIRST, &mut first_of(row)).map(drop)
    }

    fn execute_each(&mut self, sql: &'static str, sets: &[&[Value<'_>]]) -> Result<(), Fault> {
        sets.iter().try_for_each(|values| self.execute(sql, values).map(drop))
    }
}
