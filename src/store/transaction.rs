//! One transaction: statements, the audit entries that go with them, and the notices that users are
//! to be sent. What it logs is written to the log after the commit, here and nowhere else.

use super::Store;
use super::audit::Entry;
use super::driver::{Abort, Fault, Queries, Row, Value};
use super::rows;
use crate::clock::Timestamp;
use crate::error::Error;

/// A transaction that is open.
pub(crate) struct Transaction<'a> {
    queries: &'a mut dyn Queries,
    /// The time of everything that it writes.
    pub(crate) now: Timestamp,
    /// What is logged once it is committed.
    log: Vec<(log::Level, String)>,
    /// Whether a mail was put into the outbox.
    mailed: bool,
}

impl Transaction<'_> {
    /// Keeps an audit entry, and logs it after the commit.
    pub(crate) fn record(&mut self, entry: &Entry<'_>) -> Result<(), Fault> {
        rows::audit::insert(self.queries, entry, self.now)?;
        self.log.push((entry.level(), entry.to_string()));
        Ok(())
    }

    /// Says that a mail is in the outbox, so that the mailer is woken after the commit.
    pub(crate) fn mailed(&mut self) {
        self.mailed = true;
    }
}

impl Queries for Transaction<'_> {
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, Fault> {
        self.queries.execute(sql, values)
    }

    fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.queries.query(sql, values, row)
    }

    fn query_each(
        &mut self,
        sql: &'static str,
        sets: &[&[Value<'_>]],
        row: &mut dyn FnMut(usize, &dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.queries.query_each(sql, sets, row)
    }
}

impl Store {
    /// Reads, outside of a transaction.
    pub(super) fn read<T>(
        &self,
        mut work: impl FnMut(&mut dyn Queries) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let mut done = None;
        self.driver.read(&mut |queries| {
            done = Some(work(queries)?);
            Ok(())
        })?;
        done.ok_or_else(|| Error::Internal("database: a read ended without an answer".into()))
    }

    /// Writes, in one transaction that starts from the beginning each time it is run.
    pub(super) fn write<T>(
        &self,
        now: Timestamp,
        mut work: impl FnMut(&mut Transaction<'_>) -> Result<T, Abort>,
    ) -> Result<T, Error> {
        let mut done = None;
        self.driver.write(&mut |queries| {
            let mut transaction = Transaction { queries, now, log: Vec::new(), mailed: false };
            let value = work(&mut transaction)?;
            let Transaction { log, mailed, .. } = transaction;
            done = Some((value, log, mailed));
            Ok(())
        })?;
        let (value, log, mailed) = done
            .ok_or_else(|| Error::Internal("database: a write ended without an answer".into()))?;
        for (level, line) in log {
            log::log!(level, "{line}");
        }
        if mailed {
            self.outbox_signal.notify();
        }
        Ok(value)
    }
}
