//! `GET /api/admin/users`: all accounts, page by page; `GET` and `DELETE /api/admin/users/ID`;
//! `PUT /api/admin/users/ID/active` and `…/roles`.

use serde::Serialize;

use super::{NO_USER, Query, actor, done, page, subject};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Response;
use crate::store::{Account, Change, Entry, Event, UserQuery};
use crate::values::{Fragment, Roles};

#[derive(Serialize)]
struct Row<'a> {
    id: i64,
    username: &'a str,
    email: Option<&'a str>,
    roles: Vec<&'a str>,
    active: bool,
    created: i64,
    second_factor: bool,
}

impl<'a> Row<'a> {
    fn of(account: &'a Account) -> Row<'a> {
        Row {
            id: account.person.id,
            username: &account.person.name,
            email: account.email.as_deref(),
            roles: account.person.roles.iter().collect(),
            active: account.person.active,
            created: account.created.0,
            second_factor: account.second_factor,
        }
    }
}

/// Takes `search`, a part of names or email addresses; `after`, the `next` of the page before; and
/// `limit`.
pub(in crate::api) fn list(call: &Call<'_>, _: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        users: Vec<Row<'a>>,
        next: Option<i64>,
    }
    let query = Query::of(call.request, &["search", "after", "limit"])?;
    let fragment = query.text("search").map(Fragment::parse).transpose()?;
    let after = query.number("after", 0..=i64::MAX)?.unwrap_or(0);
    let limit = page(&query)?;
    let found = call.app.store.seek(&UserQuery { fragment: fragment.as_ref(), after, limit })?;
    let users = found.rows.iter().map(Row::of).collect();
    Ok(Response::private(&Body { users, next: found.next }))
}

pub(in crate::api) fn get(call: &Call<'_>, _: &Admin) -> Result<Response, Error> {
    Ok(Response::private(&Row::of(&subject(call)?)))
}

/// Deletes the user; the audit keeps the name.
pub(in crate::api) fn delete(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let person = subject(call)?.person;
    let actor = actor(call, admin);
    let entry = Entry::new(Event::UserDeleted, person.id, &person.name, actor);
    let by = admin.authority(call.recent_since());
    if !call.app.store.delete(person.id, &by, &entry, call.now)? {
        return Err(NO_USER);
    }
    Ok(done("user deleted"))
}

/// Takes `{active}`. A user who becomes inactive is logged out everywhere.
pub(in crate::api) fn put_active(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let active = call.fields()?.flag("active")?;
    let event = if active { Event::Activated } else { Event::Deactivated };
    change(call, admin, &Change::Active(active), event)
}

/// Takes `{roles}`, a list that replaces the roles there were.
pub(in crate::api) fn put_roles(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let fields = call.fields()?;
    let roles = fields.list("roles")?;
    let roles = roles.ok_or_else(|| Error::BadRequest("roles: is missing".into()))?;
    let roles = Roles::of(roles)?;
    change(call, admin, &Change::Roles(&roles), Event::RolesChanged)
}

/// Changes the user whom the path names; the answer has the account after the change.
fn change(
    call: &Call<'_>,
    admin: &Admin,
    change: &Change<'_>,
    event: Event,
) -> Result<Response, Error> {
    let person = subject(call)?.person;
    let actor = actor(call, admin);
    let detail = match change {
        Change::Roles(roles) => roles.as_str(),
        _ => "",
    };
    let entry = Entry { detail, ..Entry::new(event, person.id, &person.name, actor) };
    let by = admin.authority(call.recent_since());
    if !call.app.store.change(person.id, change, &by, &entry, call.now)? {
        return Err(NO_USER);
    }
    let account = call.app.store.account_of(person.id)?.ok_or(NO_USER)?;
    Ok(Response::private(&Row::of(&account)))
}
