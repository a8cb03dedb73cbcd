//! Copies between files, and what is refused.

use std::path::{Path, PathBuf};

use super::*;
use crate::clock::Timestamp;
use crate::store::contract::{NOTE, Place, add, execute, found, log_in, number};
use crate::store::copy::tables::{Kind, TABLES};
use crate::store::copy::transfer::must_have_no_nul;
use crate::store::driver::{Dialect, Fault, Queries, Row, Value};
use crate::store::{Entry, Event};

/// Every table with rows, and with values that are easily changed by a copy.
pub(in crate::store) fn fill(store: &Store) {
    let long = "lang \u{1F600} ".repeat(20_000);
    let texts = ["", " ", "'", "\"", "\\", "\\x00", "NULL", "\u{FFFD}", "\u{10FFFF}\r\n\t", &long];
    for (number, text) in texts.iter().enumerate() {
        let id =
            add(store, &format!("user{number}"), Some(&format!("u{number}@a.example"))).unwrap();
        log_in(store, id, &format!("session{number}"), 100);
        execute(
            store,
            "UPDATE users SET password = $1, created = $2, language = $1 WHERE id = $3",
            &[(*text).into(), i64::MIN.into(), id.into()],
        )
        .unwrap();
        execute(
            store,
            "UPDATE sessions SET agent = $1, expires = $2, ended = $3, refreshed_address = $1,
             refreshed_agent = $1 WHERE \"user\" = $4",
            &[(*text).into(), i64::MAX.into(), (-1_i64).into(), id.into()],
        )
        .unwrap();
        execute(
            store,
            "INSERT INTO outbox (message, kind, \"user\", email, created, detail) VALUES
             ($1, $1, $2, $1, 0, $1)",
            &[(*text).into(), id.into()],
        )
        .unwrap();
    }
    fill_small_tables(store);
    for event in [Event::LoginFailed, Event::Login, Event::LoginFailed] {
        store.record(&Entry { event, detail: "it's", ..NOTE }, Timestamp(1_000)).unwrap();
    }
    // The highest ids have been given out and are gone.
    for _ in 0..3 {
        let id = add(store, "gone", None).unwrap();
        execute(store, "DELETE FROM users WHERE id = $1", &[id.into()]).unwrap();
    }
    execute(store, "DELETE FROM outbox WHERE id > 8", &[]).unwrap();
}

fn fill_small_tables(store: &Store) {
    let bytes: Vec<u8> = (0..=255).collect();
    let blobs: [&[u8]; 4] = [&[], &[0], &bytes, b"\\x41"];
    for (number, blob) in blobs.into_iter().enumerate() {
        let id = format!("i{number}");
        execute(
            store,
            "INSERT INTO invitations (id, hash, roles, created, expires, creator)
             VALUES ($1, $2, 'a,b', 1, 2, NULL)",
            &[id.as_str().into(), blob.into()],
        )
        .unwrap();
        execute(
            store,
            "INSERT INTO app_passwords (id, hash, \"user\", name, hosts, api, created, expires, used)
             VALUES ($1, $2, 2, 'Ada''s phone', 'cal.example.org', $3, 1, NULL, 5)",
            &[id.as_str().into(), blob.into(), (blob.len() > 1).into()],
        )
        .unwrap();
        execute(
            store,
            "INSERT INTO recovery_codes (\"user\", hash) VALUES (2, $1)",
            &[blob.into()],
        )
        .unwrap();
        execute(
            store,
            "INSERT INTO tickets (jti, \"user\", purpose, expires, email, creator)
             VALUES ($1, 1, 'reset', 7, NULL, 2)",
            &[id.as_str().into()],
        )
        .unwrap();
    }
    for name in ["ada lovelace", "ADA", "\u{10FFFF}'\\"] {
        execute(
            store,
            "INSERT INTO former_names (name, \"user\", told) VALUES ($1, 4, NULL)",
            &[name.into()],
        )
        .unwrap();
    }
    execute(store, "UPDATE former_names SET told = 7 WHERE name = 'ADA'", &[]).unwrap();
    execute(
        store,
        "INSERT INTO second_factors (\"user\", secret, created, confirmed, last_step)
         VALUES (3, $1, 1, NULL, $2)",
        &[bytes.as_slice().into(), i64::MAX.into()],
    )
    .unwrap();
}

/// All rows of a file, each value as SQLite writes it into a statement.
pub(in crate::store) fn dump(file: &Path) -> Vec<String> {
    let store = Store::open(&file.into(), 1).unwrap();
    let mut found = Vec::new();
    for table in &TABLES {
        let quoted = table.columns.iter().map(|(name, _)| format!("quote(\"{name}\")"));
        let quoted = quoted.collect::<Vec<_>>().join(" || ',' || ");
        let sql = format!("SELECT {quoted} FROM {} ORDER BY 1", table.name);
        let sql: &'static str = Box::leak(sql.into_boxed_str());
        let rows = store.read(|queries| {
            queries.query(sql, &[], &mut |row| {
                found.push(format!("{}: {}", table.name, row.get::<String>(0)?));
                Ok(())
            })
        });
        rows.unwrap();
    }
    found
}

fn copy(from: &Path, to: &Path) -> Result<Vec<CopiedTable>, Problem> {
    Store::copy(&from.into(), &to.into(), &mut |_| {})
}

/// A file with everything in it, and the path of one that is not there.
fn filled(place: &Place) -> (PathBuf, PathBuf) {
    let (from, to) = (place.file(), place.0.join("copy.db"));
    fill(&Store::open(&(&from).into(), 1).unwrap());
    (from, to)
}

#[test]
fn the_list_has_every_column_of_the_schema() {
    let place = Place::new("copy-columns");
    let store = Store::open(&place.file().into(), 1).unwrap();
    let mut real = Vec::new();
    let read = store.read(|queries| {
        queries.query(
            "SELECT t.name || ' ' || c.name || ' ' || c.type || iif(c.pk > 0, ' key', '')
             FROM sqlite_schema t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.rowid, c.cid",
            &[],
            &mut |row| {
                real.push(row.get::<String>(0)?);
                Ok(())
            },
        )
    });
    read.unwrap();
    assert_eq!(listed(["INTEGER", "INTEGER", "TEXT", "BLOB"]), real);
}

/// The columns of the list as `table column type`, and `key` after that if they are of the key. The
/// types are those for integers, booleans, texts and bytes.
pub(in crate::store) fn listed(types: [&str; 4]) -> Vec<String> {
    let mut listed = Vec::new();
    for table in &TABLES {
        for (number, (column, kind)) in table.columns.iter().enumerate() {
            let kind = match kind {
                Kind::Integer => types[0],
                Kind::Boolean => types[1],
                Kind::Text => types[2],
                Kind::Bytes => types[3],
            };
            let key = if number < table.key { " key" } else { "" };
            listed.push(format!("{} {column} {kind}{key}", table.name));
        }
    }
    listed
}

#[test]
fn everything_arrives_as_it_was() {
    let place = Place::new("copy");
    let (from, to) = filled(&place);
    let before = dump(&from);
    let copied = copy(&from, &to).unwrap();
    assert_eq!(dump(&from), before);
    assert_eq!(dump(&to), before);
    let rows: u64 = copied.iter().map(|table| table.rows).sum();
    assert_eq!(rows, before.len() as u64);
    assert!(copied.iter().all(|table| table.rows > 0), "{copied:?}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&to).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let store = Store::open(&(&to).into(), 1).unwrap();
    assert_eq!(found(&store, "u3@a.example").unwrap(), "user3");
    let last = number(&store, "SELECT seq FROM sqlite_sequence WHERE name = 'users'");
    assert_eq!(add(&store, "next", None).unwrap(), last + 1);
    assert_eq!(last, 13);
    assert_eq!(number(&store, "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'"), 10);
    drop(store);

    // Nothing but what is expected lies beside it, and a second copy is refused.
    let refused = copy(&from, &to).unwrap_err();
    assert!(refused.what.ends_with("copy.db is not empty: users has rows"), "{refused}");
}

#[test]
fn many_pages_arrive() {
    let place = Place::new("copy-pages");
    let (from, to) = (place.file(), place.0.join("copy.db"));
    let store = Store::open(&(&from).into(), 1).unwrap();
    add(&store, "ada", None).unwrap();
    for (table, rows) in [("audit", 2_999_i64), ("recovery_codes", 2_000), ("sessions", 1_001)] {
        let sql = match table {
            "audit" => {
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                 INSERT INTO audit (at, event) SELECT i, 'x' FROM n"
            }
            "recovery_codes" => {
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                 INSERT INTO recovery_codes SELECT 1, CAST(i AS BLOB) FROM n"
            }
            _ => {
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                 INSERT INTO sessions (jti, user, created, newest, expires, address, agent)
                 SELECT 'Ab' || i || 'é', 1, 1, 1, 1, '', '' FROM n"
            }
        };
        execute(&store, sql, &[rows.into()]).unwrap();
    }
    drop(store);
    let mut shown = Vec::new();
    let copied = Store::copy(&(&from).into(), &(&to).into(), &mut |progress| {
        shown.push((progress.table, progress.checking, progress.rows, progress.of));
    });
    let rows = |copied: &[CopiedTable], name| {
        copied.iter().find(|table| table.table == name).map(|table| table.rows)
    };
    let copied = copied.unwrap();
    assert_eq!(rows(&copied, "audit"), Some(3_000));
    assert_eq!(rows(&copied, "recovery_codes"), Some(2_000));
    assert_eq!(rows(&copied, "sessions"), Some(1_001));
    assert_eq!(dump(&to), dump(&from));
    for expected in [
        ("sessions", false, 1_000, 1_001),
        ("sessions", true, 1_000, 1_001),
        ("audit", true, 2_000, 3_000),
    ] {
        assert!(shown.contains(&expected), "{expected:?}: {shown:?}");
    }
}

#[test]
fn an_empty_database_takes_a_copy() {
    let place = Place::new("copy-empty");
    let (from, to) = filled(&place);
    // As a server makes it, and as `touch` does.
    drop(Store::open(&(&to).into(), 1).unwrap());
    copy(&from, &to).unwrap();
    let touched = place.0.join("touched.db");
    fs::write(&touched, "").unwrap();
    copy(&to, &touched).unwrap();
    assert_eq!(dump(&touched), dump(&from));
}

#[test]
fn the_same_database_is_refused() {
    let place = Place::new("copy-same");
    let (from, _) = filled(&place);
    let other = place.0.join("link.db");
    fs::hard_link(&from, &other).unwrap();
    for to in [&from, &other, &place.0.join("./lictor.db")] {
        let refused = copy(&from, to).unwrap_err();
        assert!(refused.usage && refused.what.ends_with("are the same database"), "{refused}");
    }
}

#[test]
fn what_is_absent_or_older_is_refused() {
    let place = Place::new("copy-refused");
    let (file, absent) = filled(&place);
    let refused = copy(&absent, &place.0.join("other.db")).unwrap_err();
    assert!(refused.what.starts_with("there is no database at "), "{refused}");
    let store = Store::open(&(&file).into(), 1).unwrap();
    execute(&store, "PRAGMA user_version = 3", &[]).unwrap();
    drop(store);
    for (from, to) in [(&file, &absent), (&absent, &file)] {
        // The other side must be good to get that far.
        if from == &absent {
            drop(Store::open(&from.into(), 1).unwrap());
        }
        let refused = copy(from, to).unwrap_err();
        assert!(refused.what.ends_with("is of version 3; a copy needs version 8"), "{refused}");
        assert!(refused.next.contains("start this lictor on it once"), "{refused}");
    }
}

#[test]
fn a_file_that_is_open_elsewhere_is_refused() {
    let place = Place::new("copy-open");
    let (from, to) = filled(&place);
    for side in [&from, &to] {
        let open = Store::open(&side.into(), 1).unwrap();
        for busy in [false, true] {
            open.upkeep(busy);
            let refused = copy(&from, &to).unwrap_err();
            let expected = format!("the database {} is in use", side.display());
            assert!(refused.what.starts_with(&expected), "{refused}");
            assert!(open.health().read.is_ok());
        }
    }
    copy(&from, &to).unwrap();
}

#[test]
fn nobody_else_gets_in_meanwhile() {
    let place = Place::new("copy-alone");
    let (from, to) = filled(&place);
    let mut tried = 0;
    Store::copy(&(&from).into(), &(&to).into(), &mut |progress| {
        if progress.table == "users" && progress.rows == 0 {
            let file = if progress.checking { &to } else { &from };
            tried += 1;
            let refused = Store::open(&file.into(), 1).unwrap_err();
            assert!(refused.what.contains("locked by another program"), "{refused}");
        }
    })
    .unwrap();
    assert_eq!(tried, 2);
}

/// Runs a statement on a file without checks of foreign keys, as people do with other programs.
pub(in crate::store) fn tamper(file: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
}

#[test]
fn a_failure_in_the_middle_leaves_nothing() {
    for (sql, expected) in [
        ("DELETE FROM users WHERE id = 5", "cannot write sessions in"),
        ("UPDATE audit SET detail = CAST(x'ff' AS TEXT) WHERE id = 3", "cannot read audit in"),
    ] {
        let place = Place::new("copy-fails");
        let (from, to) = filled(&place);
        tamper(&from, sql);
        let refused = copy(&from, &to).unwrap_err();
        assert!(refused.what.starts_with(expected), "{refused}");
        assert!(refused.next.starts_with("nothing was copied"), "{refused}");
        let mut left = fs::read_dir(&place.0).unwrap().map(|file| file.unwrap().file_name());
        assert!(left.all(|name| name.to_str().unwrap().starts_with("lictor.db")));
        // An empty one stays empty.
        drop(Store::open(&(&to).into(), 1).unwrap());
        let before = dump(&to);
        copy(&from, &to).unwrap_err();
        assert_eq!((dump(&to), before), (Vec::new(), Vec::new()));
    }
}

/// Answers that are wrong in one way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// None is.
    No,
    /// What was written is changed, as by a disk.
    Changes,
    /// There is one row more in each table than can be read.
    Miscounts,
}

struct Lying<'a>(&'a mut dyn Queries, Lie);

struct OneMore<'a>(&'a dyn Row);

impl Row for OneMore<'_> {
    fn integer(&self, column: usize) -> Result<Option<i64>, Fault> {
        Ok(self.0.integer(column)?.map(|count| count + 1))
    }

    fn boolean(&self, column: usize) -> Result<bool, Fault> {
        self.0.boolean(column)
    }

    fn text(&self, column: usize) -> Result<Option<&str>, Fault> {
        self.0.text(column)
    }

    fn blob(&self, column: usize) -> Result<Option<&[u8]>, Fault> {
        self.0.blob(column)
    }
}

impl Queries for Lying<'_> {
    fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, Fault> {
        self.0.execute(sql, values)
    }

    fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.0.query(sql, values, row)
    }

    fn query_first(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let miscounts = self.1 == Lie::Miscounts && sql.starts_with("SELECT count(*)");
        self.0.query_first(sql, values, &mut |found| match miscounts {
            true => row(&OneMore(found)),
            false => row(found),
        })
    }

    fn execute_each(&mut self, sql: &'static str, sets: &[&[Value<'_>]]) -> Result<(), Fault> {
        self.0.execute_each(sql, sets)?;
        if self.1 == Lie::Changes && sql.starts_with("INSERT INTO outbox") {
            self.0.execute("UPDATE outbox SET detail = 'other' WHERE id = 4", &[])?;
        }
        if self.1 == Lie::Changes && sql.starts_with("INSERT INTO audit") {
            self.0.execute("DELETE FROM audit WHERE id = 4", &[])?;
        }
        Ok(())
    }
}

/// What a copy is refused for if the source or the destination lies; nothing is left of it.
fn refused(from: &Path, to: &Path, source_lies: Lie, destination_lies: Lie) -> String {
    let copied = read_alone(&from.into(), |source| {
        write_alone(&to.into(), |destination| {
            let mut source = Lying(source, source_lies);
            let mut destination = Lying(destination, destination_lies);
            let mut source = Side { queries: &mut source, name: "from".into() };
            let mut destination = Side { queries: &mut destination, name: "to".into() };
            transfer(&mut source, &mut destination, &mut |_| {})
        })
    });
    assert!(!to.exists());
    copied.unwrap_err().what
}

#[test]
fn what_reads_back_otherwise_is_refused() {
    let place = Place::new("copy-differs");
    let (from, to) = filled(&place);
    let what = refused(&from, &to, Lie::No, Lie::Changes);
    assert_eq!(what, "to gives back outbox with other values than were written");
    tamper(&from, "DELETE FROM outbox");
    let what = refused(&from, &to, Lie::No, Lie::Changes);
    assert!(what.starts_with("to gives back audit with "), "{what}");
    assert!(what.contains(" rows instead of "), "{what}");
}

#[test]
fn rows_that_are_counted_and_not_read_are_missed() {
    let place = Place::new("copy-misses");
    let (from, to) = filled(&place);
    let what = refused(&from, &to, Lie::Miscounts, Lie::No);
    assert!(what.starts_with("from gives ") && what.contains(", but counts "), "{what}");
}

#[test]
fn an_index_that_lacks_rows_is_found_before_a_copy() {
    let place = Place::new("copy-index");
    let (from, to) = filled(&place);
    let index = |sql: &str| {
        let set = format!("UPDATE sqlite_schema SET sql = {sql} WHERE name = 'sessions_by_expiry'");
        tamper(&from, &format!("PRAGMA writable_schema = ON; {set}"));
    };
    index("sql || ' WHERE 0'");
    tamper(&from, "UPDATE sessions SET expires = 5 WHERE jti = 'session4'");
    index("replace(sql, ' WHERE 0', '')");
    let refused = copy(&from, &to).unwrap_err();
    assert!(refused.what.contains("is damaged: "), "{refused}");
    assert!(!to.exists());
}

#[test]
fn a_text_with_a_nul_is_found() {
    let place = Place::new("copy-nul");
    let (from, _) = filled(&place);
    let look = || {
        read_alone(&(&from).into(), |queries| {
            must_have_no_nul(&mut Side { queries, name: "from".into() })
        })
    };
    assert_eq!(look(), Ok(()));
    tamper(&from, "UPDATE sessions SET agent = 'a' || char(0) || 'b' WHERE jti = 'session4'");
    let refused = look().unwrap_err();
    assert_eq!(
        refused.what,
        "from has a text with a NUL character, which PostgreSQL cannot keep: sessions, jti session4"
    );
}
