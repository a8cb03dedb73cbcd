//! `GET /api/admin/users`: all accounts, page by page; `POST` adds one; `GET /api/admin/users/ID`.

use serde::Serialize;

use super::user_row::Row;
use super::{MAX_PAGE, NO_USER, Query, actor, page, reset_link, subject};
use crate::api::query::{number, wrong};
use crate::app::Call;
use crate::error::Error;
use crate::guard::{Admin, Password};
use crate::http::Response;
use crate::store::{Entry, Event, NewUser, UserOrder, UserPlace, UserQuery, UserState};
use crate::values::{Email, Fragment, Language, PasswordHash, Roles, Username};

const PARAMETERS: [&str; 9] =
    ["search", "role", "state", "second_factor", "sort", "order", "after", "before", "limit"];

const ORDERS: [(&str, UserOrder); 3] = [
    ("created", UserOrder::Created),
    ("name", UserOrder::Name),
    ("last_login", UserOrder::LastLogin),
];

/// A place in the list: a number where it always was one.
#[derive(Serialize)]
#[serde(untagged)]
enum Cursor {
    Number(i64),
    Text(String),
}

impl From<UserPlace> for Cursor {
    fn from(place: UserPlace) -> Cursor {
        match place {
            UserPlace::Created(id) => Cursor::Number(id),
            UserPlace::Name(key) => Cursor::Text(key),
            UserPlace::LastLogin(time, id) => {
                Cursor::Text([time, id].map(|n| n.to_string()).join("-"))
            }
        }
    }
}

/// Reads a place as the answer wrote it. An `after` of 0 is the beginning.
fn place(query: &Query, name: &str, order: UserOrder) -> Result<Option<UserPlace>, Error> {
    let Some(text) = query.text(name) else { return Ok(None) };
    let place = match order {
        UserOrder::Created => {
            let id = query.number(name, 0..=i64::MAX)?;
            return Ok(id.filter(|id| *id != 0 || name != "after").map(UserPlace::Created));
        }
        UserOrder::Name => Some(UserPlace::Name(text.to_owned())),
        UserOrder::LastLogin => text
            .split_once('-')
            .and_then(|(time, id)| Some(UserPlace::LastLogin(number(time)?, number(id)?))),
    };
    place.map(Some).ok_or_else(|| wrong(name, "is no place in this order"))
}

/// Takes `search`, a part of names or e-mail addresses; `role`, `state` and `second_factor`, which
/// narrow it; `sort` and `order`; `after` or `before`, the `next` or `previous` of another page; and
/// `limit`.
pub(in crate::api) fn list(call: &Call<'_>, _: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        users: Vec<Row<'a>>,
        next: Option<Cursor>,
        previous: Option<Cursor>,
        total: i64,
        total_exact: bool,
    }
    let typed = Query::of(call.request, &PARAMETERS)?;
    let fragment = typed.text("search").map(Fragment::parse).transpose()?;
    let states = UserState::ALL.map(UserState::name);
    let order = typed.one_of("sort", &ORDERS.map(|(name, _)| name))?;
    let order = order.map_or(UserOrder::Created, |place| ORDERS[place].1);
    let after = place(&typed, "after", order)?;
    let before = place(&typed, "before", order)?;
    if after.is_some() && before.is_some() {
        return Err(wrong("before", "stands beside after"));
    }
    let found = call.app.store.seek(&UserQuery {
        fragment: fragment.as_ref(),
        role: typed.text("role"),
        state: typed.one_of("state", &states)?.map(|place| UserState::ALL[place]),
        second_factor: typed.flag("second_factor")?,
        order,
        descending: match typed.one_of("order", &["asc", "desc"])? {
            Some(place) => place == 1,
            None => order == UserOrder::LastLogin,
        },
        backwards: before.is_some(),
        from: after.or(before),
        limit: page(&typed, MAX_PAGE)?,
    })?;
    let users = found.rows.iter().map(|account| Row::of(call, account)).collect();
    let [next, previous] = [found.next, found.previous].map(|place| place.map(Cursor::from));
    let (total, total_exact) = (found.total, found.total_exact);
    Ok(Response::private(&Body { users, next, previous, total, total_exact }))
}

pub(in crate::api) fn get(call: &Call<'_>, _: &Admin) -> Result<Response, Error> {
    Ok(Response::private(&Row::of(call, &subject(call)?)))
}

/// Takes `{username, email, roles, password}`, all but the name optional. Without a password the
/// answer has the link with which the user sets one.
// Long: a line for each field, and the account with a password or a link.
pub(in crate::api) fn post(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        user: Row<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reset_link: Option<reset_link::Handed>,
    }
    let app = call.app;
    let mut fields = call.fields()?;
    let name = Username::choose(&fields.text("username")?)?;
    let email = fields.optional("email")?.map(|email| Email::parse(&email)).transpose()?;
    let roles = Roles::of(fields.list("roles")?.unwrap_or_default())?;
    let hash = match fields.optional("password")? {
        Some(typed) => {
            let rules = &app.password_rules;
            app.hasher.hash(&Password::choose(&typed, &name, email.as_ref(), rules)?)?
        }
        None => PasswordHash::none(),
    };
    let language = Language::chosen(call.request.header("accept-language"));
    let user = NewUser { name: &name, email: email.as_ref(), hash: &hash, roles: &roles, language };
    let entry = Entry {
        event: Event::UserAdded,
        user: None,
        name: Some(name.as_str()),
        actor: actor(call, admin),
        detail: roles.as_str(),
    };
    let by = admin.authority(call.recent_since());
    let (id, reset_link) = if hash.is_none() {
        let link = reset_link::Planned::new(call)?;
        let id = app.store.add_with_ticket(&user, &link.ticket(0), &by, &entry, call.now)?;
        (id, Some(link.handed(call, id, &roles)?))
    } else {
        (app.store.add(&user, &by, &entry, call.now)?, None)
    };
    let account = app.store.account_of(id)?.ok_or(NO_USER)?;
    let mut response = Response::private(&Body { user: Row::of(call, &account), reset_link });
    response.status = 201;
    Ok(response)
}
