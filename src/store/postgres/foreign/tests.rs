use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;
use crate::store::postgres::databases::TestDatabase;
use crate::store::postgres::target::Address;
use crate::store::postgres::tests::Proxy;

fn table(name: &str, columns: &[&str]) -> Table {
    Table { name: name.into(), columns: columns.iter().map(|&column| column.into()).collect() }
}

/// The rows as text; at last the problem, if there is one.
fn rows(target: &Target, name: &str, columns: &[&str], order: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    let read = read_table(target, &table(name, columns), order, &mut |number, cells| {
        let cells = cells.iter().map(|cell| match cell {
            Cell::Null => "-".to_owned(),
            Cell::Text(text) if text.len() > 100 => format!("{} bytes", text.len()),
            Cell::Text(text) => (*text).to_owned(),
            Cell::Unreadable(why) => format!("!{why}"),
        });
        found.push(format!("{number}: {}", cells.collect::<Vec<_>>().join("|")));
        Ok(())
    });
    found.extend(read.err().map(|problem| problem.to_string()));
    found
}

/// A database with nothing in its schema `public`.
fn database() -> Option<TestDatabase> {
    let database = TestDatabase::empty()?;
    database.script(
        "SET client_min_messages = error; DROP SCHEMA IF EXISTS auth, other CASCADE;
         DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO public",
    );
    Some(database)
}

#[test]
fn values_of_any_type_are_text() {
    let Some(database) = database() else { return };
    database.script(
        "CREATE DOMAIN public.raw AS bytea;
         CREATE TABLE public.users (id serial, t text, b bytea, r public.raw, c char(5), n numeric,
            f boolean, j jsonb, a text[], at timestamptz, d date, u uuid, x xml);
         INSERT INTO public.users VALUES
            (1, 'ada', 'ada', 'raw', 'x', 1.50, true, '{\"a\": 1}', '{a,\"b c\"}',
                '2025-11-29 18:00:00.5+02', '2025-11-29', '00000000-0000-0000-0000-000000000001', '<a/>'),
            (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
         INSERT INTO public.users (id, t, b, r) VALUES (3, '', '\\xff', '\\x610062');
         INSERT INTO public.users (id, t, b) VALUES (4, repeat('x', 65536), convert_to(repeat('x', 65537), 'UTF8'));
         INSERT INTO public.users (id, t, j) VALUES (5, repeat('x', 65537), NULL),
            (6, repeat('\u{e9}', 32769), to_jsonb(repeat('x', 20000000)));
         ALTER TABLE public.users ALTER COLUMN t SET STORAGE EXTERNAL",
    );
    let columns = ["id", "t", "b", "r", "c", "n", "f", "j", "a", "at", "d", "u", "x"];
    assert_eq!(
        rows(&database.target, "users", &columns, Some("id")),
        [
            "1: 1|ada|ada|raw|x|1.50|true|{\"a\": 1}|{a,\"b c\"}|2025-11-29 16:00:00.5+00|2025-11-29|\
             00000000-0000-0000-0000-000000000001|<a/>",
            "2: 2|-|-|-|-|-|-|-|-|-|-|-|-",
            "3: 3||!not UTF-8|!holds a NUL|-|-|-|-|-|-|-|-|-",
            "4: 4|65536 bytes|!longer than 64 KiB|-|-|-|-|-|-|-|-|-|-",
            "5: 5|!longer than 64 KiB|-|-|-|-|-|-|-|-|-|-|-",
            "6: 6|!longer than 64 KiB|-|-|-|-|-|!longer than 64 KiB|-|-|-|-|-",
        ]
    );
    assert_eq!(rows(&database.target, "users", &[], None).len(), 6);
}

#[test]
fn tables_are_found_by_their_names() {
    let Some(database) = database() else { return };
    let evil = "x\"; DROP TABLE users; --";
    database.script(&format!(
        "CREATE TABLE public.users (id int, \"Name\" text); INSERT INTO public.users VALUES (2, 'b'), (1, 'a');
         CREATE TABLE public.\"User\" (id int);
         CREATE TABLE public.two (id int); CREATE TABLE public.\"Two\" (id int);
         CREATE VIEW public.people AS SELECT id, upper(\"Name\") AS name FROM public.users;
         CREATE MATERIALIZED VIEW public.seen AS SELECT 1 AS id;
         CREATE TABLE public.parts (id int) PARTITION BY LIST (id);
         CREATE TABLE public.part1 PARTITION OF public.parts FOR VALUES IN (1);
         INSERT INTO public.parts VALUES (1);
         CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid, email text);
         CREATE TABLE public.{} (\"a'b\" text, \"select\" int);
         INSERT INTO public.{} VALUES ('x', 1)",
        quoted(evil),
        quoted(evil)
    ));
    let target = &database.target;
    for (name, expected) in [
        ("users", Some(("users", "id, Name"))),
        ("USERS", Some(("users", "id, Name"))),
        ("public.users", Some(("users", "id, Name"))),
        ("user", Some(("User", "id"))),
        ("Two", Some(("Two", "id"))),
        ("two", Some(("two", "id"))),
        ("TWO", None),
        ("auth.users", Some(("auth.users", "id, email"))),
        ("Auth.Users", Some(("auth.users", "id, email"))),
        ("people", Some(("people", "id, name"))),
        (evil, Some((evil, "a'b, select"))),
        ("lictor.users", Some(("lictor.users", ""))),
        ("sessions", Some(("lictor.sessions", ""))),
        ("pg_catalog.pg_authid", None),
        ("pg_authid", None),
        ("none", None),
        ("", None),
        ("users; DROP TABLE users", None),
    ] {
        let found = find(target, name).unwrap();
        let found = found.map(|table| (table.name, table.columns.join(", ")));
        let expected = expected.map(|(name, columns)| (name.to_owned(), columns.to_owned()));
        match (&found, &expected) {
            (Some((name, _)), Some((expected, _))) if name.starts_with("lictor.") => {
                assert_eq!(name, expected);
            }
            _ => assert_eq!(found, expected, "{name}"),
        }
    }
    let check = |name: &str, columns: &[&str], order, expected: &[&str]| {
        assert_eq!(rows(target, name, columns, order), expected, "{name}");
    };
    check("users", &["Name", "id"], Some("id"), &["1: a|1", "2: b|2"]);
    check("people", &["name"], Some("id"), &["1: A", "2: B"]);
    check("seen", &["id"], None, &["1: 1"]);
    check("parts", &["id"], None, &["1: 1"]);
    check(evil, &["select", "a'b"], None, &["1: 1|x"]);
    check("users", &["name"], None, &["the table users has no column name\nit has id, Name"]);
    check("users", &[], Some("id; x"), &["the table users has no column id; x\nit has id, Name"]);
    let all = tables(target).unwrap();
    let names: Vec<&str> = all.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names.len(), 10, "{names:?}");
    assert_eq!(names.last(), Some(&"auth.users"));
    assert!(all.contains(&table("users", &["id", "Name"])));
}

#[test]
fn the_schema_of_lictor_is_never_meant_first() {
    let Some(database) = database() else { return };
    database.script("CREATE TABLE public.users (id int)");
    let name = &database.target.name;
    database.script(&format!("ALTER DATABASE {name} SET search_path = lictor, public"));
    let found = find(&database.target, "users").unwrap();
    let tables = tables(&database.target).unwrap();
    database.script(&format!("ALTER DATABASE {name} RESET search_path"));
    assert_eq!(found, Some(table("users", &["id"])));
    assert_eq!(tables, [table("users", &["id"])]);
}

#[test]
fn a_table_with_the_most_columns_there_are() {
    let Some(database) = database() else { return };
    let columns: Vec<String> = (1..=1_600).map(|number| format!("c{number} int")).collect();
    database.script(&format!(
        "CREATE TABLE public.wide ({}); INSERT INTO public.wide (c1600) VALUES (7)",
        columns.join(",")
    ));
    assert_eq!(find(&database.target, "wide").unwrap().unwrap().columns.len(), 1_600);
    assert_eq!(tables(&database.target).unwrap()[0].columns.len(), 1_000);
    assert_eq!(rows(&database.target, "wide", &["c1600", "c1"], Some("c1600")), ["1: 7|-"]);
}

#[test]
fn a_user_who_may_only_select() {
    let Some(database) = database() else { return };
    let reader = database.user("reader");
    let user = &reader.user;
    database.script(&format!(
        "CREATE TABLE public.users (id serial PRIMARY KEY, name text, secret text);
         INSERT INTO public.users (name) VALUES ('ada');
         CREATE TABLE public.hidden (id int);
         GRANT SELECT (id, name) ON public.users TO {user};
         CREATE TABLE public.policed (id int); GRANT SELECT ON public.policed TO {user};
         ALTER TABLE public.policed ENABLE ROW LEVEL SECURITY"
    ));
    assert_eq!(rows(&reader, "users", &["id", "name"], Some("id")), ["1: 1|ada"]);
    assert_eq!(last_id(&reader, &table("users", &[]), "id").unwrap(), Counter::Hidden);
    for (name, column, expected) in [
        ("users", "secret", "GRANT SELECT ON TABLE"),
        ("hidden", "id", "GRANT SELECT ON TABLE"),
        ("policed", "id", "a policy hides rows"),
    ] {
        let found = rows(&reader, name, &[column], None);
        assert!(found[0].contains(expected), "{found:?}");
    }
    // The server lets the session write nothing, whoever the user is.
    let mut session = Session::begin(&database.target).unwrap();
    for write in [
        "DELETE FROM public.users",
        "CREATE TABLE public.more ()",
        "SELECT nextval('public.users_id_seq')",
    ] {
        let refused = session.script(write).unwrap_err();
        assert!(refused.what.contains("25006") || refused.what.contains("25P02"), "{refused}");
    }
}

#[test]
fn counters() {
    let Some(database) = database() else { return };
    database.script(
        "CREATE SEQUENCE public.shared;
         CREATE TABLE public.t (a serial, b int GENERATED ALWAYS AS IDENTITY, c int,
            d bigint DEFAULT nextval('public.shared'), e bigserial, \"F g\" serial);
         INSERT INTO public.t (c) VALUES (1), (2), (3);
         DELETE FROM public.t;
         ALTER SEQUENCE public.t_e_seq RESTART;
         CREATE VIEW public.v AS SELECT * FROM public.t",
    );
    for (name, column, expected) in [
        ("t", "a", Counter::At(3)),
        ("t", "b", Counter::At(3)),
        ("t", "c", Counter::Absent),
        ("t", "d", Counter::At(3)),
        ("t", "e", Counter::At(0)),
        ("t", "F g", Counter::At(3)),
        ("t", "none", Counter::Absent),
        ("v", "a", Counter::Absent),
    ] {
        let found = last_id(&database.target, &table(name, &[]), column).unwrap();
        assert_eq!(found, expected, "{name}.{column}");
    }
}

#[test]
fn many_rows_of_one_moment() {
    let Some(database) = database() else { return };
    database.script(
        "CREATE TABLE public.users (id int PRIMARY KEY);
         INSERT INTO public.users SELECT generate_series(1, 1234)",
    );
    let mut expected = 0;
    read_table(&database.target, &table("users", &["id"]), Some("id"), &mut |number, cells| {
        if expected == 0 {
            database.script("INSERT INTO public.users VALUES (5000)");
        }
        expected += 1;
        assert_eq!((number, cells), (expected, &[Cell::Text(&expected.to_string())][..]));
        Ok(())
    })
    .unwrap();
    assert_eq!(expected, 1234);
    // Exactly a page.
    database.script("DELETE FROM public.users WHERE id > 500");
    assert_eq!(rows(&database.target, "users", &["id"], None).len(), 500);
    let stopped = read_table(&database.target, &table("users", &["id"]), None, &mut |number, _| {
        if number < 3 { Ok(()) } else { Err(Problem::new("enough", "")) }
    });
    assert_eq!(stopped.unwrap_err().what, "enough");
}

#[test]
fn large_rows_fit() {
    let Some(database) = database() else { return };
    database.script(
        "CREATE TABLE public.users (id int, x text);
         INSERT INTO public.users SELECT n, repeat('x', 65536) FROM generate_series(1, 501) n",
    );
    let columns = vec!["x"; MAX_READ];
    // Half a gigabyte in all, none of which is kept.
    let found = rows(&database.target, "users", &columns, None);
    assert_eq!(found.len(), 501);
    assert!(found[500].starts_with("501: 65536 bytes|"), "{}", found[500]);
}

#[test]
fn text_of_other_encodings() {
    let Some(database) = database() else { return };
    for (encoding, bytes, expected) in [
        ("SQL_ASCII", "\\xe9", "1: !not UTF-8|a"),
        ("SQL_ASCII", "\\xc3a9", "1: \u{e9}|a"),
        ("LATIN1", "\\xe9", "1: \u{e9}|a"),
    ] {
        let name = format!("{}_{}", database.target.name, encoding.to_lowercase());
        database.script(&format!("DROP DATABASE IF EXISTS {name}"));
        database.script(&format!(
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
        ));
        let target = Target { name: name.clone(), ..database.target.clone() };
        let mut connection = connect::first(&target, Role::Setup).unwrap().connection;
        let sql = format!(
            "CREATE TABLE public.users (x text, y text);
             INSERT INTO public.users VALUES (convert_from('{bytes}', '{encoding}'), 'a')"
        );
        connection.script(&sql, Instant::now() + PATIENCE).unwrap();
        drop(connection);
        let found = rows(&target, "users", &["x", "y"], None);
        database.script(&format!("DROP DATABASE {name} WITH (FORCE)"));
        assert_eq!(found, [expected], "{encoding}");
    }
}

#[test]
fn a_connection_that_breaks_says_after_which_row() {
    let Some(database) = database() else { return };
    database.script(
        "CREATE TABLE public.users (id int, x text);
         INSERT INTO public.users SELECT n, repeat('x', 10000) FROM generate_series(1, 5000) n",
    );
    let proxy = Proxy::to(&database.target.hosts[0]);
    let mut target = database.target.clone();
    target.hosts[0].address = Address::Tcp("127.0.0.1".into());
    target.hosts[0].port = proxy.port;
    let mut last = 0;
    let lost = read_table(&target, &table("users", &["id", "x"]), None, &mut |number, _| {
        last = number;
        if number == 700 {
            proxy.cut();
        }
        Ok(())
    });
    let lost = lost.unwrap_err();
    assert!((700..5000).contains(&last));
    assert!(lost.what.contains(&format!("after row {last}: the server closed")), "{lost}");
}

#[test]
fn a_query_that_fails_in_the_middle_says_after_which_row() {
    let Some(database) = database() else { return };
    database.script(
        "CREATE VIEW public.users AS SELECT n AS id, 1 / (700 - n) AS x FROM generate_series(1, 1000) n",
    );
    let found = rows(&database.target, "users", &["id", "x"], None);
    let last = found.last().unwrap();
    assert!(last.contains("after row 500") || last.contains("after row 699"), "{last}");
    assert!(last.contains("division by zero (22012)"), "{last}");
}

/// A server that answers what every session is asked, and then as the test says. Returns its target.
fn scripted(target: &Target, answer: fn(&str) -> Option<Vec<u8>>) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut target = target.clone();
    target.hosts[0].port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut buffer = vec![0; 65_536];
        let mut welcome = Some([message(b'R', &[0; 4]), ready()].concat());
        loop {
            let Ok(count @ 1..) = socket.read(&mut buffer) else { return };
            let sql = String::from_utf8_lossy(&buffer[..count]).into_owned();
            let bytes = match (welcome.take(), answer(&sql)) {
                (Some(welcome), _) => welcome,
                (None, Some(bytes)) => bytes,
                (None, None) if buffer[0] == b'Q' => done(),
                // Read only, and which server: false, and nothing.
                (None, None) if sql.contains("transaction_read_only") => {
                    [prepared(&[16]), data(&[Some(b"\0")]), done()].concat()
                }
                (None, None) => [prepared(&[20]), done()].concat(),
            };
            if bytes.is_empty() {
                hang(&mut socket);
            }
            if socket.write_all(&bytes).is_err() {
                return;
            }
        }
    });
    target
}

fn hang(socket: &mut TcpStream) {
    let _ = socket.read_to_end(&mut Vec::new());
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

fn ready() -> Vec<u8> {
    message(b'Z', b"T")
}

fn done() -> Vec<u8> {
    [message(b'C', b"SELECT 1\0"), ready()].concat()
}

fn prepared(types: &[u32]) -> Vec<u8> {
    let mut body = u16::try_from(types.len()).unwrap().to_be_bytes().to_vec();
    for oid in types {
        body.extend_from_slice(b"x\0\0\0\0\0\0\0");
        body.extend_from_slice(&oid.to_be_bytes());
        body.extend_from_slice(&[0; 8]);
    }
    [message(b'1', b""), message(b't', &[0, 0]), message(b'T', &body), message(b'2', b"")].concat()
}

fn data(columns: &[Option<&[u8]>]) -> Vec<u8> {
    let mut body = u16::try_from(columns.len()).unwrap().to_be_bytes().to_vec();
    for column in columns {
        match column {
            Some(bytes) => {
                body.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
                body.extend_from_slice(bytes);
            }
            None => body.extend_from_slice(&[0xff; 4]),
        }
    }
    message(b'D', &body)
}

/// The server that has the table `users` with the column `id`.
fn honest(sql: &str) -> Option<Vec<u8>> {
    if sql.contains("pg_namespace") {
        let row = data(&[
            Some(&[0, 0, 0, 0, 0, 0, 0, 9]),
            Some(b"public"),
            Some(b"users"),
            Some(&[0, 0, 0, 0, 0, 0, 0, 1]),
        ]);
        Some([prepared(&[20, 25, 25, 20]), row, done()].concat())
    } else if sql.contains("atttypid") {
        Some([prepared(&[25, 16]), data(&[Some(b"id"), Some(b"\0")]), done()].concat())
    } else if sql.contains("getdatabaseencoding") {
        Some([prepared(&[25]), data(&[Some(b"UTF8")]), done()].concat())
    } else {
        None
    }
}

#[test]
fn a_server_that_hangs_is_an_error() {
    let Some(database) = database() else { return };
    let target = scripted(&database.target, |sql| {
        if sql.contains("FETCH") { Some(Vec::new()) } else { honest(sql) }
    });
    let mut session = Session::begin(&target).unwrap();
    session.patience = Duration::from_millis(300);
    let begun = Instant::now();
    let late = session.read_table(&table("users", &["id"]), None, &mut |_, _| Ok(())).unwrap_err();
    assert!(late.what.contains("took too long"), "{late}");
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_server_that_lies_is_an_error() {
    let Some(database) = database() else { return };
    type Answer = fn(&str) -> Option<Vec<u8>>;
    let cases: [(Answer, &str); 8] = [
        (|sql| fetched(sql, &[&three()], &done()), "1: 7"),
        // Nonsense after a row, and a farewell.
        (|sql| fetched(sql, &[&three()], &message(b'?', b"")), "after row 1"),
        (
            |sql| fetched(sql, &[&three()], &message(b'E', b"SFATAL\0VFATAL\0C57P01\0Mbye\0\0")),
            "after row 1: bye (57P01)",
        ),
        (|sql| fetched(sql, &[&message(b'D', &[0, 9])], &done()), "9 columns instead of 3"),
        (
            |sql| fetched(sql, &[&[b'D', 0x7f, 0xff, 0xff, 0xff]], b""),
            "message of 2147483647 bytes",
        ),
        // Columns of another type.
        (
            |sql| {
                let answer =
                    [prepared(&[16, 25, 16]), data(&[Some(b"\x01"), Some(b"7"), None]), done()];
                if sql.contains("FETCH") { Some(answer.concat()) } else { honest(sql) }
            },
            "a row is damaged",
        ),
        (
            |sql| {
                let long = vec![b'x'; MAX_FIELD + 1];
                fetched(sql, &[&data(&[None, Some(&long), None])], &done())
            },
            "1: !longer than 64 KiB",
        ),
        // Names that would be SQL, if they were not quoted, and that no message can have.
        (
            |sql| {
                let answer =
                    [prepared(&[25, 16]), data(&[Some(b"id\0\" FROM x; --"), Some(b"\0")]), done()];
                if sql.contains("atttypid") { Some(answer.concat()) } else { honest(sql) }
            },
            "has no column id",
        ),
    ];
    for (answer, expected) in cases {
        let target = scripted(&database.target, answer);
        let found = rows(&target, "users", &["id"], None);
        assert!(found.last().unwrap().contains(expected), "{found:?} instead of {expected}");
    }
}

fn three() -> Vec<u8> {
    data(&[Some(b"\x01"), Some(b"7"), Some(b"\0")])
}

/// The answer to the FETCH: rows, and what comes after them.
fn fetched(sql: &str, rows: &[&[u8]], end: &[u8]) -> Option<Vec<u8>> {
    match sql.contains("FETCH") {
        true => Some([&prepared(&[16, 17, 16]), &rows.concat()[..], end].concat()),
        false => honest(sql),
    }
}

#[test]
#[ignore = "measures"]
fn a_hundred_thousand_rows() {
    let Some(database) = database() else { return };
    database.script(
        "CREATE TABLE public.users (id serial PRIMARY KEY, username text, password text, roles text,
            is_active boolean, email text, created_at timestamp);
         INSERT INTO public.users SELECT n, 'user ' || n, '$pbkdf2-sha512$25000$' || repeat('x', 110),
            'user', true, 'user' || n || '@example.com', now() FROM generate_series(1, 100000) n",
    );
    let columns = ["id", "username", "password", "roles", "is_active", "email", "created_at"];
    let begun = Instant::now();
    let mut count = 0;
    read_table(&database.target, &table("users", &columns), Some("id"), &mut |number, _| {
        count = number;
        Ok(())
    })
    .unwrap();
    println!("PostgreSQL: {count} rows in {:?}", begun.elapsed());
}
