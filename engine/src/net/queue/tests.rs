//! Order, shares, priority, batches, and that no job is forgotten.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[test]
fn a_queue_is_bounded_and_in_order() {
    let queue = Queue::new(2, 2, 1..=1);
    let client = IpAddr::from([127, 0, 0, 1]);
    let push = |index| queue.push(index, client, None) == Push::Queued;
    assert!(push(1) && push(2));
    assert!(!push(3));
    assert_eq!(queue.pop(None), Pop::Job(1));
    assert!(push(3));
    assert_eq!(queue.pop(None), Pop::Job(2));
    assert_eq!(queue.pop(None), Pop::Job(3));
    assert_eq!(queue.pop(Some(Duration::ZERO)), Pop::Nothing);
    queue.close();
    assert!(!push(4));
    assert_eq!(queue.pop(None), Pop::Closed);
}

#[test]
fn a_queue_is_stuck_if_something_waits_and_nobody_takes_it() {
    let queue = Queue::new(8, 8, 1..=1);
    let push = |index| queue.push(index, [127, 0, 0, 1].into(), None);
    let stuck = || queue.is_stuck(Duration::ZERO);
    assert!(!stuck() && !stuck(), "nothing waits");
    assert_eq!(push(1), Push::Queued);
    assert!(!stuck(), "nothing waited the last time");
    assert!(stuck() && stuck());
    assert!(!queue.is_stuck(Duration::from_secs(3600)), "it has not waited for long");
    assert_eq!(push(2), Push::Queued);
    assert_eq!(queue.pop(None), Pop::Job(1));
    assert!(!stuck());
    assert!(stuck());
    assert!(queue.take_batch(1, 8, &mut Vec::new()).is_some());
    assert!(!stuck() && !stuck());
}

#[test]
fn a_client_has_at_most_its_share() {
    let queue = Queue::new(8, 2, 1..=1);
    let push =
        |index, client: &str| queue.push(index, client.parse().unwrap(), None) == Push::Queued;
    assert!(push(1, "192.0.2.1") && push(2, "::ffff:192.0.2.1"));
    assert!(!push(3, "192.0.2.1"));
    assert!(push(4, "192.0.2.2"));
    assert!(push(5, "2001:db8::1") && push(6, "2001:db8::2"));
    assert!(!push(7, "2001:db8::3"));
    assert_eq!(queue.pop(None), Pop::Job(1));
    assert!(push(8, "192.0.2.1"));
}

#[test]
fn a_sender_with_priority_is_queued_although_its_client_has_its_share() {
    let queue = Queue::new(32, 6, 1..=1);
    let client = IpAddr::from([192, 0, 2, 1]);
    let push = |index, priority| queue.push(index, client, priority);
    for index in 0..6 {
        assert_eq!(push(index, None), Push::Queued);
    }
    assert_eq!(push(6, None), Push::NoShare);
    // Another sender has some places, and all senders with priority share as many as the rest.
    for (index, sender, expected) in [
        (7, 1, Push::Queued),
        (8, 1, Push::Queued),
        (9, 1, Push::Queued),
        (10, 1, Push::Queued),
        (11, 1, Push::NoShare),
        (12, 2, Push::Queued),
        (13, 3, Push::Queued),
        (14, 4, Push::NoShare),
    ] {
        assert_eq!(push(index, Some(sender)), expected, "{index}");
    }
    assert_eq!(queue.pop(None), Pop::Job(0));
    assert_eq!(push(15, None), Push::Queued);
    let full = Queue::new(1, 1, 1..=1);
    assert_eq!(full.push(0, client, None), Push::Queued);
    assert_eq!(full.push(1, client, Some(1)), Push::Full);
}

#[test]
fn workers_take_batches_in_order() {
    let queue = Queue::new(8, 8, 1..=1);
    let client = IpAddr::from([127, 0, 0, 1]);
    let take = |takers, most| {
        let mut indexes = Vec::new();
        queue.take_batch(takers, most, &mut indexes).map(|taker| (indexes, taker))
    };
    assert!(take(2, 8).is_none(), "nothing waits");
    for index in 0..8 {
        // As much as there is room for is no share.
        assert_eq!(queue.push(index, client, None), Push::Queued);
    }
    assert_eq!(queue.push(8, client, None), Push::Full);
    let (first, taker) = take(2, 3).unwrap();
    let (second, other) = take(2, 3).unwrap();
    assert_eq!((first, second), (vec![0, 1, 2], vec![3, 4, 5]));
    assert!(take(2, 3).is_none(), "two are on it");
    assert_eq!(queue.push(8, client, None), Push::Queued);
    drop(taker);
    let (third, taker) = take(2, 9).unwrap();
    assert_eq!(third, [6, 7, 8]);
    drop((taker, other));
    assert!(take(2, 9).is_none(), "nothing waits");
    assert_eq!(queue.push(9, client, None), Push::Queued);
    // A panic gives the place back.
    let panics = std::panic::AssertUnwindSafe(|| {
        let _taker = take(1, 9);
        panic!("a bug");
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(queue.lock().takers, 0);
    assert_eq!(queue.push(10, client, None), Push::Queued);
    queue.close();
    assert!(take(1, 9).is_none());
}

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Waits until `taken` is `count`.
fn wait_for(taken: &AtomicUsize, count: usize) {
    let start = std::time::Instant::now();
    while taken.load(Ordering::SeqCst) != count {
        assert!(start.elapsed().as_secs() < 60, "a job of {count} is forgotten");
        std::thread::yield_now();
    }
}

#[test]
fn no_thread_sleeps_while_a_job_waits() {
    const JOBS: u32 = 10_000;
    for (threads, patience) in
        [(1, None), (3, None), (3, Some(Duration::from_micros(20))), (3, Some(Duration::ZERO))]
    {
        let queue = Queue::new(16, 16, 1..=1);
        let taken = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        match queue.pop(patience) {
                            Pop::Job(_) => taken.fetch_add(1, Ordering::SeqCst),
                            Pop::Nothing => 0,
                            Pop::Closed => return,
                        };
                    }
                });
            }
            for index in 0..JOBS {
                while queue.push(index, CLIENT, None) != Push::Queued {
                    std::thread::yield_now();
                }
                // Now and then all of them fall asleep.
                if index % 64 == 0 {
                    wait_for(&taken, index as usize + 1);
                }
            }
            wait_for(&taken, JOBS as usize);
            queue.close();
        });
        assert_eq!(queue.lock().sleeping.len(), 0);
    }
}

#[test]
fn no_batch_is_forgotten() {
    const JOBS: u32 = 5_000;
    for most in [1, 2] {
        let queue = Queue::new(64, 64, 1..=1);
        let taken = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for index in 0..JOBS {
                        assert_eq!(queue.push(index, CLIENT, None), Push::Queued);
                        let mut indexes = Vec::new();
                        while let Some(taker) = queue.take_batch(most, 8, &mut indexes) {
                            drop(taker);
                            taken.fetch_add(indexes.len(), Ordering::SeqCst);
                            indexes.clear();
                        }
                        while queue.lock().jobs.len() > 60 {
                            std::thread::yield_now();
                        }
                    }
                });
            }
        });
        assert_eq!(taken.into_inner(), 4 * JOBS as usize);
        assert_eq!(queue.lock().takers, 0);
    }
}

/// Waits until so many threads sleep.
fn wait_for_sleepers(queue: &Queue, count: usize) {
    while queue.lock().sleeping.len() != count {
        std::thread::yield_now();
    }
}

#[test]
fn the_thread_that_fell_asleep_last_is_woken() {
    let queue = Queue::new(4, 4, 3..=3);
    let order = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for number in 0..3 {
            let (queue, order) = (&queue, &order);
            scope.spawn(move || {
                if queue.pop(None) == Pop::Job(7) {
                    order.lock().unwrap().push(number);
                }
            });
            wait_for_sleepers(queue, number + 1);
        }
        for left in (0..3).rev() {
            assert_eq!(queue.push(7, CLIENT, None), Push::Queued);
            while order.lock().unwrap().len() != 3 - left {
                std::thread::yield_now();
            }
        }
    });
    assert_eq!(order.into_inner().unwrap(), [2, 1, 0]);
}

#[test]
fn another_thread_is_wanted_while_none_sleeps_and_ends_when_it_is_too_many() {
    let queue = Queue::new(4, 4, 1..=3);
    assert!(!queue.lets_end(), "the last one stays");
    assert!(queue.wants_thread());
    std::thread::scope(|scope| {
        let sleeps = scope.spawn(|| queue.pop(None));
        wait_for_sleepers(&queue, 1);
        assert!(!queue.wants_thread(), "one sleeps");
        assert_eq!(queue.push(1, CLIENT, None), Push::Queued);
        assert_eq!(sleeps.join().unwrap(), Pop::Job(1));
    });
    assert!(queue.wants_thread());
    assert!(!queue.wants_thread(), "there are three");
    queue.has_no_thread();
    assert!(queue.wants_thread(), "it could not be started");
    assert_eq!(queue.push(2, CLIENT, None), Push::Queued);
    assert!(!queue.lets_end(), "a job waits");
    assert_eq!(queue.pop(None), Pop::Job(2));
    assert!(!queue.lets_end(), "the others are at work");
    std::thread::scope(|scope| {
        let sleeps = scope.spawn(|| queue.pop(None));
        wait_for_sleepers(&queue, 1);
        assert!(queue.lets_end() && queue.lets_end());
        assert!(!queue.lets_end(), "one stays");
        assert_eq!(queue.push(3, CLIENT, None), Push::Queued);
        assert_eq!(sleeps.join().unwrap(), Pop::Job(3));
    });
    let fixed = Queue::new(4, 4, 2..=2);
    assert!(!fixed.wants_thread() && !fixed.lets_end());
    queue.close();
    assert!(!queue.wants_thread());
}
