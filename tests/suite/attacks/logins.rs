//! Many logins at once: the queue of the pool that hashes, and its memory.

use std::time::{Duration, Instant};

use serde_json::json;

use super::crowd::{Crowd, Member, connect_from};
use super::vitals::{Target, Vitals, in_time};
use crate::support::{Client, Dir, PASSWORD, PATIENCE, Server, eventually, request, run};

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
    // The lock is given up after 5 s.
    in_time(Duration::from_secs(3), queue_holds_256);
}

fn queue_holds_256() {
    let target = Target::start_warm_with(&[]);
    // The one hashing thread waits for the database, which the test has locked.
    let hold = target.dir.sql().hold();
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let mut first = target.connect();
    first.send(request("POST", "/api/registration", &[], &body));
    std::thread::sleep(Duration::from_millis(500));
    let quick = request("POST", "/api/login", &[], "{}");
    let mut queued = Vec::new();
    for address in 2..2 + QUEUE / SHARE {
        let mut clients: Vec<Client> = (0..=SHARE).map(|_| from(address, &target)).collect();
        clients.iter_mut().for_each(|client| client.send(&quick));
        // There is room, but not for one more of this address: the last that the server reads.
        eventually(|| clients.iter().any(Client::has_news));
        let last = clients.iter().position(Client::has_news).unwrap();
        let reply = clients.remove(last).reply("POST");
        assert_eq!(reply.error(), (503, "Overloaded".into()));
        queued.extend(clients);
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
    let begun = Instant::now();
    let refused = |member: &mut Member| {
        member.listen();
        member.received.starts_with(b"HTTP/1.1 503")
    };
    while !crowd.members.iter_mut().any(refused) {
        assert!(begun.elapsed() < PATIENCE, "the queue was not full");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn two_hundred_logins_at_once_need_little_memory() {
    let dir = Dir::new();
    let args = ["user", "add", "ada", "--create", "--database", "lictor.db"];
    let added = run(&dir.0, &args, &format!("{PASSWORD}\n{PASSWORD}\n"));
    assert!(added.status.success(), "{added:?}");
    // Each hashing thread uses 19 MiB; a machine with two cores has two.
    let flags = ["--hash-threads", "2", "--throttle", "off"];
    let target = Target::of(Server::start_in(dir, &flags));
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let mut crowd = Crowd::gather(target.address, 0, 200, None);
    crowd.say(request("POST", "/api/login", &[], &body).as_bytes());
    // While the others wait; the passwords of those who leave are not compared.
    for member in crowd.members.drain(..40) {
        Client::over(member.stream).reply("POST").token();
    }
    let Vitals { peak, .. } = target.vitals();
    let grown = peak.saturating_sub(target.before().rss);
    println!("200 logins: {grown} bytes at most");
    assert!(grown < 64 << 20, "{grown} bytes");
    assert!(grown > 19 << 20, "{grown} bytes are less than one hash needs: not measured");
    drop(crowd);
    target.unharmed();
}
