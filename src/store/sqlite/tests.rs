//! The driver alone: its pragmas, its turns, what a panic leaves, and how a token check is run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rusqlite::StatementStatus;

use super::*;
use crate::clock::Timestamp;
use crate::store::contract::{NOTE, add, log_in};
use crate::store::driver::Queries;
use crate::store::rows;
use crate::store::{Entry, Event, Store};

pub(super) use crate::store::contract::Place;

/// The driver and a store over it.
pub(super) fn open(place: &Place, readers: usize) -> (Arc<Sqlite>, Store) {
    let driver = Arc::new(Sqlite::open(&place.file(), readers).unwrap());
    (Arc::clone(&driver), Store::over(Box::new(driver)))
}

/// Makes writing quick and no longer durable.
pub(super) fn hurry(driver: &Sqlite) {
    driver.with_connection(|writer| writer.execute_batch("PRAGMA synchronous = OFF")).unwrap();
}

impl Driver for Arc<Sqlite> {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        (**self).read(work)
    }

    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        (**self).write(work)
    }

    fn write_long(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        (**self).write_long(work)
    }

    fn concurrency(&self) -> Concurrency {
        (**self).concurrency()
    }

    fn leads(&self) -> bool {
        (**self).leads()
    }

    fn upkeep(&self, busy: bool) {
        (**self).upkeep(busy);
    }

    fn allow_mapping(&self, bytes: u64) {
        (**self).allow_mapping(bytes);
    }

    fn settle(&self) -> Result<(), Fault> {
        (**self).settle()
    }
}

#[test]
fn the_writer_is_durable_and_in_wal_mode() {
    let place = Place::new("pragmas");
    let driver = Sqlite::open(&place.file(), 1).unwrap();
    let writer = &driver.writer.lock().unwrap().connection;
    for (pragma, expected) in [("synchronous", "2"), ("foreign_keys", "1"), ("journal_mode", "wal")]
    {
        let value: rusqlite::types::Value =
            writer.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
        let value = match value {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(value, expected, "{pragma}");
    }
}

#[test]
fn no_member_of_a_group_can_fail_the_commit_of_the_others() {
    // What is deferred is checked by the commit, which all members share.
    let schema = schema::schema().to_uppercase();
    assert!(!schema.contains("DEFERR") && !schema.contains("TRIGGER"));
}

#[test]
fn one_thread_that_wrote_without_a_pause_kept_the_others_out() {
    let place = Place::new("turns");
    let driver = Sqlite::open(&place.file(), 1).unwrap();
    let (turns, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let hold = |_: &mut Connection| {
                    turns.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(5));
                    Ok(())
                };
                driver.with_connection(hold).unwrap();
            }
        });
        while turns.load(Ordering::Relaxed) < 2 {
            std::thread::yield_now();
        }
        let waited = (0..9).map(|_| {
            let before = turns.load(Ordering::Relaxed);
            let waited = driver.with_connection(|_| Ok(turns.load(Ordering::Relaxed) - before));
            // Its turn comes again.
            while turns.load(Ordering::Relaxed) == before {
                std::thread::yield_now();
            }
            waited
        });
        let waited: Vec<_> = waited.collect();
        over.store(true, Ordering::Relaxed);
        let mut waited: Vec<_> = waited.into_iter().map(Result::unwrap).collect();
        // On a busy machine some turns may pass between the count and the wait.
        waited.sort_unstable();
        assert!(waited[waited.len() / 2] <= 2, "turns of the other: {waited:?}");
    });
}

#[test]
fn after_a_panic_no_anchor_was_held_again() {
    let place = Place::new("poisoned");
    let (driver, store) = open(&place, 1);
    store.upkeep(true);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _ = driver.write(&mut |_| panic!("a bug in a transaction"));
    }));
    assert!(panicked.is_err());
    add(&store, "ada", None).unwrap();
    store.upkeep(true);
    let writer = driver.writer.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(writer.anchor.release(), "it was not held");
}

#[test]
fn a_wrong_password_of_nobody_writes_as_much_as_one_that_is_counted() {
    let place = Place::new("wrong-passwords-nobody");
    let (_, store) = open(&place, 1);
    let failures = |user| store.credentials_of(user).unwrap().unwrap().failures;
    let fail = |user, limit| {
        let entry = Entry { event: Event::LoginFailed, user, ..NOTE };
        store.fail(&entry, limit, Timestamp(100)).unwrap();
    };
    fail(None, 0);
    let ada = add(&store, "ada", None).unwrap();
    let pages = |user, limit| {
        // Emptied, so that its length is what is written next.
        let log = place.0.join("lictor.db-wal");
        store.settle().unwrap();
        fail(user, limit);
        std::fs::metadata(log).unwrap().len()
    };
    let counted = pages(Some(ada), 100);
    assert_eq!((failures(ada), pages(None, 0)), (1, counted));
    assert_eq!((failures(ada), pages(Some(ada), 0)), (1, counted));
    assert_eq!(failures(ada), 1);
}

#[test]
fn an_error_undoes_the_transaction() {
    let place = Place::new("undone");
    let (driver, store) = open(&place, 1);
    add(&store, "ada", None).unwrap();
    let delete = |queries: &mut dyn Queries| queries.execute("DELETE FROM users", &[]).unwrap();
    let undone = driver.write(&mut |queries| {
        assert_eq!(delete(queries), 1);
        Err(Fault::Damaged("no".into()).into())
    });
    assert!(matches!(undone, Err(Abort::Fault(Fault::Damaged(_)))));
    driver
        .write(&mut |queries| {
            assert_eq!(delete(queries), 1, "it was not undone");
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_token_check_is_one_indexed_query_planned_once() {
    let place = Place::new("planned");
    let (driver, store) = open(&place, 1);
    let ada = add(&store, "ada", None).unwrap();
    log_in(&store, ada, "a", 10);
    for jti in ["a", "b", "a"] {
        store.standing(jti).unwrap();
    }
    let reader = driver.readers.take();
    let statement = reader.prepare_cached(rows::standing::STANDING).unwrap();
    assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    assert_eq!(statement.get_status(StatementStatus::FullscanStep), 0);
    assert_eq!(statement.get_status(StatementStatus::Run), 3);
}
