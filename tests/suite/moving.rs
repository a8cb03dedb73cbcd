//! `lictor database copy`: what a client notices of a move to another database, and when it is refused.
//! `lictor.db` is the database of a directory, an SQLite file or a PostgreSQL database; other names
//! are files. So on PostgreSQL these tests copy between the two.

use std::time::Duration;

use crate::support::{Dir, PASSWORD, Server, eventually, lictor, outcome, payload, run, wait};

/// Flags with which a new token can be refreshed at once, and is good until the end of a test.
const FLAGS: [&str; 4] = ["--access-lifespan", "1h", "--early-refresh", "2h"];

/// Waits until a server, or a copy, has the database of a directory, or until none has. One has a file
/// from its first moment to its last; on PostgreSQL it takes a lock soon after its start, and
/// PostgreSQL notices soon after its end that it is gone.
fn await_lock(dir: &Dir, taken: bool) {
    if !crate::sql::argument(&dir.0).starts_with("postgres") {
        return;
    }
    let held = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
                WHERE datname = current_database() AND locktype = 'advisory'
                AND classid = 1279869780 AND objid = 3 AND granted";
    eventually(|| (dir.sql().number(held) > 0) == taken);
}

fn copy(dir: &Dir, from: &str, to: &str) -> (i32, String, String) {
    outcome(&run(&dir.0, &["database", "copy", from, to], ""))
}

/// Copies; it must succeed.
fn copied(dir: &Dir, from: &str, to: &str) -> String {
    await_lock(dir, false);
    let (code, out, err) = copy(dir, from, to);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    out
}

/// Copies; it must be refused with these words.
fn refused(dir: &Dir, from: &str, to: &str, expected: &str) {
    if !expected.contains("in use") {
        await_lock(dir, false);
    }
    let (code, out, err) = copy(dir, from, to);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    let lines: Vec<_> = err.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains(expected), "{expected}: {err}");
}

#[test]
fn sessions_go_on_after_a_move() {
    let server = Server::start(&FLAGS);
    let first = server.register("ada", PASSWORD).token();
    let ended = server.register("bob", PASSWORD).token();
    assert_eq!(server.send_as(&ended, "POST", "/api/logout", "").status(), 200);
    let (_, dir) = server.stop("-TERM");
    let out = copied(&dir, "lictor.db", "copy.db");
    assert!(out.contains("\nusers                       2  "), "{out}");
    assert!(out.contains("and read them back: all are the same\n"), "{out}");
    assert!(out.contains("the keys are not in a database"), "{out}");
    assert!(out.contains("/copy.db); "), "{out}");
    let other = Dir::new();
    copied(&other, dir.0.join("copy.db").to_str().unwrap(), "lictor.db");

    let server = Server::start_in(other, &FLAGS);
    assert_eq!(server.protected(&first).status(), 200);
    assert_eq!(server.protected(&ended).status(), 403);
    let next = server.send("POST", "/api/refresh", &[], &first).token();
    assert_eq!(payload(&next)["jti"], payload(&first)["jti"]);
    server.login("bob", PASSWORD).token();
    let third = server.register("eve", PASSWORD).token();
    assert_eq!(payload(&third)["id"], 3);
    // The old database is as it was.
    let server = Server::start_in(dir, &FLAGS);
    assert_eq!(server.protected(&first).status(), 200);
}

/// Starts a server that is in the way of a copy.
fn start() -> Server {
    let server = Server::start(&FLAGS);
    await_lock(&server.dir, true);
    server
}

#[test]
fn a_copy_is_refused_while_a_server_runs() {
    let mut server = start();
    let token = server.register("ada", PASSWORD).token();
    refused(&server.dir, "lictor.db", "copy.db", " is in use: a ");
    assert!(!server.dir.0.join("copy.db").exists());
    assert_eq!(server.protected(&token).status(), 200);
    // A server that was killed is not in the way, and its last writes are there.
    let bob = server.register("bob", PASSWORD).token();
    server.child.kill().unwrap();
    wait(&mut server.child);
    copied(&server.dir, "lictor.db", "copy.db");
    refused(&server.dir, "lictor.db", "copy.db", "copy.db is not empty: users has rows");

    // Nor may one run on the other side.
    let other = start();
    let from = server.dir.0.join("copy.db");
    let from = from.to_str().unwrap();
    refused(&other.dir, from, "lictor.db", " is in use: a ");
    assert_eq!(other.get("/api/health").status(), 200);
    let (_, dir) = other.stop("-TERM");
    copied(&dir, from, "lictor.db");
    refused(&dir, from, "lictor.db", " is not empty: users has rows");
    let other = Server::start_in(dir, &FLAGS);
    assert_eq!(other.protected(&bob).status(), 200);
}

#[test]
fn a_copy_that_was_killed_is_not_in_the_way() {
    let server = Server::start(&FLAGS);
    let token = server.register("ada", PASSWORD).token();
    let (_, dir) = server.stop("-TERM");
    copied(&dir, "lictor.db", "copy.db");
    let from = dir.0.join("copy.db");
    let from = from.to_str().unwrap();
    let other = Dir::new();
    for pause in [0, 1, 2, 4, 8, 16, 32, 64, 128] {
        let args = ["database", "copy", from, "lictor.db"];
        let mut copy = lictor(&other.0, &args).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        let _ = copy.kill();
        wait(&mut copy);
        // All of it is there, or nothing: an empty database, or none.
        let (code, out, err) = outcome(&run(&other.0, &["user", "list"], ""));
        match code {
            0 if out.contains("ada") => break,
            0 => assert_eq!(out.lines().count(), 1, "{out}"),
            _ => {
                assert!(err.contains("there is no database") || err.contains("no schema"), "{err}")
            }
        }
    }
    await_lock(&other, false);
    let (code, _, err) = copy(&other, from, "lictor.db");
    assert!(code == 0 || err.contains("is not empty"), "{err}");
    let server = Server::start_in(other, &FLAGS);
    assert_eq!(server.protected(&token).status(), 200);
}

#[test]
fn a_copy_that_makes_no_sense_is_used_wrongly() {
    let dir = Dir::new();
    for (args, expected) in [
        (&["a.db", "a.db"][..], "are the same database"),
        (&["a.db"], "<TO>"),
        (&["a.db", ""], "TO"),
        (&["http://ada:secret@a.example/", "a.db"], "FROM"),
        (&["a.db", "http://ada:secret@a.example/"], "TO"),
    ] {
        let args = [&["database", "copy"], args].concat();
        let (code, out, err) = outcome(&run(&dir.0, &args, ""));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(err.contains(expected) && !err.contains("secret"), "{args:?}: {err}");
    }
    refused(&dir, "a.db", "b.db", "there is no database at a.db");
    assert_eq!(std::fs::read_dir(&dir.0).unwrap().count(), 0);
}
