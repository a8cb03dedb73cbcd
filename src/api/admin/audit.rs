//! `GET /api/admin/audit`: who did what, when and from where; the newest first.

use std::net::IpAddr;

use serde::Serialize;

use super::{Query, page};
use crate::api::query::wrong;
use crate::app::Call;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Response;
use crate::store::{AuditQuery, AuditRecord, Event};
use crate::values::Username;

/// The most entries of a page: an export reads all of them.
const MAX_ENTRIES: i64 = 1_000;

const PARAMETERS: [&str; 9] =
    ["user", "name", "event", "failed", "address", "since", "until", "before", "limit"];

#[derive(Serialize)]
struct Row<'a> {
    id: i64,
    at: i64,
    event: &'a str,
    user: Option<i64>,
    name: Option<&'a str>,
    actor: Option<i64>,
    actor_name: Option<&'a str>,
    address: Option<&'a str>,
    detail: &'a str,
}

impl<'a> Row<'a> {
    fn of(entry: &'a AuditRecord) -> Row<'a> {
        Row {
            id: entry.id,
            at: entry.at.0,
            event: &entry.event,
            user: entry.user,
            name: entry.name.as_deref(),
            actor: entry.actor,
            actor_name: entry.actor_name.as_deref(),
            address: entry.ip.as_deref(),
            detail: &entry.detail,
        }
    }
}

/// Takes `user`, an id, also of a deleted user, or `name`; `event`; `failed`, for logins that did not
/// succeed; `address`; `since` and `until`, times; `before`, the `next` of the page before; and
/// `limit`.
pub(in crate::api) fn get(call: &Call<'_>, _: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        entries: Vec<Row<'a>>,
        next: Option<i64>,
    }
    let typed = Query::of(call.request, &PARAMETERS)?;
    let mut user = typed.number("user", 0..=i64::MAX)?;
    // Also read beside a user, whose id counts: a malformed name is refused in any case.
    let name = typed.text("name").map(Username::parse).transpose()?.filter(|_| user.is_none());
    if let Some(name) = &name {
        user = call.app.store.account(name)?.map(|account| account.person.id);
    }
    let event = typed.text("event");
    if event.is_some_and(|event| Event::ALL.iter().all(|known| known.name() != event)) {
        return Err(wrong("event", "is the name of no event"));
    }
    let address = typed.text("address");
    // As entries have it: an IPv6 address can be written in several ways.
    let ip = address.and_then(|text| text.parse().ok()).map(|ip: IpAddr| ip.to_string());
    let query = AuditQuery {
        user,
        // A deleted user has no id any more; its entries are found by the name that they keep.
        name: name.as_ref(),
        event,
        failed: typed.flag("failed")? == Some(true),
        ip: ip.as_deref().or(address),
        since: typed.number("since", 0..=i64::MAX)?,
        until: typed.number("until", 0..=i64::MAX)?,
        before: typed.number("before", 0..=i64::MAX)?,
        limit: page(&typed, MAX_ENTRIES)?,
    };
    let found = call.app.store.recorded(&query)?;
    let entries = found.rows.iter().map(Row::of).collect();
    Ok(Response::private(&Body { entries, next: found.next }))
}
