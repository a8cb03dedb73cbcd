//! Everything about epoll: what is watched, and waiting for it.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Result;

/// An epoll set. Any number of threads may wait on it.
pub(super) struct Poll {
    epoll: OwnedFd,
    #[cfg(test)]
    pub(super) trouble: Trouble,
}

/// Lets a test say how many of the next calls fail for want of memory.
#[cfg(test)]
#[derive(Default)]
pub(super) struct Trouble(std::sync::atomic::AtomicUsize);

#[cfg(test)]
impl Trouble {
    pub(super) fn begin(&self, calls: usize) {
        self.0.store(calls, std::sync::atomic::Ordering::SeqCst);
    }

    pub(super) fn left(&self) -> usize {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn strike(&self) -> Result<()> {
        use std::sync::atomic::Ordering::SeqCst;
        let struck = self.0.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        struck.map_or(Ok(()), |_| Err(rustix::io::Errno::NOMEM))
    }
}

/// What to be told of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Watch {
    /// Nothing, for now.
    Nothing,
    /// While there is something to read; told to every waiter.
    Level,
    /// When something new can be read; told once, to one waiter.
    Read,
    /// The same, and when writing becomes possible again.
    ReadWrite,
}

impl Watch {
    fn flags(self) -> EventFlags {
        match self {
            Watch::Nothing => EventFlags::empty(),
            Watch::Level => EventFlags::IN,
            Watch::Read => EventFlags::IN | EventFlags::RDHUP | EventFlags::ET,
            Watch::ReadWrite => {
                EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET
            }
        }
    }
}

/// The token of the descriptor behind [`Wake`].
const WAKE: u64 = u64::MAX;

impl Poll {
    pub(super) fn new() -> Result<Poll> {
        Ok(Poll {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            #[cfg(test)]
            trouble: Trouble::default(),
        })
    }

    pub(super) fn add(&self, fd: impl AsFd, token: u64, watch: Watch) -> Result<()> {
        #[cfg(test)]
        self.trouble.strike()?;
        epoll::add(&self.epoll, fd, EventData::new_u64(token), watch.flags())
    }

    /// Changes what is watched. If it is there already, it is told at once. Unlike adding, this
    /// takes no memory.
    pub(super) fn change(&self, fd: impl AsFd, token: u64, watch: Watch) -> Result<()> {
        #[cfg(test)]
        self.trouble.strike()?;
        epoll::modify(&self.epoll, fd, EventData::new_u64(token), watch.flags())
    }

    /// Waits until something is told or the time is over, and puts it into `events`.
    pub(super) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> Result<()> {
        let timeout = timeout.map(|t| Timespec {
            tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: t.subsec_nanos().into(),
        });
        events.count = 0;
        #[cfg(test)]
        self.trouble.strike()?;
        events.count = match epoll::wait(&self.epoll, &mut events.room[..], timeout.as_ref()) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR) => 0,
            Err(error) => return Err(error),
        };
        Ok(())
    }

    /// Prepares to wake all waiters, now and for ever after.
    pub(super) fn wake_all_later(&self) -> Result<Wake> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        self.add(&fd, WAKE, Watch::Level)?;
        Ok(Wake { fd })
    }
}

/// Wakes everyone who waits on the set that it came from.
pub(super) struct Wake {
    fd: OwnedFd,
}

impl Wake {
    pub(super) fn now(&self) {
        // Only a counter that is already full can refuse, and then the waiters are awake.
        let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
    }
}

/// One thing that was told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) token: u64,
    /// The other side has sent its last byte.
    pub(super) ended: bool,
    /// The connection is broken: nobody will read an answer.
    pub(super) gone: bool,
}

/// Room for what [`Poll::wait`] tells.
pub(super) struct Events {
    room: Vec<Event>,
    count: usize,
}

impl Events {
    pub(super) fn new(room: usize) -> Events {
        let none = Event { flags: EventFlags::empty(), data: EventData::new_u64(WAKE) };
        Events { room: vec![none; room], count: 0 }
    }

    /// What was told, wake-ups left out.
    pub(super) fn told(&self) -> impl Iterator<Item = Told> {
        let broken = EventFlags::HUP | EventFlags::ERR;
        let told = self.room[..self.count].iter().map(move |event| {
            // The kernel's struct is packed: its fields are copied out, not borrowed.
            let (flags, data) = (event.flags, event.data);
            let gone = flags.intersects(broken);
            Told { token: data.u64(), ended: gone || flags.contains(EventFlags::RDHUP), gone }
        });
        told.filter(|told| told.token != WAKE)
    }
}
