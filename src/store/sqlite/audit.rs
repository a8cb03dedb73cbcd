//! The record of what happened, in SQLite.

use rusqlite::{Connection, Row, ToSql, params};

use super::{SWEPT_AT_ONCE, Sqlite, fault};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{Audit, AuditQuery, AuditRecord, Entry};

/// Logins that did not succeed, as far as they are kept, however young. Strangers cause them, so
/// they have a share of their own and never push out anything else.
const MAX_FAILED: i64 = 300_000;

/// All other entries that are kept, however young. Both together are a few hundred megabytes.
const MAX_OTHERS: i64 = 700_000;

impl Audit for Sqlite {
    fn record(&self, entry: &Entry<'_>, now: Timestamp) -> Result<(), Error> {
        self.write(|writer| Ok(insert(writer, entry, now)?))
    }

    fn recorded(&self, wanted: &AuditQuery<'_>) -> Result<Vec<AuditRecord>, Error> {
        let AuditQuery { user, name, since, before, limit } = *wanted;
        // What is not asked for is not in the statement, so that an index can be used.
        let mut sql = String::from(
            "SELECT id, at, event, user, name, actor, address, detail FROM audit
             WHERE id < ?1 AND at >= ?2",
        );
        let (before, since) = (before.unwrap_or(i64::MAX), since.unwrap_or(i64::MIN));
        let mut values: Vec<&dyn ToSql> = vec![&before, &since, &limit];
        if user.is_some() {
            sql += " AND user = ?4";
            values.push(&user);
        } else if name.is_some() {
            sql += " AND name = ?4";
            values.push(&name);
        }
        sql += " ORDER BY id DESC LIMIT ?3";
        let reader = self.reader();
        let found = || -> rusqlite::Result<Vec<AuditRecord>> {
            reader.prepare_cached(&sql)?.query_map(&values[..], recorded)?.collect()
        };
        found().map_err(fault)
    }
}

pub(super) fn insert(
    writer: &Connection,
    entry: &Entry<'_>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached(
        "INSERT INTO audit (at, event, user, name, actor, address, detail, failed, number)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
                 (SELECT ifnull(max(number), 0) + 1 FROM audit WHERE failed = ?8))",
    )?;
    insert.execute(params![
        now.0,
        entry.event.name(),
        entry.user,
        entry.name,
        entry.actor.admin(),
        entry.actor.address(),
        entry.detail,
        entry.event.is_failed_login()
    ])?;
    Ok(())
}

/// Entries from before `?1`, `?2` of them.
const OLD: &str = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 LIMIT ?2)";

/// Entries of the share `?1` beyond the newest `?2`, `?3` of them.
const BEYOND: &str = "DELETE FROM audit WHERE id IN
    (SELECT id FROM audit WHERE failed = ?1
     AND number <= (SELECT max(number) FROM audit WHERE failed = ?1) - ?2 LIMIT ?3)";

/// Throws old entries away, a few at a time. It costs the same however many entries there are:
/// each step begins at one end of an index.
pub(super) fn sweep(writer: &Connection, since: Timestamp) -> rusqlite::Result<usize> {
    let mut gone = writer.prepare_cached(OLD)?.execute([since.0, SWEPT_AT_ONCE])?;
    for (failed, limit) in [(1, MAX_FAILED), (0, MAX_OTHERS)] {
        gone += writer.prepare_cached(BEYOND)?.execute([failed, limit, SWEPT_AT_ONCE])?;
    }
    Ok(gone)
}

/// Gives the entries of an older version, which had no shares, theirs.
pub(super) fn divide(writer: &Connection) -> rusqlite::Result<()> {
    writer.execute_batch(
        "UPDATE audit SET failed = 1
         WHERE event IN ('login-failed', 'login-refused', 'second-factor-asked');
         UPDATE audit SET number = counted.number FROM
             (SELECT id, row_number() OVER (PARTITION BY failed ORDER BY id) AS number FROM audit)
             AS counted
         WHERE audit.id = counted.id;",
    )
}

fn recorded(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    Ok(AuditRecord {
        id: row.get(0)?,
        at: Timestamp(row.get(1)?),
        event: row.get(2)?,
        user: row.get(3)?,
        name: row.get(4)?,
        actor: row.get(5)?,
        address: row.get(6)?,
        detail: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOTE, Place};
    use super::*;
    use crate::store::{Event, Store as _};

    const NOW: Timestamp = Timestamp(1_000);

    /// The kept entries, oldest first.
    fn kept(store: &Sqlite) -> Vec<String> {
        let wanted = AuditQuery { limit: 1_000, ..AuditQuery::default() };
        let found = store.recorded(&wanted).unwrap();
        found.into_iter().rev().map(|one| one.event).collect()
    }

    fn record(store: &Sqlite, event: Event) {
        store.record(&Entry { event, ..NOTE }, NOW).unwrap();
    }

    /// Lets so many entries of the share pass, as far as the numbers tell.
    fn pass(store: &Sqlite, failed: bool, many: i64) {
        let newest = "UPDATE audit SET number = number + ?2 WHERE id =
                      (SELECT max(id) FROM audit WHERE failed = ?1)";
        store.write(|writer| Ok(writer.execute(newest, params![failed, many])?)).unwrap();
    }

    #[test]
    fn failed_logins_pushed_out_what_matters() {
        let place = Place::new("audit-shares");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        record(&store, Event::RolesChanged);
        for event in [Event::LoginFailed, Event::LoginRefused, Event::SecondFactorAsked] {
            record(&store, event);
        }
        record(&store, Event::LoginFailed);
        pass(&store, true, MAX_FAILED - 2);
        assert_eq!(store.sweep(Timestamp(0), NOW).unwrap(), 2);
        assert_eq!(kept(&store), ["roles-changed", "second-factor-asked", "login-failed"]);
        // The numbers go on where they are.
        record(&store, Event::LoginFailed);
        assert_eq!(store.sweep(Timestamp(0), NOW).unwrap(), 1);
        assert_eq!(kept(&store), ["roles-changed", "login-failed", "login-failed"]);
        pass(&store, true, 2 * MAX_FAILED);
        assert_eq!(store.sweep(Timestamp(0), NOW).unwrap(), 1);
        // All others have an end as well.
        record(&store, Event::Logout);
        pass(&store, false, MAX_OTHERS);
        assert_eq!(store.sweep(Timestamp(0), NOW).unwrap(), 1);
        assert_eq!(kept(&store), ["login-failed", "logout"]);
    }

    #[test]
    fn an_older_versions_entries_are_numbered() {
        let place = Place::new("audit-divided");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        for event in [Event::LoginFailed, Event::Login, Event::LoginFailed, Event::Logout] {
            record(&store, event);
        }
        let numbers = |writer: &Connection| -> Result<Vec<(i64, i64)>, super::super::Abort> {
            let mut query = writer.prepare("SELECT failed, number FROM audit ORDER BY id")?;
            let found = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(found.collect::<Result<_, _>>()?)
        };
        let expected = [(1, 1), (0, 1), (1, 2), (0, 2)];
        assert_eq!(store.write(numbers).unwrap(), expected);
        store
            .write(|writer| {
                writer.execute("UPDATE audit SET failed = 0, number = 0", [])?;
                Ok(divide(writer)?)
            })
            .unwrap();
        assert_eq!(store.write(numbers).unwrap(), expected);
    }

    #[test]
    fn a_sweep_reads_no_more_than_it_throws_away() {
        let place = Place::new("audit-plan");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        for sql in [OLD, BEYOND] {
            let reader = store.reader();
            let mut plan = reader.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = (1..=plan.parameter_count()).map(|_| 1);
            let steps: Vec<String> = plan
                .query_map(rusqlite::params_from_iter(values), |row| row.get(3))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            assert!(steps.iter().all(|step| !step.contains("SCAN audit")), "{steps:?}");
        }
    }
}
