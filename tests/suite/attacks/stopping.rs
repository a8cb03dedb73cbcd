//! SIGTERM under load.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::answers::statuses;
use super::vitals::{Target, in_time};
use crate::support::{Client, PASSWORD, PATIENCE, Server, request};

/// What happened to one client.
#[derive(Default)]
struct Story {
    answered: usize,
    registered: Vec<String>,
    /// When the unanswered request was sent, if there is one.
    unanswered: Option<Instant>,
}

/// Sends requests on one connection until the server closes it.
fn ask(mut client: Client, mut next: impl FnMut(usize) -> (Option<String>, String)) -> Story {
    let mut story = Story::default();
    for number in 0.. {
        let (name, bytes) = next(number);
        if client.stream.write_all(bytes.as_bytes()).is_err() {
            return story;
        }
        // A request counts as sent when the kernel has it.
        let sent = Instant::now();
        // An answer is complete or missing: `try_reply` fails on one that breaks off.
        let Some(reply) = client.try_reply("POST") else {
            story.unanswered = Some(sent);
            return story;
        };
        assert!([200, 503].contains(&reply.status()), "{reply:?}");
        story.answered += 1;
        if reply.status() == 200 {
            story.registered.extend(name);
        }
        if reply.header("connection") == Some("close") {
            assert_eq!(client.rest(), "");
            return story;
        }
    }
    story
}

/// Waits until this many requests were sent; on a slow machine for some minutes. Whoever counts the
/// answers afterwards sees whether that was enough.
fn wait_for(sent: &AtomicUsize, requests: usize) {
    let begun = Instant::now();
    while sent.load(Ordering::SeqCst) < requests && begun.elapsed() < 3 * PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Registers one user after the other, and counts the requests in `sent`.
fn register(client: Client, thread: usize, sent: &AtomicUsize) -> Story {
    ask(client, |number| {
        sent.fetch_add(1, Ordering::SeqCst);
        let name = format!("user-{thread}-{number}");
        let body = json!({"username": name, "password": PASSWORD}).to_string();
        (Some(name), request("POST", "/api/registration", &[], &body))
    })
}

#[test]
fn sigterm_under_load_loses_no_answered_request() {
    // The server cuts what is not answered after 10 s: hashes take longer on a slow machine.
    in_time(Duration::from_secs(10), sigterm_under_load);
}

fn sigterm_under_load() {
    const ASKING: usize = 24;
    const REGISTERING: usize = 6;
    // More registrations than one IP may make.
    let target = Target::start(&["--throttle", "off"]);
    let token = target.register("ada", PASSWORD).token();
    let bearer = format!("Bearer {token}");
    let protected = request("GET", "/api/protected", &[("Authorization", &bearer)], "");
    let hello = request("GET", "/api/", &[], "");
    let server = target.into_server();
    let (mut signalled, mut stories) = (None, Vec::new());
    let mut ended = None;
    let (asked, registrations) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let mut asking = Vec::new();
        let (asked, registrations) = (&asked, &registrations);
        for thread in 0..ASKING {
            let (client, bytes) =
                (server.connect(), if thread % 2 == 0 { &hello } else { &protected });
            asking.push(scope.spawn(move || {
                ask(client, |_| {
                    asked.fetch_add(1, Ordering::SeqCst);
                    (None, bytes.clone())
                })
            }));
        }
        for thread in 0..REGISTERING {
            let client = server.connect();
            asking.push(scope.spawn(move || register(client, thread, registrations)));
        }
        // Each has one request under way.
        wait_for(asked, 500 + ASKING + 1);
        wait_for(registrations, 5 + REGISTERING);
        signalled = Some(Instant::now());
        ended = Some(server.stop("-TERM"));
        stories = asking.into_iter().map(|one| one.join().unwrap()).collect();
    });
    let (code, dir) = ended.unwrap();
    assert_eq!(code, Some(0));
    let answered: usize = stories.iter().map(|story| story.answered).sum();
    let registered: Vec<&String> = stories.iter().flat_map(|story| &story.registered).collect();
    println!("{answered} answered, {} registered", registered.len());
    assert!(answered > 500 && registered.len() >= 5, "{answered} {}", registered.len());
    // Requests sent before the signal are answered; later ones may find the connection closed.
    for story in &stories {
        let lost = story.unanswered.filter(|sent| *sent < signalled.unwrap());
        assert!(lost.is_none(), "a request sent before the signal was not answered");
    }
    let again = Server::start_in(dir, &[]);
    let listed = again.user(&["list"], "").1;
    for name in registered {
        assert!(listed.contains(name.as_str()), "{name} is lost");
    }
    Target::of(again).unharmed();
}

#[test]
fn sigterm_does_not_wait_for_attackers() {
    // A body has a second to arrive; the rest is what a loaded machine needs. One that waits for
    // attackers does so for 10 s, each time.
    let took = (0..3).map(|_| stop_beside_attackers()).find(is_short);
    assert!(took.is_some(), "three stops took 6 s or more");
}

fn is_short(took: &Duration) -> bool {
    *took < Duration::from_secs(6)
}

/// Stops a server whose clients keep it waiting; returns how long that took.
fn stop_beside_attackers() -> Duration {
    let server = Server::start(&[]);
    let mut clients: Vec<Client> = (0..300).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        match number % 3 {
            0 => client.send("GET /api/ HT"),
            1 => client.send(request("POST", "/api/login", &[("Content-Length", "50000")], "")),
            _ => {}
        }
    }
    // The attackers also send after the signal.
    let ended = AtomicBool::new(false);
    let mut took = Duration::MAX;
    std::thread::scope(|scope| {
        let ended = &ended;
        let clients = &mut clients;
        scope.spawn(move || {
            let start = Instant::now();
            while !ended.load(Ordering::SeqCst) && start.elapsed() < PATIENCE {
                for client in clients.iter_mut() {
                    let _ = client.stream.write(b"x");
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        std::thread::sleep(Duration::from_millis(200));
        let start = Instant::now();
        let (code, _dir) = server.stop("-TERM");
        took = start.elapsed();
        ended.store(true, Ordering::SeqCst);
        assert_eq!(code, Some(0));
    });
    for mut client in clients {
        let mut received = Vec::new();
        let _ = client.stream.read_to_end(&mut received);
        let received = statuses(&received).unwrap();
        assert!(received.is_empty() || received == [408] || received == [400], "{received:?}");
    }
    took
}

/// Stops a server with 100 connections that have sent `bytes`, and with users who register. Checks
/// that no registration was lost; returns how long the stop took, and how much of that may be due
/// to the registrations.
fn stop_beside(bytes: &str) -> (Duration, Duration) {
    let server = Target::start(&["--throttle", "off"]).into_server();
    let mut crowd: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    crowd.iter_mut().for_each(|client| client.send(bytes));
    let (mut took, mut slowest, mut registered) = (Duration::ZERO, Duration::ZERO, Vec::new());
    let (mut ended, sent) = (None, AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let sent = &sent;
        let asking: Vec<_> = (0..4)
            .map(|thread| {
                let client = server.connect();
                scope.spawn(move || {
                    let mut asked = Instant::now();
                    let mut slowest = Duration::ZERO;
                    let story = ask(client, |number| {
                        sent.fetch_add(1, Ordering::SeqCst);
                        slowest = slowest.max(asked.elapsed());
                        asked = Instant::now();
                        let name = format!("user-{thread}-{number}");
                        let body = json!({"username": name, "password": PASSWORD}).to_string();
                        (Some(name), request("POST", "/api/registration", &[], &body))
                    });
                    (story, slowest)
                })
            })
            .collect();
        // Each of the four has one under way.
        wait_for(sent, 4 + 4);
        let start = Instant::now();
        ended = Some(server.stop("-TERM"));
        took = start.elapsed();
        for one in asking {
            let (story, time) = one.join().unwrap();
            slowest = slowest.max(time);
            registered.extend(story.registered);
        }
    });
    let (code, dir) = ended.unwrap();
    assert_eq!(code, Some(0));
    let again = Server::start_in(dir, &[]);
    let listed = again.user(&["list"], "").1;
    assert!(registered.len() >= 4, "{}", registered.len());
    for name in &registered {
        assert!(listed.contains(name.as_str()), "{name} is lost");
    }
    for mut client in crowd {
        let received = client.rest();
        assert!(received.is_empty() || received.starts_with("HTTP/1.1 408 "), "{received}");
    }
    println!("{} registered; the stop took {took:?}", registered.len());
    // The time of a request shows how loaded the machine is.
    (took, slowest * 2)
}

/// Checks that one of three stops beside such connections is as short as it should be.
fn check_stop_beside(bytes: &str) {
    let is_short = |(took, share): &(Duration, Duration)| *took < Duration::from_secs(2) + *share;
    let short = (0..3).map(|_| stop_beside(bytes)).find(is_short);
    assert!(short.is_some(), "three stops took too long");
}

#[test]
fn half_sent_heads_held_up_a_stop() {
    check_stop_beside("GET /api/ HTTP/1.1\r\nHost: h\r\nX: ");
}

#[test]
fn half_sent_bodies_held_up_a_stop() {
    check_stop_beside(&request("POST", "/api/login", &[("Content-Length", "50000")], ""));
}
