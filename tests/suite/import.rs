//! `lictor import` and `lictor export`: people of another program, and the way out. `lictor.db` is the
//! database of a directory, an SQLite file or a PostgreSQL database; sources are files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::{Dir, PASSWORD, Server, assert_without, finish, lictor, outcome, run};

/// Hashes of [`PASSWORD`], as passlib, Django and Werkzeug write them.
const PASSLIB: &str = "$pbkdf2-sha512$1000$c2l4dGVlbiBieXRlcyEhIQ$PCKfZZbCJy2SinW2j7rAk5NbOrgf7qiLUyxg7ExctYjsHFzZZI9STiE0I5hP7s7A8N3eOUauillyu.R342RrUg";
const DJANGO: &str = "pbkdf2_sha256$1000$salty$iDa0gkxGIRfVB1ZBaNKl8fVB4FSujgTIcdq9Li6l+fQ=";
const WERKZEUG: &str =
    "pbkdf2:sha256:1000$salty$8836b4824c462117d507564168d2a5f1f541e054ae8e04c871dabd2e2ea5f9f4";
/// What no output may show: parts of the hashes.
const SECRETS: &[&str] = &["PCKfZZbCJy2S", "iDa0gkxGIR", "8836b4824c", "pbkdf2-sha512$", "s3cr3t"];

/// Runs `lictor import` with these arguments after the database; the exit code and both outputs, which
/// show no hash.
fn import(dir: &Dir, args: &[&str], input: &str) -> (i32, String, String) {
    let args = [&["import", "--create", "--database", "lictor.db"], args].concat();
    let done = outcome(&run(&dir.0, &args, input));
    assert_without(&format!("{}{}", done.1, done.2), SECRETS, &args);
    done
}

/// Imports; it must succeed.
fn imported(dir: &Dir, args: &[&str]) -> String {
    let (code, out, err) = import(dir, args, "");
    assert_eq!((code, err.as_str()), (0, ""), "{args:?}: {out}");
    out
}

/// Imports; it must fail with this exit code and these words, of which none is about a bug.
#[track_caller]
fn refused(dir: &Dir, args: &[&str], input: &str, code: i32, words: &[&str]) {
    let (found, out, err) = import(dir, args, input);
    let all = out + &err;
    assert_eq!(found, code, "{args:?}: {all}");
    for word in words {
        assert!(all.contains(word), "{args:?}: {word} is not in\n{all}");
    }
}

/// The names and ids of all users, or none if there is no database.
fn users(dir: &Dir) -> Vec<String> {
    let (code, out, err) = outcome(&run(&dir.0, &["user", "list", "--database", "lictor.db"], ""));
    if code != 0 {
        assert!(err.contains("there is no database") || err.contains("no schema"), "{err}");
        return Vec::new();
    }
    let user = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        format!("{} {}", words[0], words[3])
    };
    out.lines().skip(1).map(user).collect()
}

fn write(dir: &Dir, name: &str, text: &str) {
    fs::write(dir.0.join(name), text).unwrap();
}

/// A CSV file as the tutorial's app would give it.
fn tutorial(dir: &Dir, rows: &[&str]) {
    let rows: Vec<String> = rows.iter().map(|row| row.replace("HASH", PASSLIB)).collect();
    let text = format!("id,username,password,roles,is_active,email\n{}\n", rows.join("\n"));
    write(dir, "users.csv", &text);
}

/// A file of SQLite, made by these statements.
fn sqlite(dir: &Dir, name: &str, sql: &str) {
    rusqlite::Connection::open(dir.0.join(name)).unwrap().execute_batch(sql).unwrap();
}

const THREE: &[&str] = &[
    "3,Ada,HASH,\"admin,user\",t,ada@mail.example",
    "7,bob,HASH,user,f,",
    "12,eve,,,t,eve@mail.example",
];

#[test]
fn people_of_the_tutorial_log_in_with_their_old_passwords() {
    let server = Server::start(&["--registration", "closed"]);
    tutorial(&server.dir, THREE);
    let dry = imported(&server.dir, &["users.csv", "--dry-run"]);
    let lines: Vec<&str> = dry.lines().collect();
    assert_eq!(lines[0], "3 rows read from users.csv (preset flask-praetorian)");
    assert!(lines[1].starts_with("3 would be imported into "), "{dry}");
    assert_eq!(
        lines[2..5],
        [
            "  hashes: 2 pbkdf2_sha512",
            "  roles: 2 user, 1 admin, 1 without",
            "  1 is inactive; 1 has no password"
        ]
    );
    assert!(lines.last().unwrap().starts_with("next: the same without --dry-run"), "{dry}");
    assert_eq!(users(&server.dir), [""; 0]);

    let real = imported(&server.dir, &["users.csv"]);
    assert!(real.contains("\n3 were imported into "), "{real}");
    assert!(real.lines().last().unwrap().contains("--adopt-tokens"), "{real}");
    assert_eq!(users(&server.dir), ["3 Ada", "7 bob", "12 eve"]);
    // The server has run all the time.
    server.login("ada", PASSWORD).token();
    server.login("ADA@mail.example", PASSWORD).token();
    assert_eq!(server.login("ada", "ten wooden lantern").status(), 401);
    assert_eq!(server.login("bob", PASSWORD).status(), 403);
    for password in ["", "!", PASSWORD] {
        assert_eq!(server.login("eve", password).status(), 401, "{password}");
    }
    // The next account has an id that nobody had.
    server.add("dan");
    assert_eq!(users(&server.dir).last().unwrap(), "13 dan");
    let audit = outcome(&run(&server.dir.0, &["audit", "--database", "lictor.db"], "")).1;
    assert!(
        audit.contains("users-imported") && audit.contains("3 from flask-praetorian"),
        "{audit}"
    );
}

#[test]
fn running_it_again_brings_only_what_is_new() {
    let dir = Dir::new();
    tutorial(&dir, THREE);
    imported(&dir, &["users.csv"]);
    let again = imported(&dir, &["users.csv"]);
    assert!(
        again.contains("0 were imported into ") && again.contains(", 3 were already there"),
        "{again}"
    );
    tutorial(&dir, &[THREE, &["13,dan,HASH,user,t,"]].concat());
    let dry = imported(&dir, &["users.csv", "--dry-run"]);
    assert!(
        dry.contains("1 would be imported into ") && dry.contains(", 3 are already there"),
        "{dry}"
    );
    let new = imported(&dir, &["users.csv"]);
    assert!(new.contains("\n1 was imported into "), "{new}");
    assert_eq!(users(&dir), ["3 Ada", "7 bob", "12 eve", "13 dan"]);
}

#[test]
fn all_come_or_none_unless_the_others_are_skipped() {
    let dir = Dir::new();
    let long = format!("9,{},HASH,user,t,", "x".repeat(65));
    let rows = [
        THREE,
        &[
            "8,ada lovelace,HASH,user,t,",
            &long,
            "10,ADA,HASH,user,t,",
            "7,carl,HASH,user,t,",
            "11,dora,HASH,user,t,Ada@Mail.example",
            "14,fay,s3cr3t,user,t,",
            "0,gil,HASH,user,t,",
            "15,hal,HASH,super user,t,",
            "16,ian,HASH,user,perhaps,",
            "17,jon,HASH,user,t,no address",
            "18,kim,$pbkdf2-sha512$2147483647$c2l4dGVlbiBieXRlcyEhIQ$PCKfZZbCJy2SinW2j7rAk5NbOrgf7qiLUyxg7ExctYjsHFzZZI9STiE0I5hP7s7A8N3eOUauillyu.R342RrUg,user,t,",
            "19,ada@mail.example,HASH,user,t,",
        ],
    ]
    .concat();
    tutorial(&dir, &rows);
    for (args, code) in [(&["users.csv", "--dry-run"][..], 1), (&["users.csv"], 1)] {
        refused(
            &dir,
            args,
            "",
            code,
            &[
                "15 rows read from users.csv",
                "12 cannot come",
                "cannot come:\n  name: 2\n    row 4 (line 5), id 8, \"ada lovelace\": the username may hold",
                "    row 5 (line 6), id 9, \"xxx",
                "name-taken: 2\n    row 6 (line 7), id 10, \"ADA\": \"Ada\" (row 1) has the same name, in other case",
                "\"ada@mail.example\": the name is the e-mail address of row 1",
                "id-in-use: 1\n    row 7 (line 8), id 7, \"carl\": row 2 has the same id",
                "email-taken: 1\n    row 8 (line 9), id 11, \"dora\": row 1 has the same e-mail address, \"Ada@Mail.example\"",
                "hash-unknown: 1\n    row 9 (line 10), id 14, \"fay\": ",
                "id: 1\n    row 10 (line 11), id 0, \"gil\": ",
                "roles: 1\n    row 11 (line 12), id 15, \"hal\": ",
                "unreadable: 1\n    row 12 (line 13), id 16, \"ian\": ",
                "email: 1\n    row 13 (line 14), id 17, \"jon\": ",
                "hash-costly: 1\n    row 14 (line 15), id 18, \"kim\": ",
                "\nnext: give new names with --rename FILE",
            ],
        );
        assert_eq!(users(&dir), [""; 0], "{args:?}");
    }
    let args = ["users.csv", "--skip-invalid", "--dry-run", "--report", "report.csv"];
    let dry = imported(&dir, &args);
    assert!(dry.contains("3 would be imported into "), "{dry}");
    assert_eq!(users(&dir), [""; 0]);
    let report = fs::read_to_string(dir.0.join("report.csv")).unwrap();
    assert_without(&report, SECRETS, &"the report");
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!((lines[0], lines.len()), ("row,id,username,kind,reason", 13));
    assert!(lines[1].starts_with("4,8,ada lovelace,name,\"the username may hold"), "{report}");
    let mode = fs::metadata(dir.0.join("report.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    refused(&dir, &args, "", 2, &["--report: report.csv exists already", "delete it"]);

    let real = imported(&dir, &["users.csv", "--skip-invalid"]);
    assert!(
        real.contains("3 were imported into ") && real.contains(", 12 could not come"),
        "{real}"
    );
    assert_eq!(users(&dir), ["3 Ada", "7 bob", "12 eve"]);
    // The ids of those that did not come are not given to anybody else.
    let (code, out, err) =
        outcome(&run(&dir.0, &["user", "add", "new", "--database", "lictor.db"], PASSWORD));
    assert_eq!(
        (code, out.as_str()),
        (0, format!("added new (id 20) in {}\n", dir.database()).as_str()),
        "{err}"
    );
}

#[test]
fn what_is_there_is_not_replaced() {
    let server = Server::start(&[]);
    server.register("bob", PASSWORD).token();
    server.register("carl", PASSWORD).token();
    let email = |name: &str, email: &str| {
        let args = ["add", name, "--email", email];
        assert_eq!(server.user(&args, PASSWORD).0, 0);
    };
    email("dora", "ada@mail.example");
    tutorial(
        &server.dir,
        &[
            "1,Ada,HASH,,t,",
            "8,BOB,HASH,,t,",
            "9,x,HASH,,t,ada@MAIL.example",
            "10,ada@mail.example,HASH,,t,",
            "2,carl,HASH,,t,carl@mail.example",
        ],
    );
    refused(
        &server.dir,
        &["users.csv"],
        "",
        1,
        &[
            "nothing was imported into ",
            "\"Ada\": the id belongs to \"bob\" here",
            "\"BOB\": the name is taken: account 1 is \"bob\"",
            "\"x\": the e-mail address \"ada@MAIL.example\" belongs to account 3",
            "\"ada@mail.example\": the name is the e-mail address of account 3",
            "\"carl\": account 2 here has this id and name, but another e-mail address or time of",
        ],
    );
    assert_eq!(users(&server.dir).len(), 3);
}

#[test]
fn names_that_cannot_come_get_new_ones() {
    let server = Server::start(&[]);
    tutorial(&server.dir, &["1,ada lovelace,HASH,,t,ada@mail.example", "2,bob,HASH,,t,"]);
    write(&server.dir, "names.csv", "old,new\nada lovelace,ada\nnobody,x\n");
    let out = imported(&server.dir, &["users.csv", "--rename", "names.csv"]);
    assert!(out.contains("1 has another name here"), "{out}");
    assert!(out.contains("warning: --rename, line 3: no row has the username \"nobody\""), "{out}");
    server.login("ada", PASSWORD).token();
    assert_eq!(server.login("ada lovelace", PASSWORD).status(), 401);
    let mails = outcome(&run(&server.dir.0, &["mail", "list", "--database", "lictor.db"], "")).1;
    assert!(mails.contains("renamed"), "{mails}");
    // Again: the account is known by its new name.
    let again = imported(&server.dir, &["users.csv", "--rename", "names.csv"]);
    assert!(again.contains(", 2 were already there"), "{again}");
    refused(&server.dir, &["users.csv", "--rename", "none.csv"], "", 2, &["none.csv"]);
}

#[test]
fn tables_of_sqlite_are_read() {
    let dir = Dir::new();
    sqlite(&dir, "django.db", &format!(
        "CREATE TABLE auth_user (id INTEGER PRIMARY KEY AUTOINCREMENT, password TEXT, is_superuser BOOL,
         username TEXT, email TEXT, is_staff BOOL, is_active BOOL, date_joined DATETIME);
         INSERT INTO auth_user VALUES (4, '{DJANGO}', 1, 'ada', '', 1, 1, '2020-02-29 12:00:00.5');
         INSERT INTO auth_user VALUES (5, '!x', 0, 'bob', 'b@mail.example', 0, 1, '2020-03-01');
         INSERT INTO auth_user VALUES (9, '', 0, 'gone', '', 0, 1, '2020-03-01');
         DELETE FROM auth_user WHERE id = 9;"
    ));
    let before = fs::read(dir.0.join("django.db")).unwrap();
    let out = imported(&dir, &["django.db", "--preset", "django"]);
    assert!(
        out.starts_with("2 rows read from django.db, table auth_user (preset django)\n"),
        "{out}"
    );
    assert!(
        out.contains("hashes: 1 django_pbkdf2_sha256\n  roles: 1 admin, 1 staff, 1 without\n"),
        "{out}"
    );
    assert_eq!(fs::read(dir.0.join("django.db")).unwrap(), before);
    let server = Server::start_in(dir, &[]);
    let token = server.login("ada", PASSWORD).token();
    let me = server.send_as(&token, "GET", "/api/me", "").json();
    assert_eq!((&me["id"], &me["roles"]), (&json!(4), &json!(["admin", "staff"])), "{me}");
    // The source has given out the id 9.
    server.add("new");
    assert_eq!(users(&server.dir), ["4 ada", "5 bob", "10 new"]);

    // Another table, other columns.
    sqlite(
        &server.dir,
        "other.db",
        &format!(
            "CREATE TABLE people (uid INTEGER, login TEXT, pw TEXT);
         CREATE TABLE posts (id INTEGER, text TEXT);
         INSERT INTO people VALUES (20, 'zoe', '{WERKZEUG}');"
        ),
    );
    let missing = ["has no table user", "--table people"];
    refused(&server.dir, &["other.db", "--preset", "werkzeug"], "", 2, &missing);
    let args = ["other.db", "--preset", "werkzeug", "--table", "people"];
    refused(
        &server.dir,
        &args,
        "",
        2,
        &["it has uid, login, pw", "--map id=uid --map username=login --map password=pw"],
    );
    let maps = ["--map", "id=uid", "--map", "username=login", "--map", "password=pw"];
    imported(&server.dir, &[&args[..], &maps].concat());
    server.login("zoe", PASSWORD).token();
}

/// On PostgreSQL: the old app's table is in the same database as lictor's schema.
#[test]
fn a_table_of_the_same_database_is_read() {
    let dir = Dir::new();
    let url = crate::sql::argument(&dir.0);
    if !url.starts_with("postgres") {
        return;
    }
    // The statements run where lictor's schema will be, so it has to be there.
    assert_eq!(outcome(&run(&dir.0, &["user", "add", "old", "--create"], PASSWORD)).0, 0);
    dir.sql().execute("DELETE FROM users", &[]);
    for sql in [
        "CREATE TABLE public.users (id serial PRIMARY KEY, username text, password text, roles text[], is_active boolean)",
        "INSERT INTO public.users VALUES (5, 'Ada', $1, '{admin,user}', true), (6, 'bob', $1, NULL, false)",
        "INSERT INTO public.users VALUES (7, 'a b', $1, NULL, NULL)",
    ] {
        let sql = sql.replace("$1", &format!("'{PASSLIB}'"));
        crate::sql::Sql::of(&dir.0).texts(&sql);
    }
    dir.sql().texts("SELECT setval('public.users_id_seq', 40)");
    refused(&dir, &[&url], "", 1, &["row 3, id 7, \"a b\": the username may hold"]);
    let out = imported(&dir, &[&url, "--skip-invalid"]);
    assert!(out.contains(", table users (preset flask-praetorian)\n"), "{out}");
    assert!(out.contains("roles: 1 admin, 1 user, 1 without\n  1 is inactive"), "{out}");
    let server = Server::start_in(dir, &[]);
    server.login("ada", PASSWORD).token();
    server.add("new");
    assert_eq!(users(&server.dir), ["5 Ada", "6 bob", "41 new"]);
    let url = format!("{url}&connect_timeout=60");
    refused(&server.dir, &[&url, "--table", "lictor.users"], "", 2, &["lictor database copy"]);
}

#[test]
fn standard_input_and_json_lines_are_read() {
    let dir = Dir::new();
    let lines = [
        json!({"id": 1, "username": "ada", "password": PASSLIB, "roles": ["admin", "user"], "is_active": true}),
        json!({"id": 2, "username": "bob", "password": PASSLIB, "roles": "user", "is_active": false, "x": {"y": 1}}),
    ];
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let (code, out, err) = import(&dir, &["-"], &lines);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("roles: 2 user, 1 admin\n  1 is inactive\n"), "{out}");
    // PocketBase has texts as ids.
    let line = json!({"id": "1c8ckqpvmkt0gnz", "email": "eve@mail.example", "password": PASSLIB, "created": "2024-01-01 10:00:00.000Z", "verified": true});
    let other = json!({"id": "2", "email": "mal@mail.example", "password": PASSLIB, "created": "2024-01-01 10:00:00.000Z", "verified": false});
    write(&dir, "pb.jsonl", &format!("{line}\n{other}\n"));
    let out = imported(&dir, &["pb.jsonl", "--preset", "pocketbase"]);
    assert!(out.contains("people log in again with their old passwords"), "{out}");
    assert!(out.contains("1 has an unconfirmed e-mail address, which is left out"), "{out}");
    assert_eq!(users(&dir), ["1 ada", "2 bob", "3 eve@mail.example", "4 mal@mail.example"]);
    let sql = "SELECT name FROM users WHERE id > 2 AND email IS NOT NULL";
    assert_eq!(dir.sql().texts(sql), ["eve@mail.example"]);
    let again = imported(&dir, &["pb.jsonl", "--preset", "pocketbase"]);
    assert!(again.contains(", 2 were already there"), "{again}");
}

#[test]
fn an_export_comes_back_to_the_same_bytes() {
    let dir = Dir::new();
    tutorial(&dir, &[THREE, &["13,ada b,HASH,user,t,"]].concat());
    write(&dir, "names.csv", "ada b,adab\n");
    imported(&dir, &["users.csv", "--rename", "names.csv"]);
    let export = |dir: &Dir| {
        let (code, out, err) = outcome(&run(&dir.0, &["export", "--database", "lictor.db"], ""));
        assert_eq!((code, err.as_str()), (0, ""));
        out
    };
    dir.sql().execute("UPDATE users SET language = 'pt' WHERE id = 3", &[]);
    let secret = crate::sql::Bytes(&[7; 20]);
    let sql = "INSERT INTO second_factors (\"user\", secret, created, confirmed, last_step) VALUES (3, $1, 1700000000, 1700000001, 56666666)";
    dir.sql().execute(sql, &[&secret]);
    for code in [&[9; 32][..], &[200; 32]] {
        let sql = "INSERT INTO recovery_codes (\"user\", hash) VALUES (3, $1)";
        dir.sql().execute(sql, &[&crate::sql::Bytes(code)]);
    }
    let first = export(&dir);
    let lines: Vec<Value> = first.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[4]), (5, &json!({"lictor": 1, "end": 4})));
    assert_eq!(
        (&lines[0]["lictor"], &lines[0]["id"], &lines[0]["username"]),
        (&json!(1), &json!(3), &json!("Ada"))
    );
    assert_eq!((&lines[0]["password"], &lines[0]["language"]), (&json!(PASSLIB), &json!("pt-PT")));
    assert_eq!(lines[0]["second_factor"]["created"], "2023-11-14T22:13:20Z");
    assert_eq!(lines[2]["password"], Value::Null);
    assert_eq!(lines[3]["former_names"], json!(["ada b"]));
    assert!(lines[1].get("second_factor").is_none() && lines[1].get("former_names").is_none());

    let other = Dir::new();
    write(&other, "users.jsonl", &first);
    let out = imported(&other, &["users.jsonl"]);
    assert!(out.starts_with("4 rows read from users.jsonl (preset lictor)\n"), "{out}");
    assert_eq!(export(&other), first);
    Server::start_in(other, &[]).login("adab", PASSWORD).token();

    // One that ends between two lines, or goes on after its end, is not taken for a whole one.
    let cut = first[..first.trim_end().rfind('\n').unwrap() + 1].to_owned();
    let shorter = first[first.find('\n').unwrap() + 1..].to_owned();
    let last = "make this the last one: {\"lictor\":1,\"end\":";
    for (text, words) in [
        (cut, &["has no last line of an export", last, "4}"][..]),
        (shorter, &["says 4 accounts, and there are 3", last, "3}"]),
        (format!("{first}{first}"), &["row 6 (line 6) comes after the line that ends the export"]),
    ] {
        let other = Dir::new();
        write(&other, "users.jsonl", &text);
        refused(&other, &["users.jsonl", "--skip-invalid"], "", 1, words);
        refused(&other, &["-"], &text, 1, words);
        assert_eq!(users(&other), [""; 0]);
    }

    // To a file, which must be new.
    let args = ["export", "--database", "lictor.db", "--output", "out.jsonl"];
    let (code, out, err) = outcome(&run(&dir.0, &args, ""));
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(
        err.starts_with("exported 4 accounts to out.jsonl; it has their password hashes"),
        "{err}"
    );
    assert_eq!(fs::read_to_string(dir.0.join("out.jsonl")).unwrap(), first);
    let mode = fs::metadata(dir.0.join("out.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (code, _, err) = outcome(&run(&dir.0, &args, ""));
    assert!(code == 2 && err.contains("out.jsonl exists already"), "{err}");
    let left = fs::read_dir(&dir.0)
        .unwrap()
        .filter(|file| file.as_ref().unwrap().file_name().to_str().unwrap().contains("part"));
    assert_eq!(left.count(), 0);
}

#[test]
fn an_export_does_not_bring_ended_sessions_back() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    assert_eq!(server.send_as(&token, "POST", "/api/logout/all", "").status(), 200);
    assert_eq!(server.protected(&token).status(), 403);
    let (_, dir) = server.stop("-TERM");
    let (code, out, err) = outcome(&run(&dir.0, &["export", "--database", "lictor.db"], ""));
    assert_eq!(code, 0, "{err}");

    let other = Dir::new();
    write(&other, "users.jsonl", &out);
    imported(&other, &["users.jsonl"]);
    // Each server of these tests has the same key.
    let server = Server::start_in(other, &["--adopt-tokens"]);
    assert_eq!(server.protected(&token).status(), 403);
    server.login("ada", PASSWORD).token();
}

#[test]
fn files_made_by_hand_are_read_by_the_names_of_fields() {
    let dir = Dir::new();
    let text = format!(
        "id,username,password,active,created,phone,address\n\
         1,ada,{PASSLIB},true,2020-02-29,1,x\n2,bob,{PASSLIB},false,,2,y\n"
    );
    write(&dir, "users.csv", &text);
    let out = imported(&dir, &["users.csv"]);
    for words in ["  1 is inactive\n", "not read: phone, address\n", "roles: none: nobody is an"] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let sql = "SELECT name FROM users WHERE NOT active";
    assert_eq!(dir.sql().texts(sql), ["bob"]);

    // Without a header, the first line has a hash, which is not shown.
    let row = format!("3,eve,{PASSLIB}\n");
    let unknown = "3,eve,5f4dcc3b5aa765d61d8327deb882cf99\n";
    for text in [&row, &row.replace(PASSLIB, WERKZEUG), unknown, "1,ada,,x,\n"] {
        write(&dir, "bare.csv", text);
        let args = ["bare.csv"];
        refused(&dir, &args, "", 2, &["first line of bare.csv is not a header", "CSV HEADER"]);
        let (_, out, err) = import(&dir, &args, "");
        assert!(!format!("{out}{err}").contains("5f4dcc3b"), "{out}{err}");
    }
    write(&dir, "empty.csv", "id,username,password\n");
    let out = imported(&dir, &["empty.csv"]);
    assert!(out.contains("next: the file is empty: is it the right one?"), "{out}");
}

#[test]
fn hostile_sources_end_with_a_message_and_write_nothing() {
    let dir = Dir::new();
    let header = "id,username,password\n";
    let row = format!("1,ada,{PASSLIB}\n");
    let cut_json =
        format!("{{\"id\":1,\"username\":\"ada\",\"password\":\"{PASSLIB}\"}}\n{{\"id\":2,\"user");
    let cut_quote = format!("{header}{row}2,\"bob");
    let long = format!("{header}{row}2,{},x\n", "b".repeat(300_000));
    let nul = format!("{header}{row}2,b\0b,x\n");
    let few = format!("{header}{row}2,bob\n");
    let many = format!("{header}{row}{}\n", "x,".repeat(100_000));
    let deep = format!("{{\"id\":{}1{}}}\n", "[".repeat(100_000), "]".repeat(100_000));
    for (name, text, skip, code) in [
        ("cut.jsonl", cut_json.as_bytes(), true, 1),
        ("cut.csv", cut_quote.as_bytes(), true, 1),
        ("long.csv", long.as_bytes(), false, 1),
        ("nul.csv", nul.as_bytes(), false, 1),
        ("few.csv", few.as_bytes(), false, 1),
        ("many.csv", many.as_bytes(), false, 1),
        ("utf8.csv", &[header.as_bytes(), b"1,\xff\xfe,x\n"].concat(), false, 1),
        ("deep.jsonl", deep.as_bytes(), false, 2),
        ("header.csv", b"id,username\n1,ada\n", false, 2),
        ("empty.csv", b"", false, 1),
    ] {
        fs::write(dir.0.join(name), text).unwrap();
        let mut args = vec![name];
        args.extend(skip.then_some("--skip-invalid"));
        let (found, out, err) = import(&dir, &args, "");
        assert!(found == code || name == "empty.csv" && found == 2, "{name}: {found} {out}{err}");
        assert!(out.len() + err.len() < 10_000, "{name}: {out}{err}");
        assert_eq!(users(&dir), [""; 0], "{name}");
    }
    assert!(!dir.file().exists(), "no database for nothing");
}

#[test]
fn wrong_use_is_said_and_no_password_is_shown() {
    let dir = Dir::new();
    tutorial(&dir, THREE);
    for (args, words) in [
        (&["users.csv", "--preset", "nothing"][..], &["flask-praetorian", "django", "lictor"][..]),
        (&["users.csv", "--map", "user=x"], &["the fields are id, username, password"]),
        (&["users.csv", "--map", "username="], &["needs a username"]),
        (
            &["users.csv", "--map", "username=login"],
            &["no column login, as --map names it", "--map username=username"],
        ),
        (&["users.csv", "--table", "users"], &["--table"]),
        (&["users.csv", "--preset", "lictor"], &["lictor export"]),
        (
            &["users.csv", "--preset", "django"],
            &["no column is_superuser, no is_staff", "--map roles=roles"],
        ),
        (&[], &["SOURCE"]),
        (&["mysql://ada:s3cr3t@h/app"], &["mysql:"]),
        (&["postgres://ada:s3cr3t@h:x/app"], &["port"]),
        (&["postgres:ada:s3cr3t@h/app"], &["//"]),
        (&["users.csv", "postgres://ada:s3cr3t@h/app"], &["postgres://…"]),
    ] {
        refused(&dir, args, "", 2, words);
    }
    refused(&dir, &["none.csv"], "", 2, &["none.csv"]);
    // There is no server at that port.
    let url = "postgresql+psycopg2://ada:s3cr3t@127.0.0.1:1/app";
    refused(&dir, &[url], "", 1, &["the password in SOURCE (ps shows it)", "127.0.0.1"]);
    let mut command = lictor(&dir.0, &["import", "postgres://ada@127.0.0.1:1/app"]);
    command.env("PGPASSWORD", "s3cr3t");
    let (code, out, err) = outcome(&finish(command, ""));
    assert!(code == 1 && !format!("{out}{err}").contains("s3cr3t"), "{out}{err}");
    assert_eq!(users(&dir), [""; 0]);

    imported(&dir, &["users.csv"]);
    if dir.file().exists() {
        let other = Dir::new();
        let file = dir.file();
        refused(&other, &[file.to_str().unwrap()], "", 2, &["lictor database copy"]);
    }
    let (code, help, _) = import(&dir, &["--help"], "");
    assert!(code == 0 && help.contains("Make the database if it does not exist"), "{help}");
    assert!(help.contains("Examples:") && help.contains("--map username=login"), "{help}");
}
