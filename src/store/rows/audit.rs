//! Statements about the audit.

use super::{ByDialect, Page, count, delete_chosen, exists, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries, Row};
use crate::store::entry::{Entry, Event};
use crate::values::Username;

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
    /// The administrator's name today; `None` for one that was deleted.
    pub actor_name: Option<String>,
    /// The ip that the request came from; `-` if it was not known, `None` for the command line.
    pub ip: Option<String>,
    /// More, in words.
    pub detail: String,
    /// Whether it is a login that did not succeed.
    pub failed: bool,
}

/// Which entries a search asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditQuery<'a> {
    /// Only those of this user.
    pub user: Option<i64>,
    /// Only those of a user who had this name then, in any spelling.
    pub name: Option<&'a Username>,
    /// Only those of this event.
    pub event: Option<&'a str>,
    /// Only logins that did not succeed.
    pub failed: bool,
    /// Only those from this IP address.
    pub ip: Option<&'a str>,
    /// Only those from this time on.
    pub since: Option<i64>,
    /// Only those up to this time.
    pub until: Option<i64>,
    /// Only those with a smaller id: the next page.
    pub before: Option<i64>,
    /// The most entries that are returned. A page may have fewer and not be the last.
    pub limit: u32,
}

impl AuditQuery<'_> {
    /// Whether entries are left out, so that more are read than are shown. Those of a user are found
    /// by an index.
    fn filters(&self) -> bool {
        let AuditQuery { user, name, event, failed, ip, since, until, .. } = *self;
        let named = user.is_none() && name.is_some();
        failed || named || event.or(ip).is_some() || since.or(until).is_some()
    }

    fn takes(&self, entry: &AuditRecord) -> bool {
        // A user's id counts before a name.
        (self.user.is_some() || self.name.is_none_or(|name| is_named(entry, name)))
            && self.event.is_none_or(|event| event == entry.event)
            && (entry.failed || !self.failed)
            && (self.ip.is_none() || self.ip == entry.ip.as_deref())
            && self.until.is_none_or(|until| entry.at.0 <= until)
    }
}

/// Whether the entry has the name, in any spelling.
fn is_named(entry: &AuditRecord, name: &Username) -> bool {
    let Some(there) = &entry.name else { return false };
    there == name.as_str() || Username::parse(there).is_ok_and(|there| there.key() == name.key())
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

/// The columns of [`record`], of the newest `$2` entries that one index finds.
macro_rules! newest {
    ($condition:literal) => {
        concat!(
            "SELECT id, at, event, \"user\", name, actor, address, detail, failed,
             (SELECT name FROM users WHERE users.id = audit.actor)
             FROM audit WHERE ",
            $condition,
            " ORDER BY id DESC LIMIT $2"
        )
    };
}

pub(in crate::store) const ALL: &str = newest!("id < $1");
pub(in crate::store) const OF_USER: &str = newest!("id < $1 AND \"user\" = $3");

/// The greatest id among the newest `$2` entries up to the time `$1`.
pub(in crate::store) const NEWEST_UNTIL: &str = "SELECT coalesce(max(id), 0)
     FROM (SELECT id FROM audit WHERE at <= $1 ORDER BY at DESC LIMIT $2) AS newest";

/// Among the oldest `$3` entries from `$2` on: how many there are, and how many have a smaller id
/// than `$1`.
pub(in crate::store) const OLDER_SINCE: &str =
    "SELECT count(*), coalesce(sum(CASE WHEN id < $1 THEN 1 ELSE 0 END), 0)
     FROM (SELECT id FROM audit WHERE at >= $2 ORDER BY at LIMIT $3) AS oldest";

/// The entries that a query asks for, the newest first.
// Long: one search, step by step.
pub(in crate::store) fn select(
    queries: &mut dyn Queries,
    query: &AuditQuery<'_>,
) -> Result<Page<AuditRecord>, Fault> {
    let (limit, filters) = (query.limit as usize, query.filters());
    let most = if filters { READ_AT_ONCE } else { i64::from(query.limit) + 1 };
    let mut before = query.before.unwrap_or(i64::MAX);
    if let Some(until) = query.until {
        // Without this, every page behind the newest ones would be empty.
        let newest = count(queries, NEWEST_UNTIL, &[until.into(), READ_AT_ONCE.into()])?;
        before = before.min(newest.saturating_add(1));
    }
    let values = [before.into(), most.into(), query.user.into()];
    let (sql, values) = match query.user {
        Some(_) => (OF_USER, &values[..]),
        None => (ALL, &values[..2]),
    };
    let (mut found, mut last, mut read) = (Vec::new(), None, 0);
    queries.query(sql, values, &mut |row| {
        (read, last) = (read + 1, Some(row.get(0)?));
        // A look at the time before the whole entry is read: most are of another one.
        let at: i64 = row.get(1)?;
        let in_time = query.since.is_none_or(|since| at >= since);
        if found.len() <= limit && in_time {
            let entry = record(row)?;
            if query.takes(&entry) {
                found.push(entry);
            }
        }
        Ok(())
    })?;
    if found.len() > limit {
        found.truncate(limit);
        let next = found.last().map(|entry| entry.id);
        return Ok(Page { rows: found, next });
    }
    let next = match last {
        Some(last) if filters && read == most && may_be_older(queries, last, query.since)? => {
            Some(last)
        }
        _ => None,
    };
    Ok(Page { rows: found, next })
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
    let (user, failed): (Option<i64>, bool) = (row.get(3)?, row.get(8)?);
    Ok(AuditRecord {
        id: row.get(0)?,
        at: row.get(1)?,
        event: row.get(2)?,
        user,
        // Without an account, it is what a stranger has typed: people type their password there.
        name: row.get::<Option<String>>(4)?.filter(|_| user.is_some() || !failed),
        actor: row.get(5)?,
        ip: row.get(6)?,
        detail: row.get(7)?,
        failed,
        actor_name: row.get(9)?,
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

/// Whether one of the newest entries of a user is of this event and has this detail.
pub(in crate::store) fn has(
    queries: &mut dyn Queries,
    user: i64,
    event: Event,
    detail: &str,
) -> Result<bool, Fault> {
    exists(
        queries,
        "SELECT 1 FROM
             (SELECT event, detail FROM audit WHERE \"user\" = $1 ORDER BY id DESC LIMIT $4)
             AS newest
         WHERE event = $2 AND detail = $3 LIMIT 1",
        &[user.into(), event.name().into(), detail.into(), READ_AT_ONCE.into()],
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
