//! `POST /api/registration`: a new account.

use super::fields::Fields;
use super::{opening, token};
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::Registration;
use crate::error::Error;
use crate::guard::{Password, Roles, Username};
use crate::http::{Request, Response};
use crate::store::{Entry, Event, NewUser};

/// Takes `{username, password}`. That the name is free is for the database to say, at the moment
/// of the insertion.
pub(crate) fn post(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    match app.registration {
        Registration::Open => {}
        Registration::Closed => return Err(Error::RegistrationClosed),
    }
    let mut fields = Fields::of(request)?;
    let name = Username::parse(&fields.text("username")?)?;
    let password = Password::choose(&fields.text("password")?, &name)?;
    let client = app.client(request);
    app.attempts.registration(client, now)?;
    let hash = app.hasher.hash(&password)?;
    let roles = Roles::default();
    let user = NewUser { name: &name, email: None, hash: &hash, roles: &roles };
    let login = app.tokens.begin(now)?;
    let caller = app.caller(request);
    let opening = opening(&login, &caller);
    let mut entry = Entry {
        event: Event::Registration,
        user: None,
        name: Some(name.as_str()),
        actor: caller.user(),
        detail: "",
    };
    let id = app.store.add(&user, Some(&opening), &entry, now)?;
    app.attempts.welcome(&name, client);
    entry.user = Some(id);
    entry.log();
    Ok(token(&app.tokens.mint(&login, id, &roles)?))
}
