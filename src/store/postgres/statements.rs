//! Statements on one connection: values in, rows out, failures as faults. Knows no pool, and when a
//! transaction begins and ends is up to its caller.

use std::time::Instant;

use super::fault::{self, Reach};
use super::wire::{Connection, Failure, Statement};
use crate::store::driver::{Dialect, Fault, Queries, Row, Value};

/// Runs of a statement that are sent together, at most: while they are sent nobody reads, so their
/// answers must fit into the buffers of the sockets.
const SETS_AT_ONCE: usize = 256;
/// Bytes of values that are sent together.
const BYTES_AT_ONCE: usize = 1 << 20;

/// A time limit on statements.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    /// On all of them together.
    Until(Instant),
    /// On each round trip.
    #[cfg(any(test, feature = "cli"))]
    Each(std::time::Duration),
}

impl Limit {
    fn deadline(self) -> Instant {
        match self {
            Limit::Until(deadline) => deadline,
            #[cfg(any(test, feature = "cli"))]
            Limit::Each(patience) => Instant::now() + patience,
        }
    }
}

/// Runs statements on a connection. After the first that failed it runs no other: in a transaction
/// the server would refuse it.
pub(super) struct Statements<'a> {
    connection: &'a mut Connection,
    limit: Limit,
    /// What is sent before the first statement, in the same round trip.
    opening: &'static [Statement<'static>],
    failed: Option<Failed>,
}

/// The first failure.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) fault: Fault,
    pub(super) reach: Reach,
    /// A constraint was violated.
    pub(super) is_violation: bool,
}

impl<'a> Statements<'a> {
    /// Statements with a limit on each, in a transaction that is open.
    #[cfg(any(test, feature = "cli"))]
    pub(super) fn new(
        connection: &'a mut Connection,
        patience: std::time::Duration,
    ) -> Statements<'a> {
        Statements::opened_by(&[], connection, Limit::Each(patience))
    }

    /// Statements before the first of which `opening` is sent.
    pub(super) fn opened_by(
        opening: &'static [Statement<'static>],
        connection: &'a mut Connection,
        limit: Limit,
    ) -> Statements<'a> {
        Statements { connection, limit, opening, failed: None }
    }

    /// Whether the opening was sent; and the first failure.
    pub(super) fn end(self) -> (bool, Option<Failed>) {
        (self.opening.is_empty(), self.failed)
    }

    /// Runs statements in one round trip; returns how many rows the last one changed.
    fn run(
        &mut self,
        statements: &[Statement<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<u64, Fault> {
        if let Some(failed) = &self.failed {
            return Err(fault::copy(&failed.fault));
        }
        let opening = std::mem::take(&mut self.opening);
        let batch;
        let batch = match opening {
            [] => statements,
            _ => {
                batch = [opening, statements].concat();
                &batch
            }
        };
        let first = opening.len();
        let run = self.connection.run(batch, self.limit.deadline(), &mut |number, found| {
            if number < first { Ok(()) } else { row(found) }
        });
        run.map(|counts| counts.last().copied().unwrap_or(0)).map_err(|failure| self.fail(failure))
    }

    fn fail(&mut self, failure: Failure) -> Fault {
        let (reach, is_violation) = (fault::reach(&failure), fault::is_violation(&failure));
        let fault = fault::of(failure);
        self.failed = Some(Failed { fault: fault::copy(&fault), reach, is_violation });
        fault
    }
}

impl Queries for Statements<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, Fault> {
        let changed = self.run(&[Statement { sql, values }], &mut |_| Ok(()))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.run(&[Statement { sql, values }], row).map(drop)
    }

    fn query_first(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.query(sql, values, &mut first_of(row))
    }

    fn execute_each(&mut self, sql: &'static str, sets: &[&[Value<'_>]]) -> Result<(), Fault> {
        let mut rest = sets;
        while !rest.is_empty() {
            let (batch, others) = rest.split_at(fitting(rest));
            let statements: Vec<Statement<'_>> =
                batch.iter().map(|values| Statement { sql, values }).collect();
            self.run(&statements, &mut |_| Ok(()))?;
            rest = others;
        }
        Ok(())
    }
}

/// Hands only the first row on. The others of such a statement are few, or none.
pub(super) fn first_of(
    row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
) -> impl FnMut(&dyn Row) -> Result<(), Fault> {
    let mut seen = false;
    move |found| match std::mem::replace(&mut seen, true) {
        false => row(found),
        true => Ok(()),
    }
}

/// How many sets of values, at least one, are sent together.
fn fitting(sets: &[&[Value<'_>]]) -> usize {
    let mut bytes = 0;
    let fits = |set: &&&[Value<'_>]| {
        bytes += set.iter().map(size).sum::<usize>();
        bytes <= BYTES_AT_ONCE
    };
    sets.iter().take(SETS_AT_ONCE).take_while(fits).count().max(1)
}

/// About how many bytes a value has on the wire.
fn size(value: &Value<'_>) -> usize {
    match value {
        Value::Null | Value::Boolean(_) => 8,
        Value::Integer(_) => 24,
        Value::Text(text) => 8 + text.len(),
        // Two digits a byte.
        Value::Blob(bytes) => 8 + 2 * bytes.len(),
        Value::Texts(texts) => texts.iter().map(|text| 8 + text.len()).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_sent_together_up_to_a_number_and_a_size() {
        let (small, large) = ([Value::Integer(1)], [Value::Blob(&[0; 300_000])]);
        let (small, large): (&[Value<'_>], &[Value<'_>]) = (&small, &large);
        assert_eq!(fitting(&[small]), 1);
        assert_eq!(fitting(&[small; 1_000]), SETS_AT_ONCE);
        assert_eq!(fitting(&[large, large, small]), 1);
        assert_eq!(fitting(&[small, large, large]), 2);
        let huge = [Value::Blob(&[0; 600_000])];
        assert_eq!(fitting(&[&huge, small]), 1, "one goes out, whatever its size");
    }
}
