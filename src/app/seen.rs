//! When sessions and app passwords were last used, until a background thread writes it. Bounded: what
//! finds no room is dropped, and comes again with the next use.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::store::{Sighting, Used};

/// Maximum number of entries.
const MAX_ENTRIES: usize = 4_096;

/// The greatest age of a time in the database, in seconds, after which a use is noted again.
const REFINED: i64 = 300;

/// The uses that are not written yet, in the order of what was used.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Vec<Sighting>>);

impl Seen {
    /// Notes that the cookie of a session was shown.
    pub(crate) fn session(&self, jti: &str, now: Timestamp) {
        self.note(Used::Session, jti, now, None);
    }

    /// Notes that an app password was used.
    pub(crate) fn app_password(&self, id: &str, ip: Option<IpAddr>, now: Timestamp) {
        self.note(Used::AppPassword, id, now, ip);
    }

    /// Takes everything that was noted.
    pub(crate) fn take(&self) -> Vec<Sighting> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, used: Used, key: &str, at: Timestamp, ip: Option<IpAddr>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = seen.binary_search_by(|one| (one.used, one.key.as_str()).cmp(&(used, key)));
        match place {
            Ok(place) => (seen[place].at, seen[place].ip) = (at.max(seen[place].at), ip),
            Err(place) if seen.len() < MAX_ENTRIES => {
                seen.insert(place, Sighting { used, key: key.to_owned(), at, ip });
            }
            Err(_) => {}
        }
    }
}

/// Whether a use is to be noted, given the time of the last one as the database has it. `idle` is
/// how many seconds a session may be idle: with a short one, the time must be finer.
pub(crate) fn is_old(last: Timestamp, idle: Option<i64>, now: Timestamp) -> bool {
    let refined = idle.map_or(REFINED, |idle| REFINED.min(idle / 4));
    last.0.saturating_add(refined) < now.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_for_each_and_no_more_than_there_is_room_for() {
        let seen = Seen::default();
        let ip = Some(IpAddr::from([192, 0, 2, 1]));
        seen.session("b", Timestamp(5));
        seen.app_password("b", ip, Timestamp(6));
        seen.session("a", Timestamp(7));
        seen.session("b", Timestamp(9));
        seen.session("b", Timestamp(8));
        let rows: Vec<_> =
            seen.take().into_iter().map(|one| (one.used, one.key, one.at.0)).collect();
        let expected =
            [(Used::Session, "a", 7), (Used::Session, "b", 9), (Used::AppPassword, "b", 6)];
        assert_eq!(rows, expected.map(|(used, key, at)| (used, key.to_owned(), at)));
        assert_eq!(seen.take(), []);
        for number in 0..MAX_ENTRIES + 10 {
            seen.session(&format!("{number:05}"), Timestamp(1));
        }
        seen.session("00000", Timestamp(2));
        let rows = seen.take();
        assert_eq!((rows.len(), rows[0].at), (MAX_ENTRIES, Timestamp(2)));
    }

    #[test]
    fn how_old_a_time_may_be() {
        for (last, idle, now, expected) in [
            (1_000, None, 1_300, false),
            (1_000, None, 1_301, true),
            (1_000, Some(100), 1_025, false),
            (1_000, Some(100), 1_026, true),
            (1_000, Some(86_400), 1_300, false),
            (1_000, Some(3), 1_001, true),
            (1_000, None, 900, false),
        ] {
            assert_eq!(
                is_old(Timestamp(last), idle, Timestamp(now)),
                expected,
                "{last} {idle:?} {now}"
            );
        }
    }
}
