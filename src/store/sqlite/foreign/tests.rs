use std::fs;
use std::path::PathBuf;

use super::*;

/// A folder of this test, which is deleted at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("lictor-foreign-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Makes a database; the connection stays open.
    fn make(&self, sql: &str) -> (PathBuf, Connection) {
        let path = self.0.join("app.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
        (path, connection)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn table(name: &str, columns: &[&str]) -> Table {
    Table { name: name.into(), columns: columns.iter().map(|&column| column.into()).collect() }
}

/// The rows as text; at last the problem, if there is one.
fn rows(path: &Path, name: &str, columns: &[&str], order: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    let read = read_table(path, &table(name, columns), order, &mut |number, cells| {
        let cells = cells.iter().map(|cell| match cell {
            Cell::Null => "-".to_owned(),
            Cell::Text(text) if text.len() > 100 => format!("{} bytes", text.len()),
            Cell::Text(text) => (*text).to_owned(),
            Cell::Unreadable(why) => format!("!{why}"),
        });
        found.push(format!("{number}: {}", cells.collect::<Vec<_>>().join("|")));
        Ok(())
    });
    found.extend(read.err().map(|problem| problem.what));
    found
}

#[test]
fn values_of_any_type_are_text() {
    let folder = Folder::new("values");
    let (path, _open) = folder.make(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, x, big BLOB);
         INSERT INTO users (x) VALUES (NULL), (''), ('ada'), (7), (-9223372036854775808), (1.0),
            (1764432000.25), (x'616461'), (x'ff'), (x'610062'), (CAST(x'e9' AS TEXT)),
            (CAST(x'610062' AS TEXT)), (printf('%.*c', 65536, 'x')), (printf('%.*c', 65537, 'x')),
            (zeroblob(5000000));
         UPDATE users SET big = zeroblob(20000000) WHERE id = 3",
    );
    assert_eq!(
        rows(&path, "users", &["id", "x", "x"], None),
        [
            "1: 1|-|-",
            "2: 2||",
            "3: 3|ada|ada",
            "4: 4|7|7",
            "5: 5|-9223372036854775808|-9223372036854775808",
            "6: 6|1.0|1.0",
            "7: 7|1764432000.25|1764432000.25",
            "8: 8|ada|ada",
            "9: 9|!not UTF-8|!not UTF-8",
            "10: 10|!holds a NUL|!holds a NUL",
            "11: 11|!not UTF-8|!not UTF-8",
            "12: 12|!holds a NUL|!holds a NUL",
            "13: 13|65536 bytes|65536 bytes",
            "14: 14|!longer than 64 KiB|!longer than 64 KiB",
            "15: 15|!longer than 64 KiB|!longer than 64 KiB",
        ]
    );
    assert_eq!(rows(&path, "users", &[], None).len(), 15);
}

#[test]
fn tables_of_any_kind_and_name_are_read_in_order() {
    let folder = Folder::new("tables");
    let name = "x\"; DROP TABLE users; --";
    let (path, _open) = folder.make(&format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, Name TEXT);
         INSERT INTO users VALUES (5, 'e'), (2, 'b');
         CREATE TABLE pairs (k TEXT PRIMARY KEY, id INT) WITHOUT ROWID;
         INSERT INTO pairs VALUES ('a', 9), ('b', 3);
         CREATE VIEW people AS SELECT id AS number, upper(name) AS name FROM users;
         CREATE VIEW broken AS SELECT * FROM gone;
         CREATE TABLE {quoted} (\"a'b\" TEXT, \"select\" TEXT, \"c]\" GENERATED ALWAYS AS (1));
         INSERT INTO {quoted} VALUES ('x', 'y');
         CREATE TABLE Account (id);
         CREATE TABLE empty (id)",
        quoted = quoted(name)
    ));
    let check = |name: &str, columns: &[&str], order, expected: &[&str]| {
        assert_eq!(rows(&path, name, columns, order), expected, "{name}");
    };
    check("users", &["id", "Name"], Some("id"), &["1: 2|b", "2: 5|e"]);
    check("pairs", &["k"], Some("id"), &["1: b", "2: a"]);
    check("people", &["name"], Some("number"), &["1: B", "2: E"]);
    check(name, &["select", "a'b", "c]"], None, &["1: y|x|1"]);
    check("empty", &["id"], None, &[]);
    check("account", &["id"], None, &[]);
    check("users", &["name"], None, &["the table users has no column name"]);
    check("users", &["1"], None, &["the table users has no column 1"]);
    check(
        "users",
        &[],
        Some("id; DROP TABLE users"),
        &["the table users has no column id; DROP TABLE users"],
    );
    check("users; DROP TABLE users", &["id"], None, &["there is no table users; DROP TABLE users"]);
    check("sqlite_schema", &["sql"], None, &["there is no table sqlite_schema"]);
    assert_eq!(rows(&path, "broken", &[], None).len(), 1);
    assert_eq!(find(&path, "USERS").unwrap(), Some(table("users", &["id", "Name"])));
    assert_eq!(find(&path, "main.users").unwrap(), None);
    let all = tables(&path).unwrap();
    assert_eq!(all.len(), 7);
    assert_eq!(all[0], table("users", &["id", "Name"]));
    assert_eq!(all[3].name, "broken");
    assert_eq!(all[4], table(name, &["a'b", "select", "c]"]));
}

#[test]
fn counters() {
    let folder = Folder::new("counters");
    let (path, open) = folder.make(
        "CREATE TABLE plain (id INTEGER PRIMARY KEY); INSERT INTO plain VALUES (7);
         CREATE TABLE empty (id INTEGER PRIMARY KEY);",
    );
    assert_eq!(last_id(&path, &table("plain", &[])).unwrap(), Counter::Absent);
    open.execute_batch(
        "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT);
         INSERT INTO counted VALUES (12); DELETE FROM counted;
         CREATE TABLE odd (id INTEGER PRIMARY KEY AUTOINCREMENT);
         INSERT INTO sqlite_sequence VALUES ('odd', 'many'), ('plain', -5)",
    )
    .unwrap();
    for (name, expected) in [
        ("counted", Counter::At(12)),
        ("empty", Counter::Absent),
        ("odd", Counter::Absent),
        ("plain", Counter::At(0)),
    ] {
        assert_eq!(last_id(&path, &table(name, &[])).unwrap(), expected, "{name}");
    }
}

#[test]
fn a_file_that_its_program_uses_is_read_and_not_changed() {
    let folder = Folder::new("wal");
    let (path, app) = folder
        .make("PRAGMA journal_mode = WAL; CREATE TABLE users (id); INSERT INTO users VALUES (1)");
    let before = fs::read(&path).unwrap();
    app.execute_batch(
        "INSERT INTO users VALUES (2); BEGIN IMMEDIATE; INSERT INTO users VALUES (3)",
    )
    .unwrap();
    assert_eq!(rows(&path, "users", &["id"], None), ["1: 1", "2: 2"]);
    app.execute_batch("COMMIT").unwrap();
    assert_eq!(rows(&path, "users", &["id"], None), ["1: 1", "2: 2", "3: 3"]);
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// What lies in a folder, by name, with its bytes.
fn listing(folder: &Folder) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let entries = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries
        .map(|path| (path.file_name().unwrap().to_owned(), fs::read(path).unwrap()))
        .collect();
    found.sort();
    found
}

#[test]
fn nothing_is_left_beside_a_file_in_wal_mode() {
    let folder = Folder::new("beside é %?#");
    let (path, app) = folder
        .make("PRAGMA journal_mode = WAL; CREATE TABLE users (id); INSERT INTO users VALUES (1)");
    drop(app);
    let before = listing(&folder);
    assert_eq!(before.len(), 1);
    let link = std::env::temp_dir().join(format!("lictor-foreign-link-{}", std::process::id()));
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for path in [&path, &link] {
        assert_eq!(rows(path, "users", &["id"], None), ["1: 1"]);
        assert_eq!(tables(path).unwrap().len(), 1);
        assert_eq!(last_id(path, &table("users", &[])).unwrap(), Counter::Absent);
        assert!(!is_lictor(path).unwrap());
        assert!(listing(&folder) == before);
    }
    fs::remove_file(&link).unwrap();
    // A program that crashed leaves its log, which has the last rows.
    let app = Connection::open(&path).unwrap();
    app.execute_batch("INSERT INTO users VALUES (2)").unwrap();
    let copy = Folder::new("crashed");
    for name in ["app.db", "app.db-wal"] {
        fs::copy(folder.0.join(name), copy.0.join(name)).unwrap();
    }
    assert_eq!(rows(&copy.0.join("app.db"), "users", &["id"], None), ["1: 1", "2: 2"]);
}

#[test]
fn a_file_without_locks_that_is_changed_meanwhile_is_told() {
    let folder = Folder::new("changed");
    let (path, app) = folder.make(
        "PRAGMA journal_mode = WAL; CREATE TABLE users (id); INSERT INTO users VALUES (1), (2)",
    );
    drop(app);
    for keep_open in [true, false] {
        let mut app = None;
        let read = read_table(&path, &table("users", &["id"]), None, &mut |_, _| {
            let new = Connection::open(&path).unwrap();
            new.execute_batch("INSERT INTO users VALUES (3)").unwrap();
            app = keep_open.then_some(new);
            Ok(())
        });
        let problem = read.unwrap_err();
        assert!(problem.what.ends_with("was changed while it was read"), "{problem}");
        assert!(problem.next.contains("from a copy"), "{problem}");
    }
}

#[test]
fn rows_are_of_one_moment() {
    let folder = Folder::new("moment");
    let (path, app) = folder.make(
        "PRAGMA journal_mode = WAL; CREATE TABLE users (id); INSERT INTO users VALUES (1), (2)",
    );
    let mut count = 0;
    read_table(&path, &table("users", &["id"]), None, &mut |_, _| {
        count += 1;
        app.execute_batch("INSERT INTO users VALUES (3)").unwrap();
        Ok(())
    })
    .unwrap();
    assert_eq!(count, 2);
}

#[test]
fn a_write_that_did_not_finish_is_told() {
    let folder = Folder::new("hot");
    let (path, app) = folder.make(
        "CREATE TABLE users (id, x); INSERT INTO users VALUES (1, zeroblob(100000));
         PRAGMA cache_size = 1; BEGIN; UPDATE users SET x = randomblob(100000)",
    );
    // The journal is hot when its writer is gone: a copy has no locks.
    let copy = folder.0.join("copy.db");
    fs::copy(&path, &copy).unwrap();
    fs::copy(folder.0.join("app.db-journal"), folder.0.join("copy.db-journal")).unwrap();
    drop(app);
    let before = fs::read(&copy).unwrap();
    let found = rows(&copy, "users", &["id"], None);
    assert!(
        found[0].contains("did not finish") && found[0].contains("copy.db-journal"),
        "{found:?}"
    );
    assert_eq!(fs::read(&copy).unwrap(), before);
}

#[test]
fn damage_is_an_error_with_the_row() {
    let folder = Folder::new("damage");
    let (path, app) = folder.make(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, x);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO users SELECT i, hex(randomblob(200)) FROM n",
    );
    drop(app);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    let found = rows(&path, "users", &["id", "x"], None);
    let last = found.last().unwrap();
    let after = format!("after row {}: the file is damaged", found.len() - 1);
    assert!(found.len() > 100 && last.contains(&after), "{last}");
    // Cut inside the last page, which SQLite would fill up with zeros.
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let problem = find(&path, "users").unwrap_err();
    assert!(problem.what.contains("it ends inside a page"), "{problem}");
    // Cut in the middle.
    fs::write(&path, &bytes[..middle]).unwrap();
    assert!(rows(&path, "users", &["id", "x"], None).last().unwrap().contains("damaged"));
    for (text, expected) in [
        (&b"SQLite format 3\0 and nonsense"[..], "not an SQLite database"),
        (b"id,username\n", "not an SQLite database"),
    ] {
        fs::write(&path, text).unwrap();
        let problem = find(&path, "users").unwrap_err();
        assert!(problem.what.contains(expected), "{problem}");
    }
    assert!(find(&folder.0.join("none"), "users").unwrap_err().next.contains("read the file and"));
}

#[test]
fn text_in_utf_16_is_told() {
    let folder = Folder::new("utf16");
    let (path, app) = folder.make("CREATE TABLE users (id)");
    drop(app);
    let mut bytes = fs::read(&path).unwrap();
    bytes[59] = 2;
    // The schema, of which only the first letters are looked at.
    let at = bytes.windows(6).position(|part| part == b"CREATE").unwrap();
    bytes[at + 1] = 0;
    fs::write(&path, &bytes).unwrap();
    let problem = find(&path, "users").unwrap_err();
    assert!(problem.what.contains("UTF-16"), "{problem}");
}

#[test]
fn damaged_files_never_panic() {
    let folder = Folder::new("random");
    let (path, app) = folder.make(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, x); CREATE INDEX i ON users (x);
         CREATE VIEW v AS SELECT x FROM users;
         INSERT INTO users (x) VALUES ('a'), ('b'), (zeroblob(10000)), (7)",
    );
    drop(app);
    let good = fs::read(&path).unwrap();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % limit as u64).unwrap()
    };
    for _ in 0..500 {
        let mut bytes = good.clone();
        for _ in 0..=below(8) {
            // Most in the first page, which has the header and the schema.
            let at = if below(3) == 0 { below(bytes.len()) } else { below(4096) };
            bytes[at] = u8::try_from(below(256)).unwrap();
        }
        fs::write(&path, &bytes).unwrap();
        let _ = (tables(&path), last_id(&path, &table("users", &[])), is_lictor(&path));
        rows(&path, "users", &["id", "x"], Some("x"));
        rows(&path, "v", &["x"], None);
    }
}

#[test]
fn what_a_hostile_file_would_run_does_not_run() {
    let folder = Folder::new("hostile");
    let columns: Vec<String> = (0..1_999).map(|number| format!("c{number}")).collect();
    let (path, app) = folder.make(&format!(
        "CREATE TABLE wide ({});
         INSERT INTO wide (c1998) VALUES ('last');
         CREATE VIEW users AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
            SELECT id, 'x' AS name FROM n;
         CREATE VIEW extension AS SELECT load_extension('/tmp/evil') AS id;
         PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema VALUES ('table', 'search', 'search', 0,
            'CREATE VIRTUAL TABLE search USING fts5(name)')",
        columns.join(",")
    ));
    drop(app);
    assert_eq!(rows(&path, "wide", &["c1998", "c0"], None), ["1: last|-"]);
    assert_eq!(tables(&path).unwrap()[0].columns.len(), MAX_SHOWN);
    assert_eq!(find(&path, "wide").unwrap().unwrap().columns.len(), 1_999);
    assert_eq!(find(&path, "search").unwrap(), None);
    assert_eq!(rows(&path, "extension", &["id"], None).len(), 1);
    // A view without end is read until the reader stops.
    let stopped =
        read_table(&path, &table("users", &["id"]), None, &mut |number, _| match number {
            1_000 => Err(Problem::new("enough", "")),
            _ => Ok(()),
        });
    assert_eq!(stopped.unwrap_err().what, "enough");
}

#[test]
fn a_step_has_a_time_limit() {
    let folder = Folder::new("time");
    let (path, app) = folder.make(
        "CREATE VIEW users AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
            SELECT count(*) AS id FROM n",
    );
    drop(app);
    let clock = Clock::start();
    clock.limit.store(200, Ordering::Relaxed);
    let connection = connect(&path, &Mode::Locked, clock.clone()).unwrap();
    let begun = Instant::now();
    let error = connection.query_row("SELECT id FROM users", [], |_| Ok(())).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert!(failed(&path, Some(3), error).what.contains("after row 3: SQLite worked on one row"));
}

#[test]
fn names_that_are_no_paths_are_paths_here() {
    let folder = Folder::new("paths");
    let (path, app) = folder.make("CREATE TABLE users (id)");
    drop(app);
    let uri = folder.0.join("file:app.db?mode=memory");
    fs::copy(&path, &uri).unwrap();
    assert!(find(&uri, "users").unwrap().is_some());
    assert!(find(Path::new(":memory:"), "users").is_err());
    assert!(find(Path::new("file::memory:"), "users").is_err());
}

#[test]
fn a_database_of_lictor_is_recognized() {
    let folder = Folder::new("own");
    let (path, app) = folder.make("CREATE TABLE users (id)");
    drop(app);
    assert!(!is_lictor(&path).unwrap());
    let own = folder.0.join("lictor.db");
    drop(super::super::Sqlite::open(&own, 1).unwrap());
    assert!(is_lictor(&own).unwrap());
}

#[test]
#[ignore = "measures"]
fn a_hundred_thousand_rows() {
    let folder = Folder::new("measure");
    let (path, app) = folder.make(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password TEXT, roles TEXT,
            is_active BOOLEAN, email TEXT, created_at DATETIME);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO users SELECT i, 'user ' || i, printf('$pbkdf2-sha512$25000$%.110c', 'x'), 'user',
            1, 'user' || i || '@example.com', '2025-11-29 16:00:00' FROM n",
    );
    drop(app);
    let columns = ["id", "username", "password", "roles", "is_active", "email", "created_at"];
    let begun = Instant::now();
    let mut count = 0;
    read_table(&path, &table("users", &columns), Some("id"), &mut |number, _| {
        count = number;
        Ok(())
    })
    .unwrap();
    println!("SQLite: {count} rows in {:?}", begun.elapsed());
}
