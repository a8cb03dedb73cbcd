//! What the server answers to a batch: which messages come in which order. Any other is an error.

use postgres_protocol::message::backend::{
    BIND_COMPLETE_TAG, COMMAND_COMPLETE_TAG, DATA_ROW_TAG, EMPTY_QUERY_RESPONSE_TAG,
    ERROR_RESPONSE_TAG, NO_DATA_TAG, PARAMETER_DESCRIPTION_TAG, PARSE_COMPLETE_TAG,
    READY_FOR_QUERY_TAG, ROW_DESCRIPTION_TAG,
};

use super::Status;
use super::channel::{Channel, Message};
use super::failure::{Failure, Refusal, lost};
use super::fields::Fields;
use super::row::{DataRow, MAX_COLUMNS, Spans};
use super::statements::{Fresh, Statements};
use crate::store::driver::{Fault, Row};

/// Bytes of the rows that answer one batch, at most, unless a caller allows more. The largest answers are pages of a thousand
/// rows, which a copy reads.
pub(super) const MAX_ANSWER: usize = 64 << 20;

/// Reads the answer to one statement of a batch.
pub(super) struct Reader<'a> {
    pub(super) channel: &'a mut Channel,
    pub(super) statements: &'a mut Statements,
    pub(super) spans: &'a mut Spans,
    pub(super) outcome: &'a mut Outcome,
}

/// What went wrong in a batch without stopping it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The first fault of the reader of the rows; after it rows are read and thrown away.
    pub(super) fault: Option<Fault>,
    /// A row was not what the reader of the rows expects.
    pub(super) misfit: bool,
    /// Bytes that the rows may still have, and how many they may have in all.
    left: usize,
    limit: usize,
    /// The server answered a COMMIT with a rollback.
    pub(super) rolled_back: bool,
}

impl Outcome {
    /// Rows may have this many bytes in all.
    pub(super) fn new(limit: usize) -> Outcome {
        Outcome { left: limit, limit, ..Outcome::default() }
    }

    fn count(&mut self, row: &[u8]) -> Result<(), Failure> {
        let too_large = || lost(format!("the server's answer has more than {} bytes", self.limit));
        self.left = self.left.checked_sub(row.len()).ok_or_else(too_large)?;
        Ok(())
    }
}

impl Reader<'_> {
    /// Reads the answer to one statement; `fresh` if the server prepares it now. Returns how many
    /// rows it changed or answered.
    pub(super) fn statement(
        &mut self,
        sql: &'static str,
        fresh: Option<Fresh>,
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<u64, Failure> {
        if let Some(fresh) = fresh {
            self.expect(PARSE_COMPLETE_TAG)?;
            self.expect(PARAMETER_DESCRIPTION_TAG)?;
            let columns = self.columns()?;
            self.statements.keep(fresh, columns);
        }
        self.expect(BIND_COMPLETE_TAG)?;
        let prepared = self.statements.get(sql).ok_or_else(|| lost("a statement was not kept"))?;
        loop {
            let message = take(self.channel)?;
            match message.tag {
                DATA_ROW_TAG => {
                    self.outcome.count(message.body)?;
                    let data = DataRow::read(message.body, &prepared.columns, self.spans)?;
                    if self.outcome.fault.is_none() {
                        self.outcome.fault = row(&data).err();
                        self.outcome.misfit |= data.misfit();
                    }
                }
                COMMAND_COMPLETE_TAG => {
                    let tag = command(message.body)?;
                    self.outcome.rolled_back |= tag == b"ROLLBACK" && is_commit(sql);
                    return Ok(rows_of(tag));
                }
                EMPTY_QUERY_RESPONSE_TAG => return Ok(0),
                other => return Err(out_of_place(other)),
            }
        }
    }

    fn expect(&mut self, tag: u8) -> Result<Message<'_>, Failure> {
        let message = take(self.channel)?;
        if message.tag == tag { Ok(message) } else { Err(out_of_place(message.tag)) }
    }

    /// The types of the columns that a statement answers.
    fn columns(&mut self) -> Result<Vec<u32>, Failure> {
        let message = take(self.channel)?;
        match message.tag {
            NO_DATA_TAG => Ok(Vec::new()),
            ROW_DESCRIPTION_TAG => {
                let mut fields = Fields::new(message.body);
                let count = usize::from(fields.u16()?);
                if count > MAX_COLUMNS {
                    return Err(lost(format!("the server sent {count} columns")));
                }
                let columns = (0..count).map(|_| column(&mut fields)).collect::<Result<_, _>>()?;
                fields.end()?;
                Ok(columns)
            }
            other => Err(out_of_place(other)),
        }
    }
}

/// The type of one column of a RowDescription.
fn column(fields: &mut Fields<'_>) -> Result<u32, Failure> {
    fields.until_zero()?; // its name
    fields.bytes(4 + 2)?; // its table, and its number there
    let oid = fields.u32()?;
    fields.bytes(2 + 4 + 2)?; // size, modifier, format
    Ok(oid)
}

/// The tag of a CommandComplete, as `UPDATE 3`.
fn command(body: &[u8]) -> Result<&[u8], Failure> {
    let mut fields = Fields::new(body);
    let tag = fields.until_zero()?;
    fields.end()?;
    Ok(tag)
}

/// The number of rows in a tag: its last word.
fn rows_of(tag: &[u8]) -> u64 {
    let last = tag.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    std::str::from_utf8(last).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn is_commit(sql: &str) -> bool {
    sql.get(..6).is_some_and(|verb| verb.eq_ignore_ascii_case("commit"))
}

/// Reads one message of the answer to a script. Returns the state when the server is ready.
pub(super) fn script(channel: &mut Channel) -> Result<Option<Status>, Failure> {
    let message = take(channel)?;
    match message.tag {
        READY_FOR_QUERY_TAG => ready_for_query(message.body).map(Some),
        ROW_DESCRIPTION_TAG | DATA_ROW_TAG | COMMAND_COMPLETE_TAG | EMPTY_QUERY_RESPONSE_TAG => {
            Ok(None)
        }
        other => Err(out_of_place(other)),
    }
}

/// Waits until the server is ready; returns the state that it says.
pub(super) fn ready(channel: &mut Channel) -> Result<Status, Failure> {
    let message = take(channel)?;
    match message.tag {
        READY_FOR_QUERY_TAG => ready_for_query(message.body),
        other => Err(out_of_place(other)),
    }
}

/// Reads what the server sent without being asked: why it ends the connection.
pub(super) fn farewell(channel: &mut Channel) -> Failure {
    match take(channel) {
        Err(Failure::Refused(refusal)) => Failure::Refused(Refusal { fatal: true, ..refusal }),
        Err(failure) => failure,
        Ok(message) => out_of_place(message.tag),
    }
}

fn ready_for_query(body: &[u8]) -> Result<Status, Failure> {
    let mut fields = Fields::new(body);
    let letter = fields.byte()?;
    fields.end()?;
    status(letter)
}

/// The state in a ReadyForQuery.
pub(super) fn status(letter: u8) -> Result<Status, Failure> {
    match letter {
        b'I' => Ok(Status::Idle),
        b'T' | b'E' => Ok(Status::Transaction),
        other => Err(lost(format!("the server says an unknown state: {other:#04x}"))),
    }
}

/// The next message; an ErrorResponse is a [`Failure::Refused`].
fn take(channel: &mut Channel) -> Result<Message<'_>, Failure> {
    let message = channel.receive()?;
    if message.tag == ERROR_RESPONSE_TAG {
        return Err(Failure::Refused(Refusal::read(message.body)?));
    }
    Ok(message)
}

fn out_of_place(tag: u8) -> Failure {
    lost(format!("the server sent a message that does not belong there: {tag:#04x}"))
}
