//! The thread that deletes expired rows, and how far it trusts the clock; and notices, where no mail
//! is sent. Knows no SQL.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::app::{App, Current};
use crate::clock::Timestamp;
use crate::error::Error;

/// The pause between two sweeps.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// The pause after a sweep that deleted something.
const SWEEP_AGAIN: Duration = Duration::from_millis(100);
/// The pause after the start: then it is known whether this process leads.
const FIRST_SWEEP: Duration = Duration::from_secs(2);
/// How long after a start the clock must be steady before it is trusted.
const STEADY_FOR: Duration = Duration::from_secs(3600);
/// Seconds by which a steady clock may differ between two readings.
const STEADY_WITHIN: u64 = 5;

/// Deletes expired rows, a few at a time so that others can write in between, until the sender of
/// `ended` is dropped. Of all processes that have the database open, one does so.
pub(crate) fn run(current: &Current, ended: Receiver<()>) {
    let mut horizon = Horizon::new(Instant::now(), Timestamp::now());
    let mut pause = FIRST_SWEEP;
    discard_notices(&current.get());
    while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let app = current.get();
        discard_notices(&app);
        let until = horizon.advance(Instant::now(), Timestamp::now());
        let until = until.filter(|_| app.store.leads());
        pause = until.map_or(SWEEP_EVERY, |until| sweep(&app, until));
    }
}

/// Deletes old notices in the outbox if no mail is sent: once mail is configured, they must not be
/// sent long after what they tell.
fn discard_notices(app: &App) {
    if app.config.sends_mail() || !app.store.leads() {
        return;
    }
    match app.store.discard_notices(Timestamp::now()) {
        Ok(0) => {}
        Ok(count) => {
            log::info!("{count} notices to users were deleted: no mail is sent here")
        }
        Err(error) => log::warn!("notices stay in the outbox for now: {error}"),
    }
}

/// Deletes a few rows that expired before `until`; returns the pause before the next sweep.
fn sweep(app: &App, until: Timestamp) -> Duration {
    match delete_expired(app, until) {
        Ok(deleted) => {
            app.sweeps.count.fetch_add(1, Ordering::Relaxed);
            app.sweeps.rows.fetch_add(deleted as u64, Ordering::Relaxed);
            app.sweeps.last.store(Timestamp::now().0, Ordering::Relaxed);
            if deleted == 0 { SWEEP_EVERY } else { SWEEP_AGAIN }
        }
        Err(error) => {
            log::warn!("expired rows stay for now: {error}");
            SWEEP_EVERY
        }
    }
}

/// Deletes a few rows that expired before `now`, and the audit entries that are too old then.
/// Returns how many.
fn delete_expired(app: &App, now: Timestamp) -> Result<usize, Error> {
    let kept = i64::try_from(app.config.audit_retention.as_secs()).unwrap_or(i64::MAX);
    app.store.sweep(Timestamp(now.0.saturating_sub(kept)), now)
}

/// The time up to which rows may be deleted as expired. A clock that is ahead makes good rows look
/// expired, and deleted rows do not come back; rows that are deleted late harm nobody. So:
///
/// - The horizon never passes the clock.
/// - It advances by elapsed (monotonic) time, never by a jump of the clock. If the clock is set
///   back, so is the horizon.
/// - At start it is not known, and nothing is deleted: a machine may boot with a wrong clock, and
///   needs time to have it set. The clock is believed once, when it has been steady for
///   [`STEADY_FOR`]. Times in the database do not help: they were written with the same clock.
///
/// A jump after that stays unbelieved until the next start has had its steady hour.
struct Horizon {
    /// A moment, and the lower bound of the time at that moment.
    known: Option<(Instant, Timestamp)>,
    /// The last reading of both clocks.
    last: (Instant, Timestamp),
    /// The moment since which both clocks have advanced alike.
    steady_since: Instant,
    /// Whether the clock has been steady for [`STEADY_FOR`] since the start.
    settled: bool,
}

impl Horizon {
    fn new(at: Instant, clock: Timestamp) -> Horizon {
        Horizon { known: None, last: (at, clock), steady_since: at, settled: false }
    }

    /// The horizon at a moment at which the clock shows `clock`; `None` while nothing is known.
    fn advance(&mut self, at: Instant, clock: Timestamp) -> Option<Timestamp> {
        let elapsed = at.duration_since(self.last.0).as_secs();
        let moved = clock.0.saturating_sub(self.last.1.0);
        self.last = (at, clock);
        if moved.saturating_sub_unsigned(elapsed).unsigned_abs() > STEADY_WITHIN {
            self.steady_since = at;
            log::warn!(
                "the clock moved by {moved} s in {elapsed} s; rows that look expired because of \
                 a jump ahead stay until the clock has been steady for an hour after a start"
            );
        }
        if !self.settled && at.duration_since(self.steady_since) >= STEADY_FOR {
            self.settled = true;
            self.known = Some((at, clock));
        }
        let (since, time) = self.known?;
        let elapsed = at.duration_since(since).as_secs().cast_signed();
        let reached = Timestamp(time.0.saturating_add(elapsed));
        if clock < reached {
            self.known = Some((at, clock));
        }
        Some(reached.min(clock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::http::Request;
    use crate::keys::Secret;
    use crate::site::Site;

    const DAY: i64 = 24 * 3600;

    /// A row is a reading: seconds since the start, the time of the clock, the horizon.
    fn check(what: &str, clock: i64, readings: &[(u64, i64, Option<i64>)]) {
        let start = Instant::now();
        let mut horizon = Horizon::new(start, Timestamp(clock));
        for &(after, clock, expected) in readings {
            let found = horizon.advance(start + Duration::from_secs(after), Timestamp(clock));
            assert_eq!(found, expected.map(Timestamp), "{what}: after {after} s");
        }
    }

    #[test]
    fn the_horizon_follows_a_steady_clock() {
        check(
            "a steady clock",
            1_000,
            &[
                (60, 1_060, None),
                (3_599, 4_599, None),
                (3_600, 4_600, Some(4_600)),
                (3_660, 4_660, Some(4_660)),
            ],
        );
        check(
            "far ahead at start, then set right",
            1_000 + 365 * DAY,
            &[
                (60, 1_060 + 365 * DAY, None),
                (120, 1_125, None),
                (3_700, 4_705, None),
                (3_720, 4_725, Some(4_725)),
            ],
        );
        check(
            "behind at start, then set right",
            0,
            &[
                (60, 60, None),
                (120, 30 * DAY, None),
                (3_720, 30 * DAY + 3_600, Some(30 * DAY + 3_600)),
            ],
        );
        let settled = (3_600, 4_600, Some(4_600));
        check(
            "a jump ahead is never believed",
            1_000,
            &[settled, (3_660, 4_660 + DAY, Some(4_660)), (99_660, 100_660 + DAY, Some(100_660))],
        );
        check(
            "a jump back is believed, and from there elapsed time counts again",
            1_000,
            &[
                settled,
                (3_660, 3_000, Some(3_000)),
                (3_720, 4_720, Some(3_060)),
                (3_780, 4_780, Some(3_120)),
            ],
        );
        check(
            "the ends of time",
            i64::MAX - 3_600,
            &[
                (3_600, i64::MAX, Some(i64::MAX)),
                (3_660, i64::MIN, Some(i64::MIN)),
                (3_720, i64::MAX, Some(i64::MIN + 60)),
            ],
        );
    }

    #[test]
    fn steps_of_a_fraction_of_a_second_add_up() {
        let start = Instant::now();
        let mut horizon = Horizon::new(start, Timestamp(1_000));
        horizon.advance(start + STEADY_FOR, Timestamp(4_600));
        let last = (1..=1_000)
            .map(|step| STEADY_FOR + Duration::from_millis(100 * step))
            .map(|after| horizon.advance(start + after, Timestamp(1_000 + after.as_secs() as i64)))
            .last();
        assert_eq!(last, Some(Some(Timestamp(4_700))));
    }

    #[test]
    fn a_clock_far_ahead_at_start_deleted_sessions_and_the_audit() {
        let dir = std::env::temp_dir().join(format!("lictor-sweeper-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let secret = Secret::new("the secret of the tests: 32 bytes or more").unwrap();
        let config = Config::new(dir.join("lictor.db"), secret);
        let post = |site: &Site, path, body, now| {
            let mut request = Request::new("POST", path, &[]);
            request.body = body;
            site.handle(&request, now).status
        };
        let open = || Site::new(App::open(config.clone()).unwrap()).unwrap();
        let mut site = open();
        let now = Timestamp::now();
        let body = br#"{"username":"ada","password":"ten wooden lanterns"}"#;
        assert_eq!(post(&site, "/api/registration", body, now), 200);

        // Five years ahead, the machine starts again and again. Each time a stranger leaves an
        // entry at the wrong time.
        let ahead = now.0 + 5 * 365 * DAY;
        let wrong = br#"{"username":"eve","password":"five paper lanterns"}"#;
        for begun in [ahead, ahead + 100, ahead + 200] {
            drop(site);
            site = open();
            let start = Instant::now();
            let mut horizon = Horizon::new(start, Timestamp(begun));
            for after in [60_u64, 3_540] {
                let clock = Timestamp(begun + after.cast_signed());
                assert_eq!(post(&site, "/api/login", wrong, clock), 401);
                let until = horizon.advance(start + Duration::from_secs(after), clock);
                assert_eq!(until.map(|until| delete_expired(&site.app(), until).unwrap()), None);
            }
            // After an hour the clock is still the same.
            let clock = Timestamp(begun + 3_600);
            let until = horizon.advance(start + STEADY_FOR, clock);
            assert_eq!(until, Some(clock), "a steady clock is believed");
        }
        assert_eq!(post(&site, "/api/login", body, now), 200, "the account is there");
        assert!(
            delete_expired(&site.app(), Timestamp(ahead)).unwrap() > 0,
            "there was something to delete"
        );
        drop(site);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
