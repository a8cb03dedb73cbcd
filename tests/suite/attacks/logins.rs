//! Storms of work that takes long: the queue of the slow lane, and its memory.

use std::time::{Duration, Instant};

use serde_json::json;

use super::crowd::Crowd;
use super::vitals::{Target, Vitals};
use crate::support::{Client, Dir, PASSWORD, Server, request, run};

/// Requests that may wait for a hashing thread.
const QUEUE: usize = 256;

#[test]
fn the_queue_holds_256_and_refuses_the_next_at_once() {
    let target = Target::start_warm();
    // The one hashing thread waits for the database, which somebody else holds.
    let holder = rusqlite::Connection::open(target.dir.database()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let mut first = target.connect();
    first.send(request("POST", "/api/registration", &[], &body));
    std::thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    let quick = request("POST", "/api/login", &[], "{}");
    let mut queued: Vec<Client> = (0..QUEUE).map(|_| target.connect()).collect();
    queued.iter_mut().for_each(|client| client.send(&quick));
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..20 {
        let mut refused = target.connect();
        refused.send(&quick);
        let reply = refused.reply("POST");
        assert_eq!(reply.error(), (503, "Overloaded".into()));
        assert_eq!(reply.header("retry-after"), Some("1"));
        // The refusal costs the request, not the connection, and not the others.
        refused.send(request("GET", "/api/", &[], ""));
        assert_eq!(refused.reply("GET").status(), 200);
    }
    assert!(start.elapsed() < Duration::from_secs(2), "the lock is given up after 3 s");
    holder.execute_batch("COMMIT").unwrap();
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
fn two_hundred_logins_at_once_need_little_memory() {
    let dir = Dir::new();
    let args = ["user", "add", "ada", "--database", "lictor.db"];
    let added = run(&dir.0, &args, &format!("{PASSWORD}\n{PASSWORD}\n"));
    assert!(added.status.success(), "{added:?}");
    // Each hashing thread works in 19 MiB; two is what a machine with two cores has.
    let target = Target::of(Server::start_in(dir, &["--hash-threads", "2"]));
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
