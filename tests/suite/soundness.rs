//! Files that were not closed, and damaged ones: what a start looks at, what is found beside the work,
//! and what that stops.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;

use crate::support::{Dir, PASSWORD, SECRET, Server, eventually, finish, lictor, outcome, run};

const PAGE: u64 = 4096;
const SOUND: &str = "is sound";
const UNCLEAN: &str = "the last end was not clean";
const DAMAGED: &str = "nothing is written any more";

/// A server that was killed after its accounts were written; the token of one of them.
fn killed() -> (Dir, String) {
    let server = Server::start(&["--throttle", "off"]);
    let token = server.register("ada", PASSWORD).token();
    server.register("bob", PASSWORD).token();
    (server.stop("-KILL").1, token)
}

/// Overwrites the first page of a table or an index of a database that was not closed.
fn damage(dir: &Dir, name: &str) {
    let log = dir.0.join("lictor.db-wal");
    assert!(fs::metadata(&log).unwrap().len() > 0, "a killed server leaves its log");
    let connection = rusqlite::Connection::open(dir.file()).unwrap();
    keep_log(&connection);
    // Everything is in the file itself afterwards. Without its header the log counts as empty, so
    // that the damaged page is not read from there.
    connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(())).unwrap();
    let page = first_page(&connection, name);
    drop(connection);
    OpenOptions::new().write(true).open(log).unwrap().write_all_at(&[0; 32], 0).unwrap();
    overwrite(dir, page);
}

fn keep_log(connection: &rusqlite::Connection) {
    let keep = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    assert!(connection.set_db_config(keep, true).unwrap());
}

fn first_page(connection: &rusqlite::Connection, name: &str) -> u64 {
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: i64 = connection.query_row(sql, [name], |row| row.get(0)).unwrap();
    page.unsigned_abs()
}

fn overwrite(dir: &Dir, page: u64) {
    let file = OpenOptions::new().write(true).open(dir.file()).unwrap();
    file.write_all_at(&[0x5a; 100], (page - 1) * PAGE).unwrap();
}

#[test]
fn after_a_kill_the_file_is_checked_beside_the_work() {
    let (dir, token) = killed();
    let server = Server::start_in(dir, &[]);
    assert_eq!(server.protected(&token).status(), 200);
    assert_eq!(server.register("carol", PASSWORD).status(), 200);
    eventually(|| server.log().contains(SOUND));
    let (code, dir) = server.stop("-TERM");
    assert_eq!(code, Some(0));
    // That end was clean, so nothing is checked after it.
    let server = Server::start_in(dir, &[]);
    assert_eq!(server.login("carol", PASSWORD).status(), 200);
    let (_, dir) = server.stop("-TERM");
    assert_eq!(fs::read_to_string(dir.0.join("log")).unwrap().matches(UNCLEAN).count(), 1);
}

#[test]
fn a_command_between_two_starts_does_not_hide_the_unclean_end() {
    let (dir, _) = killed();
    let (code, _, error) = outcome(&run(&dir.0, &["user", "list"], ""));
    assert_eq!(code, 0, "{error}");
    let server = Server::start_in(dir, &[]);
    eventually(|| server.log().contains(SOUND));
}

#[test]
fn a_copy_of_a_damaged_file_does_not_hide_the_unclean_end() {
    let (dir, _) = killed();
    damage(&dir, "invitations");
    let (code, _, error) = outcome(&run(&dir.0, &["database", "copy", "lictor.db", "copy.db"], ""));
    assert!(code == 1 && error.contains("is damaged"), "{error}");
    let server = Server::start_in(dir, &[]);
    eventually(|| server.log().contains(DAMAGED));
}

#[test]
fn damage_that_is_found_beside_the_work_stops_writing_and_not_reading() {
    let (dir, token) = killed();
    damage(&dir, "invitations");
    let server = Server::start_in(dir, &["--throttle", "off"]);
    eventually(|| server.log().contains(DAMAGED));
    assert!(server.log().contains("lictor check --deep"), "{}", server.log());
    assert_eq!(server.protected(&token).status(), 200, "reads go on");
    for refused in [
        server.register("carol", PASSWORD),
        server.login("ada", PASSWORD),
        server.send_as(&token, "POST", "/api/logout", ""),
        server.get("/api/health"),
    ] {
        assert_eq!(refused.error(), (503, "Unavailable".into()));
        assert!(refused.json()["message"].as_str().unwrap().contains("damaged"));
        assert_eq!(refused.header("retry-after"), Some("60"));
    }
    // A command does not write either.
    let (code, _, error) = server.user(&["deactivate", "bob"], "");
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("is damaged"), "{error}");
    let (code, dir) = server.stop("-TERM");
    assert_eq!(code, Some(0));

    // A restart refuses the file, and does not touch it.
    let before = (fs::read(dir.file()).unwrap(), fs::read(dir.0.join("lictor.db-wal")).unwrap());
    let mut serve = lictor(&dir.0, &["serve", "--listen", "127.0.0.1:0"]);
    serve.env("SECRET_KEY", SECRET);
    let (code, _, error) = outcome(&finish(serve, ""));
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("is damaged") && error.contains("restore a backup"), "{error}");
    let (code, _, error) = outcome(&run(&dir.0, &["check", "--listen", "127.0.0.1:0"], ""));
    assert!(code == 1 && error.contains("is damaged"), "{error}");
    let after = (fs::read(dir.file()).unwrap(), fs::read(dir.0.join("lictor.db-wal")).unwrap());
    assert!(before == after, "the file was touched");

    // A restored backup is checked, and served again.
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(dir.0.join(format!("lictor.db{ending}")));
    }
    let (_, sound) = killed_and_settled();
    fs::copy(sound.file(), dir.file()).unwrap();
    let server = Server::start_in(dir, &[]);
    assert_eq!(server.register("dora", PASSWORD).status(), 200);
    // It tries for less than a second to write, which may be too short on a busy machine.
    eventually(|| server.get("/api/health").status() == 200);
    assert!(!server.dir.0.join("lictor.db-damaged").exists());
}

/// A sound file.
fn killed_and_settled() -> (Option<i32>, Dir) {
    let server = Server::start(&[]);
    server.register("ada", PASSWORD).token();
    server.stop("-TERM")
}

#[test]
fn only_a_deep_check_finds_what_no_look_sees() {
    let (_, dir) = killed_and_settled();
    let check = |flags: &[&str]| {
        let listen = ["check", "--listen", "127.0.0.1:0"];
        let mut command = lictor(&dir.0, &[&listen[..], flags].concat());
        command.env("SECRET_KEY", SECRET);
        outcome(&finish(command, ""))
    };
    let (code, output, error) = check(&["--deep"]);
    assert_eq!(code, 0, "{error}");
    assert!(output.contains("and sound"), "{output}");
    // A row that refers to nobody.
    let connection = rusqlite::Connection::open(dir.file()).unwrap();
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO recovery_codes (user, hash) VALUES (4711, x'01')",
        )
        .unwrap();
    drop(connection);
    assert_eq!(check(&[]).0, 0);
    let (code, _, error) = check(&["--deep"]);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("a row of recovery_codes refers to a row of users"), "{error}");
    let connection = rusqlite::Connection::open(dir.file()).unwrap();
    connection.execute_batch("DELETE FROM recovery_codes").unwrap();
    let page = first_page(&connection, "sessions_of_user");
    drop(connection);
    assert_eq!(check(&["--deep"]).0, 0);
    overwrite(&dir, page);
    assert_eq!(check(&[]).0, 0);
    // Without a key, the damaged index does not say whether one is lost.
    let (code, _, error) = outcome(&run(&dir.0, &["check", "--listen", "127.0.0.1:0"], ""));
    assert!(code == 1 && error.contains("serve would not start"), "{error}");
    let (code, _, error) = check(&["--deep"]);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("is damaged"), "{error}");
}

#[test]
fn a_file_that_was_cut_off_is_refused_at_once() {
    let (_, dir) = killed_and_settled();
    let length = fs::metadata(dir.file()).unwrap().len();
    let file = OpenOptions::new().write(true).open(dir.file()).unwrap();
    file.set_len(length - 2 * PAGE).unwrap();
    let before = fs::read(dir.file()).unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"], &["check"]] {
        let (code, _, error) = outcome(&run(&dir.0, command, ""));
        assert_eq!(code, 1, "{command:?}: {error}");
        assert!(error.contains("is damaged"), "{command:?}: {error}");
    }
    assert!(before == fs::read(dir.file()).unwrap());
}

#[test]
fn a_stop_does_not_wait_for_the_check() {
    let (mut dir, _) = killed();
    // So large that the check takes longer than the stop, also on a quick machine.
    let connection = rusqlite::Connection::open(dir.file()).unwrap();
    keep_log(&connection);
    connection
        .execute_batch(
            "PRAGMA synchronous = OFF;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
             INSERT INTO audit (at, event, detail, number) SELECT i, 'x', printf('%0700d', i), i FROM n",
        )
        .unwrap();
    drop(connection);
    for _ in 0..5 {
        let (code, stopped) = Server::start_in(dir, &[]).stop("-TERM");
        assert_eq!(code, Some(0));
        let log = fs::read_to_string(stopped.0.join("log")).unwrap();
        if log.contains("begins again at the next start") {
            assert!(!log.contains(SOUND), "{log}");
            let server = Server::start_in(stopped, &[]);
            eventually(|| server.log().matches(UNCLEAN).count() == 2);
            return;
        }
        // The signal came when all had been checked.
        assert!(log.contains(SOUND), "{log}");
        fs::remove_file(stopped.0.join("log")).unwrap();
        let server = Server::start_in(stopped, &[]);
        server.login("ada", PASSWORD).token();
        dir = server.stop("-KILL").1;
    }
    panic!("every stop came after the end of the check");
}
