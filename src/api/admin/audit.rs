//! `GET /api/admin/audit`: who did what, when and from where; the newest first.

use serde::Serialize;

use super::{Query, page};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Response;
use crate::store::{AuditQuery, AuditRecord};

#[derive(Serialize)]
struct Row<'a> {
    id: i64,
    at: i64,
    event: &'a str,
    user: Option<i64>,
    name: Option<&'a str>,
    actor: Option<i64>,
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
            address: entry.ip.as_deref(),
            detail: &entry.detail,
        }
    }
}

/// Takes `user`, an id, also of a deleted user; `since`, a time; `before`, the `next` of the page
/// before; and `limit`.
pub(in crate::api) fn get(call: &Call<'_>, _: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        entries: Vec<Row<'a>>,
        next: Option<i64>,
    }
    let typed = Query::of(call.request, &["user", "since", "before", "limit"])?;
    let query = AuditQuery {
        user: typed.number("user", 0..=i64::MAX)?,
        name: None,
        since: typed.number("since", 0..=i64::MAX)?,
        before: typed.number("before", 0..=i64::MAX)?,
        limit: page(&typed)?,
    };
    let found = call.app.store.recorded(&query)?;
    let entries = found.rows.iter().map(Row::of).collect();
    Ok(Response::private(&Body { entries, next: found.next }))
}
