//! `GET /api/me`: who one is; `DELETE /api/me`: no longer.

use serde::Serialize;

use super::fields::Fields;
use super::{done, private, second_factor};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::{Request, Response};
use crate::store::{Entry, Event};

pub(crate) fn get(
    app: &App,
    identity: &Identity,
    _: &Request<'_>,
    _: Timestamp,
) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        id: i64,
        username: &'a str,
        email: Option<&'a str>,
        roles: Vec<&'a str>,
        created: i64,
        second_factor: bool,
        recovery_codes: u32,
        second_factor_required: bool,
    }
    let account = app.store.account_of(identity.id())?.ok_or(Error::MissingUser)?;
    let factor = app.store.second_factor(identity.id())?.filter(|factor| factor.confirmed);
    Ok(private(&Body {
        id: identity.id(),
        username: &account.person.name,
        email: account.email.as_deref(),
        roles: account.person.roles.iter().collect(),
        created: account.created.0,
        second_factor: factor.is_some(),
        recovery_codes: factor.map_or(0, |factor| factor.codes_left),
        second_factor_required: app.requires_second_factor(&account.person.roles),
    }))
}

/// Takes `{password}`, and `otp` from whoever has a second factor. What is left of the user is in the audit.
pub(crate) fn delete(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let mut fields = Fields::of(request)?;
    let password = fields.text("password")?;
    let otp = fields.optional("otp")?;
    let shown = second_factor::show(app, identity, &password, otp.as_ref(), request, now)?;
    let actor = app.caller(request).user();
    let entry = Entry::new(Event::UserDeleted, identity.id(), identity.name(), actor);
    if !app.store.delete(identity.id(), &shown.authority(identity), &entry, now)? {
        return Err(Error::MissingUser);
    }
    Ok(done("account deleted"))
}
