//! Statements about the audit.

use super::{ByDialect, Page, all, count, delete_chosen, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries, Row, Value};
use crate::store::entry::{Entry, Event};

/// An entry as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Grows with time.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// The event's name.
    pub event: String,
    /// The id of the account that it is about.
    pub user: Option<i64>,
    /// The account's name at that time.
    pub name: Option<String>,
    /// The administrator's id; `None` for anybody else.
    pub actor: Option<i64>,
    /// The ip that the request came from; `-` if it was not known, `None` for the command line.
    pub ip: Option<String>,
    /// More, in words.
    pub detail: String,
}

/// Which entries a search asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditQuery<'a> {
    /// Only those of this user.
    pub user: Option<i64>,
    /// Only those of a user who had this name then.
    pub name: Option<&'a str>,
    /// Only those from this time on.
    pub since: Option<i64>,
    /// Only those with a smaller id: the next page.
    pub before: Option<i64>,
    /// The most entries that are returned. A page may have fewer and not be the last.
    pub limit: u32,
}

/// In PostgreSQL the number comes from a sequence: to look for the greatest one would make every two
/// transactions that write an entry conflict. There a number is left out when a transaction is
/// undone.
const INSERT: ByDialect = ByDialect {
    sqlite: "INSERT INTO audit (at, event, \"user\", name, actor, address, detail, failed, number)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8,
                (SELECT coalesce(max(number), 0) + 1 FROM audit WHERE failed = $8))",
    postgres:
        "INSERT INTO audit (at, event, \"user\", name, actor, address, detail, failed, number)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8,
                nextval(CASE WHEN $8 THEN 'audit_failed_number'::regclass
                        ELSE 'audit_other_number'::regclass END))",
};

/// Keeps an entry, with the next number of its share.
pub(in crate::store) fn insert(
    queries: &mut dyn Queries,
    entry: &Entry<'_>,
    now: Timestamp,
) -> Result<(), Fault> {
    let (admin, ip) = (entry.actor.admin(), entry.actor.ip());
    queries.execute(
        INSERT.of(queries),
        &[
            now.into(),
            entry.event.name().into(),
            entry.user.into(),
            entry.name.into(),
            admin.into(),
            ip.as_deref().into(),
            entry.detail.into(),
            entry.event.is_failed_login().into(),
        ],
    )?;
    Ok(())
}

/// Entries that a statement reads at most for one page; the page may be short then, and not the last.
pub(in crate::store) const READ_AT_ONCE: i64 = 20_000;

/// The columns of [`record`], of entries among the newest `$3` that one index finds.
macro_rules! newest {
    ($found:literal, $condition:literal) => {
        concat!(
            "SELECT id, at, event, \"user\", name, actor, address, detail FROM
             (SELECT * FROM audit WHERE ",
            $found,
            " ORDER BY id DESC LIMIT $3) AS newest
             WHERE ",
            $condition,
            " ORDER BY id DESC LIMIT $4"
        )
    };
}

// What a query does not ask for is not in the statement, so that an index can be used.
pub(in crate::store) const ALL: &str = newest!("id < $1", "at >= $2");
pub(in crate::store) const OF_USER: &str = newest!("id < $1 AND \"user\" = $5", "at >= $2");
pub(in crate::store) const OF_NAME: &str = newest!("id < $1", "at >= $2 AND name = $5");

/// The oldest entry that [`ALL`] and [`OF_NAME`] read.
pub(in crate::store) const LAST_OF_ALL: &str =
    "SELECT id FROM audit WHERE id < $1 ORDER BY id DESC LIMIT 1 OFFSET $2";
/// The oldest entry that [`OF_USER`] reads.
pub(in crate::store) const LAST_OF_USER: &str =
    "SELECT id FROM audit WHERE id < $1 AND \"user\" = $3 ORDER BY id DESC LIMIT 1 OFFSET $2";

/// Among the oldest `$3` entries from `$2` on: how many there are, and how many have a smaller id
/// than `$1`.
pub(in crate::store) const OLDER_SINCE: &str =
    "SELECT count(*), coalesce(sum(CASE WHEN id < $1 THEN 1 ELSE 0 END), 0)
     FROM (SELECT id FROM audit WHERE at >= $2 ORDER BY at LIMIT $3) AS oldest";

/// The entries that a query asks for, the newest first. A user's id counts before a name.
pub(in crate::store) fn select(
    queries: &mut dyn Queries,
    query: &AuditQuery<'_>,
) -> Result<Page<AuditRecord>, Fault> {
    let AuditQuery { user, name, since, before, limit } = *query;
    let before = before.unwrap_or(i64::MAX);
    let [from_id, from]: [Value<'_>; 2] = [before.into(), since.unwrap_or(i64::MIN).into()];
    let (read, rows) = (Value::from(READ_AT_ONCE), Value::from(i64::from(limit) + 1));
    // Asked first, where it may be needed: an entry that is deleted in between would move the end of what
    // is read.
    let filtered = user.is_some() || name.is_some() || since.is_some();
    let last = if filtered { last_read(queries, before, user)? } else { None };
    let mut found = match (user, name) {
        (Some(user), _) => {
            all(queries, OF_USER, &[from_id, from, read, rows, user.into()], record)?
        }
        (None, Some(name)) => {
            all(queries, OF_NAME, &[from_id, from, read, rows, name.into()], record)?
        }
        (None, None) => all(queries, ALL, &[from_id, from, read, rows], record)?,
    };
    found.retain(|entry| last.is_none_or(|last| entry.id >= last));
    if found.len() > limit as usize {
        found.truncate(limit as usize);
        let next = found.last().map(|entry| entry.id);
        return Ok(Page { rows: found, next });
    }
    let next = match last {
        Some(last) if may_be_older(queries, last, since)? => Some(last),
        _ => None,
    };
    Ok(Page { rows: found, next })
}

/// The id of the oldest of [`READ_AT_ONCE`] entries; `None` if there were not as many.
fn last_read(
    queries: &mut dyn Queries,
    before: i64,
    user: Option<i64>,
) -> Result<Option<i64>, Fault> {
    let (before, others) = (before.into(), (READ_AT_ONCE - 1).into());
    match user {
        Some(user) => {
            first(queries, LAST_OF_USER, &[before, others, user.into()], |row| row.get(0))
        }
        None => first(queries, LAST_OF_ALL, &[before, others], |row| row.get(0)),
    }
}

/// Whether there may be an entry before this one that is not too old. Ids grow with time, unless the
/// clock was set back: so the oldest by time are asked for their ids.
fn may_be_older(queries: &mut dyn Queries, last: i64, since: Option<i64>) -> Result<bool, Fault> {
    let Some(since) = since else { return Ok(true) };
    let asked = 5 * READ_AT_ONCE;
    let values = [last.into(), since.into(), asked.into()];
    let found = first(queries, OLDER_SINCE, &values, |row| Ok((row.get(0)?, row.get::<i64>(1)?)))?;
    let (count, older) = found.unwrap_or((0, 0));
    Ok(older > 0 || count == asked)
}

fn record(row: &dyn Row) -> Result<AuditRecord, Fault> {
    Ok(AuditRecord {
        id: row.get(0)?,
        at: row.get(1)?,
        event: row.get(2)?,
        user: row.get(3)?,
        name: row.get(4)?,
        actor: row.get(5)?,
        ip: row.get(6)?,
        detail: row.get(7)?,
    })
}

/// Which entries of a user [`count_of_user`] counts.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Counted<'a> {
    /// Those of this event,
    pub(in crate::store) event: Event,
    /// after this time,
    pub(in crate::store) after: Timestamp,
    /// and not after this one,
    pub(in crate::store) until: Timestamp,
    /// whose detail does not end with this text,
    pub(in crate::store) not_ending: &'a str,
    /// among as many of the user's newest entries.
    pub(in crate::store) among: i64,
}

/// Counts entries of a user.
pub(in crate::store) fn count_of_user(
    queries: &mut dyn Queries,
    user: i64,
    counted: &Counted<'_>,
) -> Result<i64, Fault> {
    let Counted { event, after, until, not_ending, among } = *counted;
    count(
        queries,
        "SELECT count(*) FROM
             (SELECT at, event, detail FROM audit WHERE \"user\" = $1 ORDER BY id DESC LIMIT $6)
             AS newest
         WHERE event = $2 AND at > $3 AND at <= $4
             AND (length(detail) < length($5)
                  OR substr(detail, length(detail) - length($5) + 1) <> $5)",
        &[
            user.into(),
            event.name().into(),
            after.into(),
            until.into(),
            not_ending.into(),
            among.into(),
        ],
    )
}

/// Entries from before `$1`, at most `$2` of them.
pub(in crate::store) const DELETE_OLD: ByDialect =
    delete_chosen!("audit", "id", "SELECT id FROM audit WHERE at < $1 LIMIT $2");

/// Entries of the share `$1` beyond the newest `$2`, at most `$3` of them.
pub(in crate::store) const DELETE_BEYOND: ByDialect = delete_chosen!(
    "audit",
    "id",
    "SELECT id FROM audit WHERE failed = $1
     AND number <= (SELECT max(number) FROM audit WHERE failed = $1) - $2 LIMIT $3"
);

/// Deletes at most `limit` entries from before `since`; returns how many.
pub(in crate::store) fn delete_old(
    queries: &mut dyn Queries,
    since: Timestamp,
    limit: i64,
) -> Result<usize, Fault> {
    queries.execute(DELETE_OLD.of(queries), &[since.into(), limit.into()])
}

/// Deletes at most `limit` entries of a share beyond its newest `kept`; returns how many.
pub(in crate::store) fn delete_beyond(
    queries: &mut dyn Queries,
    failed: bool,
    kept: i64,
    limit: i64,
) -> Result<usize, Fault> {
    queries.execute(DELETE_BEYOND.of(queries), &[failed.into(), kept.into(), limit.into()])
}
