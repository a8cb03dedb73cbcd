//! The open connections, each in its slot.
//!
//! A slot is a fixed place in a table. Its index and its generation are the connection's token in
//! the epoll set, so an event that is late, for a connection that was here before, finds nobody.
//! At any time at most one thread holds a slot; see `slot`.

use std::collections::HashMap;
use std::net::{IpAddr, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::poll::Told;
use super::slot::SlotState;
use crate::http::{Connection, Wait};
use crate::ip::grouped;

/// A connection with its socket.
pub(super) struct Live {
    pub(super) stream: TcpStream,
    pub(super) http: Connection,
    /// What names this connection in the epoll set; [`Table::insert`] sets it.
    pub(super) token: u64,
    /// The epoll set also tells when writing is possible.
    pub(super) watches_write: bool,
}

impl Live {
    pub(super) fn new(stream: TcpStream, http: Connection) -> Live {
        Live { stream, http, token: 0, watches_write: false }
    }
}

/// The token of a connection: its slot's index in the lower half, its generation in the upper.
/// No index is `u32::MAX`, so no token is that of a wake-up.
fn token(index: u32, generation: u32) -> u64 {
    u64::from(generation) << 32 | u64::from(index)
}

/// One place in the table. On its own cache line, since neighbours are held by other threads.
#[repr(align(64))]
pub(super) struct Slot {
    state: SlotState<AtomicU64>,
    /// What the connection waits for and until when, in one word: see [`Slot::waiting`].
    waiting: AtomicU64,
    live: Mutex<Option<Box<Live>>>,
}

/// The lowest bits of [`Slot::waiting`] say what for, the rest when the deadline is.
const KIND_BITS: u32 = 3;
/// The connection waits for the server, and has no deadline.
const BUSY: u64 = u64::MAX;
/// What a connection can wait for; its number is what the word holds.
const KINDS: [Wait; 5] = [Wait::Idle, Wait::Head, Wait::Body, Wait::Lingering, Wait::Reader];

impl Default for Slot {
    fn default() -> Slot {
        Slot { state: SlotState::new(), waiting: AtomicU64::new(BUSY), live: Mutex::new(None) }
    }
}

impl Slot {
    /// Takes the slot if nobody holds it.
    pub(super) fn take(&self) -> bool {
        self.state.take()
    }

    /// Lets go; false, and still held, if there was an event meanwhile.
    pub(super) fn release(&self) -> bool {
        self.state.release()
    }

    /// Lets go without a look at events; the caller changes what is watched afterwards, which
    /// reports everything again.
    pub(super) fn rearm(&self) {
        self.state.rearm();
    }

    /// The connection. Nearly always only the holder asks, so that the lock is not waited for.
    pub(super) fn live(&self) -> MutexGuard<'_, Option<Box<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the keeper know what the connection waits for, and until when.
    pub(super) fn publish(&self, wait: Wait, deadline: u64) {
        let kind = KINDS.iter().position(|kind| *kind == wait).unwrap_or_default() as u64;
        self.waiting.store(deadline << KIND_BITS | kind, Ordering::Release);
    }

    /// The connection waits for the server.
    pub(super) fn publish_busy(&self) {
        self.waiting.store(BUSY, Ordering::Release);
    }

    /// What the connection waits for, and until when; `None` while it waits for the server, and
    /// when the slot is empty.
    pub(super) fn waiting(&self) -> Option<(Wait, u64)> {
        let waiting = self.waiting.load(Ordering::Acquire);
        let kind = waiting & ((1 << KIND_BITS) - 1);
        Some((*KINDS.get(usize::try_from(kind).ok()?)?, waiting >> KIND_BITS))
    }

    /// Whether an event said that no more bytes will come.
    pub(super) fn ended(&self) -> bool {
        self.state.ended()
    }

    /// Whether an event said that the connection is broken.
    pub(super) fn gone(&self) -> bool {
        self.state.gone()
    }
}

/// A connection that could make room. The smallest goes first: whoever is idle, then by deadline,
/// which is the order of how long they have waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    in_a_request: bool,
    deadline: u64,
    /// What it waits for: its place in [`KINDS`].
    kind: usize,
    pub(super) index: u32,
}

impl Candidate {
    /// What [`Slot::waiting`] was when this one was found.
    pub(super) fn waiting(&self) -> (Wait, u64) {
        (KINDS[self.kind], self.deadline)
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
    pub(super) fn insert(&self, mut live: Live) -> Result<u32, (Full, Box<Live>)> {
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
        live.token = token(index, slot.state.generation());
        slot.publish(live.http.wait(), live.http.deadline());
        *slot.live() = Some(Box::new(live));
        slot.state.open();
        Ok(index)
    }

    /// Brings an event to its connection. Returns the slot if the caller holds it now; an event
    /// whose connection is held by another, or is closed, is done with.
    pub(super) fn notify(&self, event: Told) -> Option<u32> {
        let index = (event.token & u64::from(u32::MAX)) as u32;
        let generation = (event.token >> 32) as u32;
        let slot = self.slot(index)?;
        slot.state.notify(generation, event.ended, event.gone).then_some(index)
    }

    /// Closes the connection in `index`, which the caller holds, and lets go of the place.
    pub(super) fn close(&self, index: u32) {
        let Some(slot) = self.slot(index) else { return };
        let Some(live) = slot.live().take() else { return };
        slot.publish_busy();
        // Events that other workers have already fetched are late from here on.
        slot.state.close();
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

    /// Puts those that could make room into `found`, at most `count`, the last one to go first.
    pub(super) fn candidates(&self, count: usize, found: &mut Vec<Candidate>) {
        found.clear();
        found.extend(self.used().filter_map(|(index, slot)| {
            let (wait, deadline) = slot.waiting()?;
            let kind = KINDS.iter().position(|kind| *kind == wait)?;
            Some(Candidate { in_a_request: wait != Wait::Idle, deadline, kind, index })
        }));
        if count < found.len() {
            found.select_nth_unstable(count);
            found.truncate(count);
        }
        found.sort_unstable_by(|one, other| other.cmp(one));
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
        Live::new(stream, http)
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
    fn a_late_event_finds_nobody() {
        let table = Table::new(1, 1);
        insert(&table, "127.0.0.1").unwrap();
        let token = || table.slot(0).unwrap().live().as_ref().unwrap().token;
        let event = |token, gone| Told { token, ended: gone, gone };
        let first = token();
        assert_eq!(table.notify(event(first, false)), Some(0));
        table.close(0);
        assert_eq!(table.notify(event(first, true)), None, "the slot is empty");
        insert(&table, "127.0.0.1").unwrap();
        assert_eq!(table.notify(event(first, true)), None, "it is for the one before");
        assert!(!table.slot(0).unwrap().gone());
        assert_eq!(table.notify(event(token(), false)), Some(0));
        assert_eq!(table.notify(event(u64::MAX - 1, false)), None, "there is no such slot");
    }

    #[test]
    fn who_waits_longest_goes_first() {
        let table = Table::new(6, 9);
        for _ in 0..6 {
            insert(&table, "127.0.0.1").unwrap();
        }
        let waits = [
            (Wait::Head, 4),
            (Wait::Body, 2),
            (Wait::Idle, 9),
            (Wait::Head, 1),
            (Wait::Idle, 8),
            (Wait::Reader, 3),
        ];
        for (index, (wait, until)) in (0..).zip(waits) {
            table.slot(index).unwrap().publish(wait, until);
        }
        let order = |count| {
            let mut found = Vec::new();
            table.candidates(count, &mut found);
            found.iter().rev().map(|candidate| candidate.index).collect::<Vec<_>>()
        };
        assert_eq!(order(9), [4, 2, 3, 1, 5, 0]);
        assert_eq!(order(3), [4, 2, 3]);
        table.slot(4).unwrap().publish_busy();
        assert_eq!(order(9), [2, 3, 1, 5, 0]);
    }
}
