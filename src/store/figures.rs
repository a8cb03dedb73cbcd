//! Figures for monitoring: how often each event has happened, how many sessions are open, which mails
//! wait.

use std::sync::atomic::{AtomicU64, Ordering};

use super::rows::{outbox, sessions};
use super::{Event, Store};
use crate::error::Error;

/// Counters of events that have not happened.
pub(super) fn no_events() -> [AtomicU64; Event::ALL.len()] {
    std::array::from_fn(|_| AtomicU64::new(0))
}

/// What is counted in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Sessions that have not ended, those included that have expired and are not yet swept.
    pub sessions: i64,
    /// Mails that are to be sent.
    pub waiting: i64,
    /// Mails that could not be sent, and are not tried again.
    pub given_up: i64,
}

impl Store {
    /// Counts in the database. Among a million sessions this takes a tenth of a second.
    pub fn counts(&self) -> Result<Counts, Error> {
        self.read(|queries| {
            Ok(Counts {
                sessions: sessions::count_open(queries)?,
                waiting: outbox::count_waiting_links(queries)?
                    + outbox::count_waiting_notices(queries)?,
                given_up: outbox::count_given_up(queries)?,
            })
        })
    }

    /// How often an event has happened in this process.
    pub fn times_of(&self, event: Event) -> u64 {
        self.events[event as usize].load(Ordering::Relaxed)
    }

    /// Counts an event.
    pub(super) fn count_event(&self, event: Event) {
        self.events[event as usize].fetch_add(1, Ordering::Relaxed);
    }
}
