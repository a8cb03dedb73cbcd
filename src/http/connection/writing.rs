//! Answers that are not written at once: what the client did not take, and those that are sent in
//! pieces.

use super::super::Limits;
use super::super::body::Rest;
use super::super::service::{Context, Moment};
use super::{Connection, Next, after};

/// An answer that is sent in pieces.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) body: Rest,
    /// No other answer follows.
    pub(super) last: bool,
}

impl Connection {
    /// The client did not take all of what was written: `rest` waits for it.
    pub(crate) fn block(&mut self, limits: &Limits, at: Moment, rest: &[u8]) {
        self.output.extend_from_slice(rest);
        self.blocked_until.get_or_insert(after(at, limits.unread_time));
    }

    /// What still has to be written before anything else.
    pub(crate) fn unsent(&self) -> &[u8] {
        &self.output[self.sent..]
    }

    /// So many bytes of [`Connection::unsent`] were written.
    pub(crate) fn wrote(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.output.len() {
            self.output = Vec::new();
            self.sent = 0;
            self.blocked_until = None;
        }
    }

    /// Adds the next piece of an answer that is sent in pieces, if there is one; says whether the
    /// next request may be looked at.
    pub(super) fn go_on<S>(&mut self, context: &Context<'_, S>, out: &mut Vec<u8>) -> bool {
        let Some(unfinished) = &mut self.rest else { return true };
        match unfinished.body.push_piece(out) {
            Ok(false) => {
                self.next = Next::More;
                false
            }
            Ok(true) => {
                let last = unfinished.last;
                self.rest = None;
                self.deadline = after(context.at, context.limits.idle_time);
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
