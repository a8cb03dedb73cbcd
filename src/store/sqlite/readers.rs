//! The connections that read: one seat per thread, so that threads hardly ever wait for one
//! another. Also says when the reads of a moment are over, which emptying the log depends on.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::mapping::{Mapping, View};

/// How often a read under way is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

thread_local! {
    /// The number of this thread's seat; `None` is the seat that threads share.
    static SEAT: Cell<Option<usize>> = Cell::new(Some(THREADS.fetch_add(1, Ordering::Relaxed)));
}
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The first seat is for threads that [`share`] it.
#[derive(Debug)]
pub(super) struct Readers(Vec<Seat>, Arc<Mapping>);

#[derive(Debug)]
struct Seat {
    connection: Mutex<Connection>,
    /// How many reads began here. Only the thread that has the connection counts.
    begun: AtomicU64,
    /// The bytes of the file that the connection maps.
    mapped: AtomicU64,
}

/// From now on this thread reads with the connection that all threads share that have called this:
/// they are many, and must not keep those waiting that have a connection of their own.
pub(super) fn share() {
    SEAT.set(None);
}

impl Readers {
    /// Makes the seats, one for each connection; there must be at least one.
    pub(super) fn new(connections: Vec<Connection>, mapping: Arc<Mapping>) -> Readers {
        let seat = |connection| Seat {
            connection: Mutex::new(connection),
            begun: 0.into(),
            mapped: 0.into(),
        };
        Readers(connections.into_iter().map(seat).collect(), mapping)
    }

    /// A connection for reading; each thread comes back to the same one.
    pub(super) fn take(&self) -> MutexGuard<'_, Connection> {
        let seat = match (SEAT.get(), self.0.len()) {
            (None, _) | (_, 1) => &self.0[0],
            (Some(number), seats) => &self.0[1 + number % (seats - 1)],
        };
        let connection = seat.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // The lock makes this one step, without the price of an atomic one.
        seat.begun.store(seat.begun.load(Ordering::Relaxed) + 1, Ordering::Release);
        self.1.apply(&connection, &seat.mapped);
        connection
    }

    /// How much of the file the connections map.
    pub(super) fn mapping(&self) -> &Arc<Mapping> {
        &self.1
    }

    /// Decides anew how much of the file the connections map; those that nobody reads with follow
    /// at once.
    pub(super) fn remap(&self, view: View) {
        self.1.decide(view, self.0.iter().map(Seat::begun).sum());
        for seat in &self.0 {
            if let Ok(connection) = seat.connection.try_lock() {
                self.1.apply(&connection, &seat.mapped);
            }
        }
    }

    /// Waits until every read that is under way now has ended, and says whether that was within
    /// `patience`. Reads that begin meanwhile are not held up.
    pub(super) fn outlast(&self, patience: Duration) -> bool {
        self.outlast_these(&self.begun(), patience)
    }

    /// How many reads have begun, for each connection.
    fn begun(&self) -> Vec<u64> {
        self.0.iter().map(Seat::begun).collect()
    }

    fn outlast_these(&self, begun: &[u64], patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        self.0.iter().zip(begun).all(|(seat, begun)| {
            while seat.is_taken() && seat.begun() == *begun {
                if Instant::now() >= deadline {
                    return false;
                }
                std::thread::sleep(LOOK_AGAIN);
            }
            true
        })
    }
}

impl Seat {
    fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    fn is_taken(&self) -> bool {
        matches!(self.connection.try_lock(), Err(TryLockError::WouldBlock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_share_a_connection_keep_no_other_waiting() {
        let open = |_| Connection::open_in_memory().unwrap();
        let readers = Readers::new((0..3).map(open).collect(), Arc::default());
        let seat = |shares: bool| {
            std::thread::scope(|scope| {
                let thread = scope.spawn(|| {
                    if shares {
                        share();
                    }
                    std::ptr::from_ref(&*readers.take()).addr()
                });
                thread.join().unwrap()
            })
        };
        let shared = seat(true);
        for _ in 0..8 {
            assert_eq!(seat(true), shared);
            assert_ne!(seat(false), shared);
        }
        let alone = Readers::new(vec![Connection::open_in_memory().unwrap()], Arc::default());
        drop(alone.take());
        share();
        drop(alone.take());
    }

    #[test]
    fn a_read_is_outlasted_and_later_ones_do_not_count() {
        let open = |_| Connection::open_in_memory().unwrap();
        let readers = Readers::new((0..2).map(open).collect(), Arc::default());
        let (none, some) = (Duration::ZERO, Duration::from_secs(60));
        assert!(readers.outlast(none), "nobody reads");
        let first = readers.take();
        assert!(!readers.outlast(none), "a read goes on");
        let begun = readers.begun();
        std::thread::scope(|scope| {
            let outlasted = scope.spawn(|| readers.outlast_these(&begun, some));
            std::thread::sleep(Duration::from_millis(50));
            assert!(!outlasted.is_finished(), "the read still goes on");
            drop(first);
            let _next = readers.take();
            assert!(outlasted.join().unwrap(), "another read has begun since");
            assert!(!readers.outlast(none));
        });
    }
}
