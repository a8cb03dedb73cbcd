//! `lictor backup` and `lictor restore`: what a copy has, what it takes the place of, and that no end
//! of either leaves half of anything.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use rusqlite::Connection;

use crate::groups::{FLAGS, fill, jti, token};
use crate::support::{Dir, PASSWORD, SECRET, Server, eventually, lictor, outcome, payload, run};

const CLIENTS: usize = 8;
/// Sessions of each client.
const OWN: usize = 300;

/// Runs `lictor` with these arguments; returns the exit code and all that it printed.
fn command(dir: &Path, args: &[&str]) -> (i32, String) {
    let (code, out, err) = outcome(&run(dir, args, ""));
    (code, out + &err)
}

#[track_caller]
fn works(dir: &Path, args: &[&str]) -> String {
    let (code, text) = command(dir, args);
    assert_eq!(code, 0, "{args:?}: {text}");
    text
}

#[track_caller]
fn fails(dir: &Path, args: &[&str], expected: i32, parts: &[&str]) {
    let (code, text) = command(dir, args);
    assert_eq!(code, expected, "{args:?}: {text}");
    for part in parts {
        assert!(text.contains(part), "{args:?}: {part:?} is not in {text}");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

/// The names of the accounts in a file.
fn names(file: &Path) -> Vec<String> {
    let connection = Connection::open(file).unwrap();
    let mut query = connection.prepare("SELECT name FROM users ORDER BY id").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The files in a directory whose names have this in them.
fn found(dir: &Path, part: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.to_str().unwrap().contains(part)).collect();
    found.sort();
    found
}

/// A server that was killed: `ada` is in the copy `copy.db` and `bob` is newer, in the log alone.
fn killed() -> Dir {
    let server = Server::start_with(Dir::new(), &["--throttle", "off"], &[]);
    server.register("ada", PASSWORD).token();
    works(&server.dir.0, &["backup", "copy.db"]);
    server.register("bob", PASSWORD).token();
    server.stop("-KILL").1
}

#[test]
fn a_copy_made_under_load_is_a_moment_of_what_was_acknowledged() {
    let server = Server::start(&FLAGS);
    fill(&server.dir.file());
    let (sent, acknowledged) = (counters(), counters());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (sent, acknowledged, over) = (&sent[client], &acknowledged[client], &over);
            let server = &server;
            // Each client ends its sessions one after the other.
            scope.spawn(move || {
                for number in (client * OWN..).take(OWN) {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    sent.fetch_add(1, Ordering::SeqCst);
                    let reply = server.send_as(&token(number), "POST", "/api/logout", "");
                    assert_eq!(reply.status(), 200, "{reply:?}");
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        eventually(|| read(&acknowledged).iter().sum::<usize>() > CLIENTS);
        for round in 0..6 {
            let copy = format!("copy-{round}.db");
            let before = read(&acknowledged);
            // Its key is SECRET_KEY, which this command does not have.
            works(&server.dir.0, &["backup", &copy, "--without-keys"]);
            must_be_a_moment(&server.dir.0.join(copy), &before, &read(&sent));
        }
        over.store(true, Ordering::Relaxed);
    });
    let ended = ended_by_client(&server.dir.0.join("copy-5.db"));
    let (_, dir) = server.stop("-TERM");
    works(&dir.0, &["restore", "copy-5.db", "--keep-sessions", "--yes"]);
    // The server that has the copy answers as the first one did at that moment.
    let server = Server::start_in(dir, &FLAGS);
    for (client, ended) in ended.into_iter().enumerate() {
        for (number, expected) in [(ended.wrapping_sub(1), 403), (ended, 200)] {
            if number < OWN {
                let reply = server.protected(&token(client * OWN + number));
                assert_eq!(reply.status(), expected, "{client} {number}");
            }
        }
    }
}

fn counters() -> [AtomicUsize; CLIENTS] {
    std::array::from_fn(|_| AtomicUsize::new(0))
}

fn read(counters: &[AtomicUsize; CLIENTS]) -> [usize; CLIENTS] {
    std::array::from_fn(|client| counters[client].load(Ordering::SeqCst))
}

/// How many of its sessions each client has ended in a file: without a hole, from the first on.
fn ended_by_client(copy: &Path) -> Vec<usize> {
    let connection = Connection::open(copy).unwrap();
    let sql = "SELECT ended IS NOT NULL FROM sessions WHERE jti = ?1";
    let mut query = connection.prepare(sql).unwrap();
    let mut is_ended = |number| query.query_row([jti(number)], |row| row.get(0)).unwrap();
    let mut ended = Vec::new();
    for client in 0..CLIENTS {
        let own: Vec<bool> = (client * OWN..).take(OWN).map(&mut is_ended).collect();
        let count = own.iter().filter(|ended| **ended).count();
        assert!(own[..count].iter().all(|ended| *ended), "client {client} has a hole");
        ended.push(count);
    }
    ended
}

fn must_be_a_moment(copy: &Path, before: &[usize], after: &[usize]) {
    for (client, ended) in ended_by_client(copy).into_iter().enumerate() {
        let possible = before[client]..=after[client];
        assert!(possible.contains(&ended), "client {client}: {ended} is not in {possible:?}");
    }
}

#[test]
fn a_copy_is_private_complete_and_replaces_only_an_earlier_one() {
    let server = Server::start_with(Dir::new(), &["--throttle", "off"], &[]);
    server.register("ada", PASSWORD).token();
    let dir = &server.dir.0;
    let text = works(dir, &["backup", "copy.db"]);
    assert!(text.contains("users                       1") && text.contains("copy.key"), "{text}");
    let (copy, keys) = (dir.join("copy.db"), dir.join("copy.key"));
    assert_eq!((mode(&copy), mode(&keys)), (0o600, 0o600));
    assert_eq!(fs::read(&keys).unwrap(), fs::read(dir.join("lictor.key")).unwrap());
    works(dir, &["check", "--deep", "--database", "copy.db", "--listen", "127.0.0.1:0"]);
    server.register("bob", PASSWORD).token();
    works(dir, &["backup", "copy.db"]);
    assert_eq!(names(&copy), ["ada", "bob"]);
    assert!(found(dir, "partial").is_empty() && found(dir, "copy.db-").is_empty());

    works(dir, &["backup", "--without-keys", "alone.db"]);
    assert!(!dir.join("alone.key").exists());
    // What a killed process has left is no obstacle; a link is none of ours.
    fs::write(dir.join("alone.db.partial"), [b'x'; 5_000]).unwrap();
    works(dir, &["backup", "--without-keys", "alone.db"]);
    std::os::unix::fs::symlink("victim", dir.join("alone.db.partial")).unwrap();
    fails(dir, &["backup", "--without-keys", "alone.db"], 1, &["cannot write alone.db.partial"]);
    assert!(!dir.join("victim").exists());

    // A restore would take the keys of the earlier copy for this one's.
    let said = ["copy.key is there already, and has the keys of another copy", "another name"];
    fails(dir, &["backup", "--without-keys", "copy.db"], 1, &said);
    assert_eq!(names(&copy), ["ada", "bob"]);

    fs::write(dir.join("notes.txt"), "notes").unwrap();
    fs::write(dir.join("other.key"), "other keys").unwrap();
    fs::create_dir(dir.join("folder")).unwrap();
    for (args, code, part) in [
        (&["backup", "lictor.db"][..], 1, "is no backup of lictor's"),
        (&["backup", "notes.txt"], 1, "is no backup of lictor's"),
        (&["backup", "other.db"], 1, "other.key is there already, and has other keys"),
        (&["backup", "folder"], 2, "add --keep N"),
        (&["backup", "missing/copy.db"], 1, "cannot write missing/copy.db"),
        (&["backup", "--without-keys", "other.db"], 1, "other.key is there already"),
        (&["backup", "--keep", "0", "folder"], 2, "0"),
        (&["backup", "copy.db", "--database", "none.db"], 1, "there is no database at none.db"),
        (&["backup", "x.db", "--database", "notes.txt"], 1, "is not a lictor database"),
        (&["backup", "x.db", "--database", "postgres://h/x"], 2, "pg_dump"),
        (&["restore", "copy.db", "--yes", "--database", "postgres://h/x"], 2, "pg_restore"),
    ] {
        fails(dir, args, code, &[part]);
    }
    assert_eq!(fs::read(dir.join("notes.txt")).unwrap(), b"notes");
    assert_eq!(fs::read(dir.join("other.key")).unwrap(), b"other keys");
    assert!(!dir.join("other.db").exists() && !dir.join("x.db").exists());
    assert_eq!(server.login("ada", PASSWORD).status(), 200);
}

#[test]
fn of_dated_copies_the_newest_stay() {
    let (_, dir) = Server::start_with(Dir::new(), &[], &[]).stop("-TERM");
    fs::create_dir(dir.0.join("copies")).unwrap();
    for stamp in ["20200101T000000Z", "20210101T000000Z"] {
        for ending in ["db", "key"] {
            fs::write(dir.0.join(format!("copies/lictor-{stamp}.{ending}")), "old").unwrap();
        }
    }
    let text = works(&dir.0, &["backup", "--keep", "2", "copies"]);
    assert!(text.contains("deleted 1 older than the newest 2"), "{text}");
    let left = found(&dir.0.join("copies"), "lictor-");
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(left.iter().all(|path| !path.to_str().unwrap().contains("2020")), "{left:?}");
    // One of a clock that was ahead takes no place, and is not the newest.
    fs::write(dir.0.join("copies/lictor-29990101T000000Z.db"), "ahead").unwrap();
    let text = works(&dir.0, &["backup", "--keep", "2", "copies"]);
    assert!(text.contains("29990101T000000Z.db has a time that is yet to come"), "{text}");
    assert!(left[2].exists() && found(&dir.0.join("copies"), "2999").len() == 1);
    let left = found(&dir.0.join("copies"), "lictor-2");
    let left = &left[..left.len() - 1];
    let newest = left.iter().rfind(|path| path.extension().unwrap() == "db").unwrap();
    // Whoever has copied it has given the file another time; its name has the right one.
    let file = fs::File::options().write(true).open(newest).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    // A folder stands for its newest copy.
    let text = works(&dir.0, &["restore", "copies", "--yes"]);
    let name = newest.file_name().unwrap().to_str().unwrap();
    let hour = format!("{}-{}-{}T{}:", &name[7..11], &name[11..13], &name[13..15], &name[16..18]);
    for said in [text, works(&dir.0, &["audit"])] {
        let line = said.lines().find(|line| line.contains(name)).unwrap();
        assert!(line.contains(&format!("of {hour}")), "{said}");
    }
}

#[test]
fn a_damaged_database_gives_no_copy() {
    let dir = killed();
    let connection = Connection::open(dir.file()).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'sessions_of_user'";
    let page: u64 = connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() as u64;
    drop(connection);
    let file = fs::OpenOptions::new().write(true).open(dir.file()).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[0x5a; 100], (page - 1) * 4096).unwrap();
    let before = fs::read(dir.0.join("copy.db")).unwrap();
    fails(&dir.0, &["backup", "copy.db"], 1, &["is damaged"]);
    assert!(fs::read(dir.0.join("copy.db")).unwrap() == before, "the earlier copy stays");
    // The damaged file makes room for the copy all the same.
    works(&dir.0, &["restore", "copy.db", "--yes"]);
    assert_eq!(names(&dir.file()), ["ada"]);
    // A damaged copy takes nobody's place.
    let file = fs::OpenOptions::new().write(true).open(dir.0.join("copy.db")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[0x5a; 100], (page - 1) * 4096).unwrap();
    fails(&dir.0, &["restore", "copy.db", "--yes"], 1, &["copy.db is damaged"]);
    assert_eq!(names(&dir.file()), ["ada"]);
}

#[test]
fn a_restore_replaces_everything_and_keeps_what_was_there() {
    let server = Server::start_with(Dir::new(), &["--throttle", "off"], &[]);
    let (ended, open) = (server.register("ada", PASSWORD).token(), server.login("ada", PASSWORD));
    works(&server.dir.0, &["backup", "copy.db"]);
    assert_eq!(server.send_as(&ended, "POST", "/api/logout", "").status(), 200);
    server.register("bob", PASSWORD).token();
    let in_use = ["is in use", "stop the server"];
    fails(&server.dir.0, &["restore", "copy.db", "--yes"], 1, &in_use);
    let (_, dir) = server.stop("-KILL");
    works(&dir.0, &["key", "rotate"]);
    let new_keys = fs::read(dir.0.join("lictor.key")).unwrap();
    let give = |name: &str| chown(dir.0.join(name), Some(12_345), Some(54_321)).is_ok();
    let is_root = give("lictor.db") && give("lictor.key");

    fails(&dir.0, &["restore", "copy.db"], 1, &["add --yes"]);
    fails(&dir.0, &["restore", "lictor.db", "--yes"], 2, &["is the database itself"]);
    fs::hard_link(dir.file(), dir.0.join("linked.db")).unwrap();
    fails(&dir.0, &["restore", "linked.db", "--yes"], 2, &["is the database itself"]);
    fs::remove_file(dir.0.join("linked.db")).unwrap();
    for missing in ["missing.db", "/missing/copy.db"] {
        let (code, text) = command(&dir.0, &["restore", missing, "--yes"]);
        assert_eq!(code, 1, "{text}");
        assert!(text.starts_with(&format!("lictor: there is no backup at {missing}\n")), "{text}");
    }
    assert!(found(&dir.0, "replaced").is_empty() && found(&dir.0, "restored").is_empty());

    works(&dir.0, &["restore", "copy.db", "--yes"]);
    let file = fs::metadata(dir.file()).unwrap();
    assert_eq!(file.mode() & 0o777, 0o600);
    assert_eq!(fs::read(dir.0.join("lictor.key")).unwrap(), new_keys);
    if is_root {
        let keys = fs::metadata(dir.0.join("lictor.key")).unwrap();
        for owner in [(file.uid(), file.gid()), (keys.uid(), keys.gid())] {
            assert_eq!(owner, (12_345, 54_321));
        }
    }
    let kept = found(&dir.0, "replaced");
    let kept_database = kept.iter().find(|path| path.extension().unwrap() == "db").unwrap();
    assert_eq!(names(kept_database), ["ada", "bob"], "its log moved with it");
    assert!(kept.iter().all(|path| path.extension().unwrap() != "key"), "the keys stay");

    let server = Server::start_with(dir, &["--throttle", "off"], &[]);
    for token in [&ended, &open.token()] {
        assert_eq!(server.protected(token).error().0, 403, "every session has ended");
    }
    assert_eq!(server.login("ada", PASSWORD).status(), 200);
    assert_eq!(server.login("bob", PASSWORD).status(), 401);
    let (_, dir) = server.stop("-TERM");
    let audited = |dir: &Dir| {
        let audit = works(&dir.0, &["audit"]);
        let line = audit.lines().find(|line| line.contains("database-restored"));
        line.unwrap_or_else(|| panic!("it is not in {audit}")).to_owned()
    };
    let line = audited(&dir);
    assert!(line.contains("copy.db of 20") && !line.contains("sessions kept"), "{line}");
    works(&dir.0, &["restore", "copy.db", "--yes", "--keep-sessions", "--without-keys"]);
    assert!(audited(&dir).contains("Z; sessions kept"), "{}", audited(&dir));
    let server = Server::start_with(dir, &[], &[]);
    assert_eq!(server.protected(&ended).status(), 200, "it was open at the time of the copy");
}

#[test]
fn a_restore_brought_a_retired_key_back() {
    let server = Server::start_with(Dir::new(), &[], &[]);
    server.register("ada", PASSWORD).token();
    works(&server.dir.0, &["backup", "copy.db"]);
    let dir = server.stop("-TERM").1;
    let (keys, of_copy) = (dir.0.join("lictor.key"), fs::read(dir.0.join("copy.key")).unwrap());
    let listed = works(&dir.0, &["key", "list", "--json"]);
    let old = listed.split('"').nth(3).unwrap();
    works(&dir.0, &["key", "rotate"]);
    let both = fs::read(&keys).unwrap();
    works(&dir.0, &["key", "retire", old, "--yes"]);
    let new = fs::read(&keys).unwrap();

    let is_warned =
        |text: &str| text.contains(&format!("are not in {} now: {old};", keys.display()));
    for (there, more, after, warned) in [
        (&new, None, &new, false),
        (&new, Some("--with-keys"), &of_copy, true),
        // Tokens of the kept sessions were signed with the old key.
        (&new, Some("--keep-sessions"), &of_copy, true),
        (&both, Some("--keep-sessions"), &both, false),
        (&both, Some("--with-keys"), &of_copy, false),
        (&of_copy, Some("--with-keys"), &of_copy, false),
        // What is no key file has no keys that could stay.
        (&b"no keys".to_vec(), None, &of_copy, true),
    ] {
        fs::write(&keys, there).unwrap();
        let args = [&["restore", "copy.db", "--yes"][..], more.as_slice()].concat();
        let text = works(&dir.0, &args);
        assert_eq!(fs::read(&keys).unwrap(), *after, "{more:?}: {text}");
        assert_eq!(is_warned(&text), warned, "{more:?}: {text}");
        let stays = text.contains("lictor.key stay");
        assert_eq!(stays, after == there && *there != of_copy, "{more:?}: {text}");
        assert_eq!(text.contains("--with-keys restores them"), stays && *there == new, "{text}");
        let kept = found(&dir.0, "replaced");
        let kept: Vec<_> = kept.iter().filter(|path| path.extension().unwrap() == "key").collect();
        assert_eq!(kept.len(), usize::from(after != there), "{kept:?}: {text}");
        for kept in kept {
            assert_eq!(fs::read(kept).unwrap(), *there);
            fs::remove_file(kept).unwrap();
        }
    }
    fs::remove_file(&keys).unwrap();
    let text = works(&dir.0, &["restore", "copy.db", "--yes"]);
    assert!(text.contains("restored the keys to") && !is_warned(&text), "{text}");
    assert_eq!(fs::read(&keys).unwrap(), of_copy);
    let both = ["restore", "copy.db", "--yes", "--with-keys", "--without-keys"];
    fails(&dir.0, &both, 2, &["--with-keys"]);
}

#[test]
fn one_time_links_and_mails_with_them_are_void_and_foreign_tokens_too() {
    let (_, dir) = Server::start(&[]).stop("-TERM");
    works(&dir.0, &["backup", "copy.db", "--without-keys"]);
    let copy = Connection::open(dir.0.join("copy.db")).unwrap();
    copy.execute_batch(
        "INSERT INTO users (id, name, name_key, password, created) VALUES (1, 'ada', 'ada', '!', 1);
         INSERT INTO tickets (jti, user, purpose, expires) VALUES ('t', 1, 'reset', 99999999999);
         INSERT INTO outbox (message, kind, user, email, created, jti, expires, due)
             VALUES ('m', 'reset', 1, 'a@b.example', 1, 't', 99999999999, 1);
         INSERT INTO outbox (message, kind, user, email, created, due)
             VALUES ('n', 'password-changed', 1, 'a@b.example', 1, 1);",
    )
    .unwrap();
    drop(copy);
    works(&dir.0, &["restore", "copy.db", "--yes", "--without-keys"]);
    let file = Connection::open(dir.file()).unwrap();
    let count = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM tickets"), 0);
    assert_eq!(count("SELECT count(*) FROM outbox"), 1);
    assert!(count("SELECT tokens_after FROM users") > 1_700_000_000);
}

#[test]
fn the_id_of_a_user_who_came_after_the_backup_was_given_to_the_next_one() {
    for more in [None, Some("--keep-sessions")] {
        let server = Server::start_with(Dir::new(), &["--throttle", "off"], &[]);
        server.register("ada", PASSWORD).token();
        works(&server.dir.0, &["backup", "copy.db"]);
        let token = server.register("mallory", PASSWORD).token();
        let (_, dir) = server.stop("-TERM");
        works(&dir.0, &[&["restore", "copy.db", "--yes"][..], more.as_slice()].concat());
        let server = Server::start_with(dir, &["--adopt-tokens"], &[]);
        assert_eq!(server.user(&["add", "bob", "--role", "admin"], PASSWORD).0, 0);
        // The id alone decides: a restore by hand is not noticed.
        server.take_older_tokens();
        assert_eq!(server.protected(&token).error(), (401, "MissingUserError".into()));
        let id: i64 = server.dir.sql().number("SELECT id FROM users WHERE name = 'bob'");
        assert!(id > payload(&token)["id"].as_i64().unwrap() + 900_000, "{id}");
    }
}

#[test]
fn a_copy_of_an_older_version_is_brought_to_this_one_and_a_newer_one_is_refused() {
    let (_, dir) = Server::start(&[]).stop("-TERM");
    let old = include_str!("../../src/store/sqlite/versions/3.sql");
    let copy = Connection::open(dir.0.join("old.db")).unwrap();
    copy.execute_batch(old).unwrap();
    copy.execute_batch(
        "PRAGMA application_id = 0x4C494354; PRAGMA user_version = 3;
         INSERT INTO users (name, name_key, password, created) VALUES ('eve', 'eve', '!', 1);",
    )
    .unwrap();
    drop(copy);
    works(&dir.0, &["restore", "old.db", "--yes", "--without-keys"]);
    assert_eq!(names(&dir.file()), ["eve"]);
    let server = Server::start_in(dir, &[]);
    assert_eq!(server.register("ada", PASSWORD).status(), 200);
    let (_, dir) = server.stop("-TERM");
    let copy = Connection::open(dir.0.join("old.db")).unwrap();
    copy.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(copy);
    fails(&dir.0, &["restore", "old.db", "--yes"], 1, &["version 99"]);
    assert_eq!(names(&dir.file()), ["eve", "ada"]);
}

/// Each state in which a crash can leave a restore, and what the next command finds.
#[test]
fn a_restore_that_a_crash_interrupts_is_old_or_new_and_the_next_command_says_so() {
    for (state, finished) in [
        (&["partial"][..], false),
        (&["restored"], true),
        (&["restored", "log moved"], true),
        (&["restored", "log moved", "database moved"], true),
    ] {
        let dir = killed();
        let path = |name: &str| dir.0.join(name);
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for step in state {
            match *step {
                "partial" => {
                    fs::write(path("lictor.db-restored.partial"), [b'x'; 4_096]).unwrap();
                }
                "restored" => {
                    fs::copy(path("copy.db"), path("lictor.db-restored")).unwrap();
                    let file = fs::File::options().write(true).open(path("lictor.db-restored"));
                    file.unwrap().set_modified(at).unwrap();
                    fs::hard_link(path("lictor.db-restored"), path("lictor.db-restoring")).unwrap();
                }
                "log moved" => {
                    let kept = "lictor-replaced-20231114T221320Z.db-wal";
                    fs::rename(path("lictor.db-wal"), path(kept)).unwrap();
                }
                _ => {
                    let kept = "lictor-replaced-20231114T221320Z.db";
                    fs::rename(dir.file(), path(kept)).unwrap();
                }
            }
        }
        let text = works(&dir.0, &["user", "list"]);
        let said = "what was there is";
        assert_eq!(text.contains("finished an interrupted restore"), finished, "{state:?}: {text}");
        assert_eq!(text.contains(said), finished, "{state:?}: {text}");
        assert_eq!(text.contains("bob"), !finished, "{state:?}: {text}");
        assert!(text.contains("ada"), "{state:?}: {text}");
        if finished {
            let kept = path("lictor-replaced-20231114T221320Z.db");
            assert_eq!(names(&kept), ["ada", "bob"], "{state:?}: the old one is complete");
            assert!(text.contains("20231114T221320Z.db; run lictor restore again"), "{text}");
            assert!(found(&dir.0, "lictor.db-rest").is_empty());
        }
        // Another restore works in any case.
        works(&dir.0, &["restore", "copy.db", "--yes"]);
        assert!(found(&dir.0, "restored").is_empty());
    }
}

#[test]
fn a_log_whose_database_was_deleted_is_not_replayed_into_the_restored_one() {
    let dir = killed();
    fs::remove_file(dir.file()).unwrap();
    works(&dir.0, &["restore", "copy.db", "--yes"]);
    let listed = works(&dir.0, &["user", "list"]);
    assert!(listed.contains("ada") && !listed.contains("bob"), "{listed}");
    assert_eq!(found(&dir.0, "replaced").len(), 2, "the log and its index are kept");
}

#[test]
fn a_file_that_no_restore_has_named_does_not_become_the_database() {
    let dir = killed();
    let path = |name: &str| dir.0.join(name);
    for leftover in [false, true] {
        fs::copy(path("copy.db"), path("lictor.db-restored")).unwrap();
        if leftover {
            fs::copy(path("copy.db"), path("lictor.db-restoring")).unwrap();
        }
        let said = ["lictor.db-restored has the name that a restore uses", "another name"];
        for args in [&["user", "list"][..], &["check"], &["restore", "copy.db", "--yes"]] {
            fails(&dir.0, args, 1, &said);
        }
        assert!(found(&dir.0, "replaced").is_empty());
        fs::remove_file(path("lictor.db-restored")).unwrap();
        assert!(works(&dir.0, &["user", "list"]).contains("bob"));
    }
    fails(&dir.0, &["backup", "lictor.db-restored"], 2, &["give the backup another name"]);
    works(&dir.0, &["restore", "copy.db", "--yes"]);
    assert!(found(&dir.0, "lictor.db-rest").is_empty());
}

#[test]
fn a_server_that_starts_while_a_restore_asks_does_not_lose_its_database() {
    let dir = killed();
    for file in found(&dir.0, "lictor.db") {
        fs::remove_file(file).unwrap();
    }
    for answer in ["n\n", "y\n"] {
        // A terminal for the question.
        let restore = format!("{} restore copy.db", env!("CARGO_BIN_EXE_lictor"));
        let mut asking = Command::new("script");
        asking.args(["-qec", &restore, "/dev/null"]).current_dir(&dir.0);
        let mut asking = asking.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // It has made the file and locked it when it asks.
        let mut shown = asking.stdout.take().unwrap();
        let mut byte = [0];
        while byte != *b"?" {
            shown.read_exact(&mut byte).expect("a question");
        }
        assert!(dir.file().exists());
        let (code, text) = command(&dir.0, &["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(code, 1, "{text}");
        asking.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        let _ = shown.read_to_end(&mut Vec::new());
        assert!(asking.wait().unwrap().success());
        assert_eq!(dir.file().exists(), answer == "y\n");
    }
    assert_eq!(names(&dir.file()), ["ada"]);
    assert!(found(&dir.0, "replaced").is_empty(), "nothing was there");
}

/// Restores, and kills that when the names in the directory have changed so often; returns whether it was
/// killed before it was done.
fn restore_killed_after(dir: &Path, changes: usize) -> bool {
    let names = || fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let names = || names().collect::<BTreeSet<_>>();
    let mut restore = lictor(dir, &["restore", "copy.db", "--yes"]);
    let mut seen = names();
    let mut child = restore.stdout(Stdio::null()).spawn().unwrap();
    let mut count = 0;
    while count < changes && child.try_wait().unwrap().is_none() {
        let now = names();
        count += usize::from(now != seen);
        seen = now;
    }
    let _ = child.kill();
    !child.wait().unwrap().success()
}

/// What the next command finds.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Old,
    Interrupted,
    New,
}

fn end_of_restore(dir: &Dir) -> End {
    let text = works(&dir.0, &["user", "list"]);
    let kept = found(&dir.0, "replaced");
    let kept = kept.iter().find(|path| path.extension().is_some_and(|end| end == "db"));
    let Some(kept) = kept else {
        assert_eq!(names(&dir.file()), ["ada", "bob"]);
        return End::Old;
    };
    assert_eq!(names(&dir.file()), ["ada"]);
    assert_eq!(names(kept), ["ada", "bob"]);
    match text.contains("finished an interrupted restore") {
        true => End::Interrupted,
        false => End::New,
    }
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_or_the_new() {
    let before = killed();
    let mut ends = BTreeSet::new();
    // Once is enough nearly always. With one processor and a disk in memory, hardly anybody sees the
    // names in between.
    for _ in 0..1_000 {
        for changes in 0.. {
            let dir = Dir::new();
            for path in found(&before.0, "") {
                fs::copy(&path, dir.0.join(path.file_name().unwrap())).unwrap();
            }
            let was_killed = restore_killed_after(&dir.0, changes);
            let end = end_of_restore(&dir);
            assert!(was_killed || end == End::New, "{end:?}");
            ends.insert(end);
            if !was_killed {
                break;
            }
        }
        if ends.len() == 3 {
            return;
        }
    }
    panic!("it was never killed between two names: {ends:?}");
}

#[test]
fn the_log_of_another_file_was_replayed_into_a_copy_in_silence() {
    let dir = killed();
    fs::copy(dir.0.join("copy.db"), dir.file()).unwrap();
    let state = || [dir.file(), dir.0.join("lictor.db-wal")].map(|path| fs::read(path).unwrap());
    let before = state();
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"], &["backup", "b.db"]]
    {
        fails(&dir.0, args, 1, &["the write-ahead log of another file", "lictor restore"]);
    }
    assert!(before == state(), "nothing is touched");
    fs::rename(dir.0.join("lictor.db-wal"), dir.0.join("lictor.db-wal-old")).unwrap();
    let listed = works(&dir.0, &["user", "list"]);
    assert!(listed.contains("ada") && !listed.contains("bob"), "{listed}");
}

#[test]
fn a_file_that_is_much_newer_than_its_log_is_warned_of() {
    let dir = killed();
    let log = fs::File::options().write(true).open(dir.0.join("lictor.db-wal")).unwrap();
    let unwarned = works(&dir.0, &["user", "list"]);
    assert!(!unwarned.contains("write-ahead log"), "{unwarned}");
    log.set_modified(SystemTime::now() - Duration::from_secs(3_600)).unwrap();
    let warned = works(&dir.0, &["user", "list"]);
    assert!(warned.contains("was written long after its write-ahead log"), "{warned}");
}

#[test]
fn a_secret_in_the_environment_is_not_copied_and_the_command_says_so() {
    let (_, dir) = Server::start(&[]).stop("-TERM");
    let mut backup = lictor(&dir.0, &["backup", "copy.db"]);
    backup.env("SECRET_KEY", SECRET);
    let (code, out, err) = outcome(&backup.output().unwrap());
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("SECRET_KEY is not in the backup") && !out.contains("keys"), "{out}{err}");
    assert!(!dir.0.join("copy.key").exists());
    let text = works(&dir.0, &["restore", "copy.db", "--yes"]);
    assert!(text.contains("no keys are restored"), "{text}");
}
