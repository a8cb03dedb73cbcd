//! The state of a connection. All threads share one edge-triggered epoll set,
//! so a second event may reach one thread while another has the connection; an
//! atomic state hands the event over without a lock.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock};

use rustix::fd::OwnedFd;

const IDLE: u8 = 0;
const BUSY: u8 = 1;
/// Busy, and another event has arrived meanwhile.
const AGAIN: u8 = 2;

/// The number of a connection is its descriptor, which the kernel keeps small.
const CHUNK: usize = 256;
const CHUNKS: usize = 128;

#[derive(Default)]
pub struct Connection {
    pub socket: Option<OwnedFd>,
    /// The beginning of an incomplete request.
    pub input: Vec<u8>,
    /// Bytes that the client has not read yet.
    pub output: Vec<u8>,
}

#[derive(Default)]
pub struct Slot {
    state: AtomicU8,
    pub connection: Mutex<Connection>,
}

impl Slot {
    /// Notes an event; true if the caller now has the connection.
    pub fn take(&self) -> bool {
        let next = |state| Some(if state == IDLE { BUSY } else { AGAIN });
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) == Ok(IDLE)
    }

    /// Releases the connection; false if another event has arrived and the caller must go on.
    pub fn release(&self) -> bool {
        let (ordering, failure) = (Ordering::AcqRel, Ordering::Acquire);
        let done = self.state.compare_exchange(BUSY, IDLE, ordering, failure).is_ok();
        if !done {
            self.state.store(BUSY, Ordering::Release);
        }
        done
    }
}

/// All slots, allocated in chunks at their first use.
pub struct Slots([OnceLock<Box<[Slot]>>; CHUNKS]);

impl Slots {
    pub fn new() -> Slots {
        Slots([const { OnceLock::new() }; CHUNKS])
    }

    pub fn get(&self, number: usize) -> Option<&Slot> {
        let chunk = self.0.get(number / CHUNK)?;
        let slots = chunk.get_or_init(|| (0..CHUNK).map(|_| Slot::default()).collect());
        slots.get(number % CHUNK)
    }
}
