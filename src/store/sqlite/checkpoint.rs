//! Keeps the write-ahead log small while others read without pause.
//!
//! SQLite itself would copy the log into the database inside each commit from 1,000 pages on, as far
//! as no reader still needs the older pages, and begin it anew when all of it was copied and nobody
//! reads from it. That makes three syncs of most commits, since somebody is always reading. Here the
//! writer copies it once per 1,000 pages, after the other members of its group have their answers. It waits until the
//! reads of that moment are over (new ones read the newest state and are no obstacle), copies all of
//! the log, and waits once more: then all read from the database, and the next commit begins the log
//! anew. Reads that take long are waited for only when the log is large. No read is ever held up.
//!
//! While many write, that is put off: it costs as much as three syncs, and a flood of writes mostly
//! ends sooner. The log then grows as far as it can be copied in a quarter of a second, by the time
//! that the last copy took, and to 48 MiB at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::mapping::Mapping;
use super::readers::Readers;

/// Bytes to which the file of the log is cut once it was larger. About twice as much as it has in
/// normal use.
pub(super) const LOG_LIMIT: u64 = 8 << 20;
/// Bytes of a page in the log.
const PAGE: u64 = 4096;
/// Pages by which the log grows until it is copied, and again if that was not enough.
const STEP: u64 = 1_000;
/// Pages from which the writer waits longer for reads.
const LARGE: u64 = LOG_LIMIT / PAGE;
/// Pages from which the log is copied although many write, at most.
const PUT_OFF: u64 = (48 << 20) / PAGE;
/// Milliseconds for which writers may wait while the log is copied.
const STALL: u64 = 250;
/// Pages from which the operator is warned.
const ALARMING: u64 = (64 << 20) / PAGE;
/// How long the writer waits for reads under way, twice in an attempt.
const PATIENCE: Duration = Duration::from_millis(5);
/// The same for a large log.
const LONG_PATIENCE: Duration = Duration::from_millis(250);

/// The log's size as the writer sees it.
#[derive(Debug)]
pub(super) struct LogSize {
    /// The pages in the log after the last commit.
    pages: Arc<AtomicU64>,
    /// The size at which the next attempt is made.
    next: u64,
    /// The size until which an attempt is put off while many write, and the most that it can be.
    put_off: u64,
    put_off_most: u64,
    /// The size at which the operator is warned next.
    alarming: u64,
}

impl LogSize {
    /// Of the database that `writer` writes, and whose readers have this mapping.
    pub(super) fn watch(
        writer: &mut Connection,
        mapping: Arc<Mapping>,
    ) -> rusqlite::Result<LogSize> {
        writer.query_row(&format!("PRAGMA journal_size_limit = {LOG_LIMIT}"), [], |_| Ok(()))?;
        let pages = Arc::<AtomicU64>::default();
        let log = Arc::clone(&pages);
        // In the place of SQLite's own hook, which copies the log inside the commit.
        writer.wal_hook(Some(move |_: &mut Wal, pages| {
            log.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            mapping.end();
            Ok(())
        }))?;
        let (put_off, put_off_most) = (STEP, PUT_OFF);
        Ok(LogSize { pages, next: STEP, put_off, put_off_most, alarming: ALARMING })
    }

    /// Empties the log if it is large. Called between two transactions, without an anchor; `crowded`
    /// says whether many write.
    pub(super) fn bound(&mut self, writer: &Connection, readers: &Readers, crowded: bool) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < STEP {
            (self.next, self.alarming) = (STEP, ALARMING);
        } else if pages >= self.next && !(crowded && pages < self.put_off) {
            self.next = pages + STEP;
            let begun = Instant::now();
            let emptied = empty(writer, readers, pages >= LARGE);
            let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.put_off = (pages.saturating_mul(STALL) / took.max(1)).min(self.put_off_most);
            log::debug!("the write-ahead log has {pages} pages; all copied: {emptied:?}");
            if pages > self.alarming {
                self.alarming = pages.saturating_mul(2);
                log::warn!(
                    "the write-ahead log has grown to {} MiB: another program has been reading \
                     or importing for a long time; if it is no import, copy or backup of lictor's, and not \
                     its check after an unclean end, end it",
                    (pages * PAGE) >> 20
                );
            }
        }
    }
}

/// Says whether the next commit can begin the log anew.
fn empty(writer: &Connection, readers: &Readers, large: bool) -> rusqlite::Result<bool> {
    let patience = if large { LONG_PATIENCE } else { PATIENCE };
    let calm = readers.outlast(patience);
    let copied = writer.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        Ok(row.get::<_, i64>(1)? == row.get::<_, i64>(2)?)
    })?;
    Ok(calm && copied && readers.outlast(patience))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::AtomicBool;

    use super::super::Sqlite;
    use super::super::tests::{Place, hurry, open};
    use super::*;
    use crate::clock::Timestamp;
    use crate::store::contract::{BY, NOTE, add};
    use crate::store::{Change, Store};
    use crate::values::Roles;

    const READERS: usize = 4;
    /// More than the log has while it is kept small. Without limit it would have some 40 MB after the writes
    /// of a test.
    const BOUNDED: u64 = 3 * LOG_LIMIT;

    /// Asserts that the log stays small in one of three attempts, each with a database of its own: on a busy
    /// machine a reader may not run for a while, in the middle of a read.
    fn stays_small(largest: impl Fn() -> u64) {
        let mut found = Vec::new();
        let small = (0..3).any(|_| {
            let largest = largest();
            found.push(largest);
            largest <= BOUNDED
        });
        assert!(small, "{found:?} bytes");
    }

    fn log_of(place: &Place) -> u64 {
        fs::metadata(place.0.join("lictor.db-wal")).unwrap().len()
    }

    /// The largest size of the log while several threads read without a pause and one writes.
    fn largest_log(
        place: &Place,
        (driver, store): (&Sqlite, &Store),
        writes: usize,
        read: impl Fn(usize) + Sync,
    ) -> u64 {
        let id = add(store, "ada", None).unwrap();
        hurry(driver);
        let roles = ["a", "b"].map(|role| Roles::parse(role).unwrap());
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for number in 0..READERS {
                let (over, read) = (&over, &read);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        read(number);
                    }
                });
            }
            let mut largest = 0;
            for round in 0..writes {
                if round % 50 == 0 {
                    store.upkeep(true);
                }
                store
                    .change(id, &Change::Roles(&roles[round % 2]), &BY, &NOTE, Timestamp(1))
                    .unwrap();
                largest = largest.max(log_of(place));
            }
            over.store(true, Ordering::Relaxed);
            largest
        })
    }

    /// A read that ends after the next one has begun.
    fn long_read(driver: &Sqlite, number: usize) {
        let reader = driver.readers.take();
        reader.execute_batch("BEGIN").unwrap();
        reader.query_row("SELECT count(*) FROM users", [], |_| Ok(())).unwrap();
        std::thread::sleep(Duration::from_millis(3 + number as u64));
        reader.execute_batch("COMMIT").unwrap();
    }

    #[test]
    fn token_checks_without_a_pause_leave_the_log_small() {
        stays_small(|| {
            let place = Place::new("saturated");
            let (driver, store) = open(&place, READERS);
            largest_log(&place, (&driver, &store), 2_000, |_| {
                store.standing("none").unwrap();
            })
        });
    }

    #[test]
    fn long_reads_that_overlap_let_the_log_grow_without_limit() {
        stays_small(|| {
            let place = Place::new("overlapping");
            let (driver, store) = open(&place, READERS);
            let read = |number| long_read(&driver, number);
            largest_log(&place, (&driver, &store), 1_800, read)
        });
    }

    #[test]
    fn through_a_link_the_log_grew_without_limit() {
        stays_small(|| {
            let place = Place::new("linked");
            let link = place.0.join("link.db");
            drop(Sqlite::open(&place.file(), 1).unwrap());
            std::os::unix::fs::symlink("lictor.db", &link).unwrap();
            let driver = Arc::new(Sqlite::open(&link, READERS).unwrap());
            let store = Store::over(Box::new(Arc::clone(&driver)));
            let read = |number| long_read(&driver, number);
            largest_log(&place, (&driver, &store), 1_800, read)
        });
    }

    #[test]
    fn writers_that_wait_without_a_pause_leave_the_log_small() {
        stays_small(|| {
            let place = Place::new("flood");
            let (driver, store) = open(&place, READERS);
            let id = add(&store, "ada", None).unwrap();
            hurry(&driver);
            driver.writer().log.put_off_most = LARGE;
            let largest = AtomicU64::new(0);
            std::thread::scope(|scope| {
                for number in 0..8 {
                    let (store, place, largest) = (&store, &place, &largest);
                    scope.spawn(move || {
                        for round in 0..1_000 {
                            let roles = Roles::parse(["a", "b"][(number + round) % 2]).unwrap();
                            let change = Change::Roles(&roles);
                            store.change(id, &change, &BY, &NOTE, Timestamp(1)).unwrap();
                            store.standing("none").unwrap();
                            largest.fetch_max(log_of(place), Ordering::Relaxed);
                        }
                    });
                }
            });
            largest.into_inner()
        });
    }

    #[test]
    fn a_log_that_another_program_made_large_is_cut_again() {
        let place = Place::new("cut");
        let (driver, store) = open(&place, 1);
        let id = add(&store, "ada", None).unwrap();
        hurry(&driver);
        let roles = ["a", "b"].map(|role| Roles::parse(role).unwrap());
        let mut write = |round: usize| {
            store.change(id, &Change::Roles(&roles[round % 2]), &BY, &NOTE, Timestamp(1)).unwrap();
            log_of(&place)
        };
        let theirs = Connection::open(place.file()).unwrap();
        theirs.execute_batch("BEGIN; SELECT count(*) FROM users;").unwrap();
        let begun = Instant::now();
        let large = (0..).map(&mut write).find(|size| *size > LOG_LIMIT + STEP * PAGE).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(60), "the writer waited");
        theirs.execute_batch("COMMIT").unwrap();
        let cut = (0..2_000).map(&mut write).find(|size| *size <= LOG_LIMIT);
        assert!(cut.is_some(), "{large} bytes stay");
    }
}
