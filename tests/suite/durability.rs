//! Acknowledged changes survive every end of the process, and failures of the database are reported.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Client, PASSWORD, PATIENCE, Server, now, payload, request, signed};

#[test]
fn acknowledged_registrations_survive_kill_9() {
    // More registrations than the throttle allows one IP address.
    let flags = ["--throttle", "off"];
    let mut server = Server::start(&flags);
    let acknowledged = Mutex::new(Vec::new());
    for round in 0..5 {
        let address = server.address;
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let acknowledged = &acknowledged;
                scope.spawn(move || {
                    for number in 0.. {
                        let name = format!("user-{round}-{thread}-{number}");
                        let body = json!({"username": name, "password": PASSWORD}).to_string();
                        // After the server was killed, every request fails.
                        let Ok(stream) = std::net::TcpStream::connect(address) else { return };
                        drop(stream);
                        let answered = std::panic::catch_unwind(|| {
                            let mut client = Client::connect(address);
                            client.send(request("POST", "/api/registration", &[], &body));
                            client.try_reply("POST").map(|reply| reply.status())
                        });
                        match answered {
                            Ok(Some(200)) => acknowledged.lock().unwrap().push(name),
                            _ => return,
                        }
                    }
                });
            }
            // On a busy machine the first registrations take long.
            let enough = 3 * (round + 1) as usize;
            let start = Instant::now();
            while acknowledged.lock().unwrap().len() < enough && start.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(10 + 17 * round));
            server.signal("-KILL");
        });
        let (code, dir) = server.stop("-0");
        assert_eq!(code, None, "killed");
        server = Server::start_in(dir, &flags);
    }
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= 10, "{}", acknowledged.len());
    for name in &acknowledged {
        assert_eq!(server.login(name, PASSWORD).status(), 200, "{name}");
    }
    let listed = server.user(&["list"], "").1;
    assert!(listed.lines().count() > acknowledged.len());
}

#[test]
fn a_clean_stop_leaves_one_database_file_and_exit_code_0() {
    for signal in ["-TERM", "-INT"] {
        let server = Server::start(&[]);
        server.register("ada", PASSWORD).token();
        let (code, dir) = server.stop(signal);
        assert_eq!(code, Some(0));
        let mut left: Vec<_> = std::fs::read_dir(&dir.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["lictor.db", "log"]);
        let again = Server::start_in(dir, &[]);
        again.login("ada", PASSWORD).token();
    }
}

/// The database, as another program opens it.
fn other_program(server: &Server) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(server.dir.file()).unwrap();
    other.busy_timeout(PATIENCE).unwrap();
    other
}

/// Locks the database for writing, as another program could.
fn lock(server: &Server) -> rusqlite::Connection {
    let locked = other_program(server);
    locked.execute_batch("BEGIN IMMEDIATE").unwrap();
    locked
}

/// Tries up to three times: on a loaded machine a lock may last longer than the test sleeps, and the
/// server gives its waits up.
fn in_one_of_three_attempts(works: impl Fn() -> bool) {
    assert!((0..3).any(|_| works()));
}

#[test]
fn a_lock_of_three_and_a_half_seconds_failed_the_logins() {
    let server = Server::start(&["--throttle", "off"]);
    for name in ["ada", "bob"] {
        server.register(name, PASSWORD).token();
    }
    in_one_of_three_attempts(|| {
        std::thread::scope(|scope| {
            let (server, locked, begun) = (&server, lock(&server), Instant::now());
            let logins = ["ada", "bob"].map(|name| scope.spawn(|| server.login(name, PASSWORD)));
            std::thread::sleep(Duration::from_millis(3_500));
            locked.execute_batch("COMMIT").unwrap();
            let statuses = logins.map(|login| login.join().unwrap().status());
            assert!(
                begun.elapsed() >= Duration::from_millis(3_500),
                "the logins did not wait for the lock"
            );
            statuses == [200, 200]
        })
    });
}

#[test]
fn a_login_failed_because_an_earlier_request_had_waited_long_enough() {
    in_one_of_three_attempts(|| {
        let server = Server::start(&[]);
        let token = server.register("ada", PASSWORD).token();
        std::thread::scope(|scope| {
            let (server, locked, begun) = (&server, lock(&server), Instant::now());
            // The logout has a thread of its own, even on a machine with one core.
            let token = &token;
            let logout =
                move || (server.send_as(token, "POST", "/api/logout", ""), begun.elapsed());
            let logout = scope.spawn(logout);
            std::thread::sleep(Duration::from_millis(2_500));
            let login = scope.spawn(|| server.login("ada", PASSWORD));
            let (refused, waited) = logout.join().unwrap();
            assert_eq!(refused.error(), (503, "Unavailable".into()));
            assert!(refused.header("retry-after").is_some());
            assert!((4_900..60_000).contains(&waited.as_millis()), "{waited:?}");
            std::thread::sleep(Duration::from_millis(500));
            locked.execute_batch("COMMIT").unwrap();
            login.join().unwrap().status() == 200
        })
    });
}

#[test]
fn no_lock_of_another_program_keeps_tokens_from_being_checked() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let other = rusqlite::Connection::open(server.dir.file()).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    // SQLite refuses locks that would exclude readers, because the server has the file open.
    for (lock, can) in [
        ("BEGIN EXCLUSIVE", true),
        ("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE users SET roles = roles", false),
        ("PRAGMA locking_mode = NORMAL; BEGIN IMMEDIATE; UPDATE users SET roles = roles", true),
        ("PRAGMA wal_checkpoint(TRUNCATE)", true),
        ("PRAGMA journal_mode = DELETE", false),
    ] {
        let mut result = other.execute_batch(lock);
        let begun = Instant::now();
        // A thread of the server may write just now.
        while can && result.is_err() && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(50));
            result = other.execute_batch(lock);
        }
        let begun = Instant::now();
        for _ in 0..20 {
            assert_eq!(server.protected(&token).status(), 200, "{lock}");
        }
        // One that waited for a lock would do so for five seconds.
        assert!(begun.elapsed() < PATIENCE, "{lock}: {result:?}");
        assert_eq!(result.is_ok(), can, "{lock}: {result:?}");
        // Only an open transaction can be rolled back.
        let begun = !other.is_autocommit();
        assert_eq!(begun, can && lock.contains("BEGIN"), "{lock}");
        if begun {
            other.execute_batch("ROLLBACK").unwrap();
        }
    }
    drop(other);
    server.login("ada", PASSWORD).token();
}

#[test]
fn a_token_of_a_clock_half_a_minute_ahead_was_refused() {
    let server = Server::start(&[]);
    let mut claims = payload(&server.register("ada", PASSWORD).token());
    claims["iat"] = json!(now() + 30);
    let ahead = signed(&claims);
    assert_eq!(server.protected(&ahead).status(), 200);
    // The token has expired, and the clock was set back after it was issued.
    claims["exp"] = json!(now() - 1);
    let renewed = server.send("POST", "/api/refresh", &[], &signed(&claims)).token();
    assert_eq!(payload(&renewed)["iat"], claims["iat"], "never before the token that it replaces");
    assert_eq!(server.protected(&renewed).status(), 200);
    claims["iat"] = json!(now() + 600);
    assert_eq!(server.protected(&signed(&claims)).error(), (401, "InvalidTokenHeader".into()));
}

#[test]
fn a_lock_of_another_process_delays_writes_or_answers_503() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let locked = other_program(&server);
    std::thread::scope(|scope| {
        let server = &server;
        in_one_of_three_attempts(|| {
            locked.execute_batch("BEGIN IMMEDIATE").unwrap();
            let waited = scope.spawn(move || server.register("bob", PASSWORD));
            std::thread::sleep(Duration::from_millis(500));
            locked.execute_batch("COMMIT").unwrap();
            waited.join().unwrap().status() == 200
        });

        locked.execute_batch("BEGIN IMMEDIATE").unwrap();
        let register = |i| scope.spawn(move || server.register(&format!("carol-{i}"), PASSWORD));
        let refused: Vec<_> = (0..8).map(register).collect();
        std::thread::sleep(Duration::from_millis(500));
        // Reads do not wait.
        assert_eq!(server.protected(&token).status(), 200);
        for refused in refused {
            let refused = refused.join().unwrap();
            assert_eq!(refused.error(), (503, "Unavailable".into()));
            assert_eq!(refused.header("retry-after"), Some("3"));
        }
        // The requests behind the first did not each wait another five seconds, so logins are
        // answered. A correct login must write its session and fails; a wrong password must be
        // counted. If it were 401, it could be told from the right one, and guessed uncounted.
        for (name, password) in
            [("ada", PASSWORD), ("ada", "another password"), ("nobody", "another password")]
        {
            let refused = server.login(name, password).error();
            assert_eq!(refused, (503, "Unavailable".into()), "{name}: {password}");
        }
        assert!(server.log().contains("database is locked"), "{}", server.log());
        locked.execute_batch("COMMIT").unwrap();
        assert_eq!(server.register("dora", PASSWORD).status(), 200);
        assert_eq!(server.login("ada", PASSWORD).status(), 200);
    });
}

#[test]
fn a_damaged_database_is_a_503_or_500_and_never_a_crash() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let database = other_program(&server);
    database.execute_batch("ALTER TABLE users RENAME TO people").unwrap();
    assert_eq!(server.protected(&token).error(), (500, "InternalError".into()));
    assert_eq!(server.get("/api/health").error(), (500, "InternalError".into()));
    assert!(server.log().contains("no such table"), "{}", server.log());
    database.execute_batch("ALTER TABLE people RENAME TO users").unwrap();
    assert_eq!(server.protected(&token).status(), 200);
    assert_eq!(server.get("/api/health").status(), 200);
}
