//! `lictor database copy`: what a client notices of a move to another database, and when it is refused.

use std::path::Path;

use crate::support::{Dir, PASSWORD, Server, lictor, outcome, payload, run, wait};

/// Flags with which a new token can be refreshed at once.
const FLAGS: [&str; 4] = ["--access-lifespan", "60s", "--early-refresh", "60s"];

fn copy(dir: &Dir, from: &str, to: &str) -> (i32, String, String) {
    outcome(&run(&dir.0, &["database", "copy", from, to], ""))
}

/// Copies; it must succeed.
fn copied(dir: &Dir, from: &str, to: &str) -> String {
    let (code, out, err) = copy(dir, from, to);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    out
}

/// Copies; it must be refused with these words.
fn refused(dir: &Dir, from: &str, to: &str, expected: &str) {
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
    let other = Dir::new();
    let to = other.0.join("lictor.db");
    let out = copied(&dir, "lictor.db", to.to_str().unwrap());
    assert!(out.contains("\nusers                       2  "), "{out}");
    assert!(out.contains("and read them back: all are the same\n"), "{out}");
    assert!(out.contains("the keys are not in a database"), "{out}");
    assert!(out.contains(&format!("as you gave TO here ({}); ", to.display())), "{out}");

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

#[test]
fn a_copy_is_refused_while_a_server_runs() {
    let mut server = Server::start(&FLAGS);
    let token = server.register("ada", PASSWORD).token();
    refused(&server.dir, "lictor.db", "copy.db", "lictor.db is in use: a server");
    assert!(!server.dir.0.join("copy.db").exists());
    assert_eq!(server.protected(&token).status(), 200);
    // A server that was killed is not in the way, and its last writes are there.
    let bob = server.register("bob", PASSWORD).token();
    server.child.kill().unwrap();
    wait(&mut server.child);
    copied(&server.dir, "lictor.db", "copy.db");
    refused(&server.dir, "lictor.db", "copy.db", "copy.db is not empty: users has rows");

    // Nor may one run on the other side.
    let other = Server::start(&FLAGS);
    let to = other.dir.database();
    refused(&server.dir, "copy.db", to.to_str().unwrap(), "lictor.db is in use: a server");
    assert_eq!(other.get("/api/health").status(), 200);
    let (_, dir) = other.stop("-TERM");
    copied(&server.dir, "copy.db", to.to_str().unwrap());
    let other = Server::start_in(dir, &FLAGS);
    assert_eq!(other.protected(&bob).status(), 200);
}

#[test]
fn a_copy_that_was_killed_is_not_in_the_way() {
    let server = Server::start(&FLAGS);
    let token = server.register("ada", PASSWORD).token();
    let (_, dir) = server.stop("-TERM");
    for pause in [0, 1, 2, 4, 8, 16, 32, 64] {
        let mut copy =
            lictor(&dir.0, &["database", "copy", "lictor.db", "copy.db"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(pause));
        let _ = copy.kill();
        if wait(&mut copy).success() {
            break;
        }
        let (code, _, err) = self::copy(&dir, "copy.db", "other.db");
        // There is an empty database, or none; never a part.
        if code == 0 {
            std::fs::remove_file(dir.0.join("other.db")).unwrap();
        } else {
            assert!(err.contains("there is no database at"), "{err}");
        }
    }
    if !is_there(&dir.0.join("copy.db")) {
        copied(&dir, "lictor.db", "copy.db");
    }
    std::fs::rename(dir.0.join("copy.db"), dir.database()).unwrap();
    let server = Server::start_in(dir, &FLAGS);
    assert_eq!(server.protected(&token).status(), 200);
}

/// Whether the file has been filled.
fn is_there(file: &Path) -> bool {
    let (_, out, _) = outcome(&run(
        file.parent().unwrap(),
        &["user", "list", "--database", file.to_str().unwrap()],
        "",
    ));
    out.contains("ada")
}

#[test]
fn a_copy_that_makes_no_sense_is_used_wrongly() {
    let dir = Dir::new();
    for (args, expected) in [
        (&["a.db", "a.db"][..], "are the same database"),
        (&["a.db"], "<TO>"),
        (&["a.db", ""], "path of the database is empty"),
        (&["http://ada:secret@a.example/", "a.db"], "http:"),
        (&["a.db", "http://ada:secret@a.example/"], "http:"),
    ] {
        let args = [&["database", "copy"], args].concat();
        let (code, out, err) = outcome(&run(&dir.0, &args, ""));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(err.contains(expected) && !err.contains("secret"), "{args:?}: {err}");
    }
    refused(&dir, "a.db", "b.db", "there is no database at a.db");
    assert_eq!(std::fs::read_dir(&dir.0).unwrap().count(), 0);
}
