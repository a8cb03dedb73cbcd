//! The end of the engine. Connections that are owed no answer are closed at once: idle ones, and
//! those without a complete head. Requests under way get their answers, within a time that clients
//! cannot prolong.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::keeper::{ACCEPTS_PER_TURN, Accepted, Keeper};
use super::poll::Events;
use super::table::Slot;
use super::{BACKLOG, Engine, Stop};
use crate::http::{Next, Wait};

/// The time between two checks whether everything is finished.
const CHECK: Duration = Duration::from_millis(10);
/// How long a request with a complete head may still wait for its body. Its work has not begun, so
/// closing it loses nothing.
const BODY_TIME: Duration = Duration::from_secs(1);
/// How long a client may go on sending after its last answer; shorter than `linger_time`.
const LINGER_TIME: Duration = Duration::from_millis(500);

impl Engine<'_> {
    /// Stops accepting, finishes the requests under way, and closes the rest.
    pub(super) fn finish(&self, listener: TcpListener, stop: &Stop, keeper: &mut Keeper) {
        // A client in the backlog sees an established connection; it gets its answer.
        let rounds = (BACKLOG as usize).div_ceil(ACCEPTS_PER_TURN);
        for _ in 0..rounds {
            if !matches!(self.accept(&listener, keeper), Accepted::Some) {
                break;
            }
        }
        drop(listener);
        self.stopping.store(true, Ordering::Release);
        log::info!("stopping; connections open: {}", self.table.open());
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

    /// Closes connections that are owed no answer, and expires those whose deadline has passed.
    fn close_and_expire(&self, begun: u64, keeper: &mut Keeper) {
        let now = self.moment().millis;
        for (index, slot) in self.table.used() {
            match slot.waiting() {
                // If the client has sent something, a worker answers it or closes.
                Some(waiting @ (Wait::Idle | Wait::Head, _)) => {
                    self.close_if_silent(index, waiting, &mut keeper.scratch);
                }
                Some((wait, deadline)) if self.last_deadline(wait, deadline, begun) <= now => {
                    self.expire(index, slot, begun, keeper);
                }
                _ => {}
            }
        }
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
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let linger = self.settings.limits.linger_time;
        match wait {
            Wait::Body => deadline.min(begun.saturating_add(millis(BODY_TIME))),
            Wait::Lingering => deadline - millis(linger.saturating_sub(LINGER_TIME)).min(deadline),
            Wait::Idle | Wait::Head | Wait::Reader => deadline,
        }
    }
}
