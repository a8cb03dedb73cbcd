//! One connection to a PostgreSQL server: bytes, TLS, who we are, statements and rows. Every step has
//! a deadline, and everything that the server sends has a limit. Knows no transaction and no table.
//!
//! | file | owns |
//! |---|---|
//! | `socket` | TCP and Unix sockets, with one deadline for each exchange |
//! | `channel` | messages over a socket, plain or with TLS, and their limits |
//! | `login` | the begin of a connection: TLS, and the password |
//! | `statements` | prepared statements, and the messages that run them |
//! | `answer` | what the server answers to a batch, message by message |
//! | `row` | one row, in PostgreSQL's binary format |
//! | `refusal` | the server's errors |
//! | `failure` | why something failed |
//! | `cancel` | asks a server to give up what it does on a connection |
//! | `fields` | the fields of a message |

mod answer;
mod cancel;
mod channel;
mod failure;
mod fields;
mod login;
mod refusal;
mod row;
mod socket;
mod statements;

use std::time::{Duration, Instant};

use postgres_protocol::message::frontend;

use super::target::{Host, Target};
use crate::store::driver::{Fault, Row, Value};
use answer::{Outcome, Reader};
use channel::{Channel, broken};
use failure::lost;
use row::Spans;
use statements::{Fresh, Statements};

pub(super) use cancel::Cancel;
pub(super) use failure::{Failure, Refusal};
pub(super) use socket::Breaker;

/// Bytes of a batch that are sent before its answers are read. So neither side waits for the other to
/// read: this much fits into the kernel's buffers. One statement alone may be larger, because the
/// server reads it whole before it answers rows.
const WINDOW: usize = 32 << 10;
/// Time for saying goodbye.
const GOODBYE: Duration = Duration::from_millis(100);
/// Time for reading why the server has closed a connection.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// An open connection, with its prepared statements.
#[derive(Debug)]
pub(super) struct Connection {
    channel: Channel,
    statements: Statements,
    spans: Spans,
    status: Status,
    cancel: Option<Cancel>,
    /// Bytes of the rows that answer one batch, at most.
    max_answer: usize,
}

/// What state the connection is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// No transaction is open.
    Idle,
    /// A transaction is open, and may have failed.
    Transaction,
    /// It cannot be used any more.
    Lost,
}

/// One statement of a batch.
#[derive(Clone, Copy)]
pub(super) struct Statement<'a> {
    pub(super) sql: &'static str,
    pub(super) values: &'a [Value<'a>],
}

/// Takes the rows of a batch: the number of the statement, and the row.
type OnRow<'a> = &'a mut dyn FnMut(usize, &dyn Row) -> Result<(), Fault>;

impl Connection {
    /// Connects to one server and logs in.
    pub(super) fn open(
        target: &Target,
        host: &Host,
        deadline: Instant,
    ) -> Result<Connection, Failure> {
        let login::Begun { channel, status, key } = login::open(target, host, deadline)?;
        Ok(Connection {
            channel,
            statements: Statements::default(),
            spans: Spans::default(),
            status: answer::status(status)?,
            cancel: key.map(Cancel),
            max_answer: answer::MAX_ANSWER,
        })
    }

    /// Takes more bytes of rows in the answer to one batch than lictor's own tables need.
    #[cfg(any(test, feature = "cli"))]
    pub(super) fn allow_answers_of(&mut self, bytes: usize) {
        self.max_answer = bytes;
    }

    /// Runs several statements in one round trip, each prepared once and kept. `row` gets the
    /// number of the statement with each row. Returns how many rows each changed or answered. If
    /// one fails, those after it are not run; if `row` fails, all are run, and the connection goes on
    /// unless the row has not the columns that `row` asked for.
    ///
    /// A COMMIT that the server answers with a rollback, because the transaction had failed, is
    /// [`Failure::Refused`]. A batch of more than 32 KiB needs several round trips.
    pub(super) fn run(
        &mut self,
        batch: &[Statement<'_>],
        deadline: Instant,
        row: OnRow<'_>,
    ) -> Result<Vec<u64>, Failure> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.begin(deadline)?;
        let mut counts = Vec::with_capacity(batch.len());
        let mut outcome = Outcome::new(self.max_answer);
        let done = self.exchange(batch, &mut counts, row, &mut outcome);
        self.finish(done)?;
        // What a transaction that fails has read may not be true, so its failure goes first.
        match outcome {
            Outcome { rolled_back: true, .. } => Err(Failure::Refused(Refusal::rolled_back())),
            Outcome { fault: Some(fault), misfit, .. } => {
                // It would be the same with the next row; a new connection asks again.
                if misfit {
                    self.status = Status::Lost;
                }
                Err(Failure::Row(fault))
            }
            Outcome { .. } => Ok(counts),
        }
    }

    /// Runs a script of statements without values, in one round trip; answers of rows are skipped.
    pub(super) fn script(&mut self, sql: &str, deadline: Instant) -> Result<(), Failure> {
        self.begin(deadline)?;
        let done = self.send_script(sql);
        self.finish(done)
    }

    /// Whether a transaction is open, by what the server said last.
    pub(super) fn in_transaction(&self) -> bool {
        self.status == Status::Transaction
    }

    /// Whether the connection can still be used.
    pub(super) fn is_usable(&self) -> bool {
        self.status != Status::Lost
    }

    /// Whether a warning came with the last answer. A COMMIT whose wait for the synchronous standby was
    /// cancelled is answered with one.
    pub(super) fn warned(&self) -> bool {
        self.channel.warned
    }

    /// Whether the connection is lost because a deadline passed.
    pub(super) fn timed_out(&self) -> bool {
        self.channel.timed_out
    }

    /// If the connection was lost while it waited for an answer: what asks the server to give up what
    /// it may still do. A process of the server looks at its socket only when it is done.
    pub(super) fn unanswered(&self) -> Option<Cancel> {
        self.cancel.filter(|_| self.channel.unanswered)
    }

    /// What ends the connection from another thread, while this one waits for an answer.
    pub(super) fn breaker(&self) -> Breaker {
        self.channel.breaker()
    }

    /// Begins an exchange. What the server sent since the last one may only be its farewell.
    fn begin(&mut self, deadline: Instant) -> Result<(), Failure> {
        if !self.is_usable() {
            return Err(lost("the connection is lost"));
        }
        self.channel.begin(deadline);
        let unasked = match self.channel.has_more() {
            Ok(false) => return Ok(()),
            Ok(true) => answer::farewell(&mut self.channel),
            Err(failure) => failure,
        };
        self.finish(Err(unasked))
    }

    /// Ends an exchange. Only after a refusal that is not fatal the connection goes on.
    fn finish(&mut self, done: Result<(), Failure>) -> Result<(), Failure> {
        match &done {
            Ok(()) => {}
            Err(Failure::Refused(refusal)) if !refusal.fatal => {
                if refusal.spoils_statements() {
                    self.statements.forget();
                }
            }
            Err(_) => self.status = Status::Lost,
        }
        self.channel.shrink();
        done
    }

    /// Sends a batch, as much at a time as fits into a window, and reads the answers.
    fn exchange(
        &mut self,
        batch: &[Statement<'_>],
        counts: &mut Vec<u64>,
        row: OnRow<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let mut refused = None;
        while refused.is_none() && counts.len() < batch.len() {
            let (end, fresh) = self.write_window(batch, counts.len())?;
            let last = end == batch.len();
            if last {
                frontend::sync(&mut self.channel.output);
            } else {
                frontend::flush(&mut self.channel.output);
            }
            self.send()?;
            match self.read_window(&batch[..end], fresh, counts, &mut *row, outcome) {
                Ok(()) => {}
                Err(Failure::Refused(refusal)) if !refusal.fatal => refused = Some(refusal),
                Err(failure) => return Err(failure),
            }
            if refused.is_some() && !last {
                frontend::sync(&mut self.channel.output);
                self.send()?;
            }
        }
        self.until_ready(refused)
    }

    /// Reads the answers to the statements that were sent, up to the first that is refused; `fresh`
    /// are those that the server prepares now, in order.
    fn read_window(
        &mut self,
        sent: &[Statement<'_>],
        fresh: Vec<Fresh>,
        counts: &mut Vec<u64>,
        row: OnRow<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let mut fresh = fresh.into_iter().peekable();
        for (at, statement) in sent.iter().enumerate().skip(counts.len()) {
            let mut reader = Reader {
                channel: &mut self.channel,
                statements: &mut self.statements,
                spans: &mut self.spans,
                outcome: &mut *outcome,
            };
            let fresh = fresh.next_if(|fresh| fresh.is(statement.sql));
            counts.push(reader.statement(statement.sql, fresh, &mut |data| row(at, data))?);
        }
        Ok(())
    }

    /// Writes the statements of a batch from `first` on, as many as fit into a window. Returns the
    /// number of the first that did not, and those that the server prepares now.
    fn write_window(
        &mut self,
        batch: &[Statement<'_>],
        first: usize,
    ) -> Result<(usize, Vec<Fresh>), Failure> {
        let mut pending = Vec::new();
        for (at, statement) in batch.iter().enumerate().skip(first) {
            let before = self.channel.output.len();
            let out = &mut self.channel.output;
            let fresh = self.statements.write(statement, &pending, out).map_err(broken)?;
            if at > first && out.len() > WINDOW {
                out.truncate(before);
                return Ok((at, pending));
            }
            pending.extend(fresh);
        }
        Ok((batch.len(), pending))
    }

    fn send_script(&mut self, sql: &str) -> Result<(), Failure> {
        frontend::query(sql, &mut self.channel.output).map_err(broken)?;
        self.send()?;
        let mut refused = None;
        loop {
            match answer::script(&mut self.channel) {
                Ok(None) => {}
                Ok(Some(status)) => {
                    self.status = status;
                    return refused.map_or(Ok(()), |refusal| Err(Failure::Refused(refusal)));
                }
                Err(Failure::Refused(refusal)) if !refusal.fatal => {
                    refused.get_or_insert(refusal);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Sends what was written. If the server has closed the connection, it may have said why.
    fn send(&mut self) -> Result<(), Failure> {
        self.channel.send().map_err(|error| {
            self.channel.begin(Instant::now() + LAST_WORDS);
            match answer::farewell(&mut self.channel) {
                Failure::Refused(refusal) => Failure::Refused(refusal),
                _ => broken(error),
            }
        })
    }

    /// Reads until the server is ready, and returns what it refused.
    fn until_ready(&mut self, mut refused: Option<Refusal>) -> Result<(), Failure> {
        loop {
            match answer::ready(&mut self.channel) {
                Ok(status) => {
                    self.status = status;
                    return refused.map_or(Ok(()), |refusal| Err(Failure::Refused(refusal)));
                }
                // A constraint that is checked at the end, or a commit that failed.
                Err(Failure::Refused(refusal)) if !refusal.fatal && refused.is_none() => {
                    refused = Some(refusal);
                }
                Err(failure) => return Err(failure),
            }
        }
    }
}

/// Says goodbye, so that the server does not report a lost connection; waits for nothing.
impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_usable() {
            self.channel.begin(Instant::now() + GOODBYE);
            frontend::terminate(&mut self.channel.output);
            // It is closed in any case.
            let _ = self.channel.send();
        }
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod live;
