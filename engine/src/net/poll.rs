//! Everything about epoll: interest in events, and waiting for them.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Result;

/// An epoll set. Any number of threads may wait on it.
pub(super) struct Poll {
    epoll: OwnedFd,
    #[cfg(test)]
    pub(super) faults: Faults,
}

/// How many of the next calls fail with ENOMEM; a test sets it.
#[cfg(test)]
#[derive(Default)]
pub(super) struct Faults(std::sync::atomic::AtomicUsize);

#[cfg(test)]
impl Faults {
    pub(super) fn fail_next(&self, calls: usize) {
        self.0.store(calls, std::sync::atomic::Ordering::SeqCst);
    }

    pub(super) fn left(&self) -> usize {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn next(&self) -> Result<()> {
        use std::sync::atomic::Ordering::SeqCst;
        let fails = self.0.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        fails.map_or(Ok(()), |_| Err(rustix::io::Errno::NOMEM))
    }
}

/// Which events of a descriptor epoll reports.
#[derive(Debug, Clone, Copy)]
pub(super) enum Interest {
    /// None, for now.
    None,
    /// Readable, to every waiter for as long as it lasts (level-triggered).
    Level,
    /// Readable, once to one waiter (edge-triggered).
    Read,
    /// Readable or writable, once to one waiter (edge-triggered).
    ReadWrite,
}

impl Interest {
    fn flags(self) -> EventFlags {
        match self {
            Interest::None => EventFlags::empty(),
            Interest::Level => EventFlags::IN,
            Interest::Read => EventFlags::IN | EventFlags::RDHUP | EventFlags::ET,
            Interest::ReadWrite => {
                EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET
            }
        }
    }
}

/// The token of the descriptor behind [`Wake`].
const WAKE: u64 = u64::MAX;
/// The token of the descriptor behind [`RollCall`].
const ROLL_CALL: u64 = u64::MAX - 1;

impl Poll {
    pub(super) fn new() -> Result<Poll> {
        Ok(Poll {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            #[cfg(test)]
            faults: Faults::default(),
        })
    }

    pub(super) fn add(&self, fd: impl AsFd, token: u64, interest: Interest) -> Result<()> {
        #[cfg(test)]
        self.faults.next()?;
        epoll::add(&self.epoll, fd, EventData::new_u64(token), interest.flags())
    }

    /// Changes the interest. Reports at once what is true already. Unlike [`Poll::add`], this takes
    /// no memory.
    pub(super) fn change(&self, fd: impl AsFd, token: u64, interest: Interest) -> Result<()> {
        #[cfg(test)]
        self.faults.next()?;
        epoll::modify(&self.epoll, fd, EventData::new_u64(token), interest.flags())
    }

    /// Fills `events`; waits for the first one, at most for `timeout`.
    pub(super) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> Result<()> {
        let timeout = timeout.map(|t| Timespec {
            tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: t.subsec_nanos().into(),
        });
        events.count = 0;
        #[cfg(test)]
        self.faults.next()?;
        events.count = match epoll::wait(&self.epoll, &mut events.room[..], timeout.as_ref()) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR) => 0,
            Err(error) => return Err(error),
        };
        Ok(())
    }

    /// Prepares a wake-up: everything that takes memory happens here.
    pub(super) fn prepare_wake(&self) -> Result<Wake> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        self.add(&fd, WAKE, Interest::Level)?;
        Ok(Wake { fd })
    }

    /// Prepares calls to one of those who wait.
    pub(super) fn prepare_roll_call(&self) -> Result<RollCall> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        self.add(&fd, ROLL_CALL, Interest::Read)?;
        Ok(RollCall(Wake { fd }))
    }
}

/// Wakes all who wait on an epoll set, and all who wait from then on.
pub(super) struct Wake {
    fd: OwnedFd,
}

impl Wake {
    pub(super) fn all(&self) {
        // Writing fails only when the counter is full, and then the waiters are awake.
        let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
    }
}

/// Shows whether anybody still takes events of an epoll set: a call is an event.
pub(super) struct RollCall(Wake);

impl RollCall {
    /// Each call is an event of its own (edge-triggered), which one waiter gets.
    pub(super) fn call(&self) {
        self.0.all();
    }
}

/// One event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readiness {
    /// Names the descriptor.
    pub(super) token: u64,
    /// The other side has sent its last byte.
    pub(super) ended: bool,
    /// The connection is broken: no answer can arrive.
    pub(super) gone: bool,
}

/// The events of one [`Poll::wait`].
pub(super) struct Events {
    room: Vec<Event>,
    count: usize,
}

impl Events {
    /// Room for `room` events.
    pub(super) fn new(room: usize) -> Events {
        let none = Event { flags: EventFlags::empty(), data: EventData::new_u64(WAKE) };
        Events { room: vec![none; room], count: 0 }
    }

    /// Whether a call of [`RollCall`] is among them.
    pub(super) fn called(&self) -> bool {
        self.room[..self.count].iter().any(|event| {
            let data = event.data;
            data.u64() == ROLL_CALL
        })
    }

    /// The events, without wake-ups and calls.
    pub(super) fn iter(&self) -> impl Iterator<Item = Readiness> {
        let broken = EventFlags::HUP | EventFlags::ERR;
        let events = self.room[..self.count].iter().map(move |event| {
            // The kernel's struct is packed: its fields are copied out, not borrowed.
            let (flags, data) = (event.flags, event.data);
            let gone = flags.intersects(broken);
            Readiness { token: data.u64(), ended: gone || flags.contains(EventFlags::RDHUP), gone }
        });
        events.filter(|event| event.token < ROLL_CALL)
    }
}
