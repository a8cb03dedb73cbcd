//! How a connection comes to its end: a deadline, a refusal, the last answer; and the time that the
//! client has to take note of it.

use zeroize::Zeroizing;

use super::super::limits::MAX_LINGER_BYTES;
use super::super::refusal::{self, Refusal};
use super::super::response::Persistence;
use super::super::service::{Context, Moment, Service};
use super::super::{Limits, Request};
use super::writing::Unfinished;
use super::{Connection, Next, Progress, Wait, after};

impl Connection {
    /// The deadline has passed; a last answer may come out.
    pub(crate) fn expire<S: Service>(&mut self, context: &Context<'_, S>, out: &mut Vec<u8>) {
        match self.wait() {
            _ if self.next == Next::Linger => self.next = Next::Close,
            Wait::Head | Wait::Body => self.refuse(context, &refusal::TIMEOUT, None, out),
            Wait::Idle | Wait::Reader | Wait::Lingering => self.next = Next::Close,
        }
    }

    /// The last answer is written: from now on bytes are only thrown away.
    pub(crate) fn begin_linger(&mut self, limits: &Limits, at: Moment) {
        if self.wait != Wait::Lingering {
            self.wait = Wait::Lingering;
            self.deadline = after(at, limits.linger_time);
        }
    }

    /// Throws `count` bytes away while lingering.
    pub(crate) fn discard(&mut self, count: usize) {
        self.lingered += count as u64;
        if self.lingered > MAX_LINGER_BYTES {
            self.next = Next::Close;
        }
    }

    pub(super) fn refused<S: Service>(
        &mut self,
        context: &Context<'_, S>,
        refusal: &Refusal,
        request: Option<&Request<'_>>,
        out: &mut Vec<u8>,
    ) -> Progress {
        self.refuse(context, refusal, request, out);
        Progress::Refused
    }

    /// Exactly one reply, and no later byte is ever looked at.
    fn refuse<S: Service>(
        &mut self,
        context: &Context<'_, S>,
        refusal: &Refusal,
        request: Option<&Request<'_>>,
        out: &mut Vec<u8>,
    ) {
        let response = context.service.refuse(refusal, request);
        let head_only = request.is_some_and(|request| request.method == "HEAD");
        if !response.encode(out, context.date, Persistence::Close, head_only) {
            self.rest = Some(Box::new(Unfinished { body: response.into_rest(), last: true }));
        }
        self.input = Zeroizing::default();
        self.chunked = None;
        if self.go_on(context, out) {
            self.end(context.limits, context.at);
        }
    }

    /// This was the last answer. The client has its time to take note from now on, whether a
    /// worker comes to it at once or not.
    pub(super) fn end(&mut self, limits: &Limits, at: Moment) {
        self.next = Next::Linger;
        self.deadline = after(at, limits.linger_time);
    }
}
