//! Statements and commits that the server does not finish in time.

use std::thread;

use super::*;
use crate::store::postgres::pool::Lane;

/// What the server does for the driver and does not finish.
const UNFINISHED: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'";

/// Lets each COMMIT of an insert into `probe` take longer than a test waits. As for the standby, the
/// server has no time limit for it.
const HANG: &str = "
    CREATE OR REPLACE FUNCTION public.hang() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_sleep(600); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER hang AFTER INSERT ON public.probe DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.hang()";

#[test]
fn a_commit_that_is_not_finished_leaves_nothing_behind() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let mut direct = scratch.direct();
        direct.run(HANG);
        for served in [false, true] {
            let driver = scratch.open(&proxy);
            driver.upkeep(served);
            thread::scope(|scope| {
                let driver = &driver;
                let begin = |number| {
                    scope.spawn(move || {
                        let (runs, written) = write(driver, &format!("row{number}"));
                        assert!(is_unavailable(&written), "{written:?}");
                        assert!(runs <= 1, "a commit whose outcome is unknown is not run again");
                    })
                };
                let writes: Vec<_> = (0..8).map(begin).collect();
                wait_until("all commit", || {
                    assert!(!writes.iter().all(|write| write.is_finished()), "not at once");
                    direct.number(UNFINISHED) == 8
                });
                assert_eq!(read(driver).1.unwrap(), 0, "reads go on");
            });
            wait_until("given up", || direct.number(UNFINISHED) == 0);
            // Other commits are finished, as the keeper finds out.
            wait_until("admitted", || {
                driver.write(&mut |queries| Ok(queries.execute(NOTHING, &[]).map(drop)?)).is_ok()
            });
            assert_eq!(direct.rows(), 0);
        }
    });
}

const NOTHING: &str = "UPDATE public.probe SET number = 0";

#[test]
fn a_process_that_ends_leaves_nothing_behind() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let mut direct = scratch.direct();
        direct.run(HANG);
        let driver = scratch.open(&proxy);
        assert!(is_unavailable(&write(&driver, "ada").1));
        drop(driver);
        wait_until("given up", || direct.number(UNFINISHED) == 0);
    });
}

#[test]
fn writes_are_refused_at_once_until_commits_are_finished() {
    in_one_of_three(|| {
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
        let deadline = soon();
        let refused = driver.pool.take(Lane::Write, false, deadline).map(drop);
        assert!(refused.is_err_and(is_logged) && Instant::now() < deadline);
        assert_eq!(read(&driver).1.unwrap(), 1, "reads go on");
        let (runs, written) = write(&driver, "eve");
        assert!(is_unavailable(&written) && runs == 0, "{written:?}");
        wait_until("admitted", || write(&driver, "eve").1.is_ok());
    });
}

#[test]
fn the_check_of_tokens_takes_no_longer_than_two_seconds() {
    in_one_of_three(|| {
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
        wait_until("given up", || direct.number(UNFINISHED) == 0);
        assert!(begun.elapsed() < Duration::from_secs(25), "it was the server's own time limit");
    });
}

#[test]
fn no_thread_that_waits_for_a_connection_is_forgotten() {
    let Some(scratch) = Scratch::make() else { return };
    let proxy = scratch.proxy();
    let driver = scratch.open_with(&proxy, |target| target.connections = 4, &Arc::default());
    thread::scope(|scope| {
        for thread in 0..16 {
            let pool = &driver.pool;
            scope.spawn(move || {
                for round in 0..200 {
                    let deadline = soon();
                    let lease = pool.take(Lane::Write, false, deadline).unwrap();
                    assert!(Instant::now() < deadline, "it was woken by its deadline");
                    match (thread + round) % 100 {
                        0 => lease.close(),
                        1 => drop(lease),
                        _ => lease.give_back(),
                    }
                }
            });
        }
    });
}
