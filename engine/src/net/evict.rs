//! Makes room when every slot is taken: closes the connection that has waited longest for its
//! client. Idle connections go first, then those that wait for a head, for a body, or for the
//! client to read. (If heads went before bodies, a new connection would go before a flood of
//! half-sent bodies.) A connection that waits for the server is never closed.
//!
//! Under a flood every new connection needs a slot. A search through the whole table each time
//! would cost more than accepting, so one search finds several candidates, which are used for a
//! short while.

use std::io::ErrorKind;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Engine;
use super::scratch::Scratch;
use super::table::{Candidate, OpenConnection};
use crate::http::Wait;

/// Slots of the table for each candidate that a search finds: it then costs a new connection about
/// this many loads. A small table is searched each time.
const SLOTS_PER_CANDIDATE: usize = 128;
/// Candidates of the second search, when none of the first ones could be closed.
const SECOND_SEARCH: usize = 1024;
/// How long candidates are used. Meanwhile a connection that becomes idle may stay, although one
/// that waits for a head is closed.
const FRESH: Duration = Duration::from_millis(100);

/// What the last search found.
#[derive(Default)]
pub(super) struct Candidates {
    /// The last one goes first.
    found: Vec<Candidate>,
    at: Option<Instant>,
}

impl Engine<'_> {
    /// Makes room; false if no connection can be closed. Only the keeper calls this.
    pub(super) fn make_room(&self, candidates: &mut Candidates, scratch: &mut Scratch) -> bool {
        if candidates.at.is_some_and(|at| at.elapsed() > FRESH) {
            candidates.found.clear();
        }
        let first_search = self.table.open().div_ceil(SLOTS_PER_CANDIDATE);
        for count in [0, first_search, SECOND_SEARCH] {
            if count > 0 {
                self.table.candidates(count, &mut candidates.found);
                candidates.at = Some(Instant::now());
            }
            while let Some(candidate) = candidates.found.pop() {
                let Some(slot) = self.table.slot(candidate.index) else { continue };
                let waiting = candidate.waiting();
                if slot.waiting() == Some(waiting)
                    && self.close_if_silent(candidate.index, waiting, scratch)
                {
                    return true;
                }
            }
        }
        false
    }

    /// Closes a connection if it still waits for the same, unless a worker holds it, or will hold
    /// it soon because its client has sent something. Says whether it did.
    pub(super) fn close_if_silent(
        &self,
        index: u32,
        waiting: (Wait, u64),
        scratch: &mut Scratch,
    ) -> bool {
        let Some(slot) = self.table.slot(index) else { return false };
        if !slot.take() {
            return false;
        }
        // Checked again: a worker may have held it since the search.
        let close = slot.waiting() == Some(waiting)
            && slot.connection().as_deref().is_some_and(|open| match waiting.0 {
                // Not if more requests have arrived: a worker is about to answer them. And not if one
                // has begun to arrive, and a restart is to lose none.
                Wait::Idle | Wait::Head => {
                    let keeps = self.lingering.load(Ordering::Acquire) && open.http.has_begun();
                    open.http.owes_nothing() && !keeps && is_silent(open)
                }
                Wait::Body | Wait::Lingering => is_silent(open),
                // The server reads nothing from a client that does not read.
                Wait::Reader => true,
            });
        if close {
            self.table.close(index);
        } else if !slot.release() {
            // A worker has an event for it and did not get it: epoll reports the event again.
            self.apply(index, scratch, |_, _, _| {});
        }
        close
    }
}

/// Whether the socket holds no unread bytes.
fn is_silent(connection: &OpenConnection) -> bool {
    connection.stream.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::http::{Connection, Context, Date, Next, Step};
    use crate::net::Settings;
    use crate::net::testing::{GET, TestService, engine};

    #[test]
    fn a_connection_with_a_request_at_hand_is_not_closed() {
        let settings = Settings::default();
        let engine = engine(&TestService, &settings);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut scratch = engine.scratch();
        // A pool's thread answers one request, and leaves the others to a worker.
        for (what, step, requests, next, closed) in [
            ("one request, answered", Step::Worker, 1, Next::Read, true),
            ("two requests, one of them answered", Step::Pool, 2, Next::More, false),
        ] {
            let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, peer) = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            let at = engine.moment();
            let mut http = Connection::new(peer.ip(), &settings.limits, at);
            let (date, limits) = (&Date::new(), &settings.limits);
            let context = Context {
                service: &TestService,
                limits,
                date,
                at,
                stopping: &AtomicBool::new(false),
            };
            http.receive(&context, step, &GET.repeat(requests), &mut Vec::new());
            assert_eq!((http.next(), http.wait()), (next, Wait::Idle), "{what}");
            let index = engine.table.insert(OpenConnection::new(stream, http)).ok().unwrap();
            let slot = engine.table.slot(index).unwrap();
            let waiting = slot.waiting().unwrap();
            assert_eq!(engine.close_if_silent(index, waiting, &mut scratch), closed, "{what}");
            assert_eq!(slot.connection().is_none(), closed, "{what}");
            assert!(closed || slot.take(), "{what}: still held");
        }
    }
}
