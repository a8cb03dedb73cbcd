//! Many logins at once: the queue of the pool that hashes, and its memory.

use std::time::{Duration, Instant};

use serde_json::json;

use super::crowd::{Crowd, Member, connect_from};
use super::vitals::{Target, Vitals};
use crate::support::{Client, Dir, PASSWORD, Server, request, run};

/// Requests that may wait for a hashing thread, and how many of them may be of one IP.
const QUEUE: usize = 256;
const SHARE: usize = 64;

/// A connection from this address of the machine.
fn from(address: usize, target: &Target) -> Client {
    let address = [127, 0, 0, u8::try_from(address).unwrap()];
    Client::over(connect_from(address.into(), target.address, None))
}

#[test]
fn the_queue_holds_256_and_refuses_the_next_at_once() {
    let target = Target::start_warm_with(&[]);
    // The one hashing thread waits for the database, which the test has locked.
    let hold = target.dir.sql().hold();
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let mut first = target.connect();
    first.send(request("POST", "/api/registration", &[], &body));
    std::thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    let quick = request("POST", "/api/login", &[], "{}");
    let mut queued = Vec::new();
    for address in 2..2 + QUEUE / SHARE {
        queued.extend((0..SHARE).map(|_| from(address, &target)));
        queued.iter_mut().rev().take(SHARE).for_each(|client| client.send(&quick));
        std::thread::sleep(Duration::from_millis(100));
        // There is room, but not for this client.
        let mut refused = from(address, &target);
        refused.send(&quick);
        assert_eq!(refused.reply("POST").error(), (503, "Overloaded".into()));
    }
    for address in 10..30 {
        let mut refused = from(address, &target);
        refused.send(&quick);
        let reply = refused.reply("POST");
        assert_eq!(reply.error(), (503, "Overloaded".into()));
        assert_eq!(reply.header("retry-after"), Some("1"));
        // The refusal costs the request, not the connection, nor other requests.
        refused.send(request("GET", "/api/", &[], ""));
        assert_eq!(refused.reply("GET").status(), 200);
    }
    assert!(start.elapsed() < Duration::from_secs(2), "the lock is given up after 3 s");
    hold.release();
    first.reply("POST").token();
    for client in &mut queued {
        assert_eq!(client.reply("POST").error().0, 400, "whoever was in the queue is answered");
    }
    // And there is room again.
    assert_eq!(target.login("ada", PASSWORD).status(), 200);
    drop((first, queued));
    target.unharmed();
}

#[test]
fn logins_do_not_delay_requests_with_a_token() {
    // One hashing thread; without the throttle one IP may fill the queue.
    let server = Server::start(&["--hash-threads", "1", "--throttle", "off"]);
    let token = server.register("ada", PASSWORD).token();
    let other = server.login("ada", PASSWORD).token();
    let body = json!({"username": "nobody", "password": PASSWORD}).to_string();
    let mut crowd = Crowd::gather(server.address, 0, 2 * QUEUE, None);
    crowd.say(request("POST", "/api/login", &[], &body).as_bytes());
    for (token, path, expected) in [
        (&token, "/api/refresh", 425),
        (&other, "/api/logout", 200),
        (&token, "/api/logout/all", 200),
    ] {
        assert_eq!(server.send_as(token, "POST", path, "").status(), expected, "{path}");
    }
    crowd.stop_waiting();
    crowd.members.iter_mut().for_each(Member::listen);
    let mut received = crowd.members.iter().map(|member| &member.received);
    assert!(
        received.any(|received| received.starts_with(b"HTTP/1.1 503")),
        "the queue was not full"
    );
}

#[test]
fn two_hundred_logins_at_once_need_little_memory() {
    let dir = Dir::new();
    let args = ["user", "add", "ada", "--database", "lictor.db"];
    let added = run(&dir.0, &args, &format!("{PASSWORD}\n{PASSWORD}\n"));
    assert!(added.status.success(), "{added:?}");
    // Each hashing thread uses 19 MiB; a machine with two cores has two.
    let flags = ["--hash-threads", "2", "--throttle", "off"];
    let target = Target::of(Server::start_in(dir, &flags));
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let mut crowd = Crowd::gather(target.address, 0, 200, None);
    crowd.say(request("POST", "/api/login", &[], &body).as_bytes());
    for member in crowd.members {
        Client::over(member.stream).reply("POST").token();
    }
    let Vitals { peak, .. } = target.vitals();
    let grown = peak.saturating_sub(target.before().rss);
    println!("200 logins: {grown} bytes at most");
    assert!(grown < 64 << 20, "{grown} bytes");
    assert!(grown > 19 << 20, "{grown} bytes are less than one hash needs: not measured");
    target.unharmed();
}
