//! Copies to a PostgreSQL server, from one, and between two of its databases.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::databases::TestDatabase;
use super::*;
use crate::store::contract::{Place, add, found, number};
use crate::store::copy::CopiedTable;
use crate::store::copy::tests::{dump, fill, listed, tamper};
use crate::store::{Database, Store};

fn database(test: &TestDatabase) -> Database {
    Database::Postgres(Box::new(test.target.clone()))
}

fn copy(from: &Database, to: &Database) -> Result<Vec<CopiedTable>, Problem> {
    Store::copy(from, to, &mut |_| {})
}

/// A file with everything in it, and its rows.
fn filled(place: &Place) -> (Database, Vec<String>) {
    let file = place.file();
    fill(&Store::open(&(&file).into(), 1).unwrap());
    ((&file).into(), dump(&file))
}

/// How many schemas are called as ours.
fn schemas(test: &TestDatabase) -> usize {
    test.texts("SELECT nspname::text FROM pg_namespace WHERE nspname = 'lictor'").len()
}

#[test]
fn the_lock_is_that_of_servers() {
    use crate::store::postgres::schema::{LOCKS, SERVER};
    assert!(TAKE.ends_with(&format!("({LOCKS}, {SERVER})")));
    assert!(COPIED.contains(&format!("classid = {LOCKS} AND objid = {SERVER} ")));
}

#[test]
fn the_list_has_every_column_of_the_schema() {
    let Some(test) = TestDatabase::empty() else { return };
    let real = test.texts(
        "SELECT c.relname || ' ' || a.attname || ' ' || format_type(a.atttypid, NULL) ||
             CASE WHEN a.attnum = ANY (k.conkey) THEN ' key' ELSE '' END
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
         LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
         WHERE c.relnamespace = 'lictor'::regnamespace AND c.relkind = 'r' AND NOT a.attisdropped
         AND c.relname NOT IN ('version', 'turn', 'unknown_names')
         ORDER BY c.oid, a.attnum",
    );
    assert_eq!(listed(["bigint", "boolean", "text", "bytea"]), real);
}

#[test]
fn everything_arrives_as_it_was_in_all_directions() {
    let Some(one) = TestDatabase::bare() else { return };
    let other = TestDatabase::empty().unwrap();
    let place = Place::new("copy-postgres");
    let (from, before) = filled(&place);
    let file = |name: &str| -> PathBuf { place.0.join(name) };
    let copied = copy(&from, &database(&one)).unwrap();
    // From server to server, and back from both.
    assert_eq!(copy(&database(&one), &database(&other)).unwrap(), copied);
    for (test, name) in [(&one, "one.db"), (&other, "other.db")] {
        assert_eq!(copy(&database(test), &file(name).into()).unwrap(), copied);
        assert_eq!(dump(&file(name)), before);
    }
    let rows: u64 = copied.iter().map(|table| table.rows).sum();
    assert_eq!(rows, before.len() as u64);

    // What was ever given out is not given out again.
    for test in [&one, &other] {
        let store = test.open();
        assert_eq!(found(&store, "u3@a.example").unwrap(), "user3");
        assert_eq!(add(&store, "next", None).unwrap(), 14);
        assert_eq!(number(&store, "SELECT last_value FROM outbox_id_seq"), 10);
        let entries = before.iter().filter(|row| row.starts_with("audit: ")).count();
        assert_eq!(number(&store, "SELECT max(id) FROM audit"), entries as i64 + 1);
        assert_eq!(number(&store, "SELECT last_value FROM audit_failed_number"), 2);
    }
    let kept = Store::open(&file("one.db").into(), 1).unwrap();
    assert_eq!(number(&kept, "SELECT seq FROM sqlite_sequence WHERE name = 'users'"), 13);
}

#[test]
fn a_database_with_rows_is_refused() {
    let Some(test) = TestDatabase::empty() else { return };
    let place = Place::new("copy-postgres-full");
    let (from, _) = filled(&place);
    let store = test.open();
    let id = add(&store, "eve", None).unwrap();
    drop(store);
    let refused = copy(&from, &database(&test)).unwrap_err();
    assert!(refused.what.contains("is not empty: users has rows"), "{refused}");
    assert_eq!(test.texts("SELECT id::text FROM lictor.users"), [id.to_string()]);
}

#[test]
fn a_failure_in_the_middle_leaves_nothing() {
    let Some(bare) = TestDatabase::bare() else { return };
    let empty = TestDatabase::empty().unwrap();
    for (sql, expected) in [
        ("DELETE FROM users WHERE id = 5", "cannot write sessions in "),
        (
            "UPDATE audit SET detail = 'a' || char(0) WHERE id = 3",
            "PostgreSQL cannot keep: audit, id 3",
        ),
        ("UPDATE audit SET detail = CAST(x'ff' AS TEXT) WHERE id = 3", "cannot read audit in "),
    ] {
        let place = Place::new("copy-postgres-fails");
        let (from, _) = filled(&place);
        tamper(&place.file(), sql);
        for test in [&bare, &empty] {
            let refused = copy(&from, &database(test)).unwrap_err();
            assert!(refused.what.contains(expected), "{refused}");
        }
        assert_eq!((schemas(&bare), schemas(&empty)), (0, 1));
        assert!(empty.texts("SELECT name FROM lictor.users").is_empty());
    }
}

#[test]
fn a_copy_that_the_standby_may_not_have_is_said() {
    let Some(test) = TestDatabase::empty() else { return };
    // What the server says when somebody ends the wait of a COMMIT for the standby: a warning.
    test.script(
        "CREATE FUNCTION public.warn() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN RAISE WARNING 'canceling wait'; RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON lictor.users DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION public.warn()",
    );
    let place = Place::new("copy-postgres-standby");
    let (from, before) = filled(&place);
    let warned = copy(&from, &database(&test));
    test.script("DROP FUNCTION public.warn() CASCADE");
    let problem = warned.unwrap_err();
    assert!(problem.what.contains("standby may not have it"), "{problem}");
    assert!(problem.next.starts_with("do not copy again"), "{problem}");
    // It is there all the same.
    let back = place.0.join("back.db");
    copy(&database(&test), &(&back).into()).unwrap();
    assert_eq!(dump(&back), before);
}

#[test]
fn an_empty_server_is_no_source() {
    let Some(bare) = TestDatabase::bare() else { return };
    let place = Place::new("copy-postgres-absent");
    let refused = copy(&database(&bare), &place.file().into()).unwrap_err();
    assert!(refused.what.ends_with("has no tables of lictor"), "{refused}");
    assert!(!place.file().exists());
}

#[test]
fn a_server_that_runs_is_in_the_way() {
    let Some(test) = TestDatabase::empty() else { return };
    let place = Place::new("copy-postgres-runs");
    let (from, before) = filled(&place);
    let other = place.0.join("other.db");
    let store = test.open();
    store.upkeep(true);
    let begun = Instant::now();
    // The keeper takes its locks within a second or two.
    let refused = loop {
        let refused = match copy(&database(&test), &(&other).into()) {
            Err(refused) => refused,
            Ok(_) => {
                assert!(begun.elapsed() < Duration::from_secs(60), "the server was not seen");
                std::fs::remove_file(&other).unwrap();
                continue;
            }
        };
        break refused;
    };
    assert!(refused.what.ends_with("is in use: a lictor server runs on it"), "{refused}");
    let refused = copy(&from, &database(&test)).unwrap_err();
    assert!(refused.what.ends_with("is in use: a lictor server runs on it"), "{refused}");
    assert!(!other.exists());
    drop(store);
    // On a busy machine the server of the database needs a while to see that the session is over.
    let begun = Instant::now();
    while let Err(refused) = copy(&from, &database(&test)) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{refused}");
        assert!(refused.what.ends_with("is in use: a lictor server runs on it"), "{refused}");
    }
    copy(&database(&test), &(&other).into()).unwrap();
    assert_eq!(dump(&other), before);
}

#[test]
fn the_same_database_under_two_names_is_refused() {
    let Some(test) = TestDatabase::empty() else { return };
    let same = database(&test);
    let refused = copy(&same, &same).unwrap_err();
    assert!(refused.usage && refused.what.ends_with("are the same database"), "{refused}");
    let mut renamed = test.target.clone();
    renamed.connections += 1;
    let refused = copy(&same, &Database::Postgres(Box::new(renamed))).unwrap_err();
    assert!(refused.what.ends_with("`lictor database copy` has it"), "{refused}");
    assert!(refused.next.ends_with("FROM and TO are the same database"), "{refused}");
    // Neither lock is left.
    let place = Place::new("copy-postgres-same");
    copy(&same, &place.file().into()).unwrap();
}
