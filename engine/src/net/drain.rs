//! The end of the engine. Connections that are owed no answer are closed at once: idle ones, and
//! those without a complete head. Requests under way get their answers, within a time that clients
//! cannot prolong.
//!
//! If another process takes over the listeners, a restart is to lose no request. So what is in the
//! backlog is left to that process. And no connection is closed that may be about to send a request,
//! since its client could not know whether that was read: such a connection stays open for a short
//! while, and its next answer says that it is the last. The client then connects again. A request that
//! has begun to arrive has its usual time for the rest.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::keeper::{ACCEPTS_PER_TURN, Accepted, Keeper};
use super::listeners::BACKLOG;
use super::poll::{Events, Interest};
use super::table::Slot;
use super::{Engine, Listeners, Stop};
use crate::http::{Next, Wait};

/// The time between two checks whether everything is finished.
const CHECK: Duration = Duration::from_millis(10);
/// How long a request with a complete head may still wait for its body, if no other process takes over
/// the listeners. Its work has not begun.
const BODY_TIME: Duration = Duration::from_secs(1);
/// How long a connection must have been silent before it is closed, if no request is to be lost. Longer
/// than a busy client takes between an answer and its next request.
const SILENCE: Duration = Duration::from_secs(2);
/// How long a client may go on sending after its last answer; shorter than `linger_time`.
const LINGER_TIME: Duration = Duration::from_millis(500);

impl Engine<'_> {
    /// Stops accepting, finishes the requests under way, and closes the rest.
    pub(super) fn finish(&self, listeners: Listeners, stop: &Stop, keeper: &mut Keeper) {
        if !listeners.kept {
            listeners.sockets.iter().for_each(|listener| self.accept_backlog(listener, keeper));
        }
        // Closing would not do: the process that keeps a listener keeps it ready in this set, too.
        self.watch_listeners(&listeners, Interest::None, keeper);
        self.lingering.store(listeners.kept, Ordering::Release);
        drop(listeners);
        self.stopping.store(true, Ordering::Release);
        let level = if self.settings.quiet { log::Level::Debug } else { log::Level::Info };
        log::log!(level, "stopping; connections open: {}", self.table.open());
        let begun = self.moment().millis;
        let until = Instant::now() + self.settings.drain_time;
        let mut events = Events::new(1);
        loop {
            self.close_and_expire(begun, keeper);
            if self.table.open() == 0 || Instant::now() >= until {
                break;
            }
            if self.keeper_poll.wait(&mut events, Some(CHECK)).is_err() {
                std::thread::sleep(CHECK);
            }
            if stop.requested() {
                log::warn!("stopped again; not waiting any longer");
                break;
            }
        }
        match self.table.open() {
            0 => log::debug!("every connection is closed"),
            open => log::warn!("connections that were cut: {open}"),
        }
    }

    /// Accepts what is in the backlog: those clients see an established connection, and get their
    /// answers.
    fn accept_backlog(&self, listener: &TcpListener, keeper: &mut Keeper) {
        let rounds = (BACKLOG as usize).div_ceil(ACCEPTS_PER_TURN);
        let more = || matches!(self.accept(listener, keeper), Accepted::Some);
        let _ = std::iter::repeat_with(more).take(rounds).find(|more| !more);
    }

    /// Closes connections that are owed no answer, and expires those whose deadline has passed.
    fn close_and_expire(&self, begun: u64, keeper: &mut Keeper) {
        self.publish_gauges();
        let now = self.moment().millis;
        for (index, slot) in self.table.used() {
            match slot.waiting() {
                // If the client has sent something, a worker answers it or closes.
                Some(waiting @ (Wait::Idle | Wait::Head, _))
                    if self.may_close(waiting, now)
                        && self.close_if_silent(index, waiting, &mut keeper.scratch) => {}
                Some((wait, deadline)) if self.last_deadline(wait, deadline, begun) <= now => {
                    self.expire(index, slot, begun, keeper);
                }
                _ => {}
            }
        }
    }

    /// Whether a connection that waits for a head was silent for long enough.
    fn may_close(&self, (wait, deadline): (Wait, u64), now: u64) -> bool {
        let limits = &self.settings.limits;
        let time = if wait == Wait::Idle { limits.idle_time } else { limits.head_time };
        self.closes_idle() || now + millis(time) >= deadline + millis(SILENCE)
    }

    /// Expires one connection, unless it waits for something else meanwhile.
    fn expire(&self, index: u32, slot: &Slot, begun: u64, keeper: &mut Keeper) {
        if !slot.take() {
            return;
        }
        self.apply(index, &mut keeper.scratch, |connection, context, output| {
            // Its last answer is written, but no worker has begun to linger.
            let answered = connection.http.next() == Next::Linger;
            let wait = if answered { Wait::Lingering } else { connection.http.wait() };
            if self.last_deadline(wait, connection.http.deadline(), begun) <= context.at.millis {
                connection.http.expire(context, output);
            }
        });
    }

    /// The deadline of a wait during the stop.
    fn last_deadline(&self, wait: Wait, deadline: u64, begun: u64) -> u64 {
        let linger = self.settings.limits.linger_time;
        match wait {
            Wait::Body if self.closes_idle() => {
                deadline.min(begun.saturating_add(millis(BODY_TIME)))
            }
            Wait::Lingering => deadline - millis(linger.saturating_sub(LINGER_TIME)).min(deadline),
            Wait::Idle => u64::MAX,
            Wait::Head | Wait::Body | Wait::Reader => deadline,
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
