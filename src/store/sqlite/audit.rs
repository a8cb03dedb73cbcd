//! The record of what happened, in SQLite.

use rusqlite::{Connection, Row, params};

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
        let reader = self.reader();
        let found = || -> rusqlite::Result<Vec<Recorded>> {
            reader
                .prepare_cached(
                    "SELECT id, at, event, user, name, actor, address, detail FROM audit
                     WHERE (?1 IS NULL OR user = ?1) AND (?5 IS NULL OR name = ?5) AND at >= ifnull(?2, at)
                     AND id < ifnull(?3, id + 1) ORDER BY id DESC LIMIT ?4",
                )?
                .query_map(params![user, since, before, limit, name], recorded)?
                .collect()
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
