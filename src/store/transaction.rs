//! One transaction: statements, and the audit entries and mails that go with them. What it records
//! is written to the log after the commit, here and nowhere else.

use super::Store;
use super::driver::{Abort, Dialect, Driver, Fault, Queries, Reading, Row, Value, Writing};
use super::entry::{Entry, Event};
use super::rows;
use crate::clock::Timestamp;
use crate::error::{Cause, Error};
use crate::values::random;

/// The target of what is logged of a transaction, for filters.
const LOG_TARGET: &str = "lictor::audit";

/// A transaction that is open.
pub(in crate::store) struct Transaction<'a> {
    queries: &'a mut dyn Queries,
    driver: &'a dyn Driver,
    /// The time of everything that it writes.
    pub(in crate::store) now: Timestamp,
    effects: Effects,
}

/// What follows once a transaction is committed.
#[derive(Default)]
struct Effects {
    /// Lines for the log; those of audit entries with the event, which is counted.
    lines: Vec<(log::Level, String, Option<Event>)>,
    /// Whether a mail was put into the outbox.
    mailed: bool,
}

impl Transaction<'_> {
    /// Keeps an audit entry, and logs it after the commit.
    pub(in crate::store) fn record(&mut self, entry: &Entry<'_>) -> Result<(), Fault> {
        rows::audit::insert(self.queries, entry, self.now)?;
        self.effects.lines.push((entry.level(), entry.to_string(), Some(entry.event)));
        Ok(())
    }

    /// Writes a line to the log after the commit.
    pub(in crate::store) fn log(&mut self, level: log::Level, line: String) {
        self.effects.lines.push((level, line, None));
    }

    /// Says that a mail is in the outbox, so that the mailer is woken after the commit.
    pub(in crate::store) fn mailed(&mut self) {
        self.effects.mailed = true;
    }

    /// Reads what is committed, outside of the transaction; returns whether that could be done at
    /// once. What is read may change before the commit.
    pub(in crate::store) fn read_beside(&self, work: &mut Reading<'_>) -> bool {
        self.driver.read_beside(work)
    }

    /// A Message-ID before the `@`: 32 random hexadecimal digits.
    pub(in crate::store) fn message_id(&mut self) -> Result<String, Fault> {
        match random() {
            Ok(bytes) => Ok(format!("{:032x}", u128::from_be_bytes(bytes))),
            Err(error) => Err(Fault::Unavailable(Cause::new(error.to_string(), error))),
        }
    }
}

impl Queries for Transaction<'_> {
    fn dialect(&self) -> Dialect {
        self.queries.dialect()
    }

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

    fn query_first(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.queries.query_first(sql, values, row)
    }

    fn execute_each(&mut self, sql: &'static str, sets: &[&[Value<'_>]]) -> Result<(), Fault> {
        self.queries.execute_each(sql, sets)
    }
}

impl Effects {
    fn happen(self, store: &Store) {
        for (level, line, event) in self.lines {
            event.into_iter().for_each(|event| store.count_event(event));
            log::log!(target: LOG_TARGET, level, "{line}");
        }
        if self.mailed {
            store.outbox_signal.notify();
        }
    }
}

impl Store {
    /// Reads, outside of a transaction. `work` runs once.
    pub(in crate::store) fn read<T>(
        &self,
        mut work: impl FnMut(&mut dyn Queries) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let mut done = None;
        self.driver.read(&mut |queries| {
            done = Some(work(queries)?);
            Ok(())
        })?;
        answer(done)
    }

    /// Writes at the time `now`, in one transaction, with the audit entries and the mails that go
    /// with it. `work` begins anew each time it runs.
    pub(in crate::store) fn write<T>(
        &self,
        now: Timestamp,
        work: impl FnMut(&mut Transaction<'_>) -> Result<T, Abort>,
    ) -> Result<T, Error> {
        self.write_by(&|writing| self.driver.write(writing), now, work)
    }

    /// The same for a transaction that adds so many rows that it takes seconds or minutes.
    #[cfg(any(test, feature = "cli"))]
    pub(in crate::store) fn write_long<T>(
        &self,
        now: Timestamp,
        work: impl FnMut(&mut Transaction<'_>) -> Result<T, Abort>,
    ) -> Result<T, Error> {
        self.write_by(&|writing| self.driver.write_long(writing), now, work)
    }

    fn write_by<T>(
        &self,
        write: &dyn Fn(&mut Writing<'_>) -> Result<(), Abort>,
        now: Timestamp,
        mut work: impl FnMut(&mut Transaction<'_>) -> Result<T, Abort>,
    ) -> Result<T, Error> {
        let mut done = None;
        self.write_with_effects(write, now, &mut |transaction| {
            done = Some(work(transaction)?);
            Ok(())
        })?;
        answer(done)
    }

    /// Not generic: the program has it once, not for each rule.
    fn write_with_effects(
        &self,
        write: &dyn Fn(&mut Writing<'_>) -> Result<(), Abort>,
        now: Timestamp,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<(), Abort>,
    ) -> Result<(), Error> {
        let mut committed = Effects::default();
        write(&mut |queries| {
            let (driver, effects) = (&*self.driver, Effects::default());
            let mut transaction = Transaction { queries, driver, now, effects };
            work(&mut transaction)?;
            committed = transaction.effects;
            Ok(())
        })?;
        committed.happen(self);
        Ok(())
    }

    /// Writes rows that neither the audit nor a mail tells of, in one transaction. `work` begins
    /// anew each time it runs.
    pub(in crate::store) fn write_rows<T>(
        &self,
        mut work: impl FnMut(&mut dyn Queries) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let mut done = None;
        self.driver.write(&mut |queries| {
            done = Some(work(queries)?);
            Ok(())
        })?;
        answer(done)
    }
}

/// What `work` answered. A driver that returns `Ok` has run it.
fn answer<T>(done: Option<T>) -> Result<T, Error> {
    done.ok_or_else(|| Error::Internal("database: nothing was run".into()))
}
