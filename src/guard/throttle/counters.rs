//! Counters of attempts with exponential backoff, in a table of fixed size. Knows neither what a
//! key stands for nor what time it is.

use crate::guard::table::{Key, Table};

/// Maximum number of counters. A new one takes the place of the one that would decay to zero first.
/// To evict a counter, an attacker must therefore try more often, and more recently, with every
/// other key of its bucket. Nobody outside knows those keys, so it takes that many attempts with
/// thousands of keys, which is slower than waiting.
const CAPACITY: usize = 16_384;

/// How the waits of a counter grow and fade. Times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backoff {
    /// Attempts without a wait.
    pub(super) free: u32,
    /// The wait after those. Each further attempt doubles it.
    pub(super) first: u32,
    /// The longest wait.
    pub(super) longest: u32,
    /// The counter loses one attempt in this time. At least the longest wait, or the counter would
    /// fall during a wait, and the longest wait would not last.
    pub(super) decay: u32,
}

impl Backoff {
    /// Returns the seconds to wait after an attempt, given `left`, the seconds until the counter
    /// decays to zero.
    fn wait(&self, left: u32) -> u32 {
        let count = left.div_ceil(self.decay);
        match count.checked_sub(self.free) {
            None => 0,
            Some(beyond) => self.doubled(beyond).min(self.longest),
        }
    }

    /// Returns the maximum of `left`: a higher count would not make the wait longer.
    fn max_left(&self) -> u32 {
        let beyond = (0..32).find(|&beyond| self.doubled(beyond) >= self.longest).unwrap_or(32);
        (self.free + beyond) * self.decay
    }

    /// Returns the first wait, doubled this many times.
    fn doubled(&self, times: u32) -> u32 {
        self.first.checked_shl(times).filter(|wait| wait >> times == self.first).unwrap_or(u32::MAX)
    }
}

/// The counters. A record is the key's tag, the time of the last attempt, and the seconds from then
/// until the counter decays to zero.
#[derive(Debug)]
pub(super) struct Counters(Table<3>);

impl Counters {
    pub(super) fn new() -> Counters {
        Counters(Table::new(CAPACITY))
    }

    /// Returns the seconds until the next attempt is admitted; 0 if it is admitted now.
    pub(super) fn wait(&mut self, key: Key, backoff: &Backoff, now: u32) -> u32 {
        let Some([_, last, left]) = self.0.find(key) else { return 0 };
        // If the clock was set back, the wait starts anew: nobody waits until the clock has caught
        // up.
        *last = now.min(*last);
        backoff.wait(*left).saturating_sub(now - *last)
    }

    /// Counts an attempt if it is admitted; returns true if it is the first one after which the
    /// next has to wait. The error is the seconds that this attempt has to wait; it is not counted.
    pub(super) fn count(&mut self, key: Key, backoff: &Backoff, now: u32) -> Result<bool, u32> {
        match self.wait(key, backoff, now) {
            0 => {}
            wait => return Err(wait),
        }
        let record = self.0.entry(key, |&[_, last, left]| remaining(last, left, now));
        let [_, last, left] = record;
        let before = remaining(*last, *left, now);
        *last = now;
        *left = (before + backoff.decay).min(backoff.max_left());
        Ok(backoff.wait(before) == 0 && backoff.wait(*left) > 0)
    }

    /// Takes one attempt off the counter.
    pub(super) fn uncount(&mut self, key: Key, backoff: &Backoff) {
        if let Some([_, _, left]) = self.0.find(key) {
            *left = left.saturating_sub(backoff.decay);
        }
    }

    /// Removes a counter.
    pub(super) fn clear(&mut self, key: Key) {
        if let Some(record) = self.0.find(key) {
            *record = [0; 3];
        }
    }

    /// Removes a counter whose last attempt was at that time or earlier.
    pub(super) fn clear_until(&mut self, key: Key, time: u32) {
        if self.0.find(key).is_some_and(|[_, last, _]| *last <= time) {
            self.clear(key);
        }
    }
}

/// Returns the seconds from `now` until a counter decays to zero.
fn remaining(last: u32, left: u32, now: u32) -> u32 {
    left.saturating_sub(now.saturating_sub(last))
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;

    const BACKOFF: Backoff = Backoff { free: 3, first: 1, longest: 10, decay: 60 };

    /// Counters, and keys for them.
    struct Fixture {
        counters: Counters,
        secret: RandomState,
    }

    impl Fixture {
        fn new() -> Fixture {
            Fixture { counters: Counters::new(), secret: RandomState::new() }
        }

        fn key(&self, name: u32) -> Key {
            Key::of(&self.secret, name)
        }

        fn count(&mut self, name: u32, now: u32) -> Result<bool, u32> {
            let key = self.key(name);
            self.counters.count(key, &BACKOFF, now)
        }

        fn wait(&mut self, name: u32, now: u32) -> u32 {
            let key = self.key(name);
            self.counters.wait(key, &BACKOFF, now)
        }
    }

    #[test]
    fn waits_grow_to_the_longest_and_fade() {
        let mut fixture = Fixture::new();
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
            // The wait before was 8; 16 would be more than the longest.
            (1016, Err(9)),
            (1025, Ok(false)),
            (1026, Err(9)),
            (1035, Ok(false)),
            // The counter loses one attempt in a minute.
            (1095, Ok(false)),
            (1096, Err(9)),
            // After seven minutes it is at zero.
            (1095 + 7 * 60, Ok(false)),
            (1095 + 7 * 60, Ok(false)),
            (1095 + 7 * 60, Ok(true)),
            (1095 + 7 * 60, Err(1)),
        ] {
            assert_eq!(fixture.count(1, now), expected, "at {now}");
        }
        assert_eq!(fixture.wait(2, 1000), 0, "another key");
    }

    #[test]
    fn an_attacker_who_takes_every_turn_gets_one_per_longest_wait() {
        let mut fixture = Fixture::new();
        let mut now = 1000;
        let mut times = 0;
        while now < 1000 + 3600 {
            match fixture.count(1, now) {
                Ok(_) => times += 1,
                Err(wait) => now += wait,
            }
        }
        assert_eq!(times, 3 + 4 + (3600 - 15) / 10);
    }

    #[test]
    fn uncounted_and_cleared_attempts_do_not_count() {
        let mut fixture = Fixture::new();
        let key = fixture.key(1);
        for _ in 0..100 {
            fixture.count(1, 1000).unwrap();
            fixture.counters.uncount(key, &BACKOFF);
        }
        for _ in 0..3 {
            fixture.count(1, 1000).unwrap();
        }
        assert_eq!(fixture.wait(1, 1000), 1);
        fixture.counters.uncount(key, &BACKOFF);
        assert_eq!(fixture.wait(1, 1000), 0);
        assert_eq!(fixture.count(1, 1000), Ok(true));
        fixture.counters.clear_until(key, 999);
        assert_eq!(fixture.wait(1, 1000), 1);
        fixture.counters.clear_until(key, 1000);
        assert_eq!(fixture.wait(1, 1000), 0);
        for _ in 0..3 {
            fixture.count(1, 1000).unwrap();
        }
        fixture.counters.clear(key);
        assert_eq!(fixture.wait(1, 1000), 0);
        // Without a record there is nothing to take off.
        fixture.counters.uncount(key, &BACKOFF);
        fixture.counters.uncount(fixture.key(9), &BACKOFF);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting() {
        let mut fixture = Fixture::new();
        for _ in 0..3 {
            fixture.count(1, 1_000_000).unwrap();
        }
        fixture.count(1, 1_000_001).unwrap();
        // The clock is set back a day: the count stays, and the wait starts anew.
        assert_eq!(fixture.count(1, 900_000), Err(2));
        assert_eq!(fixture.count(1, 900_001), Err(1));
        assert_eq!(fixture.count(1, 900_002), Ok(false));
        assert_eq!(fixture.count(1, 900_002), Err(4));
        assert_eq!(fixture.wait(1, 0), 4);
        assert_eq!(fixture.wait(1, u32::MAX), 0);
    }

    #[test]
    fn a_high_counter_is_not_evicted_by_many_low_ones() {
        let mut fixture = Fixture::new();
        let mut now = 1000;
        for _ in 0..8 {
            now += fixture.wait(0, now);
            fixture.count(0, now).unwrap();
        }
        assert_eq!(fixture.wait(0, now), 10);
        for name in 1..200_000 {
            fixture.count(name, now).unwrap();
        }
        assert_eq!(fixture.wait(0, now), 10);
        // Nor by twice the capacity of counters with two attempts.
        for name in 200_000..200_000 + 2 * CAPACITY as u32 {
            for _ in 0..2 {
                fixture.count(name, now).unwrap();
            }
        }
        assert_eq!(fixture.wait(0, now), 10);
    }

    #[test]
    fn unusual_backoffs() {
        for (backoff, left, expected) in [
            (BACKOFF, 0, 0),
            (BACKOFF, 2 * 60, 0),
            (BACKOFF, 2 * 60 + 1, 1),
            (BACKOFF, u32::MAX, 10),
            (Backoff { free: 0, ..BACKOFF }, 0, 1),
            (Backoff { first: 7, longest: 7, ..BACKOFF }, 500, 7),
            (Backoff { longest: u32::MAX, ..BACKOFF }, u32::MAX, u32::MAX),
        ] {
            assert_eq!(backoff.wait(left), expected, "{backoff:?} {left}");
        }
        assert_eq!(BACKOFF.max_left(), (3 + 4) * 60);
        assert_eq!(Backoff { first: 10, ..BACKOFF }.max_left(), 3 * 60);
    }
}
