//! How the engine comes to its end. Whoever is owed no answer is let go at once: who is idle, and
//! who has not sent a complete head. Requests under way get their answers, within a time that the
//! clients cannot prolong.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::keeper::{ACCEPTS_PER_TURN, Accepted, Keeper};
use super::poll::Events;
use super::table::Slot;
use super::{BACKLOG, Engine, Stop};
use crate::http::{Next, Service, Wait};

/// How often it is looked whether everything is finished.
const LOOK: Duration = Duration::from_millis(10);
/// How long a request with a complete head may still wait for its body. Nothing that it asked for
/// has been done, and nobody else should wait for it.
const BODY_TIME: Duration = Duration::from_secs(1);
/// How long a client may go on sending after its last answer; less than at other times.
const LINGER_TIME: Duration = Duration::from_millis(500);

impl<S: Service> Engine<'_, S> {
    /// Stops accepting, lets everything under way finish, and closes the rest.
    pub(super) fn finish(&self, listener: TcpListener, stop: &Stop, keeper: &mut Keeper) {
        // Who is in the backlog has connected as far as it knows; it gets its answer.
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
            self.let_go(begun, keeper);
            if self.table.open() == 0 || Instant::now() >= until {
                break;
            }
            if self.gate.wait(&mut events, Some(LOOK)).is_err() {
                std::thread::sleep(LOOK);
            }
            if stop.asked() {
                log::warn!("stopped again; not waiting any longer");
                break;
            }
        }
        match self.table.open() {
            0 => log::debug!("every connection is closed"),
            open => log::warn!("connections that were cut: {open}"),
        }
    }

    /// Closes who is owed no answer, and ends the waits that are over; the others go on.
    fn let_go(&self, begun: u64, keeper: &mut Keeper) {
        let now = self.moment().millis;
        for (index, slot) in self.table.used() {
            match slot.waiting() {
                // One that has sent something is a worker's: it answers, or closes.
                Some(waiting @ (Wait::Idle | Wait::Head, _)) => {
                    self.close_if_silent(index, waiting, &mut keeper.desk);
                }
                Some((wait, deadline)) if self.last_deadline(wait, deadline, begun) <= now => {
                    self.end_wait(index, slot, begun, keeper);
                }
                _ => {}
            }
        }
    }

    /// Ends one wait that is over, unless something has happened meanwhile.
    fn end_wait(&self, index: u32, slot: &Slot, begun: u64, keeper: &mut Keeper) {
        if !slot.take() {
            return;
        }
        self.act(index, &mut keeper.desk, |live, context, output| {
            // Its last answer is written already, but no worker has begun to linger.
            let answered = live.http.next() == Next::Linger;
            let wait = if answered { Wait::Lingering } else { live.http.wait() };
            if self.last_deadline(wait, live.http.deadline(), begun) <= context.at.millis {
                live.http.expire(context, output);
            }
        });
    }

    /// The deadline of a wait, once the stop has begun.
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
