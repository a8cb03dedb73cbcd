//! One turn with a connection that the thread holds: write, read and answer as far as that goes
//! without waiting.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Shutdown, TcpStream};

use zeroize::Zeroize as _;

use super::Engine;
use super::poll::Interest;
use super::scratch::Scratch;
use super::table::{OpenConnection, Slot};
use crate::http::{Context, Date, Moment, Next, Step, Wait};

/// Reads for one connection before others get their turn.
const READS_PER_TURN: usize = 4;

/// What becomes of a connection after a turn.
pub(super) enum Outcome {
    /// Released; an event brings it back.
    Wait,
    /// Not done, but others come first.
    Later,
    /// Into the queue of this pool, in the share of this client.
    Queue(usize, IpAddr),
    Close,
}

/// How much of its turn a connection has used.
#[derive(Default)]
pub(super) struct Budget {
    reads: usize,
    /// Whether requests that had already arrived were answered without another read in this turn.
    pub(super) answered_more: bool,
}

/// How writing went.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    All,
    Blocked,
    Broken,
}

/// Whether there may be more to read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unread {
    /// There may be.
    Maybe,
    /// The last read was short: what comes later is a new event.
    Drained,
    /// The last read found nothing.
    Nothing,
}

impl Engine<'_> {
    /// Writes what there is, then reads and answers, as far as it goes without waiting.
    // Long: the order of writing, answering and reading is seen at once.
    pub(super) fn turn(
        &self,
        slot: &Slot,
        connection: &mut OpenConnection,
        scratch: &mut Scratch,
        budget: &mut Budget,
    ) -> Outcome {
        let mut unread = Unread::Maybe;
        loop {
            if let Some(outcome) = self.flush(slot, connection, scratch) {
                return outcome;
            }
            if connection.http.next() == Next::More {
                if budget.answered_more {
                    return Outcome::Later;
                }
                budget.answered_more = true;
                self.receive(connection, scratch, 0);
                continue;
            }
            connection.drained = unread != Unread::Maybe;
            if let Some(outcome) = self.before_read(slot, connection, scratch) {
                return outcome;
            }
            if unread != Unread::Maybe {
                let last = self.closes_idle() && connection.http.owes_nothing();
                if last && unread == Unread::Nothing {
                    return Outcome::Close;
                }
                if !last {
                    slot.publish(connection.http.wait(), connection.http.deadline());
                    return Outcome::Wait;
                }
                // After a short read something may have come that was sent before the stop.
            }
            if budget.reads == READS_PER_TURN {
                return Outcome::Later;
            }
            budget.reads += 1;
            match self.read(slot, connection, scratch) {
                Some(after) => unread = after,
                None => return Outcome::Close,
            }
        }
    }

    /// Writes what there is; an outcome ends the turn.
    fn flush(
        &self,
        slot: &Slot,
        connection: &mut OpenConnection,
        scratch: &mut Scratch,
    ) -> Option<Outcome> {
        match self.write(connection, scratch) {
            Written::All => None,
            Written::Broken => Some(Outcome::Close),
            Written::Blocked if connection.http.deadline() <= scratch.at.millis => {
                Some(Outcome::Close)
            }
            Written::Blocked => {
                slot.publish(connection.http.wait(), connection.http.deadline());
                Some(self.wait_for_room(connection))
            }
        }
    }

    /// Does what comes before reading, once everything is written; an outcome ends the turn.
    fn before_read(
        &self,
        slot: &Slot,
        connection: &mut OpenConnection,
        scratch: &Scratch,
    ) -> Option<Outcome> {
        match connection.http.next() {
            Next::Close => Some(Outcome::Close),
            Next::Queue => {
                slot.publish_busy();
                let queued = connection.http.queued();
                Some(queued.map_or(Outcome::Close, |(pool, client)| Outcome::Queue(pool, client)))
            }
            Next::Linger if connection.http.wait() != Wait::Lingering => {
                if connection.stream.shutdown(Shutdown::Write).is_err() {
                    return Some(Outcome::Close);
                }
                connection.http.begin_linger(&self.settings.limits, scratch.at);
                None
            }
            Next::Linger | Next::Read | Next::More => None,
        }
    }

    /// Reads once and answers what came. `None` if no more will come.
    fn read(
        &self,
        slot: &Slot,
        connection: &mut OpenConnection,
        scratch: &mut Scratch,
    ) -> Option<Unread> {
        match connection.stream.read(&mut scratch.input) {
            Ok(0) => None,
            Ok(count) => {
                // An end that was reported together with these bytes brings no new event.
                let drained = count < scratch.input.len() && !slot.ended();
                self.received(connection, scratch, count);
                Some(if drained { Unread::Drained } else { Unread::Maybe })
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Some(Unread::Nothing),
            Err(error) if error.kind() == ErrorKind::Interrupted => Some(Unread::Maybe),
            Err(_) => None,
        }
    }

    /// Answers the first `count` bytes of the input, or throws them away while lingering.
    fn received(&self, connection: &mut OpenConnection, scratch: &mut Scratch, count: usize) {
        if connection.http.wait() == Wait::Lingering {
            return connection.http.discard(count);
        }
        self.receive(connection, scratch, count);
        if connection.http.next() == Next::Queue || connection.http.wait() == Wait::Body {
            // There may be a password in it, which the connection has in its own buffer now.
            scratch.input[..count].zeroize();
        }
    }

    fn receive(&self, connection: &mut OpenConnection, scratch: &mut Scratch, count: usize) {
        let Scratch { input, output, date, at, .. } = scratch;
        connection.http.receive(&self.context(date, *at), Step::Worker, &input[..count], output);
    }

    /// Runs one action on a held connection, writes the output, and gives the connection back to
    /// the workers. Never reads, so no client can keep the thread busy.
    pub(super) fn apply(
        &self,
        index: u32,
        scratch: &mut Scratch,
        action: impl FnOnce(&mut OpenConnection, &Context<'_>, &mut Vec<u8>),
    ) {
        let Some(slot) = self.table.slot(index) else { return };
        let mut guard = slot.connection();
        let Some(connection) = guard.as_deref_mut() else { return };
        scratch.set_clock(self.moment());
        let Scratch { output, date, at, .. } = &mut *scratch;
        action(connection, &self.context(date, *at), output);
        // The action may have taken its time, and what follows counts from now.
        scratch.set_clock(self.moment());
        // What other threads read, a worker has to read again.
        connection.drained = false;
        let written = self.write(connection, scratch);
        scratch.clear();
        drop(guard);
        if self.let_go(index, slot, written, scratch.at) {
            self.report_again(index);
        }
    }

    /// Lets go of a held connection: closes it, or releases it if it waits for the next request.
    /// Returns whether it is still held, since a worker has to go on with it.
    pub(super) fn let_go(&self, index: u32, slot: &Slot, written: Written, at: Moment) -> bool {
        let mut guard = slot.connection();
        let Some(connection) = guard.as_deref_mut() else { return false };
        let next = connection.http.next();
        let close = match written {
            Written::Broken => true,
            Written::Blocked => connection.http.deadline() <= at.millis,
            Written::All => next == Next::Close,
        };
        if close {
            drop(guard);
            self.table.close(index);
            return false;
        }
        if written != Written::All || next != Next::Read || !connection.drained {
            return true;
        }
        // All that epoll had reported was read. If it has reported more since, the slot stays held;
        // if it reports more from now on, a worker gets it.
        slot.publish(connection.http.wait(), connection.http.deadline());
        drop(guard);
        !slot.release()
    }

    /// Leaves held connections to other workers.
    pub(super) fn leave(&self, held: &mut VecDeque<u32>) {
        for index in held.drain(..) {
            self.report_again(index);
        }
    }

    /// Releases a held connection and has epoll report it again, so that a worker goes on with it.
    fn report_again(&self, index: u32) {
        let Some(slot) = self.table.slot(index) else { return };
        let mut guard = slot.connection();
        let Some(connection) = guard.as_deref_mut() else { return };
        match connection.http.next() {
            // The worker puts it into the queue of another pool.
            Next::Queue => slot.publish_busy(),
            _ => slot.publish(connection.http.wait(), connection.http.deadline()),
        }
        slot.rearm();
        // epoll reports again what happened while the connection was held, and at least that there
        // is room to write.
        let changed = self.poll.change(&connection.stream, connection.token, Interest::ReadWrite);
        if changed.is_err() && slot.take() {
            drop(guard);
            return self.table.close(index);
        }
        connection.watches_write = true;
    }

    /// Writes what an earlier turn left, then what this one prepared.
    pub(super) fn write(&self, connection: &mut OpenConnection, scratch: &mut Scratch) -> Written {
        let limits = &self.settings.limits;
        while !connection.http.unsent().is_empty() {
            match write_once(&connection.stream, connection.http.unsent()) {
                Ok(count) => connection.http.wrote(count),
                Err(Written::Blocked) => {
                    connection.http.block(limits, scratch.at, &scratch.output);
                    scratch.output.clear();
                    return Written::Blocked;
                }
                Err(written) => return written,
            }
        }
        let mut sent = 0;
        while sent < scratch.output.len() {
            match write_once(&connection.stream, &scratch.output[sent..]) {
                Ok(count) => sent += count,
                Err(Written::Blocked) => {
                    connection.http.block(limits, scratch.at, &scratch.output[sent..]);
                    scratch.output.clear();
                    return Written::Blocked;
                }
                Err(written) => return written,
            }
        }
        scratch.output.clear();
        Written::All
    }

    /// Has epoll report room to write from now on.
    fn wait_for_room(&self, connection: &mut OpenConnection) -> Outcome {
        if !connection.watches_write {
            let both = Interest::ReadWrite;
            if self.poll.change(&connection.stream, connection.token, both).is_err() {
                return Outcome::Close;
            }
            connection.watches_write = true;
        }
        Outcome::Wait
    }

    pub(super) fn context<'c>(&'c self, date: &'c Date, at: Moment) -> Context<'c> {
        Context {
            service: self.service,
            limits: &self.settings.limits,
            date,
            at,
            stopping: &self.stopping,
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
