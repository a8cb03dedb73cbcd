//! Groups of several threads: one commit, an outcome for each, and what ends a group.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::super::tests::{Place, open};
use super::super::turns::Kind;
use super::super::{BUSY, Sqlite};
use super::MOST;
use crate::error::Error;
use crate::store::Store;
use crate::store::contract::add;
use crate::store::driver::{Abort, Driver, Fault, Queries};

const INSERT: &str = "INSERT INTO outbox (message, kind, email, created)
                      VALUES ('id', 'test', 'a@x.example', $1)";

/// A database whose commits are counted, and fail if that is wanted.
struct Counted {
    driver: Arc<Sqlite>,
    store: Store,
    commits: Arc<AtomicUsize>,
    fail: Arc<AtomicBool>,
    _place: Place,
}

/// What a write came to: its number, or that it panicked.
type Written = Result<Result<(), Abort>, usize>;

impl Counted {
    fn new(name: &str) -> Counted {
        let place = Place::new(name);
        let (driver, store) = open(&place, 1);
        let (commits, fail) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (count, fails) = (Arc::clone(&commits), Arc::clone(&fail));
        let hook = move || {
            count.fetch_add(1, Ordering::SeqCst);
            fails.load(Ordering::SeqCst)
        };
        driver.writer().connection.commit_hook(Some(hook)).unwrap();
        Counted { driver, store, commits, fail, _place: place }
    }

    /// Runs a write for each number from 0, in this order and each on a thread of its own, all of
    /// which wait for their turn before the first one has it.
    fn at_once(
        &self,
        writes: usize,
        act: impl Fn(usize, &mut dyn Queries) -> Result<(), Abort> + Sync,
    ) -> Vec<Written> {
        let turn = self.driver.turns.take(Kind::Alone, Instant::now()).unwrap();
        let act = &act;
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..writes)
                .map(|number| {
                    let write = AssertUnwindSafe(move || {
                        self.driver.write(&mut |queries| act(number, queries))
                    });
                    let thread = scope.spawn(move || catch_unwind(write).map_err(|_| number));
                    self.driver.turns.wait_for(number + 1);
                    thread
                })
                .collect();
            drop(turn);
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn commits(&self) -> usize {
        self.commits.swap(0, Ordering::SeqCst)
    }

    /// The numbers that were inserted, by a reader.
    fn inserted(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut each = |row: &dyn crate::store::driver::Row| {
            assert!(found.insert(row.get::<i64>(0)? as usize));
            Ok(())
        };
        let query = "SELECT created FROM outbox ORDER BY id";
        self.driver.read(&mut |queries| queries.query(query, &[], &mut each)).unwrap();
        found
    }
}

fn insert(number: usize, queries: &mut dyn Queries) -> Result<(), Abort> {
    assert_eq!(queries.execute(INSERT, &[(number as i64).into()])?, 1);
    Ok(())
}

fn numbers(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    numbers.into_iter().collect()
}

fn are_ok(written: &[Written]) -> Vec<bool> {
    written.iter().map(|one| matches!(one, Ok(Ok(())))).collect()
}

#[test]
fn writers_that_wait_share_one_commit_and_see_each_other() {
    let counted = Counted::new("group-commit");
    let written = counted.at_once(9, |number, queries| {
        let mut before = 0;
        queries.query("SELECT count(*) FROM outbox", &[], &mut |row| {
            before = row.get::<i64>(0)? as usize;
            Ok(())
        })?;
        assert_eq!(before, number, "those before it, in order");
        insert(number, queries)
    });
    assert_eq!(are_ok(&written), [true; 9]);
    assert_eq!(counted.commits(), 1);
    assert_eq!(counted.inserted(), numbers(0..9));
}

#[test]
fn nobody_is_answered_before_the_commit() {
    let counted = Counted::new("group-answers");
    let answered = Arc::<AtomicUsize>::default();
    let (seen, early) = (Arc::clone(&answered), Arc::<AtomicUsize>::default());
    let found = Arc::clone(&early);
    let hook = move || {
        // Time in which a thread that did not wait would say so.
        std::thread::sleep(Duration::from_millis(100));
        found.fetch_add(seen.load(Ordering::SeqCst), Ordering::SeqCst);
        false
    };
    counted.driver.writer().connection.commit_hook(Some(hook)).unwrap();
    let turn = counted.driver.turns.take(Kind::Alone, Instant::now()).unwrap();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (driver, answered) = (&counted.driver, &answered);
            scope.spawn(move || {
                let written = driver.write(&mut |queries| {
                    insert(number, queries)?;
                    // The second one is refused by a rule, and waits as well.
                    if number == 1 { Err(Abort::Rule(Error::NotFound)) } else { Ok(()) }
                });
                answered.fetch_add(1, Ordering::SeqCst);
                assert_eq!(written.is_ok(), number != 1);
            });
            driver.turns.wait_for(number + 1);
        }
        drop(turn);
    });
    assert_eq!((early.load(Ordering::SeqCst), answered.load(Ordering::SeqCst)), (0, 4));
}

#[test]
fn a_member_that_fails_or_panics_undoes_what_it_has_changed_and_nothing_else() {
    let counted = Counted::new("group-member");
    for bad in [0, 2, 4] {
        for panics in [false, true] {
            let written = counted.at_once(5, |number, queries| {
                insert(number, queries)?;
                match (number == bad, panics) {
                    (false, _) => Ok(()),
                    (true, false) => Err(Abort::Rule(Error::NotFound)),
                    (true, true) => panic!("a bug in a transaction"),
                }
            });
            assert_eq!(are_ok(&written), [0, 1, 2, 3, 4].map(|number| number != bad));
            match &written[bad] {
                Ok(Err(Abort::Rule(Error::NotFound))) => assert!(!panics),
                Err(number) => assert!(panics && *number == bad),
                other => panic!("{other:?}"),
            }
            assert_eq!(counted.commits(), 1, "{bad} {panics}");
            assert_eq!(counted.inserted(), numbers((0..5).filter(|number| *number != bad)));
            counted
                .driver
                .write(&mut |queries| {
                    queries.execute("DELETE FROM outbox", &[])?;
                    Ok(())
                })
                .unwrap();
            counted.commits();
        }
    }
}

#[test]
fn one_that_is_alone_and_fails_commits_nothing() {
    let counted = Counted::new("group-alone");
    let written = counted.at_once(1, |number, queries| {
        insert(number, queries)?;
        Err(Abort::Rule(Error::NotFound))
    });
    assert!(matches!(written[..], [Ok(Err(Abort::Rule(Error::NotFound)))]), "{written:?}");
    assert_eq!((counted.commits(), counted.inserted()), (0, numbers([])));
}

#[test]
fn a_commit_that_fails_fails_all_members() {
    let counted = Counted::new("group-failed-commit");
    counted.fail.store(true, Ordering::SeqCst);
    let written = counted.at_once(4, |number, queries| {
        insert(number, queries)?;
        if number == 2 { Err(Abort::Rule(Error::UsernameTaken)) } else { Ok(()) }
    });
    // The rule may have seen what is lost now.
    for one in &written {
        assert!(matches!(one, Ok(Err(Abort::Fault(_)))), "{one:?}");
    }
    assert_eq!((counted.commits(), counted.inserted()), (1, numbers([])));
    counted.fail.store(false, Ordering::SeqCst);
    assert_eq!(are_ok(&counted.at_once(3, insert)), [true; 3]);
    assert_eq!((counted.commits(), counted.inserted()), (1, numbers(0..3)));
}

#[test]
fn a_transaction_that_sqlite_rolls_back_fails_those_that_were_in_it() {
    let counted = Counted::new("group-full");
    let large = "x".repeat(1 << 20);
    let insert_large = "INSERT INTO outbox (message, kind, email, created)
                        VALUES ('id', 'test', $1, 0)";
    let pages = |driver: &Sqlite, sql: &str| {
        driver.with_connection(|writer| writer.query_row(sql, [], |row| row.get::<_, i64>(0)))
    };
    let size = pages(&counted.driver, "PRAGMA page_count").unwrap();
    pages(&counted.driver, &format!("PRAGMA max_page_count = {}", size + 30)).unwrap();
    let written = counted.at_once(6, |number, queries| {
        if number == 2 {
            queries.execute(insert_large, &[(&*large).into()])?;
        }
        insert(number, queries)
    });
    // Those after it have a transaction of their own.
    assert_eq!(are_ok(&written), [false, false, false, true, true, true], "{written:?}");
    for one in &written[..3] {
        let Ok(Err(Abort::Fault(Fault::Unavailable(why)))) = one else { panic!("{one:?}") };
        assert!(format!("{why:?}").contains("full"), "{why:?}");
    }
    assert_eq!((counted.commits(), counted.inserted()), (1, numbers(3..6)));
}

#[test]
fn work_that_ends_the_transaction_is_not_acknowledged() {
    let counted = Counted::new("group-ended");
    let written = counted.at_once(3, |number, queries| {
        insert(number, queries)?;
        if number == 1 {
            queries.execute("ROLLBACK", &[])?;
        }
        Ok(())
    });
    assert_eq!(are_ok(&written), [false, false, true]);
    assert_eq!(counted.inserted(), numbers([2]));
}

#[test]
fn what_needs_the_connection_alone_waits_for_the_commit_and_not_longer() {
    let counted = Counted::new("group-settle");
    let turn = counted.driver.turns.take(Kind::Alone, Instant::now()).unwrap();
    std::thread::scope(|scope| {
        let driver = &counted.driver;
        let write = |number| driver.write(&mut |queries| insert(number, queries)).unwrap();
        scope.spawn(move || write(0));
        driver.turns.wait_for(1);
        let settled = scope.spawn(|| {
            driver.with_connection(|writer| {
                assert!(writer.is_autocommit());
                writer.query_row("SELECT count(*) FROM outbox", [], |row| row.get::<_, i64>(0))
            })
        });
        driver.turns.wait_for(2);
        let long = scope.spawn(|| driver.write_long(&mut |queries| insert(1, queries)).unwrap());
        driver.turns.wait_for(3);
        scope.spawn(move || write(2));
        driver.turns.wait_for(4);
        drop(turn);
        assert_eq!(settled.join().unwrap().unwrap(), 1);
        long.join().unwrap();
    });
    assert_eq!((counted.commits(), counted.inserted()), (3, numbers(0..3)));
}

#[test]
fn a_group_ends_when_it_has_its_members() {
    let counted = Counted::new("group-most");
    // Quicker than the limit on time, also on a busy machine.
    let written = counted.at_once(MOST + 1, |_, _| Ok(()));
    assert!(are_ok(&written).iter().all(|ok| *ok));
    assert!(counted.commits() >= 2);
}

#[test]
fn a_group_ends_when_it_was_open_long_enough() {
    let counted = Counted::new("group-open");
    let open = Duration::from_millis(50);
    counted.driver.writer().open = open;
    let written = counted.at_once(4, |number, queries| {
        std::thread::sleep(if number == 1 { open } else { Duration::ZERO });
        insert(number, queries)
    });
    assert_eq!(are_ok(&written), [true; 4]);
    assert!(counted.commits() >= 2);
}

#[test]
fn the_anchor_is_not_held_after_a_group_in_which_the_last_client_left() {
    let counted = Counted::new("group-anchor");
    let Counted { driver, store, .. } = &counted;
    for busy in [true, false] {
        store.upkeep(true);
        let turn = driver.turns.take(Kind::Joins, Instant::now()).unwrap();
        let mut writer = driver.writer();
        writer.open_group(Instant::now(), BUSY, &driver.readers).unwrap();
        let done = writer.run(&mut |queries| insert(usize::from(busy), queries));
        writer.upkeep(busy);
        writer.end_group(&turn, &done, &driver.readers).unwrap();
        assert_eq!(writer.anchor.release(), busy);
    }
    add(store, "ada", None).unwrap();
}
