//! Figures that many threads add to while they are read: histograms of times, requests by row and
//! status, the state of a running engine. Adding is a few relaxed atomic steps, and what is added for
//! every request goes to one of several copies, so that threads do not wait for the same cache line.
//! Knows no name and no format.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// The upper bounds of a histogram's buckets in nanoseconds; the last bucket has none.
pub const BOUNDS: [u64; 8] = [
    100_000,
    1_000_000,
    5_000_000,
    25_000_000,
    100_000_000,
    500_000_000,
    2_500_000_000,
    10_000_000_000,
];

/// How many times fell into which bucket, and their sum.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanos: AtomicU64,
}

/// What a [`Histogram`] holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The times in each bucket, and not in those before it.
    pub buckets: [u64; BOUNDS.len() + 1],
    /// The sum of all times in nanoseconds.
    pub nanos: u64,
}

impl Histogram {
    /// Adds a time.
    pub fn add(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| nanos <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Adds the counts of this histogram to `times`.
    pub fn add_to(&self, times: &mut Times) {
        for (sum, bucket) in times.buckets.iter_mut().zip(&self.buckets) {
            *sum += bucket.load(Ordering::Relaxed);
        }
        times.nanos = times.nanos.wrapping_add(self.nanos.load(Ordering::Relaxed));
    }
}

/// The statuses that are counted apart. Others, of an embedding program's routes, count as the last
/// one, 0.
pub const STATUSES: [u16; 24] = [
    200, 201, 204, 304, 308, 400, 401, 403, 404, 405, 408, 409, 413, 414, 417, 425, 429, 431, 501,
    502, 503, 505, 500, 0,
];

/// How many copies of its figures [`Requests`] has. Threads of one copy may wait for one another's
/// cache line; more threads than that hardly run at the same time on a small machine.
const COPIES: usize = 16;

/// Requests by row, a number that the owner gives to each route, and by status; and their times.
#[derive(Debug)]
pub struct Requests(Vec<Vec<Row>>);

#[derive(Debug, Default)]
struct Row {
    statuses: [AtomicU64; STATUSES.len()],
    times: Histogram,
}

/// What [`Requests`] has of one row.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct RowFigures {
    /// The requests with each of [`STATUSES`].
    pub statuses: [u64; STATUSES.len()],
    /// Their times, as far as they are known.
    pub times: Times,
}

thread_local! {
    /// The number of this thread, which chooses its copy.
    static THREAD: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed));
}
static THREADS: AtomicUsize = AtomicUsize::new(0);

impl Requests {
    /// No requests, for this number of rows.
    pub fn new(rows: usize) -> Requests {
        let copy = || (0..rows).map(|_| Row::default()).collect();
        Requests((0..COPIES).map(|_| copy()).collect())
    }

    /// Counts a request, and its time if that is known. A row that does not exist counts nothing.
    // The caller is built for size, this is not.
    #[inline(never)]
    pub fn add(&self, row: usize, status: u16, time: Option<Duration>) {
        let copy = &self.0[THREAD.get() % COPIES];
        let Some(row) = copy.get(row) else { return };
        let known = STATUSES.iter().position(|known| *known == status);
        row.statuses[known.unwrap_or(STATUSES.len() - 1)].fetch_add(1, Ordering::Relaxed);
        if let Some(time) = time {
            row.times.add(time);
        }
    }

    /// The figures of each row.
    pub fn read(&self) -> Vec<RowFigures> {
        let mut sums = vec![RowFigures::default(); self.0[0].len()];
        for copy in &self.0 {
            for (sum, row) in sums.iter_mut().zip(copy) {
                for (sum, count) in sum.statuses.iter_mut().zip(&row.statuses) {
                    *sum += count.load(Ordering::Relaxed);
                }
                row.times.add_to(&mut sum.times);
            }
        }
        sums
    }
}

/// What a connection can be doing, as [`Gauges::connections`] counts it: waiting for the next
/// request, the rest of a head, or the rest of a body; for its client to close or to read; for the
/// server.
pub const STATES: [&str; 6] = ["idle", "head", "body", "closing", "reader", "server"];

/// The most pools whose queues are shown.
const POOLS: usize = 8;

/// The state of a running engine, which it renews four times a second while connections are open.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Open connections in each of [`STATES`].
    pub connections: [AtomicU64; STATES.len()],
    /// Connections that got a slot.
    pub accepted: AtomicU64,
    /// Connections that were closed at once: no slot was free, or the client had its share.
    pub refused: [AtomicU64; 2],
    /// Requests that wait for each of the first pools.
    pub queues: [AtomicU64; POOLS],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for (nanos, bucket) in [
            (0, 0),
            (100_000, 0),
            (100_001, 1),
            (10_000_000_000, 7),
            (10_000_000_001, 8),
            (u64::MAX / 2, 8),
        ] {
            let before = read(&histogram).buckets[bucket];
            histogram.add(Duration::from_nanos(nanos));
            assert_eq!(read(&histogram).buckets[bucket], before + 1, "{nanos}");
        }
    }

    fn read(histogram: &Histogram) -> Times {
        let mut times = Times::default();
        histogram.add_to(&mut times);
        times
    }

    #[test]
    fn requests_of_all_threads_are_counted_by_row_and_status() {
        let requests = Requests::new(2);
        std::thread::scope(|scope| {
            for _ in 0..2 * COPIES {
                scope.spawn(|| {
                    requests.add(0, 200, Some(Duration::from_micros(7)));
                    requests.add(1, 503, None);
                    requests.add(1, 299, None);
                    requests.add(2, 200, None);
                });
            }
        });
        let (count, found) = (2 * COPIES as u64, requests.read());
        let status = |row: usize, status| {
            found[row].statuses[STATUSES.iter().position(|one| *one == status).unwrap()]
        };
        assert_eq!((status(0, 200), status(1, 503), status(1, 0)), (count, count, count));
        assert_eq!(found[0].times.buckets[0], count);
        assert_eq!(found[0].times.nanos, count * 7_000);
        assert_eq!(found[1].times, Times::default());
        assert_eq!(found.iter().flat_map(|row| row.statuses).sum::<u64>(), 3 * count);
    }
}
