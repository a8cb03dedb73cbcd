//! Every interleaving of the threads that share a slot, run by loom.
//!
//! A [`World`] is one slot and the connections that are in it one after the other. Threads do in
//! it what the engine's threads do: workers bring events, early and late, the slow lane answers,
//! the keeper takes and closes, and whoever accepts puts the next connection into the slot. The
//! protocol that lictor had before, in which events named no connection, runs in the same world;
//! there the model must find the request that was lost.

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

/// What a world needs of a slot's protocol.
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

/// The protocol that came before: an event named the slot alone. What were stores are swaps here,
/// since loom lets a store fall behind a change that it has overtaken.
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

/// One slot, and what happens to its connections. The counters are relaxed: what one holder did,
/// the next one sees only because of the slot.
struct World<P> {
    slot: P,
    /// What only the holder may touch; loom panics when two do.
    connection: UnsafeCell<()>,
    /// The number of the connection that is in the slot.
    number: AtomicUsize,
    /// Requests that the clients have sent, and those that were answered.
    sent: AtomicUsize,
    answered: AtomicUsize,
    /// Connections that were closed before their client had an answer.
    lost: AtomicUsize,
}

/// The first connection is over: whoever looks at it closes it. The others have requests.
const OVER: usize = 1;

impl<P: Protocol> World<P> {
    /// With connection `number` in the slot; returns its generation as well.
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

    /// A worker has an event.
    fn event(&self, of: u32, gone: bool) {
        if self.slot.notify(of, gone) {
            self.turn(of);
        }
    }

    /// A request comes, and with it an event.
    fn request(&self, of: u32) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.event(of, false);
    }

    /// A worker's turn with what it holds.
    fn turn(&self, of: u32) {
        loop {
            self.touch();
            if self.number.load(Ordering::Relaxed) == OVER {
                return self.close_and_accept();
            }
            if self.answered.load(Ordering::Relaxed) < self.sent.load(Ordering::Relaxed) {
                return self.serve_slowly(of);
            }
            if self.slot.release() {
                return;
            }
        }
    }

    /// The slow lane answers one request, or none when it was told that the client is gone; then
    /// the epoll set reports what it knows again.
    fn serve_slowly(&self, of: u32) {
        self.touch();
        if self.slot.gone() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return self.slot.close();
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.slot.rearm();
        self.event(of, false);
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

    /// The keeper looks at what nobody holds, and lets it go on.
    fn sweep(&self, of: u32) {
        if self.slot.take() {
            self.touch();
            self.slot.rearm();
            self.event(of, false);
        }
    }

    /// The keeper needs the place of the first connection, if nobody holds it.
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
        assert_eq!(answered, self.sent.load(Ordering::Relaxed), "a request was not seen");
        assert!(self.slot.take(), "somebody still holds the slot");
    }
}

/// A batch of events holds the end of the first connection while another worker closes it and the
/// second one comes into its place.
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
fn a_late_event_ended_the_next_connection() {
    loom::model(a_late_event::<Now>);
}

#[test]
#[should_panic(expected = "closed without an answer")]
fn the_model_finds_the_fault_that_was_there() {
    loom::model(a_late_event::<Before>);
}

/// Runs every interleaving of three threads in which one of them is interrupted at most this
/// often. All of them would take hours.
const INTERRUPTIONS: usize = 2;

fn model_of_three(scenario: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(INTERRUPTIONS);
    builder.check(scenario);
}

/// The same when the keeper closes the first one to make room, while two workers have events.
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

/// Two requests come while the keeper looks at the connection: each is seen, whoever holds it.
#[test]
fn no_event_is_lost_between_workers_slow_lane_and_keeper() {
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
