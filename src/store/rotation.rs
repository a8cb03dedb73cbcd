//! Decides what a refresh leads to: the policy for tokens that were exchanged before, and for
//! sessions that nobody used for a while. Knows no store: what a session remembers is passed in.

use std::time::Duration;

use super::rows::sessions::{ClientInfo, LastRefresh};
use crate::clock::Timestamp;
use crate::ip::grouped;
use crate::values::{Lifespans, MAX_AHEAD};

/// Seconds in which the token before the newest can be exchanged again: the answer was lost, or
/// two windows refreshed at once.
const GRACE: i64 = 30;

/// How the tokens of a session are exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationPolicy {
    /// Older tokens are taken from the client that refreshed the session last.
    same_device: bool,
    /// Seconds after its issue for which the newest token is handed out again.
    fresh: i64,
    /// Seconds for which a session lasts without a refresh.
    idle: Option<i64>,
}

/// What a refresh leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A new token is issued.
    Rotate {
        /// Its `iat`.
        issue: Timestamp,
        /// What the session remembers as the `iat` of the token before it.
        previous: Timestamp,
    },
    /// The newest token is handed out again.
    Repeat,
    /// The token was stolen, or its successor was: the session ends.
    Replay,
    /// Nobody has refreshed the session for longer than it may be idle.
    Idle,
}

impl RotationPolicy {
    /// `idle` is how long a session lasts without a refresh.
    pub fn new(same_device: bool, idle: Option<Duration>, lifespans: Lifespans) -> RotationPolicy {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        // The newest token is handed out until it can be refreshed itself, which for short-lived
        // ones is always.
        let early = lifespans.early.min(lifespans.access / 2);
        let fresh = seconds(lifespans.access.saturating_sub(early));
        RotationPolicy { same_device, fresh, idle: idle.map(seconds) }
    }

    /// Seconds for which a session lasts without being used, if there is a limit.
    pub fn idle(&self) -> Option<i64> {
        self.idle
    }

    /// Whether a session that was refreshed last at `newest` has been idle for too long.
    pub fn is_idle(&self, newest: Timestamp, now: Timestamp) -> bool {
        self.idle.is_some_and(|idle| newest.0.saturating_add(idle) < now.0)
    }

    /// Decides about a token that was issued at `issued`, when the client `here` asks for the next.
    pub fn decide(
        &self,
        last: &LastRefresh,
        issued: Timestamp,
        here: &ClientInfo<'_>,
        now: Timestamp,
    ) -> Decision {
        let used = last.seen.map_or(issued, |seen| seen.max(issued));
        if self.is_idle(last.newest.max(used), now) {
            return Decision::Idle;
        }
        // A newer one comes from another program with the same secret, which has exchanged it
        // there; a thief's is always older.
        if issued >= last.newest && !last.exchanged_ahead(issued) {
            // Never back in time, or the token that was exchanged would be the newer one.
            return last.rotate(now.max(issued), issued);
        }
        // Tabs that keep copies of the token.
        let same_device = self.same_device && last.was(here);
        // Negative if the later of two requests was faster, or the clock was set back.
        let age = now.0.saturating_sub(last.newest.0);
        if !same_device && (last.previous != Some(issued) || age > GRACE) {
            return Decision::Replay;
        }
        // A token that has expired, or whose time is yet to come, is of no use to anybody.
        match (-MAX_AHEAD..=self.fresh).contains(&age) {
            true => Decision::Repeat,
            false => last.rotate(now, last.newest),
        }
    }
}

impl LastRefresh {
    /// Another token is issued in place of the one from `before`. Once the clock was far ahead and
    /// is set back, that is a newer one than the new one, and stays remembered until the clock
    /// has caught up: all from before it may have been exchanged.
    fn rotate(&self, issue: Timestamp, before: Timestamp) -> Decision {
        let ahead = self.previous.filter(|previous| *previous > issue);
        Decision::Rotate { issue, previous: before.max(ahead.unwrap_or(before)) }
    }

    /// Returns whether a token was issued while the clock was ahead and was already exchanged then.
    fn exchanged_ahead(&self, issued: Timestamp) -> bool {
        issued > self.newest && self.previous.is_some_and(|previous| issued < previous)
    }

    /// Whether the last refresh came from this IP address, as limits group them, and from this
    /// program. An unknown address is never the same.
    fn was(&self, here: &ClientInfo<'_>) -> bool {
        let same = self.ip.zip(here.ip).is_some_and(|(a, b)| grouped(a) == grouped(b));
        same && self.agent == here.agent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const LIFESPANS: Lifespans = Lifespans {
        access: Duration::from_secs(1_000),
        refresh: DAY,
        early: Duration::from_secs(60),
    };

    fn last(newest: i64, previous: Option<i64>) -> LastRefresh {
        LastRefresh {
            newest: Timestamp(newest),
            previous: previous.map(Timestamp),
            ip: Some("2001:db8:1:2::3".parse().unwrap()),
            agent: "a browser".into(),
            seen: None,
        }
    }

    fn from<'a>(ip: &str, agent: &'a str) -> ClientInfo<'a> {
        ClientInfo { ip: ip.parse().ok(), agent }
    }

    #[test]
    fn decisions() {
        use Decision::{Idle, Repeat, Replay, Rotate};
        let never = RotationPolicy::new(false, None, LIFESPANS);
        let reuse = RotationPolicy { same_device: true, ..never };
        let idle = RotationPolicy::new(true, Some(Duration::from_secs(2_000)), LIFESPANS);
        let (here, there) = (from("2001:db8:1:2::3", "a browser"), from("192.0.2.1", "a browser"));
        let session = last(5_000, Some(4_000));
        let rotate =
            |issue, previous| Rotate { issue: Timestamp(issue), previous: Timestamp(previous) };
        type Row<'a> = (&'a str, RotationPolicy, ClientInfo<'a>, i64, i64, Decision);
        let rows: &[Row<'_>] = &[
            ("the newest", never, there, 5_000, 6_500, rotate(6_500, 5_000)),
            ("exchanged by another program", never, there, 5_500, 6_500, rotate(6_500, 5_500)),
            ("the one before, at once", never, there, 4_000, 5_030, Repeat),
            ("the one before, later", never, here, 4_000, 5_031, Replay),
            (
                "the newest, the clock a little back",
                never,
                there,
                5_000,
                4_950,
                rotate(5_000, 5_000),
            ),
            ("the one before, the clock a little back", never, there, 4_000, 4_940, Repeat),
            (
                "the one before, the clock far back",
                never,
                there,
                4_000,
                3_000,
                rotate(3_000, 5_000),
            ),
            ("older, at once", never, here, 3_000, 5_001, Replay),
            ("older, the clock far back", never, here, 3_000, 3_001, Replay),
            ("the one before, from here", reuse, here, 4_000, 5_031, Repeat),
            ("older, from here", reuse, here, 3_000, 5_001, Repeat),
            ("older, and the newest can be refreshed soon", reuse, here, 3_000, 5_940, Repeat),
            ("older, and it can be now", reuse, here, 3_000, 5_941, rotate(5_941, 5_000)),
            (
                "older, and the newest has expired",
                reuse,
                here,
                3_000,
                60_000,
                rotate(60_000, 5_000),
            ),
            ("older, the clock far back", reuse, here, 3_000, 3_001, rotate(3_001, 5_000)),
            ("older, from elsewhere", reuse, there, 3_000, 5_001, Replay),
            ("the one before, from elsewhere", reuse, there, 4_000, 5_031, Replay),
            ("the one before, from elsewhere at once", reuse, there, 4_000, 5_030, Repeat),
            ("used in time", idle, here, 5_000, 7_000, rotate(7_000, 5_000)),
            ("idle", idle, here, 5_000, 7_001, Idle),
            ("idle, an older token", idle, here, 4_000, 7_001, Idle),
            ("idle, a thief's", idle, there, 4_000, 7_001, Idle),
            ("used in another program", idle, here, 6_000, 7_001, rotate(7_001, 6_000)),
        ];
        // The clock was ahead until 5,000 was issued, then it was set back.
        let set_back = last(3_000, Some(5_000));
        let rows_set_back: &[Row<'_>] = &[
            ("exchanged ahead, from elsewhere", reuse, there, 4_000, 4_100, Replay),
            ("exchanged ahead, never", never, here, 3_001, 3_010, Replay),
            ("exchanged ahead, from here", reuse, here, 4_000, 3_010, Repeat),
            ("the same, later", reuse, here, 4_000, 4_100, rotate(4_100, 5_000)),
            ("the last one of then", never, there, 5_000, 4_990, rotate(5_000, 5_000)),
            ("the newest", never, there, 3_000, 3_500, rotate(3_500, 5_000)),
            (
                "the newest, the clock has caught up",
                never,
                there,
                3_000,
                5_000,
                rotate(5_000, 3_000),
            ),
            ("of another program", never, there, 5_001, 5_002, rotate(5_002, 5_001)),
        ];
        let of = |session, rows: &[Row<'_>]| {
            for (what, policy, origin, issued, now, expected) in rows {
                let found = policy.decide(session, Timestamp(*issued), origin, Timestamp(*now));
                assert_eq!(found, *expected, "{what}");
            }
        };
        of(&session, rows);
        // Its browser has shown the cookie since.
        let shown = LastRefresh { seen: Some(Timestamp(5_500)), ..session.clone() };
        of(
            &shown,
            &[
                ("the cookie was shown in time", idle, here, 5_000, 7_500, rotate(7_500, 5_000)),
                ("and then not for too long", idle, here, 5_000, 7_501, Idle),
                ("an older token, the cookie shown", idle, there, 4_000, 7_001, Replay),
            ],
        );
        of(&set_back, rows_set_back);
    }

    #[test]
    fn what_is_the_same_device() {
        for (ip, agent, expected) in [
            ("2001:db8:1:2::3", "a browser", true),
            ("2001:db8:1:2:ffff::1", "a browser", true),
            ("2001:db8:1:3::3", "a browser", false),
            ("192.0.2.1", "a browser", false),
            ("2001:db8:1:2::3", "a browser/2", false),
            ("2001:db8:1:2::3", "", false),
            ("-", "a browser", false),
        ] {
            let found = last(100, None).was(&from(ip, agent));
            assert_eq!(found, expected, "{ip} {agent}");
        }
        let unknown = LastRefresh { ip: None, ..last(100, None) };
        assert!(!unknown.was(&from("-", "a browser")));
    }

    #[test]
    fn short_lifespans_leave_something_to_hand_out() {
        for (access, early, fresh) in
            [(86_400, 60, 86_340), (86_400, 0, 86_400), (60, 60, 30), (2, 60, 1)]
        {
            let (access, early) = (Duration::from_secs(access), Duration::from_secs(early));
            let policy = RotationPolicy::new(true, None, Lifespans { access, refresh: DAY, early });
            assert_eq!(policy.fresh, fresh, "{access:?} {early:?}");
        }
    }
}
