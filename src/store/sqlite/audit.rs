//! The record of what happened, in SQLite.

use rusqlite::{Connection, Row, ToSql, params};

use super::{SWEPT_AT_ONCE, Sqlite, fault};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{Audit, Entry, Recorded, Wanted};

/// Entries that are kept at most, however young: a few hundred megabytes.
const MAX_ENTRIES: i64 = 1_000_000;

impl Audit for Sqlite {
    fn record(&self, entry: &Entry<'_>, now: Timestamp) -> Result<(), Error> {
        self.write(|writer| Ok(insert(writer, entry, now)?))
    }

    fn recorded(&self, wanted: &Wanted<'_>) -> Result<Vec<Recorded>, Error> {
        let Wanted { user, name, since, before, limit } = *wanted;
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
        let found = || -> rusqlite::Result<Vec<Recorded>> {
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
        "INSERT INTO audit (at, event, user, name, actor, address, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    insert.execute(params![
        now.0,
        entry.event.name(),
        entry.user,
        entry.name,
        entry.actor.admin(),
        entry.actor.address(),
        entry.detail
    ])?;
    Ok(())
}

/// Throws old entries away, a few at a time.
pub(super) fn sweep(writer: &Connection, since: Timestamp) -> rusqlite::Result<usize> {
    let old = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 LIMIT ?2)";
    let many = "DELETE FROM audit WHERE id IN
                (SELECT id FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1 LIMIT ?2)";
    Ok(writer.prepare_cached(old)?.execute([since.0, SWEPT_AT_ONCE])?
        + writer.prepare_cached(many)?.execute([MAX_ENTRIES, SWEPT_AT_ONCE])?)
}

fn recorded(row: &Row<'_>) -> rusqlite::Result<Recorded> {
    Ok(Recorded {
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
