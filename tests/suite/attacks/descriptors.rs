//! A server without free descriptors.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use super::crowd::Crowd;
use super::vitals::{Target, in_time, load};
use crate::support::{Client, PATIENCE, Server, eventually};

/// The share of a core that a server may use while it cannot accept.
const IDLE: f64 = 0.3;

/// Waits until a fresh client is served.
fn assert_back(target: &Target) {
    let start = Instant::now();
    loop {
        let mut client = Client::connect(target.address);
        // While there is no room, connections are closed at once or not answered.
        client.stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let _ =
            std::io::Write::write_all(&mut client.stream, b"GET /api/ HTTP/1.1\r\nHost: h\r\n\r\n");
        if client.try_reply("GET").is_some_and(|reply| reply.status() == 200) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "no service {:?} after the flood", start.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Checks that the server does not keep a processor busy. It may still have to do with the flood at first.
fn assert_idle(target: &Target) {
    let mut used = 0.0;
    let is_idle = (0..3).any(|_| {
        used = load(target.child.id(), Duration::from_secs(2));
        used < IDLE
    });
    assert!(is_idle, "{:.0}% of a core", used * 100.0);
}

/// Half a request: such a connection makes room only when none is idle.
const BUSY: &[u8] = b"GET /api/ HTTP/1.1\r\n";

#[test]
fn a_flood_into_a_limit_of_256() {
    // A head must come within 10 s.
    in_time(Duration::from_secs(6), flood_into_256);
}

fn flood_into_256() {
    let target = Target::of(Server::start_after("ulimit -n 256", &[]));
    assert!(target.log().contains("the limit on open files is 256"), "{}", target.log());
    let mut crowd = Crowd::gather(target.address, 0, 1_000, None);
    crowd.stop_waiting();
    crowd.members.iter_mut().for_each(|member| member.send(BUSY));
    std::thread::sleep(Duration::from_millis(300));
    // The server has reserved descriptors for the database: it still answers open connections.
    let used = target.vitals();
    assert!(used.sockets + used.files < 256, "{used:?}");
    assert_idle(&target);
    let kept = crowd.members.iter_mut().filter_map(|member| {
        member.listen();
        member.ended.is_none().then_some(member)
    });
    let mut kept: Vec<_> = kept.collect();
    assert!(kept.len() >= 100, "only {} connections", kept.len());
    for member in &mut kept {
        member.send(b"Host: h\r\n\r\n");
    }
    let begun = Instant::now();
    for member in &mut kept {
        while member.received.is_empty() && member.ended.is_none() && begun.elapsed() < PATIENCE {
            member.listen();
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(super::answers::statuses(&member.received), Ok(vec![200]));
    }
    drop(crowd);
    assert_back(&target);
    target.unharmed();
}

/// Lowers the limit on open files of a running server, as if something else had used them up;
/// returns the limit before.
fn leave(target: &Target, descriptors: usize) -> Rlimit {
    let pid = Pid::from_raw(i32::try_from(target.child.id()).unwrap());
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit { current: Some(u64::try_from(descriptors).unwrap()), maximum };
    prlimit(pid, Resource::Nofile, limit).unwrap()
}

#[test]
fn accepting_fails_for_want_of_descriptors() {
    let target = Target::start(&[]);
    // No descriptor is free, and no connection is open that could make room.
    let folder = format!("/proc/{}/fd", target.child.id());
    let lowest_free =
        (0usize..).find(|number| !Path::new(&folder).join(number.to_string()).is_symlink());
    let old = leave(&target, lowest_free.unwrap());
    let mut crowd = Crowd::gather(target.address, 0, 500, None);
    crowd.stop_waiting();
    crowd.members.iter_mut().for_each(|member| member.send(BUSY));
    eventually(|| target.log().contains("cannot accept connections for now"));
    assert_idle(&target);
    drop(crowd);
    leave(&target, usize::try_from(old.current.unwrap()).unwrap());
    assert_back(&target);
    target.unharmed();
}

#[test]
fn whoever_used_up_the_descriptors_shut_everybody_out() {
    let target = Target::start(&[]);
    let before = target.vitals();
    leave(&target, before.sockets + before.files + 50);
    let mut crowd = Crowd::gather(target.address, 0, 500, None);
    crowd.stop_waiting();
    crowd.members.iter_mut().for_each(|member| member.send(BUSY));
    eventually(|| target.open() >= 40);
    assert_idle(&target);
    for _ in 0..100 {
        target.fresh();
    }
    drop(crowd);
    assert_back(&target);
    // The same when idle connections use them up.
    let mut crowd = Crowd::gather(target.address, 0, 40, None);
    crowd.say(b"GET /api/ HTTP/1.1\r\nHost: h\r\n\r\n");
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..100 {
        target.fresh();
    }
    drop(crowd);
    target.unharmed();
}
