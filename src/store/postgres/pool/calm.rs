//! How long a pool stays down that fell right after it had risen.

use std::time::{Duration, Instant};

/// A pool that falls so soon after it rose stays down for a while.
const SHORT: Duration = Duration::from_secs(1);
/// How long it stays down the first time; twice as long with each such fall in a row.
const FIRST_CALM: Duration = Duration::from_millis(500);
const LONGEST_CALM: Duration = Duration::from_secs(8);

/// Keeps a pool down for a while that fell right after it had risen. If the keeper can connect and
/// requests cannot, each request would take the pool down and the keeper would take it up again.
#[derive(Debug, Default)]
pub(super) struct Calm {
    /// When the pool rose last.
    risen: Option<Instant>,
    /// How often in a row it fell within [`SHORT`].
    falls: u32,
    /// It does not rise before.
    until: Option<Instant>,
}

impl Calm {
    pub(super) fn rose(&mut self, now: Instant) {
        self.risen = Some(now);
    }

    pub(super) fn fell(&mut self, now: Instant) {
        let was_short = self.risen.is_some_and(|risen| now.duration_since(risen) < SHORT);
        self.falls = if was_short { self.falls.saturating_add(1) } else { 0 };
        let doubled = |falls: u32| FIRST_CALM * 2_u32.pow((falls - 1).min(8));
        let pause = was_short.then(|| doubled(self.falls).min(LONGEST_CALM));
        self.until = pause.map(|pause| now + pause);
    }

    pub(super) fn may_rise(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now >= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_falls_again_and_again_stays_down_longer_and_longer() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut calm = Calm::default();
        calm.fell(at(0));
        assert!(calm.may_rise(at(0)), "it has not risen before");
        // When it rises, when it falls, and how long it stays down then.
        for (risen, fallen, pause) in [
            (0, 10, 500),
            (1_000, 1_900, 1_000),
            (5_000, 5_001, 2_000),
            (10_000, 10_001, 4_000),
            (20_000, 20_001, 8_000),
            (40_000, 40_001, 8_000),
            (60_000, 61_000, 0),
            (70_000, 70_001, 500),
        ] {
            calm.rose(at(risen));
            calm.fell(at(fallen));
            assert!(calm.may_rise(at(fallen + pause)), "{fallen}");
            assert!(pause == 0 || !calm.may_rise(at(fallen + pause - 1)), "{fallen}");
        }
    }
}
