//! Files that are made, opened, upgraded and refused.

use std::collections::{BTreeMap, BTreeSet};

use std::fs;

use rusqlite::Connection;

use super::super::schema::{APPLICATION_ID, OLDER, VERSION, names, number};
use super::super::tests::open;
use crate::clock::Timestamp;
use crate::store::contract::{Place, add, found};
use crate::store::{Database, Inspection, Store};
use crate::values::Username;

/// Rows of tables that came in after the first version.
const ROWS: [(&str, &str); 6] = [
    (
        "outbox",
        "(message, kind, user, email, created, detail, attempts, failure)
         VALUES ('m', 'password-changed', 1, 'a@b', 5, 'd', 3, 'busy')",
    ),
    (
        "audit",
        "(at, event, user, name, actor, address, detail)
         VALUES (5, 'login', 1, 'Ada', 2, '::1', 'd')",
    ),
    (
        "invitations",
        "(id, hash, roles, created, expires, creator) VALUES ('i', x'01', 'a', 5, 100, 1)",
    ),
    ("second_factors", "(user, secret, created, confirmed, last_step) VALUES (1, x'02', 5, 6, 7)"),
    ("recovery_codes", "(user, hash) VALUES (1, x'03')"),
    ("former_names", "(name, user, told) VALUES ('ada lovelace', 1, 7)"),
];

fn database(place: &Place) -> Database {
    Database::File(place.file())
}

/// All rows, by table and number, each with its values by column.
fn contents(connection: &Connection) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for table in names(connection, "table").unwrap() {
        let mut query = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<String> = query.column_names().map(Into::into).collect();
        let mut rows = query.query([]).unwrap();
        for number in 0.. {
            let Some(row) = rows.next().unwrap() else { break };
            let value = |(at, name)| format!("{name} {:?}", row.get_ref(at).unwrap());
            let values = columns.iter().enumerate().map(value).collect();
            found.insert(format!("{table} {number}"), values);
        }
    }
    found
}

#[test]
fn a_file_is_made_private_and_opens_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new("open");
    assert_eq!(Store::inspect(&database(&place)), Ok(Inspection::Absent));
    add(&Store::open(&database(&place), 1).unwrap(), "ada", None).unwrap();
    assert_eq!(Store::inspect(&database(&place)), Ok(Inspection::Current));
    let again = Store::open(&database(&place), 1).unwrap();
    assert_eq!(found(&again, "ada"), Some("ada".into()));
    let mode = fs::metadata(place.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_root_makes_belongs_to_the_owner_of_its_directory() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    for copied in [false, true] {
        let place = Place::new("owner");
        // Only root can give a file away; for others there is nothing to see.
        if chown(&place.0, Some(12_345), Some(54_321)).is_err() {
            return;
        }
        let store = match copied {
            true => {
                super::super::alone::write(&place.file(), |_| Ok(())).unwrap();
                Store::open(&database(&place), 1).unwrap()
            }
            false => Store::open(&database(&place), 1).unwrap(),
        };
        add(&store, "ada", None).unwrap();
        // The write-ahead log and its index, too.
        let files = fs::read_dir(&place.0).unwrap().map(|entry| entry.unwrap());
        let owners: Vec<_> = files
            .map(|file| (file.file_name(), file.metadata().unwrap()))
            .map(|(name, found)| (name, found.uid(), found.gid()))
            .collect();
        assert!(owners.len() == 3, "{owners:?}");
        assert!(owners.iter().all(|owner| (owner.1, owner.2) == (12_345, 54_321)), "{owners:?}");
    }
}

#[test]
fn every_older_version_ends_at_exactly_the_current_schema() {
    for (version, schema) in (1..).zip(OLDER) {
        let place = Place::new(&format!("version-{version}"));
        let old = Connection::open(place.file()).unwrap();
        old.execute_batch(schema).unwrap();
        old.execute_batch(
            "INSERT INTO users (name, name_key, password, roles, created) VALUES
             ('Ada', 'ada', 'hash', 'a,b', 5), ('Bob', 'bob', 'hash', '', 6),
             ('Carol', 'carol', 'hash', '', 7);
             DELETE FROM users WHERE name = 'Carol';",
        )
        .unwrap();
        if version > 1 {
            old.execute_batch(
                "INSERT INTO sessions (jti, user, created, newest, expires, address, agent)
                 VALUES ('session', 1, 5, 5, 100, '', '');
                 INSERT INTO tickets (jti, user, purpose, expires)
                 VALUES ('ticket', 2, 'reset', 100);",
            )
            .unwrap();
        }
        for (table, row) in ROWS {
            if names(&old, "table").unwrap().iter().any(|one| one == table) {
                old.execute_batch(&format!("INSERT INTO {table} {row}")).unwrap();
            }
        }
        let before = contents(&old);
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", version).unwrap();
        // Something that somebody has added is not thrown away.
        old.execute_batch("CREATE INDEX theirs ON users (created)").unwrap();
        let refused = Store::open(&database(&place), 1).unwrap_err();
        assert!(refused.what.contains("is damaged"), "{refused}");
        old.execute_batch("DROP INDEX theirs").unwrap();
        drop(old);
        assert_eq!(Store::inspect(&database(&place)), Ok(Inspection::Older(version)));
        let (driver, store) = open(&place, 1);
        assert_eq!(Store::inspect(&database(&place)), Ok(Inspection::Current));
        assert_eq!(Store::check_deep(&database(&place), Box::new(|| false)), Ok(()));
        let after = contents(&Connection::open(place.file()).unwrap());
        for (row, values) in &before {
            let now = after.get(row).unwrap_or_else(|| panic!("version {version}: no {row}"));
            assert!(values.is_subset(now), "version {version}: {row} is {now:?}");
        }
        assert_eq!(after.len(), before.len());
        assert_eq!(found(&store, "ada"), Some("Ada".into()));
        assert_eq!(found(&store, "bob"), Some("Bob".into()));
        assert_eq!(add(&store, "dora", None).unwrap(), 4, "Carol's id was given out again");
        let kept = version > 1;
        assert_eq!(!store.sessions(1, Timestamp(6)).unwrap().is_empty(), kept);
        assert_eq!(store.holder("ticket", Timestamp(6)).unwrap().is_some(), kept);
        let writer = &driver.writer.lock().unwrap().connection;
        assert_eq!(number(writer, "foreign_keys"), Ok(1));
    }
}

#[test]
fn email_keys_from_before_version_4_are_made_anew() {
    let place = Place::new("keys");
    let old = Connection::open(place.file()).unwrap();
    old.execute_batch(OLDER[2]).unwrap();
    let rows = [
        ("mike", Some("mike@example.org"), Some("mike@example.org")),
        ("ada", Some("Ada@B\u{fc}cher.example"), Some("Ada@B\u{fc}cher.example")),
        // The same mailbox; the older account keeps it.
        ("bob", Some("a@\u{ff45}xample.org"), Some("a@\u{ff45}xample.org")),
        ("carol", Some("a@e\u{ff58}ample.org"), None),
        // A younger account with the plain spelling gives way as well.
        ("dora", Some("a@example.org"), None),
        // This one had the key of mike@mail.example.
        ("kelvin", Some("mi\u{212a}e@mail.example"), Some("mi\u{212a}e@mail.example")),
        ("erin", None, None),
        // No address any more, but nothing is lost.
        ("frank", Some("f@\u{5d0}a.example"), Some("f@\u{5d0}a.example")),
    ];
    for (name, email, _) in rows {
        let sql = "INSERT INTO users (name, name_key, email, email_key, password, created)
                   VALUES (?1, ?1, ?2, ?3, 'hash', 5)";
        let key = email.map(str::to_lowercase);
        old.execute(sql, rusqlite::params![name, email, key]).unwrap();
    }
    old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    old.pragma_update(None, "user_version", 3).unwrap();
    drop(old);
    let store = Store::open(&database(&place), 1).unwrap();
    for (name, _, email) in rows {
        let account = store.account(&Username::parse(name).unwrap()).unwrap().unwrap();
        assert_eq!(account.email.as_deref(), email, "{name}");
    }
    for (login, expected) in [
        ("mike@example.org", Some("mike")),
        ("mi\u{212a}e@example.org", None),
        ("mike@mail.example", None),
        ("MI\u{212a}E@mail.example", Some("kelvin")),
        ("ada@xn--bcher-kva.example", Some("ada")),
        ("a@example.org", Some("bob")),
        ("A@EXAMPL\u{ff25}.org", Some("bob")),
        ("frank", Some("frank")),
    ] {
        assert_eq!(found(&store, login).as_deref(), expected, "{login}");
    }
    assert_eq!(Store::check_deep(&database(&place), Box::new(|| false)), Ok(()));
}

#[test]
fn an_address_that_is_no_text_was_said_to_be_a_file_that_cannot_be_written() {
    let place = Place::new("no-text");
    let old = Connection::open(place.file()).unwrap();
    old.execute_batch(OLDER[2]).unwrap();
    old.execute_batch(
        "INSERT INTO users (name, name_key, email, email_key, password, created)
         VALUES ('ada', 'ada', CAST(x'ff40' AS TEXT), 'a@b', 'hash', 5)",
    )
    .unwrap();
    old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    old.pragma_update(None, "user_version", 3).unwrap();
    drop(old);
    let problem = Store::open(&database(&place), 1).unwrap_err();
    assert!(problem.what.contains("is damaged"), "{problem}");
    assert!(problem.next.contains("restore a backup"), "{problem}");
    // It was not touched, as it says.
    assert_eq!(Store::inspect(&database(&place)), Ok(Inspection::Older(3)));
}

#[test]
fn statistics_for_the_planner_are_no_damage() {
    let place = Place::new("analyze");
    add(&Store::open(&database(&place), 1).unwrap(), "ada", None).unwrap();
    Connection::open(place.file()).unwrap().execute_batch("ANALYZE").unwrap();
    assert_eq!(Store::check_deep(&database(&place), Box::new(|| false)), Ok(()));
}

#[test]
fn a_second_look_from_the_same_process_loses_nothing() {
    let place = Place::new("locks");
    let store = Store::open(&database(&place), 1).unwrap();
    add(&store, "ada", None).unwrap();
    Store::inspect(&database(&place)).unwrap();
    Store::check_deep(&database(&place), Box::new(|| false)).unwrap();
    // Another process comes and goes; it must see that we are still here.
    let count = |expected: &str| {
        let script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1])\
                      .execute('SELECT count(*) FROM users').fetchone()[0])";
        let output = std::process::Command::new("python3")
            .args(["-c", script])
            .arg(place.file())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected, "{output:?}");
    };
    count("1");
    add(&store, "bob", None).unwrap();
    count("2");
}

#[test]
fn files_that_are_not_ours_are_refused_untouched() {
    let place = Place::new("foreign");
    let file = place.file();
    let ours = || {
        let _ = fs::remove_file(&file);
        drop(Store::open(&Database::File(file.clone()), 1).unwrap());
    };
    let with_sql = |sql: &str| Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    type Make<'a> = (&'a str, Box<dyn Fn() + 'a>);
    let cases: [Make<'_>; 6] = [
        ("is not a lictor database", Box::new(|| fs::write(&file, "hello\n").unwrap())),
        ("is not a lictor database", Box::new(|| fs::write(&file, [0; 8192]).unwrap())),
        (
            "is not a lictor database",
            Box::new(|| {
                fs::remove_file(&file).unwrap();
                with_sql("CREATE TABLE users (id); PRAGMA user_version = 1;");
            }),
        ),
        (
            "is of version 1000",
            Box::new(|| {
                ours();
                with_sql("PRAGMA user_version = 1000");
            }),
        ),
        (
            "is damaged",
            Box::new(|| {
                ours();
                with_sql("ALTER TABLE users ADD COLUMN x TEXT");
            }),
        ),
        (
            "is damaged",
            Box::new(|| {
                ours();
                let mut bytes = fs::read(&file).unwrap();
                bytes[4096..].fill(0x5a);
                fs::write(&file, bytes).unwrap();
            }),
        ),
    ];
    for (expected, make) in cases {
        make();
        let before = fs::read(&file).unwrap();
        let problem = Store::open(&Database::File(file.clone()), 1).unwrap_err();
        assert!(problem.what.contains(expected), "{problem}");
        assert!(!problem.next.is_empty());
        assert_eq!(fs::read(&file).unwrap(), before, "{problem}");
    }
}

#[test]
fn a_file_that_was_half_made_is_empty() {
    let place = Place::new("half-made");
    let killed = place.0.join("killed.db");
    let connection = Connection::open(&killed).unwrap();
    // With a small cache, SQLite writes pages before the commit.
    connection.execute_batch("PRAGMA cache_size = 1; BEGIN").unwrap();
    connection.execute_batch(super::super::schema::schema()).unwrap();
    connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
        INSERT INTO audit (at, event) SELECT i, 'x' FROM n";
    connection.execute_batch(many).unwrap();
    // What a process leaves that is killed at this moment.
    for ending in ["", "-journal"] {
        let of = |path: &std::path::Path| format!("{}{ending}", path.display());
        fs::copy(of(&killed), of(&place.file())).unwrap();
    }
    assert!(fs::metadata(place.file()).unwrap().len() > 0);
    assert_eq!(Store::inspect(&database(&place)), Ok(Inspection::Absent));
    assert_eq!(fs::metadata(place.file()).unwrap().len(), 0);
    add(&Store::open(&database(&place), 1).unwrap(), "ada", None).unwrap();
}

#[test]
fn the_half_made_file_of_another_program_is_left_to_it() {
    let place = Place::new("half-made");
    let (path, journal) = (place.0.join("lictor.db"), place.0.join("lictor.db-journal"));
    // SQLite would delete a journal without a header of its own, as that of a file that is sound.
    let begin = |id: i64| {
        let _ = std::fs::remove_file(&path);
        let other = Connection::open(&path).unwrap();
        other.execute_batch("CREATE TABLE t (a)").unwrap();
        other.pragma_update(None, "application_id", id).unwrap();
        other.pragma_update(None, "user_version", VERSION).unwrap();
        drop(other);
        std::fs::write(&journal, [0; 512]).unwrap();
        let found = Store::inspect(&database(&place));
        (found.is_ok(), journal.exists())
    };
    assert_eq!(begin(7), (false, true), "not ours");
    assert_eq!(begin(0), (false, true), "not ours");
    assert!(begin(APPLICATION_ID).0);
}
