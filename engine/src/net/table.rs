//! The open connections, each in its slot of a table.
//!
//! A slot's index and its generation are the connection's token in the epoll set. So an event for
//! a connection that was in the slot earlier is recognised and dropped. At most one thread holds a
//! slot at any time; see `slot`.

use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::poll::Readiness;
use super::slot::SlotState;
use crate::grouping::grouped;
use crate::http::{Connection, Wait};

/// A connection with its socket.
pub(super) struct OpenConnection {
    pub(super) stream: TcpStream,
    pub(super) http: Connection,
    /// Names this connection in the epoll set; [`Table::insert`] sets it.
    pub(super) token: u64,
    /// Whether epoll reports room to write as well.
    pub(super) watches_write: bool,
    /// Whether everything was read that epoll had reported when a thread took the connection.
    pub(super) drained: bool,
}

impl OpenConnection {
    pub(super) fn new(stream: TcpStream, http: Connection) -> OpenConnection {
        OpenConnection { stream, http, token: 0, watches_write: false, drained: false }
    }
}

/// The token of a connection: its slot's index in the lower half, its generation in the upper.
/// No index is `u32::MAX`, so no token is that of a wake-up.
fn token(index: u32, generation: u32) -> u64 {
    u64::from(generation) << 32 | u64::from(index)
}

/// One slot. On its own cache line, since other threads work on the neighbours.
#[repr(align(64))]
pub(super) struct Slot {
    state: SlotState<AtomicU64>,
    /// What the connection waits for, and its deadline, in one word: see [`Slot::waiting`].
    waiting: AtomicU64,
    connection: Mutex<Option<Box<OpenConnection>>>,
}

/// The lowest bits of the word say what the connection waits for; the rest is the deadline.
const KIND_BITS: u32 = 3;
/// The word of a connection that waits for the server: no deadline.
const BUSY: u64 = u64::MAX;
/// What a connection can wait for; the word holds the place in this list.
const KINDS: [Wait; 5] = [Wait::Idle, Wait::Head, Wait::Body, Wait::Lingering, Wait::Reader];

impl Default for Slot {
    fn default() -> Slot {
        Slot {
            state: SlotState::new(),
            waiting: AtomicU64::new(BUSY),
            connection: Mutex::new(None),
        }
    }
}

impl Slot {
    /// Holds the slot from now on, unless another thread does; false then.
    pub(super) fn take(&self) -> bool {
        self.state.take()
    }

    /// Ends holding the slot. Returns false, and goes on holding it, if an event came meanwhile.
    pub(super) fn release(&self) -> bool {
        self.state.release()
    }

    /// Ends holding the slot and forgets events. The caller then changes the interest, so that
    /// epoll reports everything again.
    pub(super) fn rearm(&self) {
        self.state.rearm();
    }

    /// The connection. Nearly always only the holder asks, so there is no wait for the lock.
    pub(super) fn connection(&self) -> MutexGuard<'_, Option<Box<OpenConnection>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the keeper what the connection waits for, and its deadline.
    pub(super) fn publish(&self, wait: Wait, deadline: u64) {
        let kind = KINDS.iter().position(|kind| *kind == wait).unwrap_or_default() as u64;
        self.waiting.store(deadline << KIND_BITS | kind, Ordering::Release);
    }

    /// Tells the keeper that the connection waits for the server.
    pub(super) fn publish_busy(&self) {
        self.waiting.store(BUSY, Ordering::Release);
    }

    /// What the connection waits for, and its deadline. `None` while it waits for the server, and
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

/// A connection that can be closed to make room. The smallest goes first: idle connections before
/// others, then by deadline, so the one that has waited longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    in_a_request: bool,
    deadline: u64,
    /// What it waits for, as a place in [`KINDS`].
    kind: usize,
    pub(super) index: u32,
}

impl Candidate {
    /// The [`Slot::waiting`] of the moment when the candidate was found.
    pub(super) fn waiting(&self) -> (Wait, u64) {
        (KINDS[self.kind], self.deadline)
    }
}

/// Slots are allocated in chunks, each when its first slot is needed: an idle server stays small.
const CHUNK: usize = 256;

/// All slots.
pub(super) struct Table {
    chunks: Box<[OnceLock<Box<[Slot]>>]>,
    /// How many connections may be open.
    room: usize,
    /// Slots that were used before and are empty.
    free: Mutex<Vec<u32>>,
    open: AtomicUsize,
    /// No slot at or above this index was ever used.
    high_water: AtomicUsize,
    /// Open connections of each client, an IPv6 /64 counting as one client.
    clients: Mutex<HashMap<IpAddr, u32>>,
    max_per_client: u32,
}

/// Why a connection gets no slot.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Full {
    Table,
    Client,
}

impl Table {
    pub(super) fn new(max_connections: usize, max_per_client: u32) -> Table {
        // A slot's index must fit into a u32.
        let room = max_connections.min(u32::MAX as usize);
        Table {
            chunks: (0..room.div_ceil(CHUNK)).map(|_| OnceLock::new()).collect(),
            room,
            free: Mutex::new(Vec::new()),
            open: AtomicUsize::new(0),
            high_water: AtomicUsize::new(0),
            clients: Mutex::new(HashMap::new()),
            max_per_client,
        }
    }

    /// The slot with this index, if it was ever used.
    pub(super) fn slot(&self, index: u32) -> Option<&Slot> {
        let index = index as usize;
        self.chunks.get(index / CHUNK)?.get()?.get(index % CHUNK)
    }

    /// The slots that were ever used, with their indices.
    pub(super) fn used(&self) -> impl Iterator<Item = (u32, &Slot)> {
        let made = self.chunks.iter().map_while(OnceLock::get).flatten();
        (0..).zip(made.take(self.high_water.load(Ordering::Acquire)))
    }

    /// An empty slot; one that was used before, if there is one, so that `high_water` stays low.
    fn empty_slot(&self) -> Option<(u32, &Slot)> {
        let freed = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let index = match freed {
            Some(index) => index as usize,
            // The caller has the lock on `clients`, so no other thread takes the same.
            None => Some(self.high_water.load(Ordering::Acquire)).filter(|&at| at < self.room)?,
        };
        let chunk = self.chunks.get(index / CHUNK)?;
        let slots = chunk.get_or_init(|| (0..CHUNK).map(|_| Slot::default()).collect());
        self.high_water.fetch_max(index + 1, Ordering::AcqRel);
        Some((u32::try_from(index).ok()?, slots.get(index % CHUNK)?))
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Counts the open connections by what they wait for: the clients, in the order of [`KINDS`],
    /// and then the server.
    pub(super) fn count(&self) -> [usize; KINDS.len() + 1] {
        let mut counts = [0; KINDS.len() + 1];
        for (wait, _) in self.used().filter_map(|(_, slot)| slot.waiting()) {
            counts[KINDS.iter().position(|kind| *kind == wait).unwrap_or_default()] += 1;
        }
        let waiting: usize = counts.iter().sum();
        counts[KINDS.len()] = self.open().saturating_sub(waiting);
        counts
    }

    /// Puts a new connection into a slot and returns the slot's index; or gives the connection
    /// back.
    pub(super) fn insert(
        &self,
        mut connection: OpenConnection,
    ) -> Result<u32, (Full, Box<OpenConnection>)> {
        let client = grouped(connection.http.peer());
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let count = clients.get(&client).copied().unwrap_or(0);
        if count >= self.max_per_client {
            return Err((Full::Client, Box::new(connection)));
        }
        let Some((index, slot)) = self.empty_slot() else {
            return Err((Full::Table, Box::new(connection)));
        };
        clients.insert(client, count + 1);
        drop(clients);
        self.open.fetch_add(1, Ordering::AcqRel);
        connection.token = token(index, slot.state.generation());
        slot.publish(connection.http.wait(), connection.http.deadline());
        *slot.connection() = Some(Box::new(connection));
        slot.state.open();
        Ok(index)
    }

    /// Brings an event to its connection. Returns the slot's index if the caller holds the slot
    /// now. With `None` nothing is left to do: another thread holds it, or the connection is
    /// closed.
    pub(super) fn notify(&self, event: Readiness) -> Option<u32> {
        let index = (event.token & u64::from(u32::MAX)) as u32;
        let generation = (event.token >> 32) as u32;
        let slot = self.slot(index)?;
        slot.state.notify(generation, event.ended, event.gone).then_some(index)
    }

    /// Closes the connection in slot `index`, which the caller holds, and frees the slot.
    pub(super) fn close(&self, index: u32) {
        let Some(slot) = self.slot(index) else { return };
        let Some(connection) = slot.connection().take() else { return };
        slot.publish_busy();
        // Events that other workers have fetched already are for an earlier generation now.
        slot.state.close();
        let client = grouped(connection.http.peer());
        // The descriptor is closed before the slot is free.
        drop(connection);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        match clients.get_mut(&client) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                clients.remove(&client);
            }
        }
        drop(clients);
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(index);
        self.open.fetch_sub(1, Ordering::AcqRel);
    }

    /// Fills `found` with connections that can be closed to make room, at most `count`; the last
    /// one goes first.
    pub(super) fn candidates(&self, count: usize, found: &mut Vec<Candidate>) {
        found.clear();
        // The largest is on top, and leaves for a smaller one.
        let mut smallest = BinaryHeap::from(std::mem::take(found));
        for candidate in self.used().filter_map(|(index, slot)| {
            let (wait, deadline) = slot.waiting()?;
            let kind = KINDS.iter().position(|kind| *kind == wait)?;
            Some(Candidate { in_a_request: wait != Wait::Idle, deadline, kind, index })
        }) {
            smallest.push(candidate);
            if smallest.len() > count {
                smallest.pop();
            }
        }
        *found = smallest.into_sorted_vec();
        found.reverse();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::clock::Timestamp;
    use crate::http::{Limits, Moment};

    fn connection(peer: IpAddr, millis: u64) -> OpenConnection {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let at = Moment { millis, now: Timestamp(0) };
        let http = Connection::new(peer, &Limits::default(), at);
        OpenConnection::new(stream, http)
    }

    fn insert(table: &Table, peer: &str) -> Result<u32, Full> {
        table.insert(connection(peer.parse().unwrap(), 0)).map_err(|(full, _)| full)
    }

    #[test]
    fn connections_and_shares_are_limited() {
        let table = Table::new(3, 2);
        assert_eq!(insert(&table, "2001:db8::1"), Ok(0));
        assert_eq!(insert(&table, "2001:db8::2"), Ok(1));
        assert_eq!(insert(&table, "2001:db8::3"), Err(Full::Client));
        assert_eq!(insert(&table, "192.0.2.1"), Ok(2));
        assert_eq!(insert(&table, "::ffff:192.0.2.1"), Err(Full::Table));
        assert!(table.slot(1).unwrap().take());
        table.close(1);
        assert_eq!(table.open(), 2);
        assert_eq!(insert(&table, "::ffff:192.0.2.1"), Ok(1));
        assert_eq!(insert(&table, "192.0.2.1"), Err(Full::Client));
    }

    #[test]
    fn an_event_for_an_earlier_connection_is_dropped() {
        let table = Table::new(1, 1);
        insert(&table, "127.0.0.1").unwrap();
        let token = || table.slot(0).unwrap().connection().as_ref().unwrap().token;
        let event = |token, gone| Readiness { token, ended: gone, gone };
        let first = token();
        assert_eq!(table.notify(event(first, false)), Some(0));
        table.close(0);
        assert_eq!(table.notify(event(first, true)), None, "the slot is empty");
        insert(&table, "127.0.0.1").unwrap();
        assert_eq!(table.notify(event(first, true)), None, "it is for the earlier connection");
        assert!(!table.slot(0).unwrap().gone());
        assert_eq!(table.notify(event(token(), false)), Some(0));
        assert_eq!(table.notify(event(u64::MAX - 1, false)), None, "there is no such slot");
    }

    #[test]
    fn the_connection_that_has_waited_longest_goes_first() {
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
