//! Every interleaving of the threads that share a slot, run by loom.
//!
//! A [`World`] is one slot and the connections that are in it, one after the other. Its threads do
//! what the engine's threads do: workers bring events, early and late; a pool's thread answers; the
//! keeper takes, closes, and puts the next connection into the slot. An earlier protocol, in which
//! events named no connection, runs in the same world; there the model must find the request that
//! gets lost.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use loom::thread;

use super::{SlotState, Word};

impl Word for AtomicU64 {
    fn new(value: u64) -> AtomicU64 {
        AtomicU64::new(value)
    }

    fn load(&self) -> u64 {
        self.load(Ordering::Acquire)
    }

    fn update(&self, change: impl FnMut(u64) -> Option<u64>) -> Result<u64, u64> {
        self.fetch_update(Ordering::AcqRel, Ordering::Acquire, change)
    }
}

/// The protocol of a slot.
trait Protocol: 'static {
    fn new() -> Self;
    /// Returns the generation that events of the new connection name.
    fn open(&self) -> u32;
    fn notify(&self, of: u32, gone: bool) -> bool;
    fn take(&self) -> bool;
    fn release(&self) -> bool;
    fn rearm(&self);
    fn close(&self);
    fn gone(&self) -> bool;
}

/// The protocol of `slot.rs`.
type Now = SlotState<AtomicU64>;

impl Protocol for Now {
    fn new() -> Now {
        SlotState::new()
    }

    fn open(&self) -> u32 {
        SlotState::open(self);
        self.generation()
    }

    fn notify(&self, of: u32, gone: bool) -> bool {
        SlotState::notify(self, of, gone, gone)
    }

    fn take(&self) -> bool {
        SlotState::take(self)
    }

    fn release(&self) -> bool {
        SlotState::release(self)
    }

    fn rearm(&self) {
        SlotState::rearm(self);
    }

    fn close(&self) {
        SlotState::close(self);
    }

    fn gone(&self) -> bool {
        SlotState::gone(self)
    }
}

/// The earlier protocol, in which an event named the slot alone. Its stores are swaps here, since
/// loom reorders a store behind a later read-modify-write.
struct Before {
    state: AtomicU8,
    gone: AtomicBool,
}

impl Protocol for Before {
    fn new() -> Before {
        Before { state: AtomicU8::new(0), gone: AtomicBool::new(false) }
    }

    fn open(&self) -> u32 {
        self.gone.swap(false, Ordering::AcqRel);
        0
    }

    fn notify(&self, _: u32, gone: bool) -> bool {
        if gone {
            self.gone.swap(true, Ordering::AcqRel);
        }
        let before = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
            (state != 2).then_some(state + 1)
        });
        before == Ok(0)
    }

    fn take(&self) -> bool {
        self.state.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn release(&self) -> bool {
        let free = self.state.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Acquire);
        if free.is_err() {
            self.state.swap(1, Ordering::AcqRel);
        }
        free.is_ok()
    }

    fn rearm(&self) {
        self.state.swap(0, Ordering::AcqRel);
    }

    fn close(&self) {
        self.rearm();
    }

    fn gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }
}

/// One slot, and what happens to its connections. The counters are relaxed: only the slot orders
/// what one holder does before what the next one sees.
struct World<P> {
    slot: P,
    /// Only the holder may touch it; loom panics when two threads do.
    connection: UnsafeCell<()>,
    /// The number of the connection in the slot.
    number: AtomicUsize,
    /// Requests that clients sent, and those that were answered.
    sent: AtomicUsize,
    answered: AtomicUsize,
    /// Connections that were closed before the answer.
    lost: AtomicUsize,
}

/// The first connection has ended, so its holder closes it. The others have requests.
const OVER: usize = 1;

impl<P: Protocol> World<P> {
    /// A world with connection `number` in the slot, and the generation of that connection.
    fn with(number: usize) -> (Arc<World<P>>, u32) {
        let world = World {
            slot: P::new(),
            connection: UnsafeCell::new(()),
            number: AtomicUsize::new(number),
            sent: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
        };
        let generation = world.slot.open();
        (Arc::new(world), generation)
    }

    fn touch(&self) {
        self.connection.with_mut(|_| ());
    }

    /// A worker gets an event.
    fn event(&self, of: u32, gone: bool) {
        if self.slot.notify(of, gone) {
            self.turn(of);
        }
    }

    /// A request arrives, and with it an event.
    fn request(&self, of: u32) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.event(of, false);
    }

    /// A worker's turn with the connection that it holds.
    fn turn(&self, of: u32) {
        loop {
            self.touch();
            if self.number.load(Ordering::Relaxed) == OVER {
                return self.close_and_accept();
            }
            // The worker reads all that has arrived.
            let read = self.sent.load(Ordering::Relaxed);
            if self.answered.load(Ordering::Relaxed) < read {
                return self.answer_queued(of, read);
            }
            if self.slot.release() {
                return;
            }
        }
    }

    /// A pool's thread answers one request, or none if an event said that the client is gone. If
    /// more requests were read, or an event came while it held the connection, epoll reports
    /// everything again.
    fn answer_queued(&self, of: u32, read: usize) {
        self.touch();
        if self.slot.gone() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return self.slot.close();
        }
        let answered = self.answered.fetch_add(1, Ordering::Relaxed) + 1;
        if answered < read || !self.slot.release() {
            self.slot.rearm();
            self.event(of, false);
        }
    }

    /// The holder closes the first connection, and the keeper puts the second one into the slot.
    fn close_and_accept(&self) {
        self.touch();
        self.slot.close();
        self.touch();
        self.number.fetch_add(1, Ordering::Relaxed);
        let generation = self.slot.open();
        self.request(generation);
    }

    /// The keeper takes a connection that no thread holds, and gives it back.
    fn sweep(&self, of: u32) {
        if self.slot.take() {
            self.touch();
            self.slot.rearm();
            self.event(of, false);
        }
    }

    /// The keeper closes the first connection to make room, unless a thread holds it.
    fn evict(&self, of: u32) {
        if !self.slot.take() {
            return;
        }
        self.touch();
        if self.number.load(Ordering::Relaxed) == OVER {
            self.close_and_accept();
        } else if !self.slot.release() {
            self.slot.rearm();
            self.event(of, false);
        }
    }

    fn every_request_was_answered(&self) {
        assert_eq!(self.lost.load(Ordering::Relaxed), 0, "closed without an answer");
        let answered = self.answered.load(Ordering::Relaxed);
        assert_eq!(answered, self.sent.load(Ordering::Relaxed), "a request was lost");
        assert!(self.slot.take(), "a thread still holds the slot");
    }
}

/// One worker still has an event for the first connection when another worker closes it and the
/// second connection gets the slot.
fn a_late_event<P: Protocol>() {
    let (world, first) = World::<P>::with(OVER);
    let late = thread::spawn({
        let world = world.clone();
        move || world.event(first, true)
    });
    world.event(first, false);
    late.join().unwrap();
    assert_eq!(world.number.load(Ordering::Relaxed), 2, "closed once");
    world.every_request_was_answered();
}

#[test]
fn a_late_event_does_not_end_the_next_connection() {
    loom::model(a_late_event::<Now>);
}

#[test]
#[should_panic(expected = "closed without an answer")]
fn the_model_finds_the_fault_of_the_earlier_protocol() {
    loom::model(a_late_event::<Before>);
}

/// Interruptions of a thread in one interleaving of three threads. Without a bound the model would
/// run for hours.
const INTERRUPTIONS: usize = 2;

fn model_of_three(scenario: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(INTERRUPTIONS);
    builder.check(scenario);
}

/// The keeper closes the first connection to make room while two workers have events for it.
#[test]
fn an_evicted_connection_leaves_nothing_to_its_successor() {
    model_of_three(|| {
        let (world, first) = World::<Now>::with(OVER);
        let workers = [false, true].map(|gone| {
            let world = world.clone();
            thread::spawn(move || world.event(first, gone))
        });
        world.evict(first);
        for worker in workers {
            worker.join().unwrap();
        }
        assert_eq!(world.number.load(Ordering::Relaxed), 2, "closed once");
        world.every_request_was_answered();
    });
}

/// Two requests arrive while the keeper takes the connection: both are answered, whichever thread
/// holds it.
#[test]
fn no_event_is_lost_between_workers_pool_and_keeper() {
    model_of_three(|| {
        let (world, generation) = World::<Now>::with(2);
        let worker = thread::spawn({
            let world = world.clone();
            move || world.request(generation)
        });
        let keeper = thread::spawn({
            let world = world.clone();
            move || world.sweep(generation)
        });
        world.request(generation);
        worker.join().unwrap();
        keeper.join().unwrap();
        world.every_request_was_answered();
    });
}
