//! Answers that are not written at once: the client does not read them, or they are sent in pieces.

use super::super::Limits;
use super::super::body::Rest;
use super::super::service::{Context, Moment};
use super::{Connection, Next, deadline_after};

/// The rest of an answer that is sent in pieces.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) body: Rest,
    /// No other answer follows.
    pub(super) last: bool,
}

impl Connection {
    /// The socket takes no more: `rest` waits for the client to read.
    pub fn block(&mut self, limits: &Limits, at: Moment, rest: &[u8]) {
        self.output.extend_from_slice(rest);
        self.blocked_until.get_or_insert(deadline_after(at, limits.unread_time));
    }

    /// The bytes to write before anything else.
    pub fn unsent(&self) -> &[u8] {
        &self.output[self.sent..]
    }

    /// The first `count` bytes of [`Connection::unsent`] were written.
    pub fn wrote(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.output.len() {
            self.output = Vec::new();
            self.sent = 0;
            self.blocked_until = None;
        }
    }

    /// Appends the next piece of an unfinished answer, if there is one; says whether the next
    /// request may be answered.
    pub(super) fn push_rest(&mut self, context: &Context<'_>, out: &mut Vec<u8>) -> bool {
        let Some(unfinished) = &mut self.rest else { return true };
        match unfinished.body.push_piece(out) {
            Ok(false) => {
                self.next = Next::More;
                false
            }
            Ok(true) => {
                let last = unfinished.last;
                self.rest = None;
                self.deadline = deadline_after(context.at, context.limits.idle_time);
                if last {
                    self.end(context.limits, context.at);
                }
                !last
            }
            Err(error) => {
                log::warn!("an answer breaks off, its file could not be read: {error}");
                self.rest = None;
                self.next = Next::Close;
                false
            }
        }
    }
}
