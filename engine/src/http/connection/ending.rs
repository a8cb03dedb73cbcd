//! The end of a connection: a deadline, a refusal, the last answer, and the time that the client
//! has to read it.

use zeroize::Zeroizing;

use super::super::limits::MAX_LINGER_BYTES;
use super::super::refusal::{self, Refusal};
use super::super::response::Persistence;
use super::super::service::{Context, Moment, refuse};
use super::super::{Limits, Request};
use super::answering::Progress;
use super::writing::Unfinished;
use super::{Connection, Next, Wait, deadline_after};

impl Connection {
    /// Ends a wait whose deadline has passed; appends the last answer to `out`, if there is one.
    pub fn expire(&mut self, context: &Context<'_>, out: &mut Vec<u8>) {
        match self.wait() {
            _ if self.next == Next::Linger => self.next = Next::Close,
            Wait::Head | Wait::Body => self.refuse(context, &refusal::TIMEOUT, None, out),
            Wait::Idle | Wait::Reader | Wait::Lingering => self.next = Next::Close,
        }
    }

    /// The last answer is written: from now on bytes are thrown away.
    pub fn begin_linger(&mut self, limits: &Limits, at: Moment) {
        if self.wait != Wait::Lingering {
            self.wait = Wait::Lingering;
            self.deadline = deadline_after(at, limits.linger_time);
        }
    }

    /// Counts `count` bytes that were thrown away while lingering.
    pub fn discard(&mut self, count: usize) {
        self.lingered += count as u64;
        if self.lingered > MAX_LINGER_BYTES {
            self.next = Next::Close;
        }
    }

    /// Refuses a request.
    pub(super) fn refused(
        &mut self,
        context: &Context<'_>,
        refusal: &Refusal,
        request: Option<&Request<'_>>,
        out: &mut Vec<u8>,
    ) -> Progress {
        self.refuse(context, refusal, request, out);
        Progress::Refused
    }

    /// Appends exactly one answer; no later byte counts.
    fn refuse(
        &mut self,
        context: &Context<'_>,
        refusal: &Refusal,
        request: Option<&Request<'_>>,
        out: &mut Vec<u8>,
    ) {
        let response = refuse(context.service, refusal, request);
        let head_only = request.is_some_and(|request| request.method == "HEAD");
        if !response.encode(out, context.date, Persistence::Close, head_only) {
            self.rest = Some(Box::new(Unfinished { body: response.into_rest(), last: true }));
        }
        self.input = Zeroizing::default();
        self.chunked = None;
        if self.push_rest(context, out) {
            self.end(context.limits, context.at);
        }
    }

    /// Nothing follows the last answer. The client's time to read it begins now, even if no worker
    /// is free to begin lingering.
    pub(super) fn end(&mut self, limits: &Limits, at: Moment) {
        self.next = Next::Linger;
        self.deadline = deadline_after(at, limits.linger_time);
    }
}
