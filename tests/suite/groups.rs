//! Many clients write at once, so that their writes share transactions: what was answered is there
//! after every end of the process, and nothing is answered that the disk has not got.

use std::net::SocketAddr;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;

use crate::sql::open_file;
use crate::support::{
    Client, Dir, PASSWORD, PATIENCE, Reply, SECRET, Server, eventually, lictor, now, payload,
    request, signed,
};

/// Tokens can be exchanged at any age; all clients have one IP address.
pub const FLAGS: [&str; 4] = ["--throttle", "off", "--early-refresh", "24h"];
const CLIENTS: usize = 64;
/// Users with a session each, whose token was issued a while ago.
pub const SESSIONS: usize = 3_000;
const AGE: i64 = 600;

pub fn jti(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// Adds users and sessions to the file of a server.
pub fn fill(file: &Path) {
    let mut connection = open_file(file);
    let transaction = connection.transaction().unwrap();
    let issued = now() - AGE;
    for number in 0..SESSIONS {
        let id = 1_000 + number as i64;
        let user = "INSERT INTO users (id, name, name_key, password, roles, created)
                    VALUES (?1, ?2, ?2, '!', 'user', ?3)";
        transaction.execute(user, (id, format!("user-{number}"), issued)).unwrap();
        let session = "INSERT INTO sessions (jti, user, created, newest, expires, address, agent)
                       VALUES (?1, ?2, ?3, ?3, ?4, '127.0.0.1', '')";
        transaction.execute(session, (jti(number), id, issued, issued + 86_400)).unwrap();
    }
    transaction.commit().unwrap();
}

pub fn token(number: usize) -> String {
    let issued = now() - AGE;
    signed(&json!({
        "iat": issued, "exp": issued + 3_600, "jti": jti(number), "id": 1_000 + number,
        "rls": "user", "rf_exp": issued + 86_400,
    }))
}

/// What the server has acknowledged.
#[derive(Debug)]
pub enum Done {
    /// The session has this newest token.
    Refreshed(usize, i64),
    LoggedOut(usize),
    Registered(String),
    LoggedIn(String),
}

impl Done {
    fn is_there(&self, file: &Connection) -> bool {
        let (sql, key, value) = match self {
            Done::Refreshed(number, newest) => {
                ("SELECT newest FROM sessions WHERE jti = ?", jti(*number), Some(*newest))
            }
            Done::LoggedOut(number) => {
                ("SELECT ended IS NOT NULL FROM sessions WHERE jti = ?", jti(*number), Some(1))
            }
            Done::Registered(name) => {
                ("SELECT count(*) FROM users WHERE name = ?", name.clone(), Some(1))
            }
            Done::LoggedIn(jti) => {
                ("SELECT count(*) FROM sessions WHERE jti = ?", jti.clone(), Some(1))
            }
        };
        file.query_row(sql, [key], |row| row.get(0)).ok() == value
    }
}

/// Sends a request; `None` if the server is gone before it has answered.
fn ask(address: SocketAddr, request: String) -> Option<Reply> {
    let asked = || {
        // Its end is no failure of a test.
        drop(std::net::TcpStream::connect(address).ok()?);
        let mut client = Client::connect(address);
        client.send(request);
        client.try_reply("POST")
    };
    catch_unwind(asked).ok().flatten()
}

/// One client's next write, with a session of its own; `None` if it was not acknowledged.
fn write(address: SocketAddr, client: usize, number: usize) -> (Option<Done>, Option<u16>) {
    let post = |path: &str, body: String| ask(address, request("POST", path, &[], &body));
    let account = |name: &str| json!({"username": name, "password": PASSWORD}).to_string();
    let reply = match client % 16 {
        0 => post("/api/registration", account(&format!("new-{number}"))),
        1 => post("/api/login", account("ada")),
        2..=5 => {
            let bearer = format!("Bearer {}", token(number));
            ask(address, request("POST", "/api/logout", &[("Authorization", &bearer)], ""))
        }
        _ => post("/api/refresh", token(number)),
    };
    let Some(reply) = reply else { return (None, None) };
    let claims = || payload(&reply.token());
    let done = (reply.status() == 200).then(|| match client % 16 {
        0 => Done::Registered(format!("new-{number}")),
        1 => Done::LoggedIn(claims()["jti"].as_str().unwrap().into()),
        2..=5 => Done::LoggedOut(number),
        _ => Done::Refreshed(number, claims()["iat"].as_i64().unwrap()),
    });
    (done, Some(reply.status()))
}

/// Lets the clients write until `over` says so, or nobody answers any more. Returns what was
/// acknowledged, and counts the answers that refuse.
pub fn write_all(
    address: SocketAddr,
    next: &AtomicUsize,
    over: impl Fn(usize, usize) -> bool + Sync,
) -> Vec<Done> {
    let (all, refused, ended) =
        (Mutex::new(Vec::new()), AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (all, refused, ended, over) = (&all, &refused, &ended, &over);
            scope.spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let (done, status) = write(address, client, number);
                    match (done, status) {
                        (Some(done), _) => all.lock().unwrap().push(done),
                        (None, Some(503)) => drop(refused.fetch_add(1, Ordering::Relaxed)),
                        (None, Some(status)) => panic!("{status}"),
                        (None, None) => return,
                    }
                    let count = all.lock().unwrap().len();
                    let over = over(count, refused.load(Ordering::Relaxed));
                    if over || number + CLIENTS >= SESSIONS {
                        ended.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    all.into_inner().unwrap()
}

pub fn must_be_there(file: &Path, acknowledged: &[Done]) {
    let file = open_file(file);
    for done in acknowledged {
        assert!(done.is_there(&file), "{done:?} is lost");
    }
}

#[test]
fn what_many_clients_were_told_survives_kill_9() {
    let mut server = Server::start(&FLAGS);
    server.register("ada", PASSWORD).token();
    fill(&server.dir.file());
    let (next, mut acknowledged) = (AtomicUsize::new(0), Vec::new());
    for round in 0..5 {
        let (address, enough) = (server.address, AtomicBool::new(false));
        acknowledged.extend(std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                write_all(address, &next, |count, refused| {
                    enough.fetch_or(count >= CLIENTS, Ordering::Relaxed);
                    // If the kill comes late, sessions have to be left for the other rounds.
                    count + refused >= 6 * CLIENTS
                })
            });
            let begun = Instant::now();
            while !enough.load(Ordering::Relaxed) && begun.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(3 * round));
            server.signal("-KILL");
            writing.join().unwrap()
        }));
        let (code, dir) = server.stop("-0");
        assert_eq!(code, None, "killed");
        server = Server::start_in(dir, &FLAGS);
        must_be_there(&server.dir.file(), &acknowledged);
    }
    assert!(acknowledged.len() >= 5 * CLIENTS, "{}", acknowledged.len());
}

#[test]
fn a_full_disk_refuses_all_who_share_a_transaction_and_nobody_who_reads() {
    // SQLite writes no file beyond this size. Without the trap the system would end the process.
    let server = Server::start_after("trap '' XFSZ && ulimit -f 4000", &FLAGS);
    let ada = server.register("ada", PASSWORD).token();
    fill(&server.dir.file());
    let next = AtomicUsize::new(0);
    let acknowledged = write_all(server.address, &next, |_, refused| refused >= 2 * CLIENTS);
    assert!(next.load(Ordering::Relaxed) + CLIENTS < SESSIONS, "the disk is not full");
    assert!(!acknowledged.is_empty());
    assert_eq!(server.protected(&ada).status(), 200);
    // One that writes alone needs less room than all together, and is refused a little later.
    let mut alone = (next.into_inner()..SESSIONS).map(|number| {
        let reply = server.send("POST", "/api/refresh", &[], &token(number));
        (reply.status() != 200).then(|| reply.error())
    });
    assert_eq!(alone.find_map(|refused| refused), Some((503, "Unavailable".into())));
    assert_eq!(server.protected(&ada).status(), 200);
    must_be_there(&server.dir.file(), &acknowledged);
    let (_, dir) = server.stop("-KILL");
    let server = Server::start_in(dir, &FLAGS);
    must_be_there(&server.dir.file(), &acknowledged);
    // A token that is too young is answered 425.
    eventually(|| server.send("POST", "/api/refresh", &[], &ada).status() == 200);
}

/// Builds the library that delays syncs; `None` if the program under test cannot be delayed, because
/// it is linked statically.
fn slow_sync(dir: &Path) -> Option<PathBuf> {
    let program = lictor(dir, &[]).get_program().to_owned();
    let bytes = std::fs::read(program).unwrap();
    bytes.windows(9).any(|bytes| bytes == b"/ld-linux").then(|| {
        let library = dir.join("slow_sync.so");
        if library.exists() {
            return library;
        }
        let source = crate::support::root().join("bench/slow_sync.c");
        let mut cc = Command::new("cc");
        cc.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(source);
        assert!(cc.status().unwrap().success());
        library
    })
}

/// A server whose syncs take so long, in microseconds, while the file `slow` is there.
pub fn start_slow(dir: Dir, delay: &str) -> Option<Server> {
    let library = slow_sync(&dir.0)?;
    let slow = dir.0.join("slow");
    let environment = [
        ("SECRET_KEY", SECRET),
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("SLOW_SYNC_US", delay),
        ("SLOW_SYNC_WHILE", slow.to_str().unwrap()),
    ];
    Some(Server::start_with(dir, &FLAGS, &environment))
}

/// Sends refreshes at once, and kills the server after `wait`, which knows how many were acknowledged.
/// Returns those.
pub fn kill_during_refreshes(
    server: &Server,
    next: &AtomicUsize,
    wait: impl FnOnce(&AtomicUsize),
) -> Vec<Done> {
    let count = &AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let refreshing: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (address, number) = (server.address, next.fetch_add(1, Ordering::Relaxed));
                scope.spawn(move || {
                    // None of them registers or logs in.
                    let done = write(address, 6, number).0;
                    count.fetch_add(usize::from(done.is_some()), Ordering::Relaxed);
                    done
                })
            })
            .collect();
        wait(count);
        server.signal("-KILL");
        refreshing.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    })
}

/// So long that no sync ends.
pub const FOR_EVER: &str = "3600000000";

#[test]
fn nobody_is_answered_before_the_sync() {
    let Some(server) = start_slow(Dir::new(), FOR_EVER) else { return };
    server.register("ada", PASSWORD).token();
    fill(&server.dir.file());
    std::fs::write(server.dir.0.join("slow"), "").unwrap();
    let wait = |_: &AtomicUsize| std::thread::sleep(Duration::from_secs(1));
    let answered = kill_during_refreshes(&server, &AtomicUsize::new(0), wait);
    assert!(answered.is_empty(), "{answered:?}");
}

#[test]
fn a_server_that_is_killed_between_sync_and_answer_has_kept_what_it_answered() {
    let Some(mut server) = start_slow(Dir::new(), "100000") else { return };
    server.register("ada", PASSWORD).token();
    fill(&server.dir.file());
    std::fs::write(server.dir.0.join("slow"), "").unwrap();
    let (next, mut acknowledged) = (AtomicUsize::new(0), Vec::new());
    // Before the first sync, in it, right after it, in the second, and so on; on a slow machine all of
    // these may come before the first answer, so at last once that is there.
    let times = [5, 60, 110, 160, 210, 230, 260, 320].map(Some);
    for after in times.into_iter().chain([None]) {
        let wait = |count: &AtomicUsize| match after {
            Some(after) => std::thread::sleep(Duration::from_millis(after)),
            None => eventually(|| count.load(Ordering::Relaxed) > 0),
        };
        acknowledged.extend(kill_during_refreshes(&server, &next, wait));
        let (code, dir) = server.stop("-0");
        assert_eq!(code, None, "killed");
        server = start_slow(dir, "100000").unwrap();
        must_be_there(&server.dir.file(), &acknowledged);
    }
    assert!(!acknowledged.is_empty());
}
