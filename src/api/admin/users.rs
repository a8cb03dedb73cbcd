//! `GET /api/admin/users`: all accounts, page by page; `GET` and `DELETE /api/admin/users/ID`;
//! `PUT /api/admin/users/ID/active` and `…/roles`.

use serde::Serialize;

use super::{NO_USER, Query, actor, cut, done, page, private, subject};
use crate::api::fields::Fields;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::{Request, Response};
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

/// Takes `search`, a part of names or addresses; `after`, the `next` of the page before; and
/// `limit`.
pub(crate) fn list(
    app: &App,
    _: &Admin,
    request: &Request<'_>,
    _: Timestamp,
) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        users: Vec<Row<'a>>,
        next: Option<i64>,
    }
    let query = Query::of(request, &["search", "after", "limit"])?;
    let fragment = query.text("search").map(Fragment::parse).transpose()?;
    let after = query.number("after", 0..=i64::MAX)?.unwrap_or(0);
    let limit = page(&query)?;
    let sought = UserQuery { fragment: fragment.as_ref(), after, limit: limit + 1 };
    let mut found = app.store.seek(&sought)?;
    let next = cut(&mut found, limit, |account| account.person.id);
    Ok(private(&Body { users: found.iter().map(Row::of).collect(), next }))
}

pub(crate) fn get(
    app: &App,
    _: &Admin,
    request: &Request<'_>,
    _: Timestamp,
) -> Result<Response, Error> {
    Ok(private(&Row::of(&subject(app, request)?)))
}

/// What is left of the user is in the audit.
pub(crate) fn delete(
    app: &App,
    admin: &Admin,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let person = subject(app, request)?.person;
    let actor = actor(app, admin, request);
    let entry = Entry::new(Event::UserDeleted, person.id, &person.name, actor);
    let by = admin.authority(app.recent(now));
    if !app.store.delete(person.id, &by, &entry, now)? {
        return Err(NO_USER);
    }
    Ok(done("user deleted"))
}

/// Takes `{active}`. Who is no longer active is logged out everywhere.
pub(crate) fn put_active(
    app: &App,
    admin: &Admin,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let active = Fields::of(request)?.flag("active")?;
    let event = if active { Event::Activated } else { Event::Deactivated };
    change(app, admin, request, now, &Change::Active(active), event)
}

/// Takes `{roles}`, a list, in the place of those there were.
pub(crate) fn put_roles(
    app: &App,
    admin: &Admin,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let fields = Fields::of(request)?;
    let roles = fields.list("roles")?;
    let roles = roles.ok_or_else(|| Error::BadRequest("roles: is missing".into()))?;
    let roles = Roles::of(roles)?;
    change(app, admin, request, now, &Change::Roles(&roles), Event::RolesChanged)
}

/// Changes the user whom the path names, and answers how the account is then.
fn change(
    app: &App,
    admin: &Admin,
    request: &Request<'_>,
    now: Timestamp,
    change: &Change<'_>,
    event: Event,
) -> Result<Response, Error> {
    let person = subject(app, request)?.person;
    let actor = actor(app, admin, request);
    let detail = match change {
        Change::Roles(roles) => roles.as_str(),
        _ => "",
    };
    let entry = Entry { detail, ..Entry::new(event, person.id, &person.name, actor) };
    let by = admin.authority(app.recent(now));
    if !app.store.change(person.id, change, &by, &entry, now)? {
        return Err(NO_USER);
    }
    let account = app.store.account_of(person.id)?.ok_or(NO_USER)?;
    Ok(private(&Row::of(&account)))
}
