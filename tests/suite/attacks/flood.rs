//! Clients that take every slot and do not use it.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;

use super::crowd::{Reserved, connect_from};
use super::vitals::Target;
use crate::support::{Client, PATIENCE, request};

/// Slots of the server's table.
const PLACES: &str = "256";
/// Clients that flood, and the connections that each of them keeps. It closes the oldest ones,
/// which are no longer in the table.
const FLOODERS: usize = 2;
const KEPT: usize = 1_500;
/// Connections before the fresh clients come; the table is full then.
const FULL: usize = 600;
/// A flooder's pause after each connection; a slot then has another connection after about 100 ms.
const PAUSE: Duration = Duration::from_millis(1);
/// Fresh clients meanwhile.
const FRESH: usize = 100;

/// Opens connection after connection and sends `bytes` on each, until `ended`.
fn flood(target: &Target, number: u8, bytes: &[u8], opened: &AtomicUsize, ended: &AtomicBool) {
    let mut kept = VecDeque::new();
    while !ended.load(Ordering::SeqCst) {
        let mut stream = connect_from(Ipv4Addr::new(127, 3, 0, number), target.address, None);
        let _ = std::io::Write::write_all(&mut stream, bytes);
        opened.fetch_add(1, Ordering::SeqCst);
        kept.push_back(stream);
        if kept.len() > KEPT
            && let Some(oldest) = kept.pop_front()
        {
            set_socket_linger(&oldest, Some(Duration::ZERO)).unwrap();
        }
        std::thread::sleep(PAUSE);
    }
}

/// Whether a fresh client gets its answer.
fn is_served(target: &Target) -> bool {
    let mut client = Client::connect(target.address);
    client.stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let asked =
        std::io::Write::write_all(&mut client.stream, request("GET", "/api/", &[], "").as_bytes());
    asked.is_ok() && client.try_reply("GET").is_some_and(|reply| reply.status() == 200)
}

/// Whether at least half of the fresh clients are served while the flood goes on, in one of three
/// attempts. On a loaded machine many are late: between connecting and sending, another connection has
/// taken the slot. Once all of them failed, for 10 s at a time.
fn are_served_beside(bytes: &str) -> bool {
    (0..3).any(|_| served_beside(bytes) >= FRESH / 2)
}

/// How many of [`FRESH`] clients are served while the flood goes on.
fn served_beside(bytes: &str) -> usize {
    let target = Target::start(&["--max-connections", PLACES]);
    let _reserved = Reserved::take(FLOODERS * KEPT + FLOODERS);
    let (opened, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let served = std::thread::scope(|scope| {
        for number in 1..=FLOODERS {
            let (target, opened, ended) = (&target, &opened, &ended);
            let number = u8::try_from(number).unwrap();
            scope.spawn(move || flood(target, number, bytes.as_bytes(), opened, ended));
        }
        let start = Instant::now();
        while opened.load(Ordering::SeqCst) < FULL && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        let served = (0..FRESH).filter(|_| is_served(&target)).count();
        ended.store(true, Ordering::SeqCst);
        served
    });
    println!("{served} of {FRESH} served beside {} connections", opened.load(Ordering::SeqCst));
    target.unharmed();
    served
}

#[test]
fn silent_connections_shut_everybody_out() {
    assert!(are_served_beside(""));
}

#[test]
fn half_sent_heads_shut_everybody_out() {
    assert!(are_served_beside("GET /api/ HTTP/1.1\r\nHost: "));
}

#[test]
fn half_sent_bodies_shut_everybody_out() {
    let bytes = request("POST", "/api/login", &[("Content-Length", "50000")], "");
    assert!(are_served_beside(&bytes));
}
