//! Finds requests in the bytes of a connection and has the service answer them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use super::super::chunked::Decoder;
use super::super::head::{self, Framing, Head, NO_FIELDS};
use super::super::limits::MAX_OUTPUT;
use super::super::refusal::{self, Refusal};
use super::super::response::Persistence;
use super::super::service::{Answer, Context, Overload, Queued, Step, refuse};
use super::super::{Request, Response};
use super::writing::Unfinished;
use super::{Connection, Next, Wait, deadline_after};

/// How often threads of pools may name another pool for one request.
const MAX_MOVES: u8 = 4;

/// How far the request at the beginning of the bytes got.
pub(super) enum Progress {
    /// Bytes are missing.
    Partial,
    Answered {
        used: usize,
        last: bool,
    },
    /// It waits for a pool.
    Queued,
    /// It was refused, and no later byte counts.
    Refused,
}

impl Connection {
    /// Takes bytes from the client (none if [`Next::More`] or a pool's thread calls) and appends
    /// the answers to `out`, the rest of an unfinished one first. On a pool's thread it answers one
    /// request and stops.
    pub fn receive(&mut self, context: &Context<'_>, step: Step, bytes: &[u8], out: &mut Vec<u8>) {
        if self.rest.is_some() && !self.push_rest(context, out) {
            return self.input.extend_from_slice(bytes);
        }
        if self.input.is_empty() {
            let used = self.process(context, step, bytes, out);
            self.input.extend_from_slice(&bytes[used..]);
            return;
        }
        self.input.extend_from_slice(bytes);
        let mut input = std::mem::take(&mut self.input);
        let used = self.process(context, step, &input, out);
        if used < input.len() {
            input.drain(..used);
            self.input = input;
        }
    }

    /// Answers the requests that `bytes` begin with; returns how many bytes are used.
    // Long: the signature; every way to leave the loop sets what is next.
    fn process(
        &mut self,
        context: &Context<'_>,
        step: Step,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> usize {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            if rest.is_empty() || rest.len() < self.need {
                return self.pause(Next::Read, used);
            }
            if out.len() >= MAX_OUTPUT {
                return self.pause(Next::More, used);
            }
            if self.wait == Wait::Idle {
                // An empty line before a request does not begin it (RFC 9112 section 2.2).
                if rest.starts_with(b"\r\n") {
                    used += 2;
                    continue;
                }
                if rest == b"\r" {
                    return self.pause(Next::Read, used);
                }
                self.wait = Wait::Head;
                self.deadline = deadline_after(context.at, context.limits.head_time);
            }
            match self.request(context, step, rest, out) {
                Progress::Partial => return self.pause(Next::Read, used),
                Progress::Queued => return self.pause(Next::Queue, used),
                Progress::Refused => return bytes.len(),
                Progress::Answered { used: count, last } => {
                    used += count;
                    let more = used < bytes.len();
                    if !self.goes_on(context, step, (last, more), out) {
                        return if last { bytes.len() } else { used };
                    }
                }
            }
        }
    }

    fn pause(&mut self, next: Next, used: usize) -> usize {
        self.next = next;
        used
    }

    /// Ends a request that was answered; says whether the next one may be answered at once. `last`:
    /// the answer is the last one; `more`: more bytes have arrived.
    fn goes_on(
        &mut self,
        context: &Context<'_>,
        step: Step,
        (last, more): (bool, bool),
        out: &mut Vec<u8>,
    ) -> bool {
        self.begin_next(context);
        if self.rest.is_some() && !self.push_rest(context, out) {
            return false;
        }
        if last {
            self.end(context.limits, context.at);
            return false;
        }
        if matches!(step, Step::Pool | Step::Unprepared) {
            self.next = if more { Next::More } else { Next::Read };
            return false;
        }
        true
    }

    /// Answers the one request that `bytes` begin with, if it is complete.
    // Long: head, body and answer borrow from the same bytes.
    fn request(
        &mut self,
        context: &Context<'_>,
        step: Step,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Progress {
        let head_len = match self.head_len.map_or_else(|| self.scan.find(bytes), |n| Ok(Some(n))) {
            Ok(Some(head_len)) => head_len,
            Ok(None) => return Progress::Partial,
            Err(refusal) => return self.refused(context, &refusal, None, out),
        };
        let mut fields = NO_FIELDS;
        let head = match head::parse(&bytes[..head_len], &mut fields, self.peer) {
            Ok(head) => head,
            Err((refusal, request)) => {
                return self.refused(context, &refusal, request.as_ref(), out);
            }
        };
        // The decoder leaves `self` so that the body can be borrowed from it.
        let mut chunked = self.chunked.take();
        let encoded = &bytes[head_len..];
        let (body, body_len) = match body(head.framing, encoded, &mut chunked, context.limits.body)
        {
            Ok(Some(complete)) => complete,
            Ok(None) => {
                self.chunked = chunked;
                self.await_body(context, &head, head_len, encoded, out);
                return Progress::Partial;
            }
            Err(refusal) => return self.refused(context, &refusal, Some(&head.request), out),
        };
        let mut request = head.request;
        request.body = body;
        let Some(response) = self.ask(context, step, &request) else {
            // The pool's thread decodes a chunked body once more; that is cheaper than a state.
            self.head_len = Some(head_len);
            self.need = 0;
            return Progress::Queued;
        };
        let last = self.write_response(context, &head, response, out);
        Progress::Answered { used: head_len + body_len, last }
    }

    /// Appends a response to `out`, or the beginning of a long one; says whether it is the last.
    fn write_response(
        &mut self,
        context: &Context<'_>,
        head: &Head<'_>,
        response: Response,
        out: &mut Vec<u8>,
    ) -> bool {
        let last = !head.keep_alive || context.stopping.load(Ordering::Acquire);
        let persistence = match (last, head.http10) {
            (true, _) => Persistence::Close,
            (false, true) => Persistence::KeepAlive,
            (false, false) => Persistence::Default,
        };
        let head_only = head.request.method == "HEAD";
        if !response.encode(out, context.date, persistence, head_only) {
            self.rest = Some(Box::new(Unfinished { body: response.into_rest(), last }));
        }
        last
    }

    /// Waits for the rest of a body, and says 100 Continue to a client that waits for it.
    fn await_body(
        &mut self,
        context: &Context<'_>,
        head: &Head<'_>,
        head_len: usize,
        encoded: &[u8],
        out: &mut Vec<u8>,
    ) {
        self.need = match head.framing {
            Framing::Length(length) => head_len + length,
            Framing::Chunked => head_len + encoded.len() + 1,
        };
        if self.head_len.is_none() {
            self.head_len = Some(head_len);
            self.wait = Wait::Body;
            self.deadline = deadline_after(context.at, context.limits.body_time);
        }
        if head.expects_continue && !self.continued && encoded.is_empty() {
            self.continued = true;
            out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }

    /// Asks the service about a request, or again about one that was to wait for a pool. Returns
    /// the response, or `None` if the request is to wait; then `queued` and `priority` are set. A
    /// panic costs the request a 500, and nothing else.
    fn ask(
        &mut self,
        context: &Context<'_>,
        step: Step,
        request: &Request<'_>,
    ) -> Option<Response> {
        let queued = self.queued.take();
        let reply = catch_unwind(AssertUnwindSafe(|| ask(context, step, request, queued)));
        match reply {
            Ok(Reply::Response(response)) => return Some(response),
            Ok(Reply::Queue(queued, priority)) => {
                self.moves += u8::from(step == Step::Pool);
                if self.moves <= MAX_MOVES {
                    self.queued = Some(queued);
                    self.priority = priority;
                    return None;
                }
                log::error!("a request was moved from pool to pool without an answer");
            }
            // The hook for panics has logged it.
            Err(_) => {}
        }
        Some(refuse(context.service, &refusal::INTERNAL, Some(request)))
    }
}

/// Returns the body and how many bytes of `encoded` it takes, or `None` if bytes are missing.
fn body<'b>(
    framing: Framing,
    encoded: &'b [u8],
    chunked: &'b mut Option<Box<Decoder>>,
    limit: usize,
) -> Result<Option<(&'b [u8], usize)>, Refusal> {
    match framing {
        Framing::Length(length) if length > limit => Err(refusal::BODY_TOO_LARGE),
        Framing::Length(length) => Ok(encoded.get(..length).map(|body| (body, length))),
        Framing::Chunked => {
            let decoder = chunked.get_or_insert_default();
            let done = decoder.advance(encoded, limit)?;
            Ok(done.then_some((&decoder.body[..], decoder.used)))
        }
    }
}

/// What the service says to a complete request.
enum Reply {
    Response(Response),
    /// It waits for a pool; with its sender's number if it has priority.
    Queue(Queued, Option<u64>),
}

fn ask(context: &Context<'_>, step: Step, request: &Request<'_>, queued: Option<Queued>) -> Reply {
    let (service, now) = (context.service, context.at.now);
    let answer = match (queued, step) {
        (_, Step::Unprepared) => Answer::Ready(refuse(service, &refusal::INTERNAL, Some(request))),
        (Some(queued), Step::Pool) => service.answer_queued(request, queued, now),
        (Some(queued), Step::Worker | Step::Overloaded(..)) => Answer::Queue(queued),
        (None, _) => service.answer(request, now),
    };
    let queued = match answer {
        Answer::Ready(response) => return Reply::Response(response),
        Answer::Queue(queued) => queued,
    };
    match step {
        Step::Overloaded(pool, overload) if pool == queued.pool => {
            let priority = match overload {
                Overload::Share => service.has_priority(request, &queued, now),
                Overload::Full => None,
            };
            match priority {
                Some(_) => Reply::Queue(queued, priority),
                None => Reply::Response(service.overloaded(request, &queued, now, overload)),
            }
        }
        _ => Reply::Queue(queued, None),
    }
}
