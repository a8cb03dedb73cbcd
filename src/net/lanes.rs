//! The threads that answer: fast workers on the epoll set, slow ones behind a queue.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use zeroize::Zeroize as _;

use super::Engine;
use super::poll::{Events, Watch};
use super::table::{Live, Slot};
use crate::http::{Context, Date, Moment, Next, Overload, Service, Step, Wait};
use crate::ip::grouped;

/// Events taken from the epoll set at once. Few, so that one worker does not sit on work that
/// another could do.
const EVENTS: usize = 8;
/// Bytes read at once. A head fits in.
const READ: usize = 16 * 1024;
/// Reads for one connection before the others get their turn.
const READS_PER_TURN: usize = 4;
/// Answers are written into a buffer that is kept; one that grew beyond this is given back.
const KEPT_OUTPUT: usize = 128 * 1024;
/// Places in a queue that one of those who are priority has beyond the share of the address.
const MAX_PRIORITY: usize = 4;
/// A slow lane that had nothing to do for so long gives its memory back.
const IDLE: Duration = Duration::from_secs(5);

/// What a thread works with: its buffers and its clock.
pub(super) struct Desk {
    input: Box<[u8]>,
    output: Vec<u8>,
    date: Date,
    at: Moment,
}

impl Desk {
    pub(super) fn new(at: Moment) -> Desk {
        let mut date = Date::new();
        date.update(at.now);
        Desk { input: vec![0; READ].into_boxed_slice(), output: Vec::new(), date, at }
    }

    pub(super) fn set_clock(&mut self, at: Moment) {
        self.at = at;
        self.date.update(at.now);
    }

    /// Ready for the next connection.
    fn clear(&mut self) {
        self.output.clear();
        if self.output.capacity() > KEPT_OUTPUT {
            self.output = Vec::new();
        }
    }
}

/// What becomes of a connection after a turn.
enum Outcome {
    /// Let go; an event brings it back.
    Wait,
    /// Not done, but others come first.
    Later,
    /// Into the queue of this pool, in the share of this client.
    Queue(usize, IpAddr),
    Close,
}

/// How writing went.
enum Written {
    All,
    Blocked,
    Broken,
}

impl<S: Service> Engine<'_, S> {
    /// A fast worker's life.
    pub(super) fn fast_lane(&self) {
        let mut desk = self.desk();
        let mut events = Events::new(EVENTS);
        // Connections in hand whose turn was over before they were done.
        let mut later = VecDeque::new();
        while !self.done.load(Ordering::Acquire) {
            let timeout = (!later.is_empty()).then_some(Duration::ZERO);
            if let Err(error) = self.poll.wait(&mut events, timeout) {
                // The set itself is broken, which no client can do; not spinning is all that is left.
                log::error!("waiting for connections failed: {error}");
                std::thread::sleep(Duration::from_millis(100));
            }
            for told in events.told() {
                if let Some(index) = self.table.notify(told) {
                    self.hold(index, &mut desk, &mut later);
                }
            }
            for _ in 0..later.len() {
                if let Some(index) = later.pop_front() {
                    self.hold(index, &mut desk, &mut later);
                }
            }
        }
    }

    /// The loop of a thread of a pool.
    pub(super) fn serve_pool(&self, number: usize, queue: &Queue) {
        let mut desk = self.slow_desk();
        let mut busy = false;
        loop {
            match queue.pop(busy.then_some(IDLE)) {
                Popped::Closed => return,
                Popped::Nothing => {
                    self.service.idle(number);
                    busy = false;
                }
                Popped::Job(index) => {
                    busy = true;
                    self.serve_slowly(index, &mut desk);
                }
            }
        }
    }

    /// What a thread works with that gives way to the fast ones.
    fn slow_desk(&self) -> Desk {
        let nice = self.settings.slow_nice;
        if let Err(error) = rustix::process::setpriority_process(None, nice) {
            log::debug!("the slow threads keep their priority: {error}");
        }
        self.desk()
    }

    /// Answers a request that came out of a queue.
    fn serve_slowly(&self, index: u32, desk: &mut Desk) {
        // No work for a client that is gone; one that has only ended its half waits.
        if self.table.slot(index).is_some_and(Slot::gone) {
            return self.table.close(index);
        }
        self.act(index, desk, |live, context, output| {
            live.http.receive(context, Step::Pool, &[], output);
        });
    }

    /// Works on a connection in hand until it is let go or given away. Only fast workers do
    /// this; other threads [`act`](Self::act).
    fn hold(&self, index: u32, desk: &mut Desk, later: &mut VecDeque<u32>) {
        let Some(slot) = self.table.slot(index) else { return };
        desk.set_clock(self.moment());
        loop {
            let outcome = match slot.live().as_deref_mut() {
                Some(live) => self.turn(slot, live, desk),
                None => return,
            };
            desk.clear();
            match outcome {
                Outcome::Wait if slot.release() => return,
                Outcome::Wait => {}
                Outcome::Later => return later.push_back(index),
                Outcome::Close => return self.table.close(index),
                Outcome::Queue(pool, client) if self.wait_in(pool, index, client, desk) => return,
                Outcome::Queue(..) => {}
            }
        }
    }

    /// Puts a connection in hand into the queue of a pool. False when its turn goes on, mostly
    /// since it was refused, and the answer that says so is in the output. A request with priority
    /// needs no share, so that others at the same address cannot keep it out.
    fn wait_in(&self, pool: usize, index: u32, client: IpAddr, desk: &mut Desk) -> bool {
        let Some((_, queue)) = self.pools.get(pool) else {
            log::error!("the service has no pool {pool}");
            self.overloaded(index, Step::Overloaded(pool, Overload::Full), desk);
            return false;
        };
        match queue.push(index, client, None) {
            Pushed::In => return true,
            Pushed::NoShare => {
                let priority =
                    self.overloaded(index, Step::Overloaded(pool, Overload::Share), desk);
                // What was answered before it goes out first, while the desk is this connection's.
                if priority.is_none() || !desk.output.is_empty() {
                    return false;
                }
                if queue.push(index, client, priority) == Pushed::In {
                    return true;
                }
            }
            Pushed::Full => {}
        }
        self.overloaded(index, Step::Overloaded(pool, Overload::Full), desk);
        false
    }

    /// Has a request answered that did not get a place, unless it has priority: then returns its
    /// sender's number.
    fn overloaded(&self, index: u32, step: Step, desk: &mut Desk) -> Option<u64> {
        let mut guard = self.table.slot(index)?.live();
        let live = guard.as_deref_mut()?;
        let Desk { output, date, at, .. } = desk;
        live.http.receive(&self.context(date, *at), step, &[], output);
        live.http.priority()
    }

    /// Does one thing to a connection in hand, writes what comes out, and gives the connection
    /// back to the fast workers. Never reads, so no client can keep the thread busy.
    pub(super) fn act(
        &self,
        index: u32,
        desk: &mut Desk,
        action: impl FnOnce(&mut Live, &Context<'_, S>, &mut Vec<u8>),
    ) {
        let Some(slot) = self.table.slot(index) else { return };
        let mut guard = slot.live();
        let Some(live) = guard.as_deref_mut() else { return };
        desk.set_clock(self.moment());
        let Desk { output, date, at, .. } = &mut *desk;
        action(live, &self.context(date, *at), output);
        // The action may have taken its time, and what follows counts from now.
        desk.set_clock(self.moment());
        let close = match self.write(live, desk) {
            Written::Broken => true,
            Written::Blocked => live.http.deadline() <= desk.at.millis,
            Written::All => live.http.next() == Next::Close,
        };
        desk.clear();
        if close {
            drop(guard);
            return self.table.close(index);
        }
        slot.publish(live.http.wait(), live.http.deadline());
        slot.rearm();
        // Whatever happened while it was held is told again now, and at least that there is room
        // to write; a worker then goes on with it.
        if self.poll.change(&live.stream, live.token, Watch::ReadWrite).is_err() && slot.take() {
            drop(guard);
            return self.table.close(index);
        }
        live.watches_write = true;
    }

    /// Writes what there is, then reads and answers, as far as it goes without waiting.
    fn turn(&self, slot: &Slot, live: &mut Live, desk: &mut Desk) -> Outcome {
        let mut drained = false;
        let mut empty = false;
        let mut reads = 0;
        let mut answered_more = false;
        loop {
            match self.write(live, desk) {
                Written::All => {}
                Written::Broken => return Outcome::Close,
                Written::Blocked if live.http.deadline() <= desk.at.millis => {
                    return Outcome::Close;
                }
                Written::Blocked => {
                    slot.publish(live.http.wait(), live.http.deadline());
                    return self.wait_for_room(live);
                }
            }
            match live.http.next() {
                Next::Close => return Outcome::Close,
                Next::Queue => {
                    slot.publish_busy();
                    match live.http.queued() {
                        Some((pool, client)) => return Outcome::Queue(pool, client),
                        None => return Outcome::Close,
                    }
                }
                Next::More if answered_more => return Outcome::Later,
                Next::More => {
                    answered_more = true;
                    let Desk { output, date, at, .. } = desk;
                    live.http.receive(&self.context(date, *at), Step::Worker, &[], output);
                    continue;
                }
                Next::Linger if live.http.wait() != Wait::Lingering => {
                    if live.stream.shutdown(Shutdown::Write).is_err() {
                        return Outcome::Close;
                    }
                    live.http.begin_linger(&self.settings.limits, desk.at);
                }
                Next::Linger | Next::Read => {}
            }
            if drained {
                let last = self.stopping() && live.http.owes_nothing();
                if last && empty {
                    return Outcome::Close;
                }
                if !last {
                    slot.publish(live.http.wait(), live.http.deadline());
                    return Outcome::Wait;
                }
                // After a short read something may have come that was sent before the stop.
            }
            if reads == READS_PER_TURN {
                return Outcome::Later;
            }
            reads += 1;
            match live.stream.read(&mut desk.input) {
                Ok(0) => return Outcome::Close,
                Ok(count) => {
                    // After a short read there is nothing left, and what comes later is a new
                    // event; except for an end that was told together with these bytes.
                    drained = count < desk.input.len() && !slot.ended();
                    self.received(live, desk, count);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    drained = true;
                    empty = true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Outcome::Close,
            }
        }
    }

    /// So many bytes have come.
    fn received(&self, live: &mut Live, desk: &mut Desk, count: usize) {
        if live.http.wait() == Wait::Lingering {
            return live.http.discard(count);
        }
        let Desk { input, output, date, at } = desk;
        live.http.receive(&self.context(date, *at), Step::Worker, &input[..count], output);
        if live.http.next() == Next::Queue || live.http.wait() == Wait::Body {
            // There may be a password in it, which the connection has in its own buffer now.
            input[..count].zeroize();
        }
    }

    /// Writes what an earlier turn left, or else what this one prepared.
    fn write(&self, live: &mut Live, desk: &mut Desk) -> Written {
        while !live.http.unsent().is_empty() {
            match write_once(&live.stream, live.http.unsent()) {
                Ok(count) => live.http.wrote(count),
                Err(Written::Blocked) => {
                    live.http.block(&self.settings.limits, desk.at, &desk.output);
                    desk.output.clear();
                    return Written::Blocked;
                }
                Err(written) => return written,
            }
        }
        let mut sent = 0;
        while sent < desk.output.len() {
            match write_once(&live.stream, &desk.output[sent..]) {
                Ok(count) => sent += count,
                Err(Written::Blocked) => {
                    live.http.block(&self.settings.limits, desk.at, &desk.output[sent..]);
                    desk.output.clear();
                    return Written::Blocked;
                }
                Err(written) => return written,
            }
        }
        desk.output.clear();
        Written::All
    }

    fn wait_for_room(&self, live: &mut Live) -> Outcome {
        if !live.watches_write {
            if self.poll.change(&live.stream, live.token, Watch::ReadWrite).is_err() {
                return Outcome::Close;
            }
            live.watches_write = true;
        }
        Outcome::Wait
    }

    fn context<'c>(&'c self, date: &'c Date, at: Moment) -> Context<'c, S> {
        Context {
            service: self.service,
            limits: &self.settings.limits,
            date,
            at,
            stopping: self.stopping(),
        }
    }
}

fn write_once(mut stream: &TcpStream, bytes: &[u8]) -> Result<usize, Written> {
    loop {
        match stream.write(bytes) {
            Ok(0) => return Err(Written::Broken),
            Ok(count) => return Ok(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(Written::Blocked),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(Written::Broken),
        }
    }
}

/// What waits for the slow lane: at most so many, and so many of one address, in the order in
/// which they came.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    room: usize,
    share: usize,
}

struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// A connection that waits.
struct Job {
    index: u32,
    /// For whom.
    client: IpAddr,
    /// Whose it is, if it takes no place of its client's share.
    priority: Option<u64>,
}

/// What becomes of a connection that should wait in a queue.
#[derive(Debug, PartialEq, Eq)]
enum Pushed {
    In,
    /// There is room, but its client has its share.
    NoShare,
    Full,
}

/// What a slow worker gets.
#[derive(Debug, PartialEq, Eq)]
enum Popped {
    Job(u32),
    Nothing,
    Closed,
}

impl Queue {
    pub(super) fn new(room: usize, share: usize) -> Queue {
        let state = State { jobs: VecDeque::with_capacity(room), closed: false };
        Queue { state: Mutex::new(state), changed: Condvar::new(), room, share }
    }

    /// In the client's share, or else as one of those who are priority, who have as much together.
    fn push(&self, index: u32, client: IpAddr, priority: Option<u64>) -> Pushed {
        let client = grouped(client);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed || state.jobs.len() >= self.room {
            return Pushed::Full;
        }
        let beside =
            |job: &&Job| job.client == client && job.priority.is_some() == priority.is_some();
        let theirs = state.jobs.iter().filter(beside).count();
        let same = |job: &&Job| priority.is_some() && job.priority == priority;
        if theirs >= self.share || state.jobs.iter().filter(same).count() >= MAX_PRIORITY {
            return Pushed::NoShare;
        }
        state.jobs.push_back(Job { index, client, priority });
        drop(state);
        self.changed.notify_one();
        Pushed::In
    }

    /// The next job, or nothing when none came for `patience`.
    fn pop(&self, patience: Option<Duration>) -> Popped {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.closed {
                return Popped::Closed;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Popped::Job(job.index);
            }
            let Some(patience) = patience else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (next, timeout) =
                self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if timeout.timed_out() && state.jobs.is_empty() && !state.closed {
                return Popped::Nothing;
            }
        }
    }

    /// Nothing goes in or out from now on.
    pub(super) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_bounded_and_in_order() {
        let queue = Queue::new(2, 2);
        let client = IpAddr::from([127, 0, 0, 1]);
        let push = |index| queue.push(index, client, None) == Pushed::In;
        assert!(push(1) && push(2));
        assert!(!push(3));
        assert_eq!(queue.pop(None), Popped::Job(1));
        assert!(push(3));
        assert_eq!(queue.pop(None), Popped::Job(2));
        assert_eq!(queue.pop(None), Popped::Job(3));
        assert_eq!(queue.pop(Some(Duration::ZERO)), Popped::Nothing);
        queue.close();
        assert!(!push(4));
        assert_eq!(queue.pop(None), Popped::Closed);
    }

    #[test]
    fn nobody_has_more_than_a_share_of_the_queue() {
        let queue = Queue::new(8, 2);
        let push =
            |index, client: &str| queue.push(index, client.parse().unwrap(), None) == Pushed::In;
        assert!(push(1, "192.0.2.1") && push(2, "::ffff:192.0.2.1"));
        assert!(!push(3, "192.0.2.1"));
        assert!(push(4, "192.0.2.2"));
        assert!(push(5, "2001:db8::1") && push(6, "2001:db8::2"));
        assert!(!push(7, "2001:db8::3"));
        assert_eq!(queue.pop(None), Popped::Job(1));
        assert!(push(8, "192.0.2.1"));
    }

    #[test]
    fn a_neighbour_filled_the_queue_for_a_known_device_at_the_same_address() {
        let queue = Queue::new(32, 6);
        let address = IpAddr::from([192, 0, 2, 1]);
        let push = |index, priority| queue.push(index, address, priority);
        for index in 0..6 {
            assert_eq!(push(index, None), Pushed::In);
        }
        assert_eq!(push(6, None), Pushed::NoShare);
        // Another device has some places, and then all have that share.
        for (index, whose, expected) in [
            (7, 1, Pushed::In),
            (8, 1, Pushed::In),
            (9, 1, Pushed::In),
            (10, 1, Pushed::In),
            (11, 1, Pushed::NoShare),
            (12, 2, Pushed::In),
            (13, 3, Pushed::In),
            (14, 4, Pushed::NoShare),
        ] {
            assert_eq!(push(index, Some(whose)), expected, "{index}");
        }
        assert_eq!(queue.pop(None), Popped::Job(0));
        assert_eq!(push(15, None), Pushed::In);
        let full = Queue::new(1, 1);
        assert_eq!(full.push(0, address, None), Pushed::In);
        assert_eq!(full.push(1, address, Some(1)), Pushed::Full);
    }
}
