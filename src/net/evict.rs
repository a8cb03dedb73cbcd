//! Makes room when every place is taken: closes the connection that has waited longest for its
//! client. Idle ones go first, then whoever waits for a head, for a body, or for its answer to be
//! read. (Were heads to go before the others, a newcomer would go before a flood of half-sent
//! bodies.) A connection that waits for the server is never closed.
//!
//! Under a flood every newcomer needs a place. Looking at the whole table each time would cost
//! more than accepting, so one look finds several candidates, which are used for a short while.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::Engine;
use super::lanes::Desk;
use super::table::{Candidate, Live};
use crate::http::{Service, Wait};

/// Slots of the table for each candidate that a look finds: looking then costs a newcomer about
/// this many loads. A small table is looked at each time.
const SLOTS_PER_CANDIDATE: usize = 128;
/// Candidates of the second look, when none of the first ones could go.
const SECOND_LOOK: usize = 1024;
/// How long candidates are good for. Meanwhile a connection that becomes idle may stay, although
/// another one goes that waits for its head.
const FRESH: Duration = Duration::from_millis(100);

/// What the last look found.
#[derive(Default)]
pub(super) struct Candidates {
    /// The last one goes first.
    found: Vec<Candidate>,
    at: Option<Instant>,
}

impl<S: Service> Engine<'_, S> {
    /// Makes room; false if there is nobody who can go. Only the keeper calls this.
    pub(super) fn make_room(&self, candidates: &mut Candidates, desk: &mut Desk) -> bool {
        if candidates.at.is_some_and(|at| at.elapsed() > FRESH) {
            candidates.found.clear();
        }
        let first_look = self.table.open().div_ceil(SLOTS_PER_CANDIDATE);
        for count in [0, first_look, SECOND_LOOK] {
            if count > 0 {
                self.table.candidates(count, &mut candidates.found);
                candidates.at = Some(Instant::now());
            }
            while let Some(candidate) = candidates.found.pop() {
                let Some(slot) = self.table.slot(candidate.index) else { continue };
                let waiting = candidate.waiting();
                if slot.waiting() == Some(waiting)
                    && self.close_if_silent(candidate.index, waiting, desk)
                {
                    return true;
                }
            }
        }
        false
    }

    /// Closes a connection if it still waits for the same, unless a worker holds it, or will soon,
    /// since its client has sent something.
    pub(super) fn close_if_silent(
        &self,
        index: u32,
        waiting: (Wait, u64),
        desk: &mut Desk,
    ) -> bool {
        let Some(slot) = self.table.slot(index) else { return false };
        if !slot.take() {
            return false;
        }
        // Asked again: a worker may have had it since the look.
        let close = slot.waiting() == Some(waiting)
            && slot.live().as_deref().is_some_and(|live| match waiting.0 {
                // Not if more requests are at hand, which a worker is about to answer.
                Wait::Idle | Wait::Head => live.http.owes_nothing() && is_silent(live),
                Wait::Body | Wait::Lingering => is_silent(live),
                // The server reads nothing from a client that does not read.
                Wait::Reader => true,
            });
        if close {
            self.table.close(index);
        } else if !slot.release() {
            // A worker has brought an event meanwhile and gone: it is told again.
            self.act(index, desk, |_, _, _| {});
        }
        close
    }
}

/// Whether nothing has come that is not read yet.
fn is_silent(live: &Live) -> bool {
    live.stream.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;
    use crate::clock::Timestamp;
    use crate::http::{Answer, Connection, Context, Date, Next, Request, Response, Step};
    use crate::net::Settings;

    struct Hello;

    impl Service for Hello {
        fn answer(&self, _: &Request<'_>, _: Timestamp) -> Answer {
            Answer::Ready(Response::fixed(200, "text/plain", &b"hello"[..]))
        }
    }

    #[test]
    fn a_request_that_had_arrived_was_closed_unanswered() {
        const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        let settings = Settings::default();
        let engine = Engine::new(&Hello, &settings, Vec::new(), 10).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut desk = engine.desk();
        // The slow lane answers one, and leaves the others to the fast one.
        for (what, step, requests, next, closed) in [
            ("one that was answered", Step::Worker, 1, Next::Read, true),
            ("two, of which one was answered", Step::Pool, 2, Next::More, false),
        ] {
            let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, peer) = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            let at = engine.moment();
            let mut http = Connection::new(peer.ip(), &settings.limits, at);
            let (date, limits) = (&Date::new(), &settings.limits);
            let context = Context { service: &Hello, limits, date, at, stopping: false };
            http.receive(&context, step, &GET.repeat(requests), &mut Vec::new());
            assert_eq!((http.next(), http.wait()), (next, Wait::Idle), "{what}");
            let index = engine.table.insert(Live::new(stream, http)).ok().unwrap();
            let slot = engine.table.slot(index).unwrap();
            let waiting = slot.waiting().unwrap();
            assert_eq!(engine.close_if_silent(index, waiting, &mut desk), closed, "{what}");
            assert_eq!(slot.live().is_none(), closed, "{what}");
            assert!(closed || slot.take(), "{what}: it was not let go of");
        }
    }
}
