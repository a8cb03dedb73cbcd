//! Transactions: that are run again, that are refused, whose connection is lost.

use std::sync::Barrier;
use std::thread;

use super::proxy::Cut;
use super::*;
use crate::store::postgres::pool::{Lane, Lease, Server};
use crate::store::postgres::transaction::IMPORT_TRIES;

const NUMBER: &str = "SELECT number FROM public.probe WHERE name = 'counter'";
/// One if the transaction is alone, else zero.
const IS_ALONE: &str = "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    WHERE relname = 'turn' AND mode = 'ExclusiveLock' AND granted AND pid = pg_backend_pid()";

fn number(queries: &mut dyn Queries, sql: &'static str) -> Result<i64, Fault> {
    let mut found = 0;
    queries.query_first(sql, &[], &mut |row| {
        found = row.get(0)?;
        Ok(())
    })?;
    Ok(found)
}

fn set(queries: &mut dyn Queries, number: i64) -> Result<(), Fault> {
    let sql = "UPDATE public.probe SET number = $1 WHERE name = 'counter'";
    queries.execute(sql, &[number.into()]).map(drop)
}

#[test]
fn a_connection_lost_before_commit_costs_a_second_run() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        for (number, cut) in [Cut::Before, Cut::After].into_iter().enumerate() {
            // A new connection, which has not prepared the statement yet.
            let driver = scratch.open(&proxy);
            proxy.trap("INSERT INTO public.probe", cut);
            let (runs, written) = write(&driver, &format!("row{number}"));
            written.unwrap();
            assert_eq!(runs, 2, "{cut:?}");
            assert_eq!(scratch.direct().rows(), number as i64 + 1);
        }
    });
}

#[test]
fn a_commit_whose_answer_is_lost_is_never_run_again() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        for (cut, arrived) in [(Cut::Before, 0), (Cut::After, 1)] {
            proxy.trap("COMMIT", cut);
            let (runs, written) = write(&driver, "ada");
            assert!(is_unavailable(&written), "{written:?}");
            assert_eq!(runs, 1, "{cut:?}");
            // The client hears of the cut before the server has worked on the commit.
            wait_until("the commit", || scratch.direct().rows() == arrived);
            // The database itself is well.
            assert_eq!(read(&driver).1.unwrap(), arrived);
        }
        write(&driver, "eve").1.unwrap();
    });
}

#[test]
fn connections_that_were_ended_while_idle_fail_nothing() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        let mut direct = scratch.direct();
        for round in 0..3 {
            write(&driver, &format!("row{round}")).1.unwrap();
            assert_eq!(read(&driver).1.unwrap(), round + 1);
            if round == 1 {
                proxy.cut();
            } else {
                assert!(direct.end_others() >= 2);
            }
            thread::sleep(Duration::from_millis(50));
            let (runs, found) = read(&driver);
            assert_eq!((runs, found.unwrap()), (1, round + 1));
        }
        write(&driver, "last").1.unwrap();
    });
}

#[test]
fn increments_are_not_lost() {
    const EACH: i64 = 10;
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open(&proxy);
    write(&driver, "counter").1.unwrap();
    at_once(8, |_| {
        for _ in 0..EACH {
            let added = driver.write_patiently(&mut |queries| {
                let found = number(queries, NUMBER)?;
                Ok(set(queries, found + 1)?)
            });
            added.unwrap();
        }
    });
    assert_eq!(scratch.direct().number("SELECT number FROM public.probe"), 8 * EACH);
}

#[test]
fn numbers_after_the_largest_are_given_once() {
    const EACH: usize = 10;
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open(&proxy);
    at_once(8, |thread| {
        for round in 0..EACH {
            let added = driver.write_patiently(&mut |queries| {
                let next =
                    number(queries, "SELECT coalesce(max(number), 0) + 1 FROM public.probe")?;
                let name = format!("{thread}-{round}");
                let values: &[Value<'_>] = &[name.as_str().into(), next.into()];
                queries
                    .execute("INSERT INTO public.probe (name, number) VALUES ($1, $2)", values)?;
                Ok(())
            });
            added.unwrap();
        }
    });
    let mut direct = scratch.direct();
    assert_eq!(direct.number("SELECT count(DISTINCT number) FROM public.probe"), 80);
    assert_eq!(direct.number("SELECT max(number) FROM public.probe"), 80);
}

#[test]
fn the_last_run_is_alone() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open(&proxy);
    write(&driver, "counter").1.unwrap();
    let (mut direct, mut modes) = (scratch.direct(), Vec::new());
    let written = driver.write(&mut |queries| {
        let found = number(queries, NUMBER)?;
        modes.push(number(queries, IS_ALONE)?);
        if modes.len() <= 3 {
            // Somebody who takes no turn is in the way.
            direct.run("UPDATE public.probe SET number = number + 100");
        }
        Ok(set(queries, found + 1)?)
    });
    written.unwrap();
    assert_eq!(modes, [0, 0, 0, 1]);
    assert_eq!(direct.number("SELECT number FROM public.probe"), 301);
}

#[test]
fn a_conflict_that_never_ends_and_a_constraint_that_always_fails_are_faults() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open(&proxy);
    write(&driver, "counter").1.unwrap();
    let (mut direct, mut runs) = (scratch.direct(), 0);
    let written = driver.write(&mut |queries| {
        runs += 1;
        let found = number(queries, NUMBER)?;
        direct.run("UPDATE public.probe SET number = number + 100");
        Ok(set(queries, found + 1)?)
    });
    assert!(is_unavailable(&written), "{written:?}");
    assert_eq!(runs, 4);
    let (runs, written) = write(&driver, "counter");
    assert!(matches!(written, Err(Abort::Fault(Fault::Damaged(_)))), "{written:?}");
    assert_eq!(runs, 4);
}

#[test]
fn a_fault_that_was_swallowed_is_not_forgotten() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open(&proxy);
    let mut runs = 0;
    let written = driver.write(&mut |queries| {
        runs += 1;
        insert(queries, "ada")?;
        assert!(queries.execute("SELECT 1 / $1::bigint", &[0_i64.into()]).is_err());
        assert!(insert(queries, "eve").is_err());
        Ok(())
    });
    assert!(matches!(written, Err(Abort::Fault(Fault::Damaged(_)))), "{written:?}");
    assert_eq!(runs, 1);
    // A conflict counts, whatever became of it.
    write(&driver, "counter").1.unwrap();
    let (mut direct, mut runs) = (scratch.direct(), 0);
    let written = driver.write(&mut |queries| {
        runs += 1;
        let found = number(queries, NUMBER)?;
        if runs == 1 {
            direct.run("UPDATE public.probe SET number = number + 100");
        }
        let _ = set(queries, found + 1);
        Ok(())
    });
    written.unwrap();
    assert_eq!((runs, direct.number("SELECT number FROM public.probe")), (2, 101));
    assert_eq!(direct.rows(), 1);
}

#[test]
fn a_rule_and_a_panic_undo_everything_and_leave_the_connections() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open_with(&proxy, |target| target.connections = 3, &Arc::default());
    assert_eq!(driver.concurrency().writes, 1);
    for _ in 0..3 {
        let refused = driver.write(&mut |queries| {
            insert(queries, "ada")?;
            Err(Abort::Rule(Error::LastAdmin))
        });
        assert!(matches!(refused, Err(Abort::Rule(Error::LastAdmin))));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            driver.write(&mut |queries| {
                insert(queries, "ada")?;
                panic!("as a test");
            })
        }));
        assert!(panicked.is_err());
        let read = catch_unwind(AssertUnwindSafe(|| {
            driver.read(&mut |queries| {
                queries.query("SELECT name FROM public.probe", &[], &mut |_| Ok(()))?;
                panic!("as a test");
            })
        }));
        assert!(read.is_err());
    }
    write(&driver, "ada").1.unwrap();
    assert_eq!(read(&driver).1.unwrap(), 1);
}

#[test]
fn a_thread_waits_for_a_connection_until_its_deadline() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open_with(&proxy, |target| target.connections = 3, &Arc::default());
    let pool = &driver.pool;
    let patience = |milliseconds| Instant::now() + Duration::from_millis(milliseconds);
    let lease = pool.take(Lane::Write, false, soon()).unwrap();
    let begun = Instant::now();
    let refused = pool.take(Lane::Write, false, patience(200));
    assert!(matches!(refused, Err(Fault::Unavailable(_))), "{refused:?}");
    let waited = begun.elapsed();
    assert!((Duration::from_millis(200)..PATIENCE).contains(&waited), "{waited:?}");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.take(Lane::Write, false, soon()).map(drop));
        thread::sleep(Duration::from_millis(50));
        lease.give_back();
        waiting.join().unwrap().unwrap();
    });
    assert_eq!(read(&driver).1.unwrap(), 0, "reads have their own");
}

#[test]
fn nothing_is_sent_for_nothing_and_the_beginning_goes_with_the_first_statement() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        write(&driver, "ada").1.unwrap();
        let sent = || {
            thread::sleep(Duration::from_millis(20));
            proxy.sent()
        };
        let before = sent();
        driver.write(&mut |_| Ok(())).unwrap();
        assert!(driver.write(&mut |_| Err(Abort::Rule(Error::LastAdmin))).is_err());
        driver.read(&mut |_| Ok(())).unwrap();
        assert_eq!(sent(), before);
        write(&driver, "eve").1.unwrap();
        assert_eq!(sent(), before + 2, "the statement, and COMMIT");
        let names: Vec<String> = (0..1_000).map(|number| format!("row{number}")).collect();
        let values: Vec<[Value<'_>; 2]> =
            names.iter().map(|name| [name.as_str().into(), 1_i64.into()]).collect();
        let sets: Vec<&[Value<'_>]> = values.iter().map(|values| &values[..]).collect();
        let sql = "INSERT INTO public.probe (name, number) VALUES ($1, $2)";
        driver.write(&mut |queries| Ok(queries.execute_each(sql, &sets)?)).unwrap();
        assert!(sent() < before + 20);
        assert_eq!(read(&driver).1.unwrap(), 1_002);
    });
}

#[test]
fn a_read_cannot_write() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open(&proxy);
    let read = driver.read(&mut |queries| insert(queries, "ada"));
    assert!(matches!(read, Err(Fault::Damaged(_))), "{read:?}");
    write(&driver, "ada").1.unwrap();
}

#[test]
fn a_table_that_was_changed_costs_nothing() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open(&proxy);
    let all = |driver: &Postgres| {
        let mut rows = 0;
        driver.write(&mut |queries| {
            rows = 0;
            queries.query("SELECT * FROM public.probe", &[], &mut |_| {
                rows += 1;
                Ok(())
            })?;
            Ok(())
        })?;
        Ok::<usize, Abort>(rows)
    };
    write(&driver, "ada").1.unwrap();
    assert_eq!(all(&driver).unwrap(), 1);
    scratch.direct().run("ALTER TABLE public.probe ADD COLUMN more text");
    assert_eq!(all(&driver).unwrap(), 1);
}

#[test]
fn a_warning_of_a_commit_is_heard_whatever_the_database_sets() {
    let Some(scratch) = Scratch::make() else { return };
    let name = &scratch.0.target.name;
    let mut direct = scratch.direct();
    direct.run(&format!("ALTER DATABASE {name} SET client_min_messages = error"));
    // Warns at the commit, like the server whose wait for a synchronous standby was ended.
    direct.run(
        "CREATE FUNCTION public.warn() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN RAISE WARNING ''canceling wait''; RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON public.probe INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION public.warn()",
    );
    let proxy = scratch.proxy();
    let driver = scratch.open(&proxy);
    let (runs, written) = write(&driver, "ada");
    direct.run(&format!("ALTER DATABASE {name} RESET client_min_messages"));
    direct.run("DROP TRIGGER warn ON public.probe; DROP FUNCTION public.warn()");
    assert!(is_unavailable(&written), "{written:?}");
    assert_eq!((runs, direct.rows()), (1, 1));
}

/// Runs `act` on threads that begin together.
fn at_once(threads: usize, act: impl Fn(usize) + Sync) {
    let start = Barrier::new(threads);
    let (act, start) = (&act, &start);
    thread::scope(|scope| {
        for number in 0..threads {
            scope.spawn(move || {
                start.wait();
                act(number);
            });
        }
    });
}

#[test]
fn a_read_beside_a_transaction_waited_for_a_connection() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        let count = |sql: &'static str| {
            let begun = Instant::now();
            let mut read = false;
            let written = driver.write(&mut |queries| {
                insert(queries, "beside")?;
                read = driver.read_beside(&mut |queries| number(queries, sql).map(drop));
                Err(Abort::Rule(Error::NotFound))
            });
            assert!(matches!(written, Err(Abort::Rule(Error::NotFound))), "{written:?}");
            assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
            read
        };
        let rows = "SELECT count(*) FROM public.probe";
        assert!(!count(rows), "no connection is open, and none is opened");
        assert_eq!(read(&driver).1.unwrap(), 0);
        assert!(count(rows));
        let reads = driver.concurrency().reads.unwrap();
        let take = || driver.pool.take(Lane::Read, false, soon()).unwrap();
        let taken: Vec<_> = (0..reads).map(|_| take()).collect();
        assert!(!count(rows), "all are in use");
        taken.into_iter().for_each(Lease::give_back);
        assert!(!count("SELECT 1::bigint FROM pg_sleep(60)"), "it takes too long");
        assert!(!count("SELECT count(*) FROM nothing"), "it fails");
        assert!(count(rows), "another connection is idle");
        assert_eq!(read(&driver).1.unwrap(), 0);
        assert!(matches!(driver.pool.server(), Server::Up { .. }));
    });
}

#[test]
fn all_writers_waited_for_an_import_behind_one_that_wanted_to_be_alone() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        let mut runs = 0;
        let imported = driver.write_long(&mut |queries| {
            insert(queries, "imported")?;
            driver.write(&mut |queries| {
                runs += 1;
                insert(queries, "beside")?;
                // Another one that begins later does not wait either.
                write(&driver, &format!("later{runs}")).1?;
                match runs {
                    6 => Ok(()),
                    _ => Err(Abort::Fault(Fault::Retry("as a test".into()))),
                }
            })
        });
        imported.unwrap();
        assert_eq!((runs, scratch.direct().rows()), (6, 8));
    });
}

#[test]
fn an_import_stopped_all_other_writes_after_three_conflicts() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open(&proxy);
    let mut runs = 0;
    let imported = driver.write_long(&mut |queries| {
        runs += 1;
        insert(queries, "imported")?;
        if runs > IMPORT_TRIES {
            assert_eq!(number(queries, IS_ALONE)?, 1);
            return Ok(());
        }
        write(&driver, &format!("beside{runs}")).1?;
        Err(Abort::Fault(Fault::Retry("as a test".into())))
    });
    imported.unwrap();
    assert_eq!((runs, scratch.direct().rows()), (IMPORT_TRIES + 1, i64::from(IMPORT_TRIES) + 1));
}
