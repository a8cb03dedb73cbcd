//! Who works on a connection. Epoll is edge-triggered and shared by all threads,
//! so a second event may reach one thread while another still has the
//! connection; the state hands it over without a lock and loses no event.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock};

use rustix::fd::OwnedFd;

const IDLE: u8 = 0;
const BUSY: u8 = 1;
/// Busy, and something has happened meanwhile.
const AGAIN: u8 = 2;

/// Connections are numbered by their descriptor, which the kernel keeps small.
const CHUNK: usize = 256;
const CHUNKS: usize = 128;

#[derive(Default)]
pub struct Connection {
    pub socket: Option<OwnedFd>,
    /// The start of a request, if one has come in half.
    pub input: Vec<u8>,
    /// What the client has not taken yet.
    pub output: Vec<u8>,
}

#[derive(Default)]
pub struct Slot {
    state: AtomicU8,
    pub connection: Mutex<Connection>,
}

impl Slot {
    /// Something has happened: true if the caller now has the connection.
    pub fn take(&self) -> bool {
        let next = |state| Some(if state == IDLE { BUSY } else { AGAIN });
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) == Ok(IDLE)
    }

    /// Done: false if something has happened meanwhile and the caller goes on.
    pub fn release(&self) -> bool {
        let (ordering, failure) = (Ordering::AcqRel, Ordering::Acquire);
        let done = self.state.compare_exchange(BUSY, IDLE, ordering, failure).is_ok();
        if !done {
            self.state.store(BUSY, Ordering::Release);
        }
        done
    }
}

/// All slots, made by the chunk when they are first needed.
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
