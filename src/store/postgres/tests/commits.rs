//! Statements and commits that the server does not finish in time.

use std::thread;

use super::*;
use crate::store::postgres::pool::Lane;

/// The time in which the server has given up what nobody waits for.
const GIVEN_UP: Duration = Duration::from_secs(4);
/// The time in which writes are admitted when commits are finished again.
const ADMITTED: Duration = Duration::from_secs(4);

/// What the server does for the driver and does not finish.
const UNFINISHED: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'";

/// Lets each COMMIT of an insert into `probe` take a minute. As for the standby, the server has no time
/// limit for it.
const HANG: &str = "
    CREATE OR REPLACE FUNCTION public.hang() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER hang AFTER INSERT ON public.probe DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.hang()";

#[test]
fn a_commit_that_is_not_finished_leaves_nothing_behind() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let mut direct = scratch.direct();
    direct.run(HANG);
    for served in [false, true] {
        let driver = scratch.open(&proxy);
        driver.upkeep(served);
        thread::scope(|scope| {
            for number in 0..8 {
                let driver = &driver;
                scope.spawn(move || {
                    let (runs, written) = write(driver, &format!("row{number}"));
                    assert!(is_unavailable(&written), "{written:?}");
                    assert!(runs <= 1, "a commit whose outcome is unknown is not run again");
                });
            }
            within(Duration::from_secs(4), "all commit", || direct.number(UNFINISHED) == 8);
            assert_eq!(read(&driver).1.unwrap(), 0, "reads go on");
        });
        within(GIVEN_UP, "given up", || direct.number(UNFINISHED) == 0);
        // Other commits are finished, as the keeper finds out.
        within(ADMITTED, "admitted", || {
            driver.write(&mut |queries| Ok(queries.execute(NOTHING, &[]).map(drop)?)).is_ok()
        });
        assert_eq!(direct.rows(), 0);
    }
}

const NOTHING: &str = "UPDATE public.probe SET number = 0";

#[test]
fn a_process_that_ends_leaves_nothing_behind() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let mut direct = scratch.direct();
    direct.run(HANG);
    let driver = scratch.open(&proxy);
    assert!(is_unavailable(&write(&driver, "ada").1));
    drop(driver);
    within(GIVEN_UP, "given up", || direct.number(UNFINISHED) == 0);
}

#[test]
fn writes_are_refused_at_once_until_commits_are_finished() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open(&proxy);
    write(&driver, "ada").1.unwrap();
    let lease = driver.pool.take(Lane::Write, false, soon()).unwrap();
    let generation = lease.generation();
    lease.give_back();
    driver.pool.refuse_writes(generation + 1);
    assert!(!driver.pool.commits_hang(), "those of other connections do not count");
    driver.pool.refuse_writes(generation);
    // No keeper runs yet.
    let begun = Instant::now();
    let refused = driver.pool.take(Lane::Write, false, soon()).map(drop);
    assert!(refused.is_err_and(is_logged) && begun.elapsed() < Duration::from_millis(100));
    assert_eq!(read(&driver).1.unwrap(), 1, "reads go on");
    let (runs, written) = write(&driver, "eve");
    assert!(is_unavailable(&written) && runs == 0, "{written:?}");
    within(ADMITTED, "admitted", || write(&driver, "eve").1.is_ok());
}

#[test]
fn the_check_of_tokens_takes_no_longer_than_two_seconds() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open(&proxy);
    assert_eq!(read(&driver).1.unwrap(), 0);
    let begun = Instant::now();
    let sleep = "SELECT pg_sleep(60) IS NULL";
    let late = driver.read(&mut |queries| queries.query_keys(sleep, &[], &mut |_| Ok(())));
    assert!(matches!(late, Err(Fault::Unavailable(_))), "{late:?}");
    assert!((1_900..4_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    let mut direct = scratch.direct();
    within(GIVEN_UP, "given up", || direct.number(UNFINISHED) == 0);
}

#[test]
fn no_thread_that_waits_for_a_connection_is_forgotten() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open_with(&proxy, |target| target.connections = 4, &Arc::default());
    let begun = Instant::now();
    thread::scope(|scope| {
        for thread in 0..16 {
            let pool = &driver.pool;
            scope.spawn(move || {
                for round in 0..200 {
                    let lease = pool.take(Lane::Write, false, soon()).unwrap();
                    match (thread + round) % 100 {
                        0 => lease.close(),
                        1 => drop(lease),
                        _ => lease.give_back(),
                    }
                }
            });
        }
    });
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}
