//! Warnings that requests cause, and that the log does not repeat for each of them.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock::Timestamp;

/// Seconds until a warning is repeated.
const AGAIN: i64 = 600;

/// The warnings about how browsers and proxies ask.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    /// A cookie goes over plain HTTP; said once.
    pub(crate) plain: Seldom,
    /// Whoever registers may open all apps; said once.
    pub(crate) open: Seldom,
    /// No setting says where the login page is.
    pub(crate) nowhere: Seldom,
    /// The proxy does not say which host is asked for.
    pub(crate) hostless: Seldom,
}

/// When a warning was last logged; 0 if it never was.
#[derive(Debug, Default)]
pub(crate) struct Seldom(AtomicI64);

impl Seldom {
    /// Whether it is time to log the warning.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let due = last == 0 || now.0.saturating_sub(last) >= AGAIN;
        due && self.0.swap(now.0, Ordering::Relaxed) == last
    }

    /// Whether the warning was never logged.
    pub(crate) fn is_first(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0 && self.0.swap(1, Ordering::Relaxed) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_not_repeated_at_once() {
        let seldom = Seldom::default();
        let due = [1_000, 1_000, 1_599, 1_600, 1_601, 3_000].map(|at| seldom.is_due(Timestamp(at)));
        assert_eq!(due, [true, false, false, true, false, true]);
        let once = Seldom::default();
        assert!(once.is_first() && !once.is_first());
    }
}
