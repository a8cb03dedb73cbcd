//! The server goes away and comes back; who leads; how the keeper ends.

use std::thread;

use super::*;
use crate::store::postgres::pool::{Lane, Pool, Server};
use crate::store::postgres::{connect, identity};

/// Asserts that reads and writes are refused at once: a hundred of each take less time than if each
/// waited for a second, and that on a machine that has other things to do.
fn refused(driver: &Postgres, what: &str) {
    let begun = Instant::now();
    for _ in 0..100 {
        let (runs, written) = write(driver, "down");
        assert!(is_unavailable(&written), "{what}: {written:?}");
        assert_eq!(runs, 0, "{what}");
        let Err(Abort::Fault(fault)) = written else { unreachable!() };
        assert!(is_logged(fault), "{what}");
        assert!(read(driver).1.is_err_and(is_logged), "{what}");
    }
    assert!(begun.elapsed() < PATIENCE, "{what}: {:?}", begun.elapsed());
}

fn works(driver: &Postgres) -> bool {
    driver
        .write(&mut |queries| Ok(queries.execute("DELETE FROM public.probe", &[]).map(drop)?))
        .is_ok()
        && read(driver).1.is_ok()
}

#[test]
fn a_server_that_is_away_is_refused_at_once_and_comes_back() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        for served in [false, true] {
            driver.upkeep(served);
            write(&driver, "ada").1.unwrap();
            assert_eq!(read(&driver).1.unwrap(), 1);
            proxy.refuse(true);
            proxy.cut();
            // The first one finds out.
            assert!(is_unavailable(&write(&driver, "eve").1));
            refused(&driver, "down");
            thread::sleep(Duration::from_millis(700));
            refused(&driver, "still down");
            proxy.refuse(false);
            wait_until("back", || works(&driver));
        }
    });
}

#[test]
fn a_server_that_hangs_is_found_out_and_comes_back() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        driver.upkeep(true);
        wait_until("leads", || driver.leads());
        assert!(works(&driver));
        proxy.stall(true);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| read(&driver).1.is_err());
            wait_until("found out", || read_quickly(&driver));
            assert!(waiting.join().unwrap());
        });
        refused(&driver, "hangs");
        wait_until("leads no more", || !driver.leads());
        proxy.stall(false);
        wait_until("back", || works(&driver));
    });
}

/// Whether a read is refused at once.
fn read_quickly(driver: &Postgres) -> bool {
    matches!(driver.pool.server(), Server::Down { .. }) && read(driver).1.is_err()
}

#[test]
fn one_leads_and_another_follows() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let (here, there) = (scratch.proxy(), scratch.proxy());
        let signals: [Arc<Signal>; 2] = Default::default();
        let first = scratch.open_with(&here, |_| {}, &signals[0]);
        wait_until("the only one leads", || first.leads());
        let second = scratch.open_with(&there, |_| {}, &signals[1]);
        assert!(!second.leads());
        // Whether a notice came within this time.
        let notified = |signal: &Signal, longest| {
            signal.wait(Duration::ZERO);
            let begun = Instant::now();
            signal.wait(longest);
            begun.elapsed() < longest
        };
        let second_notified = notified(&signals[1], Duration::from_millis(1_500));
        assert!(first.leads() && !second.leads());
        assert!(notified(&signals[0], PATIENCE), "the leader looks for mail of others");
        assert!(!second_notified, "no other does");
        here.refuse(true);
        here.cut();
        wait_until("the second leads", || second.leads());
        assert!(!first.leads());
        here.refuse(false);
        wait_until("the first is back", || works(&first));
        thread::sleep(Duration::from_millis(1_200));
        assert!(!first.leads() && second.leads());
        drop(second);
        wait_until("the first leads again", || first.leads());
    });
}

#[test]
fn a_keeper_whose_connection_alone_is_lost_takes_nothing_down() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        wait_until("leads", || driver.leads());
        let mut direct = scratch.direct();
        for _ in 0..3 {
            assert!(direct.end_others() >= 1);
            for _ in 0..30 {
                assert!(works(&driver));
                thread::sleep(Duration::from_millis(20));
            }
        }
        wait_until("leads again", || driver.leads());
    });
}

#[test]
fn nothing_is_left_when_the_driver_is_dropped() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        wait_until("leads", || driver.leads());
        assert!(works(&driver));
        let pool = Arc::downgrade(&driver.pool);
        let begun = Instant::now();
        drop(driver);
        // The thread was woken: it looks at the server once a second by itself.
        assert!(begun.elapsed() < Duration::from_millis(300), "{:?}", begun.elapsed());
        wait_until("no cycle", || pool.upgrade().is_none());
        let mut direct = scratch.direct();
        let others = "SELECT count(*) FROM pg_stat_activity
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        wait_until("no connection", || direct.number(others) == 0);
    });
}

#[test]
fn a_copy_keeps_servers_away_and_servers_keep_a_copy_away() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let mut copy = scratch.direct();
        let lock = "SELECT pg_try_advisory_lock(1279869780, 3)::int::bigint";
        assert_eq!(copy.number(lock), 1);
        let driver = scratch.open(&proxy);
        assert!(works(&driver), "a command is no server");
        assert!(!driver.leads());
        wait_until("refused", || read_quickly(&driver));
        refused(&driver, "copy");
        copy.run("SELECT pg_advisory_unlock(1279869780, 3)");
        wait_until("served", || works(&driver));
        wait_until("leads", || driver.leads());
        assert_eq!(copy.number(lock), 0);
    });
}

#[test]
fn a_stranger_with_a_lock_stops_nobody() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let stranger = scratch.0.user("stranger");
        let mut stranger =
            Direct(connect::first(&stranger, connect::Role::Setup).unwrap().connection);
        stranger.run("SELECT pg_advisory_lock(1279869780, 3)");
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        wait_until("leads", || driver.leads());
        thread::sleep(Duration::from_millis(1_200));
        wait_until("still leads", || works(&driver) && driver.leads());
        // The lock of its own comes when the stranger goes.
        drop(stranger);
        let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 3
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        wait_until("the lock", || scratch.direct().number(held) == 1 && works(&driver));
    });
}

#[test]
fn a_server_that_takes_no_writes_is_read() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        wait_until("leads", || driver.leads());
        write(&driver, "ada").1.unwrap();
        scratch.set_read_only(true);
        scratch.direct().end_others();
        wait_until("writes are refused, reads are not", || {
            is_unavailable(&write(&driver, "eve").1) && read(&driver).1.is_ok_and(|rows| rows == 1)
        });
        let (runs, _) = write(&driver, "eve");
        assert_eq!(runs, 0);
        scratch.set_read_only(false);
        scratch.direct().end_others();
        wait_until("writes again", || write(&driver, "eve").1.is_ok());
        wait_until("leads", || driver.leads());
    });
}

#[test]
fn a_former_primary_is_refused() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let proxy = scratch.proxy();
        let driver = scratch.open(&proxy);
        wait_until("leads", || driver.leads());
        assert!(works(&driver));
        let said = identity::ask(&mut scratch.0.connect(), soon()).unwrap().unwrap();
        // As if the process had been on a standby that was promoted.
        driver.pool.rise(0, true, Some(said.promoted()));
        proxy.cut();
        wait_until("refused", || match driver.pool.server() {
            Server::Down { why, .. } => why.contains("former primary"),
            Server::Up { .. } => false,
        });
        refused(&driver, "refused");
    });
}

#[test]
fn a_server_with_too_many_connections_is_waited_for() {
    let Some(scratch) = Scratch::make() else { return };
    let target = scratch.0.user("many");
    let found = connect::first(&target, connect::Role::Setup).unwrap();
    let pool = Pool::new(target.clone(), [1, 1, 1], &found);
    drop(found);
    let limit = |limit: i32| {
        scratch.0.script(&format!("ALTER ROLE {} CONNECTION LIMIT {limit}", target.user));
    };
    limit(0);
    let take = |milliseconds| {
        pool.take(Lane::Read, false, Instant::now() + Duration::from_millis(milliseconds)).map(drop)
    };
    let begun = Instant::now();
    let full = take(1_500);
    assert!(matches!(full, Err(Fault::Unavailable(_))), "{full:?}");
    let waited = begun.elapsed();
    assert!((Duration::from_millis(1_500)..PATIENCE).contains(&waited), "{waited:?}");
    assert!(pool.is_up());
    limit(-1);
    take(60_000).unwrap();
}

#[test]
fn only_a_server_that_takes_writes_will_do_if_that_is_asked_for() {
    in_one_of_three(|| {
        let Some(scratch) = Scratch::make() else { return };
        let (primary, standby) = (scratch.proxy(), scratch.proxy());
        scratch.set_read_only(true);
        let mut target = scratch.target(primary.port);
        target.hosts.extend(scratch.target(standby.port).hosts);
        target.writable = true;
        let problem = Postgres::open(&target, &Arc::default()).unwrap_err();
        assert!(
            problem.what.contains("read-only") && problem.next.contains("primary"),
            "{problem}"
        );
        scratch.set_read_only(false);
        let driver = Postgres::open(&target, &Arc::default()).unwrap();
        assert!(works(&driver));
        // The second host is used when the first is away.
        primary.refuse(true);
        primary.cut();
        let _ = read(&driver);
        wait_until("the other host", || works(&driver));
        standby.refuse(true);
        standby.cut();
        let _ = read(&driver);
        primary.refuse(false);
        wait_until("the first host", || works(&driver));
    });
}

#[test]
fn a_server_that_cannot_be_opened_is_a_problem_with_a_next_step() {
    let Some(scratch) = Scratch::make() else { return };
    let check = |change: &dyn Fn(&mut Target), what: &str, next: &str| {
        let mut target = scratch.0.target.clone();
        change(&mut target);
        let problem = Postgres::open(&target, &Arc::default()).unwrap_err();
        assert!(problem.what.contains(what), "{problem}");
        assert!(problem.next.contains(next), "{problem}");
    };
    check(&|target| target.hosts[0].port = 1, ":1: ", "PostgreSQL runs there");
    check(&|target| target.name = "lictor_no_such".into(), "3D000", "createdb --owner=");
    check(&|target| target.user = "lictor_nobody".into(), "lictor_nobody", "");
}
