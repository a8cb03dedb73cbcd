//! The open connections, and who has each of them in hand.
//!
//! A slot is a fixed place in a table; its index is the connection's token in the epoll set. At
//! any time at most one thread has a slot in hand. An event for a slot in hand is not lost: it
//! makes the holder look once more before letting go. An event that is late, for a connection
//! that was here before, finds the slot empty or its successor, and reading from that does no
//! harm.

use std::collections::HashMap;
use std::net::{IpAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::address::grouped;
use crate::http::{Connection, Wait};

/// A deadline that never comes: the connection waits for us, not we for it.
pub(super) const NEVER: u64 = u64::MAX;

/// A connection with its socket.
pub(super) struct Live {
    pub(super) stream: TcpStream,
    pub(super) http: Connection,
    /// The epoll set also tells when writing is possible.
    pub(super) watches_write: bool,
}

const FREE: u8 = 0;
const HELD: u8 = 1;
const HELD_AND_CALLED: u8 = 2;

/// One place in the table. On its own cache line, since neighbours are in different hands.
#[repr(align(64))]
pub(super) struct Slot {
    state: AtomicU8,
    idle: AtomicBool,
    ended: AtomicBool,
    gone: AtomicBool,
    deadline: AtomicU64,
    live: Mutex<Option<Box<Live>>>,
}

impl Default for Slot {
    fn default() -> Slot {
        Slot {
            state: AtomicU8::new(FREE),
            idle: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            deadline: AtomicU64::new(NEVER),
            live: Mutex::new(None),
        }
    }
}

impl Slot {
    /// Takes the slot, or makes its holder look once more. `ended` says that the other side has
    /// sent its last byte, `gone` that the connection is broken.
    pub(super) fn take_or_call(&self, ended: bool, gone: bool) -> bool {
        if gone {
            self.gone.store(true, Ordering::Release);
        }
        if ended {
            self.ended.store(true, Ordering::Release);
        }
        let before = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
            (state != HELD_AND_CALLED).then_some(state + 1)
        });
        before == Ok(FREE)
    }

    /// Takes the slot if nobody has it.
    pub(super) fn take(&self) -> bool {
        self.state.compare_exchange(FREE, HELD, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Lets go; false, and still in hand, if there was a call meanwhile.
    pub(super) fn release(&self) -> bool {
        let free = self.state.compare_exchange(HELD, FREE, Ordering::AcqRel, Ordering::Acquire);
        if free.is_err() {
            self.state.store(HELD, Ordering::Release);
        }
        free.is_ok()
    }

    /// Lets go without looking; whoever calls this sees to it that nothing is missed.
    pub(super) fn free(&self) {
        self.state.store(FREE, Ordering::Release);
    }

    /// The connection. Nearly always only the holder asks, so that the lock is not waited for.
    pub(super) fn live(&self) -> MutexGuard<'_, Option<Box<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the keeper know what the connection waits for, and until when.
    pub(super) fn publish(&self, wait: Wait, deadline: u64) {
        self.idle.store(wait == Wait::Idle, Ordering::Release);
        self.deadline.store(deadline, Ordering::Release);
    }

    /// The connection waits for us.
    pub(super) fn publish_busy(&self) {
        self.idle.store(false, Ordering::Release);
        self.deadline.store(NEVER, Ordering::Release);
    }

    pub(super) fn overdue(&self, now: u64) -> bool {
        self.deadline.load(Ordering::Acquire) <= now
    }

    /// Whether it was told that no more bytes will come.
    pub(super) fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether it was told that the connection is broken.
    pub(super) fn gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    fn idle_until(&self) -> Option<u64> {
        self.idle.load(Ordering::Acquire).then(|| self.deadline.load(Ordering::Acquire))
    }
}

/// Places that are made at once, when the first of them is needed: an idle server stays small.
const CHUNK: usize = 256;

/// All places.
pub(super) struct Table {
    chunks: Box<[OnceLock<Box<[Slot]>>]>,
    /// How many places there may be.
    room: usize,
    /// Places that were used before, and are free again.
    free: Mutex<Vec<u32>>,
    open: AtomicUsize,
    /// No slot at or above this one was ever used.
    high: AtomicUsize,
    addresses: Mutex<HashMap<IpAddr, u32>>,
    max_per_address: u32,
}

/// Why a connection could not be let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Full {
    Table,
    Address,
}

impl Table {
    pub(super) fn new(max_connections: usize, max_per_address: u32) -> Table {
        // A place's number must fit into a u32.
        let room = max_connections.min(u32::MAX as usize);
        Table {
            chunks: (0..room.div_ceil(CHUNK)).map(|_| OnceLock::new()).collect(),
            room,
            free: Mutex::new(Vec::new()),
            open: AtomicUsize::new(0),
            high: AtomicUsize::new(0),
            addresses: Mutex::new(HashMap::new()),
            max_per_address,
        }
    }

    /// The place, if it was ever used.
    pub(super) fn slot(&self, index: u32) -> Option<&Slot> {
        let index = index as usize;
        self.chunks.get(index / CHUNK)?.get()?.get(index % CHUNK)
    }

    /// The places that were ever used, with their indices.
    pub(super) fn used(&self) -> impl Iterator<Item = (u32, &Slot)> {
        let made = self.chunks.iter().map_while(OnceLock::get).flatten();
        (0..).zip(made.take(self.high.load(Ordering::Acquire)))
    }

    /// A free place; one that was used before, if there is one, so that `high` stays low.
    fn take_place(&self) -> Option<(u32, &Slot)> {
        let freed = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let index = match freed {
            Some(index) => index as usize,
            // The caller has the lock on the addresses, so nobody else takes the same.
            None => Some(self.high.load(Ordering::Acquire)).filter(|&high| high < self.room)?,
        };
        let chunk = self.chunks.get(index / CHUNK)?;
        let slots = chunk.get_or_init(|| (0..CHUNK).map(|_| Slot::default()).collect());
        self.high.fetch_max(index + 1, Ordering::AcqRel);
        Some((u32::try_from(index).ok()?, slots.get(index % CHUNK)?))
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Gives a new connection a place, or gives it back.
    pub(super) fn insert(&self, live: Live) -> Result<u32, (Full, Box<Live>)> {
        let address = grouped(live.http.peer());
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let count = addresses.get(&address).copied().unwrap_or(0);
        if count >= self.max_per_address {
            return Err((Full::Address, Box::new(live)));
        }
        let Some((index, slot)) = self.take_place() else {
            return Err((Full::Table, Box::new(live)));
        };
        addresses.insert(address, count + 1);
        drop(addresses);
        self.open.fetch_add(1, Ordering::AcqRel);
        slot.ended.store(false, Ordering::Release);
        slot.gone.store(false, Ordering::Release);
        slot.publish(live.http.wait(), live.http.deadline());
        *slot.live() = Some(Box::new(live));
        Ok(index)
    }

    /// Closes the connection in `index`, which the caller has in hand, and lets go of the place.
    pub(super) fn close(&self, index: u32) {
        let Some(slot) = self.slot(index) else { return };
        let gone = slot.live().take();
        slot.publish_busy();
        slot.free();
        let Some(live) = gone else { return };
        let address = grouped(live.http.peer());
        // The descriptor is closed before the place is free again.
        drop(live);
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        match addresses.get_mut(&address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                addresses.remove(&address);
            }
        }
        drop(addresses);
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(index);
        self.open.fetch_sub(1, Ordering::AcqRel);
    }

    /// Takes the connection that has been idle for longest; `None` if none is idle.
    pub(super) fn take_longest_idle(&self) -> Option<u32> {
        let mut in_hand = Vec::new();
        loop {
            let idle = self.used().filter_map(|(index, slot)| Some((slot.idle_until()?, index)));
            let (_, index) = idle.filter(|(_, index)| !in_hand.contains(index)).min()?;
            if self.slot(index)?.take() {
                return Some(index);
            }
            in_hand.push(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::clock::Timestamp;
    use crate::http::{Limits, Moment};

    fn live(peer: IpAddr, millis: u64) -> Live {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let at = Moment { millis, now: Timestamp(0) };
        let http = Connection::new(peer, &Limits::default(), at);
        Live { stream, http, watches_write: false }
    }

    #[test]
    fn one_holder_at_a_time_and_no_call_is_lost() {
        let table = Table::new(1, 1);
        assert!(table.slot(0).is_none(), "made before it is needed");
        let (_, slot) = table.take_place().unwrap();
        assert!(table.take_place().is_none());
        assert!(slot.take_or_call(false, false));
        assert!(!slot.take_or_call(false, false), "in hand");
        assert!(!slot.take_or_call(false, false), "called already");
        assert!(!slot.take());
        assert!(!slot.release(), "was called: look once more");
        assert!(slot.release());
        assert!(slot.take());
    }

    fn insert(table: &Table, peer: &str) -> Result<u32, Full> {
        table.insert(live(peer.parse().unwrap(), 0)).map_err(|(full, _)| full)
    }

    #[test]
    fn places_and_addresses_are_limited() {
        let table = Table::new(3, 2);
        assert_eq!(insert(&table, "2001:db8::1"), Ok(0));
        assert_eq!(insert(&table, "2001:db8::2"), Ok(1));
        assert_eq!(insert(&table, "2001:db8::3"), Err(Full::Address));
        assert_eq!(insert(&table, "192.0.2.1"), Ok(2));
        assert_eq!(insert(&table, "::ffff:192.0.2.1"), Err(Full::Table));
        assert!(table.slot(1).unwrap().take());
        table.close(1);
        assert_eq!(table.open(), 2);
        assert_eq!(insert(&table, "::ffff:192.0.2.1"), Ok(1));
        assert_eq!(insert(&table, "192.0.2.1"), Err(Full::Address));
    }

    #[test]
    fn the_longest_idle_goes_first() {
        let table = Table::new(3, 9);
        for _ in 0..3 {
            insert(&table, "127.0.0.1").unwrap();
        }
        assert_eq!(table.take_longest_idle(), None, "nobody is idle");
        for (index, until) in [(0, 7), (1, 5), (2, 6)] {
            table.slot(index).unwrap().publish(Wait::Idle, until);
        }
        assert!(table.slot(1).unwrap().take(), "somebody works on it");
        assert_eq!(table.take_longest_idle(), Some(2));
        assert_eq!(table.take_longest_idle(), Some(0));
        assert_eq!(table.take_longest_idle(), None);
        assert!(table.slot(1).unwrap().release());
        assert_eq!(table.take_longest_idle(), Some(1), "it is found again");
    }
}
