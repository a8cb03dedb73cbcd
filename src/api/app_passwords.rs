//! `/api/app-passwords`: `GET` lists the user's app passwords, `POST` makes one, and `DELETE …/ID`
//! deletes one. Only with a token.

use serde::Serialize;

use super::done;
use crate::app::Call;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::Response;
use crate::store::{AppPasswordInfo, Entry, Event, NewAppPassword};
use crate::values::{AppPassword, Hosts, app_password_name};

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    name: &'a str,
    hosts: Vec<&'a str>,
    api: bool,
    created: i64,
    expires: Option<i64>,
    used: Option<i64>,
    used_address: Option<&'a str>,
    /// Only in the answer to the request that made it: the server does not store it.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(found: &'a AppPasswordInfo) -> Row<'a> {
        Row {
            id: &found.id,
            name: &found.name,
            hosts: found.hosts.iter().collect(),
            api: found.api,
            created: found.created.0,
            expires: found.expires.map(|at| at.0),
            used: found.used.map(|at| at.0),
            used_address: found.used_ip.as_deref(),
            password: None,
        }
    }
}

pub(super) fn get(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        app_passwords: Vec<Row<'a>>,
    }
    identity.require_token()?;
    let found = call.app.store.app_passwords(identity.id(), call.now)?;
    Ok(Response::private(&Body { app_passwords: found.iter().map(Row::of).collect() }))
}

/// Takes `{name, expires_in, hosts, api}`, all but the name optional.
pub(super) fn post(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    // It would be good at all apps, and longer than the token.
    call.app.tokens.require_all(identity.audiences())?;
    let mut fields = call.fields()?;
    let name = fields.text("name")?;
    let name = app_password_name(&name)?;
    let hosts = Hosts::of(fields.list("hosts")?.unwrap_or_default())?;
    let lifespan = fields.number("expires_in", 1..=NewAppPassword::MAX_LIFESPAN)?;
    let api = fields.is_on("api")?;
    let password = AppPassword::generate()?;
    let expires = lifespan.map(|seconds| Timestamp(call.now.0.saturating_add(seconds)));
    let hash = password.hash();
    let new = NewAppPassword { hash, name, hosts: &hosts, api, expires };
    let entry = entry(call, identity, Event::AppPasswordAdded);
    let by = identity.recent_authority(call.recent_since());
    let attempt = call.app.attempts.new_app_password(identity.id(), call.now)?;
    attempt.keep(call.app.store.add_app_password(identity.id(), &new, &by, &entry, call.now))?;
    let body = Row {
        id: &hash.name(),
        name,
        hosts: hosts.iter().collect(),
        api,
        created: call.now.0,
        expires: expires.map(|at| at.0),
        used: None,
        used_address: None,
        password: Some(&password.shown()),
    };
    Ok(Response::json(201, &body).with("Cache-Control", "no-store"))
}

pub(super) fn delete(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    let entry = entry(call, identity, Event::AppPasswordDeleted);
    let (id, by) = (call.request.parameter, identity.authority(None));
    match call.app.store.delete_app_password(identity.id(), id, &by, &entry, call.now)? {
        true => Ok(done("app password deleted")),
        false => Err(Error::NoSuch("app password")),
    }
}

fn entry<'a>(call: &Call<'_>, identity: &'a Identity, event: Event) -> Entry<'a> {
    Entry::new(event, identity.id(), identity.name(), call.caller().user())
}
