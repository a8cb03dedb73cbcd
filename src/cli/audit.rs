//! `lictor audit`: prints who did what, when, from where.

use std::io::{self, Write as _};
use std::time::Duration;

use serde::Serialize;

use super::args::Args;
use super::database::{self, DatabaseFlag, open_existing};
use super::flag::{Row, flag, group};
use super::kind::{COUNT, Kind, LIFESPAN};
use super::output::{date, failed, unless_closed};
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::store::{AuditQuery, AuditRecord, Store};
use crate::values::Username;

/// Entries that one query reads.
const PAGE: u32 = 500;

pub(super) const FLAGS: &[Row] = &[
    flag("--user NAME", Kind::Text).help("Only entries about this user; deleted users count too"),
    flag("--since TIME", LIFESPAN).help("Only entries of the last 24h, 30d, or seconds"),
    flag("--limit N", COUNT).default("1000").help("The most entries; the newest are shown"),
    flag("--json", Kind::Switch).help("Print one JSON object a line"),
    group(database::FLAGS),
];

pub(super) fn run(args: &Args) -> Result<(), Problem> {
    let store = open_existing(DatabaseFlag::of(args).find()?)?;
    let name = args.get("--user").map(Username::parse).transpose().map_err(failed)?;
    let account = name.as_ref().map(|name| store.account(name).map_err(failed)).transpose()?;
    let user = account.flatten().map(|account| account.person.id);
    // A deleted user has no id any more; its entries are found by the name that they keep.
    let name = name.as_ref().filter(|_| user.is_none());
    let since = args.get("--since").map(|since: Duration| {
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Timestamp::now().0.saturating_sub(seconds)
    });
    let query = AuditQuery { user, name, since, ..AuditQuery::default() };
    let line = if args.is_given("--json") { json } else { text };
    match (print(&store, query, args.value("--limit"), line)?, name) {
        (0, Some(name)) => Err(Problem::new(
            format!("there is no user {name}, and nothing on record of one"),
            "list all entries: lictor audit",
        )),
        _ => Ok(()),
    }
}

/// Prints at most `limit` entries, page by page; the number of those that were found.
fn print(
    store: &Store,
    mut query: AuditQuery<'_>,
    limit: u32,
    line: fn(&AuditRecord) -> String,
) -> Result<usize, Problem> {
    let (mut left, mut count) = (limit, 0);
    let mut out = io::BufWriter::new(io::stdout().lock());
    while left > 0 {
        query.limit = left.min(PAGE);
        let found = store.recorded(&query).map_err(failed)?;
        count += found.rows.len();
        left = left.saturating_sub(u32::try_from(found.rows.len()).unwrap_or(u32::MAX));
        for entry in &found.rows {
            if let Err(error) = writeln!(out, "{}", line(entry)) {
                return unless_closed(error).map(|()| count);
            }
        }
        query.before = found.next;
        if found.next.is_none() {
            break;
        }
    }
    out.flush().or_else(unless_closed).map(|()| count)
}

fn text(entry: &AuditRecord) -> String {
    let who = match (&entry.name, entry.user) {
        (Some(name), Some(id)) => format!("{} (id {id})", name.escape_debug()),
        (_, Some(id)) => format!("id {id}"),
        _ => "-".into(),
    };
    let by = match (entry.actor, &entry.ip) {
        (Some(admin), Some(ip)) => format!("id {admin} at {ip}"),
        (None, Some(ip)) => ip.clone(),
        (_, None) => "the command line".into(),
    };
    let detail = match entry.detail.as_str() {
        "" => String::new(),
        detail => format!("  {}", detail.escape_debug()),
    };
    format!("{}  {:20}  {:24}  {by}{detail}", date(entry.at), entry.event, who)
}

fn json(entry: &AuditRecord) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        at: i64,
        event: &'a str,
        user: Option<i64>,
        name: Option<&'a str>,
        actor: Option<i64>,
        address: Option<&'a str>,
        detail: &'a str,
    }
    let line = Line {
        at: entry.at.0,
        event: &entry.event,
        user: entry.user,
        name: entry.name.as_deref(),
        actor: entry.actor,
        address: entry.ip.as_deref(),
        detail: &entry.detail,
    };
    // Strings and numbers always become JSON.
    serde_json::to_string(&line).unwrap_or_default()
}
