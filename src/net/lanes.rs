//! The threads that answer: fast workers on the epoll set, slow ones behind a queue.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use zeroize::Zeroize as _;

use super::Engine;
use super::poll::{Events, Watch};
use super::table::{Live, Slot};
use crate::http::{Context, Date, Lane, Moment, Next, Service, Wait};

/// Events taken from the epoll set at once. Few, so that one worker does not sit on work that
/// another could do.
const EVENTS: usize = 8;
/// Bytes read at once. A head fits in.
const READ: usize = 16 * 1024;
/// Reads for one connection before the others get their turn.
const READS_PER_TURN: usize = 16;
/// Answers are written into a buffer that is kept; one that grew beyond this is given back.
const KEPT_OUTPUT: usize = 128 * 1024;
/// A slow lane that had nothing to do for so long gives its memory back.
const IDLE: Duration = Duration::from_secs(5);

/// What a thread works with: its buffers and its clock.
pub(super) struct Desk {
    input: Box<[u8]>,
    pub(super) output: Vec<u8>,
    date: Date,
    at: Moment,
    /// Connections in hand whose turn was over before they were done.
    later: VecDeque<u32>,
}

impl Desk {
    pub(super) fn new(at: Moment) -> Desk {
        let mut date = Date::new();
        date.update(at.now);
        let input = vec![0; READ].into_boxed_slice();
        Desk { input, output: Vec::new(), date, at, later: VecDeque::new() }
    }

    pub(super) fn take_later(&mut self) -> Option<u32> {
        self.later.pop_front()
    }

    pub(super) fn set_clock(&mut self, at: Moment) {
        self.at = at;
        self.date.update(at.now);
    }
}

/// What becomes of a connection after a turn.
enum Outcome {
    /// Let go; an event brings it back.
    Wait,
    /// Not done, but others come first.
    Later,
    /// To the slow lane.
    Slow,
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
        while !self.done.load(Ordering::Acquire) {
            let timeout = (!desk.later.is_empty()).then_some(Duration::ZERO);
            if let Err(error) = self.poll.wait(&mut events, timeout) {
                // The set itself is broken, which no client can do; not spinning is all that is left.
                log::error!("waiting for connections failed: {error}");
                std::thread::sleep(Duration::from_millis(100));
            }
            desk.set_clock(self.moment());
            for told in events.told() {
                let index = u32::try_from(told.token).unwrap_or(u32::MAX);
                if self.table.slot(index).is_some_and(|slot| slot.take_or_call(told.ended)) {
                    self.hold(index, &mut desk);
                }
            }
            for _ in 0..desk.later.len() {
                if let Some(index) = desk.take_later() {
                    self.hold(index, &mut desk);
                }
            }
        }
    }

    /// A slow worker's life.
    pub(super) fn slow_lane(&self) {
        let nice = self.settings.slow_nice;
        if let Err(error) = rustix::process::setpriority_process(None, nice) {
            log::debug!("the hashing threads keep their priority: {error}");
        }
        let mut desk = self.desk();
        let mut busy = false;
        loop {
            match self.queue.pop(busy.then_some(IDLE)) {
                Popped::Closed => return,
                Popped::Nothing => {
                    self.service.idle();
                    busy = false;
                }
                Popped::Job(index) => {
                    busy = true;
                    desk.set_clock(self.moment());
                    self.answer_slowly(index, &mut desk);
                    self.hold(index, &mut desk);
                    // Rarely more than none: what a pipelining client sent behind its login.
                    while let Some(index) = desk.take_later() {
                        self.hold(index, &mut desk);
                    }
                }
            }
        }
    }

    fn answer_slowly(&self, index: u32, desk: &mut Desk) {
        let Some(slot) = self.table.slot(index) else { return };
        if let Some(live) = slot.live().as_deref_mut() {
            let Desk { output, date, at, .. } = desk;
            live.http.receive(&self.context(date, *at), Lane::Slow, &[], output);
        }
        // The work took its time, and what follows counts from now.
        desk.set_clock(self.moment());
    }

    /// Works on a connection in hand until it is let go or given away.
    pub(super) fn hold(&self, index: u32, desk: &mut Desk) {
        let Some(slot) = self.table.slot(index) else { return };
        loop {
            let outcome = match slot.live().as_deref_mut() {
                Some(live) => self.turn(index, slot, live, desk),
                None => Outcome::Wait,
            };
            desk.output.clear();
            if desk.output.capacity() > KEPT_OUTPUT {
                desk.output = Vec::new();
            }
            match outcome {
                Outcome::Wait if slot.release() => return,
                Outcome::Wait => {}
                Outcome::Later => return desk.later.push_back(index),
                Outcome::Close => return self.table.close(index),
                Outcome::Slow => {
                    // The password went into the connection's own buffer.
                    desk.input.zeroize();
                    if self.queue.push(index) {
                        return;
                    }
                    if let Some(live) = slot.live().as_deref_mut() {
                        let Desk { output, date, at, .. } = desk;
                        live.http.receive(&self.context(date, *at), Lane::Full, &[], output);
                    }
                }
            }
        }
    }

    /// Writes what there is, then reads and answers, as far as it goes without waiting.
    fn turn(&self, index: u32, slot: &Slot, live: &mut Live, desk: &mut Desk) -> Outcome {
        let mut drained = false;
        let mut reads = 0;
        loop {
            match self.write(live, desk) {
                Written::All => {}
                Written::Broken => return Outcome::Close,
                Written::Blocked => {
                    slot.publish(live.http.wait(), live.http.deadline());
                    return self.wait_for_room(index, live);
                }
            }
            match live.http.next() {
                Next::Close => return Outcome::Close,
                Next::Slow => {
                    slot.publish_busy();
                    return Outcome::Slow;
                }
                Next::More => {
                    let Desk { output, date, at, .. } = desk;
                    live.http.receive(&self.context(date, *at), Lane::Fast, &[], output);
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
                if self.stopping() && live.http.wait() == Wait::Idle {
                    return Outcome::Close;
                }
                slot.publish(live.http.wait(), live.http.deadline());
                return Outcome::Wait;
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
                    if live.http.wait() == Wait::Lingering {
                        live.http.discard(count);
                    } else {
                        let Desk { input, output, date, at, .. } = desk;
                        let context = self.context(date, *at);
                        live.http.receive(&context, Lane::Fast, &input[..count], output);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => drained = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Outcome::Close,
            }
        }
    }

    /// Writes what an earlier turn left, or else what this one prepared.
    fn write(&self, live: &mut Live, desk: &mut Desk) -> Written {
        while !live.http.unsent().is_empty() {
            match write_once(&live.stream, live.http.unsent()) {
                Ok(count) => live.http.wrote(count),
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

    fn wait_for_room(&self, index: u32, live: &mut Live) -> Outcome {
        if !live.watches_write {
            if self.poll.change(&live.stream, index.into(), Watch::ReadWrite).is_err() {
                return Outcome::Close;
            }
            live.watches_write = true;
        }
        Outcome::Wait
    }

    pub(super) fn expire(&self, live: &mut Live, desk: &mut Desk) {
        let Desk { output, date, at, .. } = desk;
        live.http.expire(&self.context(date, *at), output);
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

/// What waits for the slow lane: at most so many, in the order in which they came.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    room: usize,
}

struct State {
    jobs: VecDeque<u32>,
    closed: bool,
}

/// What a slow worker gets.
#[derive(Debug, PartialEq, Eq)]
enum Popped {
    Job(u32),
    Nothing,
    Closed,
}

impl Queue {
    pub(super) fn new(room: usize) -> Queue {
        let state = State { jobs: VecDeque::with_capacity(room), closed: false };
        Queue { state: Mutex::new(state), changed: Condvar::new(), room }
    }

    /// False when there is no room.
    fn push(&self, index: u32) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed || state.jobs.len() >= self.room {
            return false;
        }
        state.jobs.push_back(index);
        drop(state);
        self.changed.notify_one();
        true
    }

    /// The next job, or nothing when none came for `patience`.
    fn pop(&self, patience: Option<Duration>) -> Popped {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.closed {
                return Popped::Closed;
            }
            if let Some(index) = state.jobs.pop_front() {
                return Popped::Job(index);
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
        let queue = Queue::new(2);
        assert!(queue.push(1) && queue.push(2));
        assert!(!queue.push(3));
        assert_eq!(queue.pop(None), Popped::Job(1));
        assert!(queue.push(3));
        assert_eq!(queue.pop(None), Popped::Job(2));
        assert_eq!(queue.pop(None), Popped::Job(3));
        assert_eq!(queue.pop(Some(Duration::ZERO)), Popped::Nothing);
        queue.close();
        assert!(!queue.push(4));
        assert_eq!(queue.pop(None), Popped::Closed);
    }
}
