//! What goes wrong around the database file while the server runs: the disk is full, read-only or
//! slow, the file is deleted, replaced or overwritten. Reads go on, writes are refused with 503, and
//! nothing that was acknowledged is lost.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::groups::{
    Done, FLAGS, FOR_EVER, SESSIONS, fill, kill_during_refreshes, must_be_there, start_slow, token,
    write_all,
};
use crate::sql::open_file;
use crate::support::{Dir, PASSWORD, Reply, Server, eventually, outcome, run};

/// Something mounted on a folder of a test, until the value is dropped.
struct Mount(PathBuf);

impl Mount {
    /// `None` if this user may not mount anything. `tests/run` says so.
    fn new(dir: &Path, args: &[&str]) -> Option<Mount> {
        let mount = Command::new("mount").args(args).arg(dir).output();
        match mount {
            Ok(done) if done.status.success() => Some(Mount(dir.to_owned())),
            failed => {
                eprintln!("!! LEFT OUT: mount {args:?} is not possible here: {failed:?}");
                None
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[track_caller]
fn refused(reply: &Reply) {
    assert_eq!(reply.error(), (503, "Unavailable".into()));
    assert!(reply.header("retry-after").is_some(), "{reply:?}");
}

/// What health says of reading and writing, with its status.
fn health(server: &Server) -> (u16, String) {
    let reply = server.get("/api/health");
    let json = reply.json();
    assert_eq!(json["status"], if reply.status() == 200 { "ok" } else { "failed" });
    (reply.status(), format!("{} {}", json["checks"]["read"], json["checks"]["write"]))
}

fn healthy() -> (u16, String) {
    (200, "\"ok\" \"ok\"".into())
}

fn writes_fail() -> (u16, String) {
    (503, "\"ok\" \"failed\"".into())
}

#[test]
fn health_writes_at_most_once_in_ten_seconds() {
    let server = Server::start(&[]);
    let count = || -> i64 {
        let file = open_file(&server.dir.file());
        file.query_row("SELECT count(*) FROM invitations", [], |row| row.get(0)).unwrap()
    };
    let log = || fs::metadata(server.dir.0.join("lictor.db-wal")).unwrap().len();
    let begun = Instant::now();
    let mut lengths = vec![log()];
    for _ in 0..20 {
        assert_eq!(health(&server), healthy());
        lengths.push(log());
    }
    let writes = lengths.windows(2).filter(|pair| pair[0] < pair[1]).count() as u64;
    assert!(lengths[0] < lengths[1], "nothing was written: {lengths:?}");
    // On a slow machine these may take more than ten seconds.
    assert!(writes <= 1 + begun.elapsed().as_secs() / 10, "{lengths:?}");
    assert_eq!(count(), 0, "nothing is left of it");
}

/// The command gives up after two seconds, and would not have the answer then. A machine that stands
/// still for longer is no fault, but it does not do so three times.
fn ask_of_a_locked_database(server: &Server) {
    let listen = server.address.to_string();
    let ask = || outcome(&run(&server.dir.0, &["health", "--listen", &listen], ""));
    let answers = |(_, _, said): &(i32, String, String)| !said.contains("no whole answer");
    let answer = (0..3).map(|_| ask()).find(answers);
    let (code, _, said) = answer.expect("an answer in time");
    assert!(code == 1 && said.contains("503"), "{code} {said}");
    assert!(said.contains(r#""checks":{"read":"ok","write":"failed"}"#), "{said}");
}

#[test]
fn health_of_a_locked_database_is_told_in_time_and_logged_once() {
    // The same of the five seconds for which a writer waits.
    let waited = (0..3).any(|_| a_writer_waits_longer_than_health());
    assert!(waited, "the writer gave up");
}

/// Locks the database, asks for its health, and releases it while a writer waits; says whether that one
/// was still waiting.
fn a_writer_waits_longer_than_health() -> bool {
    let server = Server::start(&["--throttle", "off"]);
    let locked = open_file(&server.dir.file());
    locked.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The second time the failure of the first counts, for a second.
    ask_of_a_locked_database(&server);
    ask_of_a_locked_database(&server);
    std::thread::sleep(Duration::from_secs(1));
    let status = std::thread::scope(|scope| {
        let server = &server;
        // It waits longer than health does, and neither failure shortens that.
        let waits = scope.spawn(|| server.register("ada", PASSWORD).status());
        std::thread::sleep(Duration::from_millis(200));
        ask_of_a_locked_database(server);
        locked.execute_batch("COMMIT").unwrap();
        waits.join().unwrap()
    });
    if status == 503 {
        return false;
    }
    assert_eq!(status, 200);
    eventually(|| health(&server) == healthy());
    assert_eq!(health(&server), healthy());
    let log = server.log();
    for once in ["ERROR health: writing fails: database", "health: reading and writing work again"]
    {
        assert_eq!(log.matches(once).count(), 1, "{log}");
    }
    assert_eq!(log.matches("ERROR").count(), 1, "{log}");
    true
}

/// A directory whose database is on another file system; and the file's own path.
fn with_database_in(disk: &Path) -> (Dir, PathBuf) {
    let (dir, database) = (Dir::new(), disk.join("lictor.db"));
    fs::write(&database, "").unwrap();
    std::os::unix::fs::symlink(&database, dir.file()).unwrap();
    (dir, database)
}

/// Room for the start, and for some hundred writes.
const SMALL: &str = "size=2m";

/// Fills the disk until the server refuses writes; returns those that it has acknowledged.
fn use_up(disk: &Path, server: &Server, database: &Path) -> Vec<Done> {
    fill(database);
    fs::write(disk.join("ballast"), vec![b'x'; 512 << 10]).unwrap();
    let next = AtomicUsize::new(0);
    let acknowledged = write_all(server.address, &next, |_, refused| refused >= 100);
    assert!(next.into_inner() + 64 < SESSIONS, "the disk is not full");
    // The last bytes go as well.
    let rest = fs::File::create(disk.join("rest")).unwrap();
    while std::io::Write::write(&mut &rest, &[b'x'; 4_096]).is_ok_and(|written| written > 0) {}
    acknowledged
}

fn make_room(disk: &Path) {
    for file in ["rest", "ballast"] {
        fs::remove_file(disk.join(file)).unwrap();
    }
}

#[test]
fn a_full_disk_refuses_writes_and_comes_back_by_itself() {
    let folder = Dir::new();
    let disk = &folder.0;
    let Some(_mount) = Mount::new(disk, &["-t", "tmpfs", "-o", SMALL, "tmpfs"]) else { return };
    let (dir, database) = with_database_in(disk);
    let server = Server::start_in(dir, &FLAGS);
    let ada = server.register("ada", PASSWORD).token();
    let acknowledged = use_up(disk, &server, &database);
    for _ in 0..20 {
        assert_eq!(server.protected(&ada).status(), 200, "token checks go on");
        assert_eq!(server.send_as(&ada, "GET", "/api/me", "").status(), 200);
    }
    refused(&server.register("bob", PASSWORD));
    eventually(|| health(&server) == writes_fail());
    assert!(server.log().contains("disk is full"), "{}", server.log());
    must_be_there(&database, &acknowledged);

    make_room(disk);
    let back = server.register("bob", PASSWORD);
    assert_eq!(back.status(), 200, "it is not back by itself: {}", server.log());
    eventually(|| health(&server) == healthy());
    let (_, dir) = server.stop("-KILL");
    let server = Server::start_in(dir, &FLAGS);
    must_be_there(&database, &acknowledged);
    assert_eq!(server.login("bob", PASSWORD).status(), 200);
}

/// A mail server that keeps the answer to each mail until it may give it.
struct MailServer {
    listener: TcpListener,
    /// Mails that have arrived.
    arrived: AtomicUsize,
    may_answer: AtomicBool,
}

impl MailServer {
    fn start() -> Arc<MailServer> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server =
            MailServer { listener, arrived: AtomicUsize::new(0), may_answer: false.into() };
        let server = Arc::new(server);
        let receiver = Arc::clone(&server);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = receiver.listener.accept() {
                let _ = receiver.serve(&stream);
            }
        });
        server
    }

    fn serve(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        stream.write_all(b"220 here\r\n")?;
        let mut in_data = false;
        for line in BufReader::new(stream).lines() {
            let answer = match (line?.as_str(), in_data) {
                (".", true) => {
                    self.arrived.fetch_add(1, Ordering::SeqCst);
                    while !self.may_answer.load(Ordering::SeqCst) {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    in_data = false;
                    "250 taken"
                }
                (_, true) => continue,
                ("DATA", false) => {
                    in_data = true;
                    "354 go on"
                }
                ("QUIT", false) => "221 bye",
                _ => "250 fine",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes())?;
        }
        Ok(())
    }

    fn arrived(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }
}

#[test]
fn a_mail_that_was_sent_on_a_full_disk_is_not_sent_again() {
    // The mail server has 40 seconds for its answer. A machine on which the disk is not full by then
    // is no fault, but it is not so three times.
    let in_time = (0..3).any(|_| a_mail_is_sent_while_the_disk_is_full());
    assert!(in_time, "the mail server was too late");
}

/// Fills the disk while a mail server takes a mail; says whether that was in time.
fn a_mail_is_sent_while_the_disk_is_full() -> bool {
    let folder = Dir::new();
    let disk = &folder.0;
    let Some(_mount) = Mount::new(disk, &["-t", "tmpfs", "-o", SMALL, "tmpfs"]) else {
        return true;
    };
    let (dir, database) = with_database_in(disk);
    let mails = MailServer::start();
    let way = format!("smtp://{}", mails.listener.local_addr().unwrap());
    let mail = ["--mail", &way, "--mail-from", "a@example.org", "--public-url", "http://localhost"];
    let server = Server::start_in(dir, &[&FLAGS[..], &mail].concat());
    server.register("ada", PASSWORD).token();
    let email = "UPDATE users SET email = 'ada@example.org', email_key = 'ada@example.org'";
    open_file(&database).execute(email, []).unwrap();
    let asked = server.post("/api/reset", &json!({"email": "ada@example.org"}));
    assert_eq!(asked.status(), 200);
    eventually(|| mails.arrived() == 1);
    use_up(disk, &server, &database);
    mails.may_answer.store(true, Ordering::SeqCst);
    let waits = || server.log().matches("mails have to wait").count();
    eventually(|| waits() >= 3 || server.log().contains("is tried again"));
    if server.log().contains("is tried again") {
        return false;
    }
    assert_eq!(mails.arrived(), 1, "it was sent again: {}", server.log());
    make_room(disk);
    let left = || -> i64 {
        let file = open_file(&database);
        file.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0)).unwrap()
    };
    eventually(|| left() == 0);
    assert_eq!(mails.arrived(), 1);
    true
}

#[test]
fn a_file_system_that_becomes_read_only_is_read() {
    let folder = Dir::new();
    let (disk, image) = (folder.0.join("disk"), folder.0.join("image"));
    fs::create_dir(&disk).unwrap();
    fs::File::create(&image).unwrap().set_len(16 << 20).unwrap();
    let made = Command::new("mkfs.ext4").arg("-q").arg(&image).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("!! LEFT OUT: mkfs.ext4 is missing");
        return;
    }
    let image = image.to_str().unwrap().to_owned();
    let loop_of = ["-o", "loop,errors=remount-ro", &image];
    let Some(mount) = Mount::new(&disk, &loop_of) else { return };
    let (dir, database) = with_database_in(&disk);
    let server = Server::start_in(dir, &FLAGS);
    let ada = server.register("ada", PASSWORD).token();
    fill(&database);
    let acknowledged = write_all(server.address, &AtomicUsize::new(0), |count, _| count >= 200);
    // What the kernel does when a disk fails.
    let aborted = Command::new("mount").args(["-o", "remount,abort"]).arg(&disk).status();
    assert!(aborted.unwrap().success());
    for _ in 0..20 {
        assert_eq!(server.protected(&ada).status(), 200, "token checks go on");
    }
    refused(&server.register("bob", PASSWORD));
    refused(&server.send("POST", "/api/refresh", &[], &token(SESSIONS - 1)));
    eventually(|| health(&server) == writes_fail());
    assert_eq!(server.protected(&ada).status(), 200);
    // Somebody has repaired it, and starts lictor again. A copy: the same image would be the same file
    // system as long as the kernel has not let go of it.
    let (_, dir) = server.stop("-KILL");
    drop(mount);
    let repaired = format!("{image}-repaired");
    fs::copy(&image, &repaired).unwrap();
    let Some(_mount) = Mount::new(&disk, &["-o", "loop", &repaired]) else { return };
    let server = Server::start_in(dir, &FLAGS);
    must_be_there(&database, &acknowledged);
    assert_eq!(server.protected(&ada).status(), 200);
    assert_eq!(server.register("bob", PASSWORD).status(), 200);
}

#[test]
fn a_slow_disk_delays_writes_and_no_check_of_a_token() {
    let Some(server) = start_slow(Dir::new(), "1000000") else { return };
    let ada = server.register("ada", PASSWORD).token();
    fill(&server.dir.file());
    fs::write(server.dir.0.join("slow"), "").unwrap();
    let next = AtomicUsize::new(0);
    let check = |server: &Server| assert_eq!(server.protected(&ada).status(), 200);
    let acknowledged = std::thread::scope(|scope| {
        let writing = scope.spawn(|| write_all(server.address, &next, |count, _| count >= 200));
        while !writing.is_finished() {
            check(&server);
        }
        writing.join().unwrap()
    });
    assert!(acknowledged.len() >= 200);
    let (_, dir) = server.stop("-KILL");
    fs::remove_file(dir.0.join("slow")).unwrap();
    let server = start_slow(dir, FOR_EVER).unwrap();
    must_be_there(&server.dir.file(), &acknowledged);
    // While everybody waits for a sync, others are answered: it does not end before they are.
    fs::write(server.dir.0.join("slow"), "").unwrap();
    let answered = kill_during_refreshes(&server, &next, |_| {
        std::thread::sleep(Duration::from_millis(300));
        (0..100).for_each(|_| check(&server));
    });
    assert!(answered.is_empty(), "{answered:?}");
}

/// A server with one account, a copy of its database, and that account's token.
fn with_copy() -> (Server, String) {
    let server = Server::start(&["--throttle", "off"]);
    let ada = server.register("ada", PASSWORD).token();
    let backup = ["backup", "copy.db", "--without-keys"];
    let (code, _, error) = outcome(&run(&server.dir.0, &backup, ""));
    assert_eq!(code, 0, "{error}");
    (server, ada)
}

#[test]
fn a_file_that_is_moved_away_or_replaced_is_not_written_until_it_is_back() {
    let (server, ada) = with_copy();
    let moved = server.dir.0.join("moved.db");
    fs::rename(server.dir.file(), &moved).unwrap();
    // Nobody writes: a thread notices it.
    eventually(|| server.log().contains("was deleted or moved: nothing is written any more"));
    refused(&server.register("bob", PASSWORD));
    fs::copy(server.dir.0.join("copy.db"), server.dir.file()).unwrap();
    refused(&server.register("bob", PASSWORD));
    assert_eq!(health(&server), writes_fail());
    assert_eq!(server.protected(&ada).status(), 200, "reads go on");
    let log = server.log();
    assert_eq!(log.matches("nothing is written any more").count(), 1, "{log}");

    fs::rename(&moved, server.dir.file()).unwrap();
    assert_eq!(server.register("bob", PASSWORD).status(), 200);
    eventually(|| server.log().contains("is back, and is written again"));
    eventually(|| health(&server) == healthy());
    let (_, dir) = server.stop("-KILL");
    let server = Server::start_in(dir, &[]);
    assert_eq!(server.login("bob", PASSWORD).status(), 200);
}

#[test]
fn a_file_without_its_log_is_not_written() {
    let (server, ada) = with_copy();
    for name in ["lictor.db-wal", "lictor.db-shm"] {
        fs::remove_file(server.dir.0.join(name)).unwrap();
    }
    refused(&server.register("bob", PASSWORD));
    // A connection that has not read yet finds no log.
    assert!([200, 503].contains(&server.protected(&ada).status()));
    // Whoever notices it first says so, which may be the thread that looks now and then.
    eventually(|| server.log().contains("has lost its write-ahead log"));
}

#[test]
fn a_file_that_is_overwritten_was_an_error_500_for_everybody() {
    let (server, ada) = with_copy();
    server.register("bob", PASSWORD).token();
    fs::copy(server.dir.0.join("copy.db"), server.dir.file()).unwrap();
    for name in ["carol", "dora"] {
        refused(&server.register(name, PASSWORD));
        refused(&server.login("ada", PASSWORD));
    }
    assert!([200, 503].contains(&server.protected(&ada).status()));
    assert_eq!(health(&server).0, 503);
    eventually(|| server.log().contains("nothing is written any more"));
    let (_, dir) = server.stop("-KILL");
    let (code, _, error) = outcome(&run(&dir.0, &["serve", "--listen", "127.0.0.1:0"], ""));
    assert!(code == 1 && error.contains("the write-ahead log of another file"), "{error}");
}

/// A copy that another program has made has the mode of a file in use, so its header says nothing.
#[test]
fn damage_that_a_request_meets_stops_all_writing() {
    let (server, _) = with_copy();
    let (_, dir) = server.stop("-TERM");
    let server = Server::start_in(dir, &["--throttle", "off"]);
    let file = fs::OpenOptions::new().write(true).open(server.dir.file()).unwrap();
    let length = fs::metadata(server.dir.file()).unwrap().len();
    // All but the first page, which has the header and the schema.
    let rest = vec![0x5a; length as usize - 4_096];
    std::os::unix::fs::FileExt::write_all_at(&file, &rest, 4_096).unwrap();
    let statuses: Vec<u16> = (0..5).map(|_| server.login("ada", PASSWORD).status()).collect();
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
    assert_eq!(health(&server).0, 503);
    eventually(|| server.dir.0.join("lictor.db-damaged").exists());
    let log = server.log();
    assert_eq!(log.matches("nothing is written any more: stop").count(), 1, "{log}");
}
