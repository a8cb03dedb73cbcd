//! Clients that open a connection and then send or read slowly, or not at all.

use std::io::Read as _;
use std::time::{Duration, Instant};

use super::answers::statuses;
use super::crowd::{Crowd, Member, assert_undisturbed, meanwhile, room};
use super::vitals::{Target, in_time};
use crate::support::{PATIENCE, request};

/// Slow clients of each kind, at the same time.
const EACH: usize = 2_000;
/// The same for readers of an unoptimized server: filling their socket buffers costs it so much
/// time that it has none for others.
const READERS_UNOPTIMIZED: usize = 100;
/// The time limit of a head, of a body, and of an unread answer.
const LIMIT: Duration = Duration::from_secs(10);
/// How much later a connection may end on a loaded machine.
const LATE: Duration = PATIENCE;
/// The pause of a slow client between two steps.
const DRIP: Duration = Duration::from_millis(500);

const GET: &str = "GET /api/ HTTP/1.1\r\nHost: h\r\n\r\n";

/// Sends `bytes` one by one on every connection until all have ended; returns when the first and
/// the last did.
fn drip(mut crowd: Crowd, begun: Instant, bytes: &[u8]) -> (Crowd, Duration, Duration) {
    crowd.stop_waiting();
    let mut sent = bytes.chunks(1).cycle();
    while !crowd.all_ended() && begun.elapsed() < LIMIT + LATE {
        let next = sent.next().unwrap();
        for member in &mut crowd.members {
            member.listen();
            member.send(next);
        }
        std::thread::sleep(DRIP);
    }
    let ends = crowd.members.iter().filter_map(|member| member.ended);
    let ends: Vec<Duration> = ends.map(|ended| ended - begun).collect();
    let (first, last) = (ends.iter().min(), ends.iter().max());
    let (first, last) = (first.copied().unwrap_or_default(), last.copied().unwrap_or_default());
    (crowd, first, last)
}

/// Checks that every connection was answered 408, or cut, neither too early nor too late.
fn assert_timed_out(kind: &str, (crowd, first, last): (Crowd, Duration, Duration)) {
    let open = crowd.members.iter().filter(|member| member.ended.is_none()).count();
    assert_eq!(open, 0, "{kind}: open after {:?}", LIMIT + LATE);
    assert!(first > LIMIT - Duration::from_secs(1), "{kind}: over after {first:?}");
    assert!(last < LIMIT + LATE, "{kind}: over after {last:?}");
    let answered = |member: &Member| match &statuses(&member.received).unwrap()[..] {
        [408] => true,
        [] => false,
        other => panic!("{kind}: {other:?}"),
    };
    let timed_out = crowd.members.iter().filter(|member| answered(member)).count();
    // A client that sends just when it is cut may lose its answer to a reset; the others read it.
    assert!(timed_out * 10 >= crowd.members.len() * 9, "{kind}: only {timed_out} were answered");
}

/// Whether the server under test is a release build.
fn optimized() -> bool {
    !cfg!(debug_assertions) || std::env::var_os("LICTOR_BIN").is_some()
}

/// 6,000 connections, or fewer of each kind if there are fewer descriptors.
#[test]
fn two_thousand_slow_heads_bodies_and_readers_each_at_once() {
    // A crowd that takes ten seconds to come together is closed before it begins.
    in_time(2 * LIMIT, two_thousand_of_each);
}

fn two_thousand_of_each() {
    let target = Target::start(&[]);
    let each = EACH.min(room() / 4);
    let deaf = if optimized() { each } else { READERS_UNOPTIMIZED };
    let at = target.address;
    let ((), times) = meanwhile(&target, || {
        std::thread::scope(|scope| {
            let heads = scope.spawn(move || {
                let begun = Instant::now();
                let mut crowd = Crowd::gather(at, 0, each, None);
                crowd.say(b"GET /api/ HTTP/1.1\r\nHost: h\r\nX: ");
                drip(crowd, begun, b"and so on ")
            });
            let bodies = scope.spawn(move || {
                let begun = Instant::now();
                let mut crowd = Crowd::gather(at, EACH, each, None);
                let length = [("Content-Length", "60000")];
                crowd.say(request("POST", "/api/login", &length, "").as_bytes());
                drip(crowd, begun, b"{ ")
            });
            // Their answer has 350 KB; half of them read nothing, half read a byte now and then.
            let readers = scope.spawn(|| {
                let mut crowd = Crowd::gather(at, 2 * EACH, deaf, Some(4096));
                crowd.stop_waiting();
                let begun = Instant::now();
                let asking = format!("GET /api?{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(7_000));
                for _ in 0..50 {
                    crowd.members.iter_mut().for_each(|member| member.send(asking.as_bytes()));
                }
                while begun.elapsed() < LIMIT + LATE {
                    for member in crowd.members.iter_mut().step_by(2) {
                        let _ = member.stream.read(&mut [0]);
                    }
                    std::thread::sleep(DRIP);
                    // A client that does not read does not see the end, so the server's table is
                    // checked.
                    if begun.elapsed() > LIMIT / 2 && target.open() <= 2 {
                        return (crowd, begun.elapsed());
                    }
                }
                panic!("readers: {} connections are still open", target.open());
            });
            assert_timed_out("heads", heads.join().unwrap());
            assert_timed_out("bodies", bodies.join().unwrap());
            let (_crowd, took) = readers.join().unwrap();
            assert!(took > LIMIT - Duration::from_secs(1), "readers: over after {took:?}");
        });
    });
    assert_undisturbed(&times);
    target.unharmed();
}

/// The only limit that takes a minute; other tests run meanwhile.
#[test]
fn idle_connections_are_closed_after_a_minute() {
    let minute = Duration::from_secs(60);
    let target = Target::start(&[]);
    let mut crowd = Crowd::gather(target.address, 0, 500, None);
    let begun = Instant::now();
    crowd.say(GET.as_bytes());
    crowd.stop_waiting();
    let mut talked = false;
    while !crowd.all_ended() && begun.elapsed() < 2 * minute + LATE {
        // The first ten send a request in between, and may stay longer.
        if !talked && begun.elapsed() > minute / 4 {
            crowd.members[..10].iter_mut().for_each(|member| member.send(GET.as_bytes()));
            talked = true;
        }
        crowd.members.iter_mut().for_each(Member::listen);
        std::thread::sleep(DRIP);
    }
    for (number, member) in crowd.members.iter().enumerate() {
        let (answers, least) = match number < 10 {
            true => (vec![200, 200], minute + minute / 4),
            false => (vec![200], minute),
        };
        assert_eq!(statuses(&member.received), Ok(answers), "closed without an answer");
        let ended = member.ended.expect("closed") - begun;
        assert!(ended > least - Duration::from_secs(1), "{number} was closed after {ended:?}");
        assert!(ended < least + LATE, "{number} was closed after {ended:?}");
    }
    target.unharmed();
}

/// At most 40 MB for all of them, the program included; one more is answered at once.
#[test]
fn ten_thousand_idle_connections_cost_little() {
    // The first head must come within 10 s, and the idle minute must not be over.
    in_time(Duration::from_secs(8), ten_thousand_idle_connections);
}

fn ten_thousand_idle_connections() {
    let target = Target::start(&[]);
    let count = 10_000.min(room());
    let mut crowd = Crowd::gather(target.address, 0, count, None);
    let mut received = [0; 1024];
    // Several at a time: then the two programs take turns less often.
    for members in crowd.members.chunks_mut(100) {
        for member in &mut *members {
            std::io::Write::write_all(&mut member.stream, GET.as_bytes()).unwrap();
        }
        for member in members {
            let length = member.stream.read(&mut received).unwrap();
            assert_eq!(statuses(&received[..length]), Ok(vec![200]));
        }
    }
    assert_eq!(target.open(), count);
    let rss = target.vitals().rss;
    println!("{count} idle connections: {rss} bytes, {} before", target.before().rss);
    assert!(rss <= 40_000_000, "{rss} bytes");
    // Others share the machine, so the fastest of many shows what the server needs.
    let fastest = (0..100).map(|_| target.fresh()).min().unwrap();
    println!("a fresh client waits {fastest:?}");
    assert!(fastest <= Duration::from_millis(50), "{fastest:?}");
    // Each of those took the slot of the longest idle connection; the last ones are still open.
    let last = crowd.members.last_mut().unwrap();
    std::io::Write::write_all(&mut last.stream, GET.as_bytes()).unwrap();
    assert!(last.stream.read(&mut received).unwrap() > 0);
    drop(crowd);
    target.unharmed();
}
