//! When the file is mapped, by numbers and by a store; what a file that is cut off does.

use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use signal_hook::consts::SIGBUS;

use super::super::Sqlite;
use super::super::tests::{Place, open};
use super::*;
use crate::clock::Timestamp;
use crate::store::contract::{BY, NOTE, add};
use crate::store::driver::Driver as _;
use crate::store::{Change, Store};
use crate::values::Roles;

const LARGE: i64 = SMALL_FILE + 1;
const LIMIT: u64 = 1 << 30;

fn view(version: i64, pages: i64) -> View {
    View { version, pages }
}

#[test]
fn a_file_is_mapped_after_many_reads_and_until_a_commit() {
    let mut pace = Pace::default();
    for (view, reads, expected) in [
        (view(1, LARGE), READS, false),
        (view(1, LARGE), 2 * READS - 1, false),
        (view(1, SMALL_FILE), 2 * READS, false),
        (view(1, LARGE), 2 * READS, true),
        (view(1, LARGE), 2 * READS, true),
        (view(2, LARGE), 3 * READS, false),
        (view(3, LARGE), 4 * READS, false),
        (view(3, LARGE), 5 * READS, true),
    ] {
        assert_eq!(pace.next(view, reads), expected, "{view:?}, {reads} reads");
    }
}

#[test]
fn mappings_that_do_not_last_become_rare() {
    let (mut pace, mut reads, mut waits) = (Pace::default(), 0, Vec::new());
    for version in 1..10 {
        assert!(!pace.next(view(version, LARGE), reads));
        let begun = reads;
        while !pace.next(view(version, LARGE), reads) {
            reads += READS;
        }
        waits.push((reads - begun) / READS);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 32, 32, 32]);
    // The last one lasts.
    reads += READS_MAX;
    assert!(!pace.next(view(10, LARGE), reads));
    assert!(pace.next(view(10, LARGE), reads + READS));
}

/// How many bytes each reader maps, as SQLite says.
fn mapped(driver: &Sqlite) -> i64 {
    let reader = driver.readers.take();
    reader.query_row("PRAGMA mmap_size", [], |row| row.get(0)).unwrap()
}

/// A store that may map its file, whose readers have read so much that it does, and a user in it.
fn mapping(place: &Place) -> (Arc<Sqlite>, Store, i64) {
    let (driver, store) = open(place, 1);
    let id = add(&store, "ada", None).unwrap();
    let filled = driver.with_connection(|writer| {
        writer.execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
             INSERT INTO audit (at, event, detail) SELECT i, 'login', hex(zeroblob(500)) FROM n;",
        )
    });
    filled.unwrap();
    driver.allow_mapping(LIMIT);
    for _ in 0..2 {
        driver.upkeep(true);
        for _ in 0..READS {
            drop(driver.readers.take());
        }
    }
    driver.upkeep(true);
    (driver, store, id)
}

#[test]
fn readers_map_the_file_until_somebody_writes() {
    let place = Place::new("mapping");
    let (driver, store, id) = mapping(&place);
    let change = |store: &Store, role: &str| {
        let roles = Roles::parse(role).unwrap();
        store.change(id, &Change::Roles(&roles), &BY, &NOTE, Timestamp(1)).unwrap();
    };
    assert_eq!(mapped(&driver), LIMIT as i64);
    change(&store, "a");
    assert_eq!(mapped(&driver), 0, "after a commit");
    assert_eq!(store.person(id).unwrap().unwrap().roles.as_str(), "a");

    drop((driver, store));
    let (driver, store) = open(&place, 1);
    assert_eq!(mapped(&driver), 0, "not allowed");
    driver.allow_mapping(LIMIT);
    let (_, theirs) = open(&place, 1);
    driver.upkeep(true);
    driver.readers.mapping().bytes.store(LIMIT, Ordering::Relaxed);
    assert_eq!(mapped(&driver), LIMIT as i64);
    change(&theirs, "b");
    assert_eq!(store.person(id).unwrap().unwrap().roles.as_str(), "b", "what others write is seen");
    driver.upkeep(true);
    assert_eq!(mapped(&driver), 0, "after a commit of another process");
}

/// The part of the next test that runs in a process of its own: cuts the file off under a mapping,
/// or without one, and reads.
#[test]
#[ignore = "another test runs it"]
fn cut_off() {
    let Some(bytes) = std::env::var("TEST_MAPPED").ok().and_then(|text| text.parse().ok()) else {
        return;
    };
    let place = Place::new(&format!("cut-off-{bytes}"));
    let (driver, ..) = mapping(&place);
    driver.settle().unwrap();
    driver.readers.mapping().bytes.store(bytes, Ordering::Relaxed);
    assert_eq!(mapped(&driver), bytes as i64);
    let read = || {
        let sql = "SELECT sum(length(detail)) FROM audit";
        driver.readers.take().query_row(sql, [], |row| row.get::<_, i64>(0))
    };
    assert_eq!(read().unwrap(), 6_000_000);
    OpenOptions::new().write(true).open(place.file()).unwrap().set_len(4_096).unwrap();
    println!("refused: {}", read().unwrap_err());
}

#[test]
fn a_file_that_is_cut_off_ends_the_process_only_if_it_is_mapped() {
    for (bytes, expected) in [(0, None), (LIMIT, Some(SIGBUS))] {
        let done = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::sqlite::mapping::tests::cut_off", "--ignored", "--nocapture"])
            .env("TEST_MAPPED", bytes.to_string())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&done.stdout);
        assert_eq!(done.status.signal(), expected, "{output}");
        assert_eq!(output.contains("refused: "), expected.is_none(), "{output}");
    }
}
