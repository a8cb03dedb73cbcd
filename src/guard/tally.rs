//! How often something was tried, and when it may be tried again. Counts keys in a table of fixed
//! size; knows neither what they stand for nor what time it is.

use super::table::{Key, Table};

/// Keys that are counted at the same time. When there are more, the one that would be forgotten
/// soonest goes. To push out a record, somebody must so have tried more, and more lately, with
/// every other key of its bucket; which keys those are, nobody can know, so it takes as much with
/// thousands of others. That is slower than waiting.
const ROOM: usize = 16_384;

/// How fast something may be tried. Times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// Tries that need not wait.
    pub(super) free: u32,
    /// The wait after those; each further try doubles it.
    pub(super) first: u32,
    /// The longest wait.
    pub(super) longest: u32,
    /// One try is forgotten in so long. Not less than the longest wait, or that would not last.
    pub(super) forgets: u32,
}

impl Pace {
    /// The wait after a try, when so much later everything would be forgotten.
    fn wait(&self, left: u32) -> u32 {
        let tries = left.div_ceil(self.forgets);
        match tries.checked_sub(self.free) {
            None => 0,
            Some(beyond) => self.doubled(beyond).min(self.longest),
        }
    }

    /// Nothing is remembered for longer: it would make no difference to the wait.
    fn most(&self) -> u32 {
        let beyond = (0..32).find(|&beyond| self.doubled(beyond) >= self.longest).unwrap_or(32);
        (self.free + beyond) * self.forgets
    }

    fn doubled(&self, times: u32) -> u32 {
        self.first.checked_shl(times).filter(|wait| wait >> times == self.first).unwrap_or(u32::MAX)
    }
}

/// What was counted. A record is a tag, when the key was last tried, and how many seconds after
/// that everything is forgotten.
#[derive(Debug)]
pub(super) struct Tally(Table<3>);

impl Tally {
    pub(super) fn new() -> Tally {
        Tally(Table::new(ROOM))
    }

    /// Seconds until the key may be tried; 0 for now.
    pub(super) fn wait(&mut self, key: Key, pace: &Pace, now: u32) -> u32 {
        let Some([_, last, left]) = self.0.find(key) else { return 0 };
        // A clock that was set back must not make anybody wait until it has caught up.
        *last = now.min(*last);
        pace.wait(*left).saturating_sub(now - *last)
    }

    /// Counts a try, and says whether from now on the next one has to wait; or for how many
    /// seconds this one has to, which is not counted then.
    pub(super) fn charge(&mut self, key: Key, pace: &Pace, now: u32) -> Result<bool, u32> {
        match self.wait(key, pace, now) {
            0 => {}
            wait => return Err(wait),
        }
        let record = self.0.entry(key, |&[_, last, left]| remaining(last, left, now));
        let [_, last, left] = record;
        let before = remaining(*last, *left, now);
        *last = now;
        *left = (before + pace.forgets).min(pace.most());
        Ok(pace.wait(before) == 0 && pace.wait(*left) > 0)
    }

    /// Counts one try less.
    pub(super) fn refund(&mut self, key: Key, pace: &Pace) {
        if let Some([_, _, left]) = self.0.find(key) {
            *left = left.saturating_sub(pace.forgets);
        }
    }

    /// Forgets a key.
    pub(super) fn clear(&mut self, key: Key) {
        if let Some(record) = self.0.find(key) {
            *record = [0; 3];
        }
    }

    /// Forgets a key that was last tried at that time or before.
    pub(super) fn clear_until(&mut self, key: Key, time: u32) {
        if self.0.find(key).is_some_and(|[_, last, _]| *last <= time) {
            self.clear(key);
        }
    }
}

/// Seconds until everything is forgotten.
fn remaining(last: u32, left: u32, now: u32) -> u32 {
    left.saturating_sub(now.saturating_sub(last))
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;

    const PACE: Pace = Pace { free: 3, first: 1, longest: 10, forgets: 60 };

    /// One table and some keys.
    struct Bench {
        tally: Tally,
        secret: RandomState,
    }

    impl Bench {
        fn new() -> Bench {
            Bench { tally: Tally::new(), secret: RandomState::new() }
        }

        fn key(&self, name: u32) -> Key {
            Key::of(&self.secret, name)
        }

        fn charge(&mut self, name: u32, now: u32) -> Result<bool, u32> {
            let key = self.key(name);
            self.tally.charge(key, &PACE, now)
        }

        fn wait(&mut self, name: u32, now: u32) -> u32 {
            let key = self.key(name);
            self.tally.wait(key, &PACE, now)
        }
    }

    #[test]
    fn waits_grow_to_the_longest_and_fade() {
        let mut bench = Bench::new();
        for (now, expected) in [
            (1000, Ok(false)),
            (1000, Ok(false)),
            (1000, Ok(true)),
            (1000, Err(1)),
            (1000, Err(1)),
            (1001, Ok(false)),
            (1001, Err(2)),
            (1002, Err(1)),
            (1003, Ok(false)),
            (1006, Err(1)),
            (1007, Ok(false)),
            (1014, Err(1)),
            (1015, Ok(false)),
            // Eight were waited for; sixteen are more than the longest.
            (1016, Err(9)),
            (1025, Ok(false)),
            (1026, Err(9)),
            (1035, Ok(false)),
            // A minute forgets one of those that count.
            (1095, Ok(false)),
            (1096, Err(9)),
            // Seven minutes forget all seven.
            (1095 + 7 * 60, Ok(false)),
            (1095 + 7 * 60, Ok(false)),
            (1095 + 7 * 60, Ok(true)),
            (1095 + 7 * 60, Err(1)),
        ] {
            assert_eq!(bench.charge(1, now), expected, "at {now}");
        }
        assert_eq!(bench.wait(2, 1000), 0, "another key");
    }

    #[test]
    fn whoever_waits_no_longer_than_needed_goes_on_at_the_longest_wait() {
        let mut bench = Bench::new();
        let mut now = 1000;
        let mut times = 0;
        while now < 1000 + 3600 {
            match bench.charge(1, now) {
                Ok(_) => times += 1,
                Err(wait) => now += wait,
            }
        }
        assert_eq!(times, 3 + 4 + (3600 - 15) / 10);
    }

    #[test]
    fn what_is_refunded_or_cleared_does_not_count() {
        let mut bench = Bench::new();
        let key = bench.key(1);
        for _ in 0..100 {
            bench.charge(1, 1000).unwrap();
            bench.tally.refund(key, &PACE);
        }
        for _ in 0..3 {
            bench.charge(1, 1000).unwrap();
        }
        assert_eq!(bench.wait(1, 1000), 1);
        bench.tally.refund(key, &PACE);
        assert_eq!(bench.wait(1, 1000), 0);
        assert_eq!(bench.charge(1, 1000), Ok(true));
        bench.tally.clear_until(key, 999);
        assert_eq!(bench.wait(1, 1000), 1);
        bench.tally.clear_until(key, 1000);
        assert_eq!(bench.wait(1, 1000), 0);
        for _ in 0..3 {
            bench.charge(1, 1000).unwrap();
        }
        bench.tally.clear(key);
        assert_eq!(bench.wait(1, 1000), 0);
        // Nothing is there to be refunded.
        bench.tally.refund(key, &PACE);
        bench.tally.refund(bench.key(9), &PACE);
    }

    #[test]
    fn a_clock_that_goes_back_keeps_nobody_waiting() {
        let mut bench = Bench::new();
        for _ in 0..3 {
            bench.charge(1, 1_000_000).unwrap();
        }
        bench.charge(1, 1_000_001).unwrap();
        // A day back: what was counted still counts, from now on.
        assert_eq!(bench.charge(1, 900_000), Err(2));
        assert_eq!(bench.charge(1, 900_001), Err(1));
        assert_eq!(bench.charge(1, 900_002), Ok(false));
        assert_eq!(bench.charge(1, 900_002), Err(4));
        assert_eq!(bench.wait(1, 0), 4);
        assert_eq!(bench.wait(1, u32::MAX), 0);
    }

    #[test]
    fn who_tried_often_is_not_pushed_out_by_many_who_tried_once() {
        let mut bench = Bench::new();
        let mut now = 1000;
        for _ in 0..8 {
            now += bench.wait(0, now);
            bench.charge(0, now).unwrap();
        }
        assert_eq!(bench.wait(0, now), 10);
        for name in 1..200_000 {
            bench.charge(name, now).unwrap();
        }
        assert_eq!(bench.wait(0, now), 10);
        // Nor by as many as there is room for who tried twice.
        for name in 200_000..200_000 + 2 * ROOM as u32 {
            for _ in 0..2 {
                bench.charge(name, now).unwrap();
            }
        }
        assert_eq!(bench.wait(0, now), 10);
    }

    #[test]
    fn odd_paces() {
        for (pace, left, expected) in [
            (PACE, 0, 0),
            (PACE, 2 * 60, 0),
            (PACE, 2 * 60 + 1, 1),
            (PACE, u32::MAX, 10),
            (Pace { free: 0, ..PACE }, 0, 1),
            (Pace { first: 7, longest: 7, ..PACE }, 500, 7),
            (Pace { longest: u32::MAX, ..PACE }, u32::MAX, u32::MAX),
        ] {
            assert_eq!(pace.wait(left), expected, "{pace:?} {left}");
        }
        assert_eq!(PACE.most(), (3 + 4) * 60);
        assert_eq!(Pace { first: 10, ..PACE }.most(), 3 * 60);
    }
}
