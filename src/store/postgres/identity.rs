//! Which server it is: the identifier of its cluster, the timeline of a primary, and when it was
//! started. A name and a port do not say that: after a failover a former primary may come back there.
//!
//! Each promotion begins a timeline with a higher number. A server that takes writes on a lower one
//! than was seen before is a former primary, and what it would acknowledge would be lost.

use std::fmt;
use std::time::Instant;

use super::wire::{Connection, Failure, Statement};

/// What a server says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    /// The identifier of the cluster: a primary and its standbys have the same.
    system: i64,
    /// The timeline of a primary; a standby says none.
    timeline: Option<i64>,
    /// When the server was started, in microseconds since 1970.
    started: i64,
}

/// The database as this process has seen it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// The identifier of its cluster.
    system: Option<i64>,
    /// The highest timeline.
    timeline: Option<i64>,
}

/// Why a server is not the one that this process works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stranger {
    /// Its timeline is lower than `known`.
    FormerPrimary { timeline: i64, known: i64 },
    /// It is of another cluster.
    Unrelated,
}

/// The CASE: a standby refuses to tell the name of a WAL file. The first eight digits of that name are
/// the timeline.
const IDENTITY: &str = "SELECT system_identifier::bigint,
    CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN
        ('x' || substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))
            ::bit(32)::bigint
    END,
    (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint
FROM pg_catalog.pg_control_system()";

/// Asks a server which one it is. `None` if it does not say: a compatible server may not have the
/// functions, and an administrator may have forbidden them.
pub(super) fn ask(
    connection: &mut Connection,
    deadline: Instant,
) -> Result<Option<Identity>, Failure> {
    let mut found = None;
    let statement = Statement { sql: IDENTITY, values: &[] };
    let asked = connection.run(&[statement], deadline, &mut |_, row| {
        if let (Some(system), Some(started)) = (row.integer(0)?, row.integer(2)?) {
            found = Some(Identity { system, timeline: row.integer(1)?, started });
        }
        Ok(())
    });
    match asked {
        Ok(_) => Ok(found),
        Err(Failure::Refused(refusal)) if !refusal.fatal => {
            let why = Failure::Refused(refusal);
            log::debug!("the server does not say which one it is: {why}");
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

impl Identity {
    #[cfg(test)]
    pub(super) fn of(system: i64, timeline: Option<i64>) -> Identity {
        Identity { system, timeline, started: 0 }
    }

    /// The same server after a promotion.
    #[cfg(test)]
    pub(super) fn promoted(self) -> Identity {
        Identity { timeline: self.timeline.map(|timeline| timeline + 1), ..self }
    }

    /// Whether it is a primary of the same cluster with a higher timeline.
    pub(super) fn replaces(&self, other: &Identity) -> bool {
        self.system == other.system && self.timeline > other.timeline
    }

    /// Whether connections to the server that said `before` are of no use: it is another one now, or
    /// was started again. A standby that was promoted keeps its connections.
    pub(super) fn is_another_than(&self, before: &Identity) -> bool {
        let promoted = match (before.timeline, self.timeline) {
            (Some(before), Some(now)) => before != now,
            _ => false,
        };
        (self.system, self.started) != (before.system, before.started) || promoted
    }
}

impl Known {
    /// Returns why a server is not the one that this process works with.
    pub(super) fn refuses(&self, identity: Option<Identity>) -> Option<Stranger> {
        let identity = identity?;
        if self.system.is_some_and(|system| system != identity.system) {
            return Some(Stranger::Unrelated);
        }
        let (timeline, known) = (identity.timeline?, self.timeline?);
        (timeline < known).then_some(Stranger::FormerPrimary { timeline, known })
    }

    /// Remembers a server that this process works with.
    pub(super) fn learn(&mut self, identity: Option<Identity>) {
        if let Some(identity) = identity {
            self.system = Some(identity.system);
            self.timeline = self.timeline.max(identity.timeline);
        }
    }
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stranger::FormerPrimary { timeline, known } => write!(
                f,
                "a former primary takes writes there (timeline {timeline}, and the database is on \
                 {known} already): stop it, and make it a standby of the new primary"
            ),
            Stranger::Unrelated => f.write_str(
                "the server there has another system identifier than the one before: it is not a \
                 copy of it; if you moved the database there, start lictor again",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::postgres::databases::{TestDatabase, soon};

    fn of(system: i64, timeline: Option<i64>, started: i64) -> Option<Identity> {
        Some(Identity { system, timeline, started })
    }

    #[test]
    fn a_former_primary_and_an_unrelated_server_are_refused() {
        let mut known = Known::default();
        assert_eq!(known.refuses(of(7, Some(1), 0)), None, "nothing is known yet");
        known.learn(of(7, Some(2), 0));
        // Neither a standby nor a server that says nothing makes it forget.
        known.learn(of(7, None, 0));
        known.learn(None);
        let former = Stranger::FormerPrimary { timeline: 1, known: 2 };
        for (identity, expected) in [
            (of(7, Some(1), 9), Some(former)),
            (of(7, Some(2), 9), None),
            (of(7, Some(3), 9), None),
            (of(7, None, 9), None),
            (of(8, Some(3), 9), Some(Stranger::Unrelated)),
            (of(8, None, 9), Some(Stranger::Unrelated)),
            (None, None),
        ] {
            assert_eq!(known.refuses(identity), expected, "{identity:?}");
        }
        assert!(former.to_string().contains("timeline 1") && former.to_string().contains("on 2"));
    }

    #[test]
    fn a_server_that_was_started_again_or_promoted_elsewhere_is_another() {
        let before = of(7, Some(2), 5).unwrap();
        for (now, expected) in [
            (of(7, Some(2), 5), false),
            (of(7, None, 5), false),
            (of(7, Some(3), 5), true),
            (of(7, Some(2), 6), true),
            (of(8, Some(2), 5), true),
        ] {
            assert_eq!(now.unwrap().is_another_than(&before), expected, "{now:?}");
        }
        let standby = of(7, None, 5).unwrap();
        assert!(!of(7, Some(3), 5).unwrap().is_another_than(&standby));
    }

    #[test]
    fn a_server_says_which_one_it_is_unless_it_may_not() {
        let Some(test) = TestDatabase::empty() else { return };
        let said = ask(&mut test.connect(), soon()).unwrap().unwrap();
        assert!(said.system != 0 && said.timeline.is_some_and(|timeline| timeline > 0));
        assert_eq!(ask(&mut test.connect(), soon()).unwrap(), Some(said));
        let mut connection = test.connect();
        let forbid = "SET SESSION AUTHORIZATION DEFAULT; BEGIN;
            REVOKE EXECUTE ON FUNCTION pg_catalog.pg_control_system() FROM PUBLIC;
            SET LOCAL ROLE pg_monitor";
        connection.script(forbid, soon()).unwrap();
        assert_eq!(ask(&mut connection, soon()).unwrap(), None);
    }
}
