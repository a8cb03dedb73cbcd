//! Good and hostile traffic at the same time, for as long as LICTOR_SOAK_SECONDS says; afterwards
//! memory and descriptors are where they were. To soak the release build for ten minutes:
//!
//! ```text
//! LICTOR_BIN=target/release/lictor LICTOR_SOAK_SECONDS=600 cargo test --test suite soak -- --nocapture
//! ```

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use serde_json::json;

use super::answers::conversation;
use super::crowd::{Crowd, assert_undisturbed, meanwhile};
use super::mutations::{Random, good, spoiled};
use super::vitals::Target;
use crate::support::{PASSWORD, Reply, request};

const GET: &str = "GET /api/ HTTP/1.1\r\nHost: h\r\n\r\n";

/// What all traffic shares.
struct Traffic<'a> {
    target: &'a Target,
    token: &'a str,
    until: Instant,
    done: AtomicUsize,
}

impl Traffic<'_> {
    /// Calls `once` again and again until the time is over, with a pause in between.
    fn keep_on(&self, pause: Duration, mut once: impl FnMut(usize)) {
        for round in 0.. {
            if Instant::now() >= self.until {
                return;
            }
            once(round);
            self.done.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(pause);
        }
    }

    /// A user of an app: one connection for a while, tokens checked and renewed.
    fn reads(&self) {
        let bearer = format!("Bearer {}", self.token);
        let protected = request("GET", "/api/protected", &[("Authorization", &bearer)], "");
        self.keep_on(Duration::from_millis(5), |_| {
            let mut client = self.target.connect();
            for _ in 0..20 {
                client.send(&protected);
                assert_eq!(client.reply("GET").status(), 200);
                client.send(GET);
                assert_eq!(client.reply("GET").status(), 200);
            }
        });
    }

    /// Users who log in. A crowd may be in the queue before them.
    fn logins(&self) {
        let fine = |reply: &Reply| [200, 503].contains(&reply.status());
        self.keep_on(Duration::from_millis(20), |round| {
            let reply = self.target.login("bob", PASSWORD);
            assert!(fine(&reply), "{reply:?}");
            if round % 10 == 0 {
                let reply = self.target.register(&format!("user-{round}"), PASSWORD);
                assert!(fine(&reply), "{reply:?}");
            }
            let wrong = self.target.login("bob", "not his password");
            assert!([401, 503].contains(&wrong.status()), "{wrong:?}");
        });
    }

    fn spoiled(&self, seed: u64) {
        let (good, mut random) = (good(self.token), Random::new(seed));
        self.keep_on(Duration::from_millis(2), |round| {
            let bytes = spoiled(&good, &mut random);
            if let Err(what) = conversation(self.target.address, &bytes) {
                panic!("seed {seed}, round {round}: {what} for {}", bytes.escape_ascii());
            }
        });
    }

    /// Resets at any time, and answers that nobody reads.
    fn resets(&self) {
        let login = json!({"username": "bob", "password": PASSWORD}).to_string();
        let login = request("POST", "/api/login", &[], &login);
        let many = GET.repeat(1_000);
        self.keep_on(Duration::from_millis(5), |round| {
            let mut stream = self.target.connect().stream;
            let bytes = match round % 10 {
                0 => &login[..],
                1..5 => &many[..],
                _ => &GET[..round % GET.len()],
            };
            stream.set_nonblocking(true).unwrap();
            let _ = stream.write(bytes.as_bytes());
            let _ = stream.read(&mut [0; 100]);
            std::thread::sleep(Duration::from_millis(round as u64 % 3));
            set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
        });
    }

    /// Crowds that send nothing, send byte by byte, do not read, or are idle.
    fn crowds(&self, first: usize) {
        let body = request("POST", "/api/login", &[("Content-Length", "60000")], "");
        self.keep_on(Duration::from_millis(100), |round| {
            let mut crowd = Crowd::gather(self.target.address, first, 250, Some(4096));
            crowd.stop_waiting();
            let bytes = match round % 5 {
                0 => "",
                1 => "GET /api/ HTTP/1.1\r\nX: ",
                2 => &body[..],
                3 => &GET.repeat(1_000),
                _ => GET,
            };
            crowd.members.iter_mut().for_each(|member| member.send(bytes.as_bytes()));
            // Sometimes for longer than any limit but the one of a minute.
            let stay = Duration::from_secs(if round % 7 == 6 { 13 } else { 1 });
            let until = (Instant::now() + stay).min(self.until);
            while Instant::now() < until {
                crowd.members.iter_mut().for_each(|member| member.send(b"x"));
                std::thread::sleep(Duration::from_millis(250));
            }
        });
    }
}

#[test]
fn soak() {
    let seconds = std::env::var("LICTOR_SOAK_SECONDS").map_or(5, |text| text.parse().unwrap());
    // All users come from one IP here, and some of them type wrong passwords all the time.
    let target = Target::start(&["--throttle", "off"]);
    let token = target.register("ada", PASSWORD).token();
    // A user with more than a thousand logins: the oldest sessions make room.
    target.register("bob", PASSWORD).token();
    let until = Instant::now() + Duration::from_secs(seconds);
    let traffic = Traffic { target: &target, token: &token, until, done: AtomicUsize::new(0) };
    let ((), times) = meanwhile(&target, || {
        std::thread::scope(|scope| {
            let traffic = &traffic;
            scope.spawn(|| traffic.reads());
            scope.spawn(|| traffic.logins());
            scope.spawn(|| traffic.resets());
            for thread in 0..2 {
                scope.spawn(move || traffic.spoiled(seconds + thread));
                scope.spawn(move || traffic.crowds(usize::try_from(thread).unwrap() * 1_000));
            }
        });
    });
    let after = target.vitals();
    println!("{} rounds; before {:?}", traffic.done.load(Ordering::Relaxed), target.before());
    println!("just after {after:?}");
    target.unharmed();
    println!("in the end {:?}", target.vitals());
    assert_undisturbed(&times);
}
