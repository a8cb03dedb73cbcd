//! `GET /api/finalize`: the link in a mail shows that an email address belongs to its user. `GET
//! /api/finalize/check` says which address and whose, and leaves the token as it was.

use serde::Serialize;

use crate::app::Call;
use crate::error::Error;
use crate::guard::bearer;
use crate::http::Response;
use crate::login::{DeviceProof, begun, new_session};
use crate::store::{Confirmation, Entry, Event};
use crate::values::Username;

/// Takes the mailed token as bearer. It ends a registration, which logs the user in; or gives a
/// user another email address, which does not, since only a user who is logged in asks for that.
pub(super) fn get(call: &Call<'_>) -> Result<Response, Error> {
    let Call { app, now, .. } = *call;
    let (jti, found) = confirmation(call)?;
    let caller = call.caller();
    let person = &found.person;
    let entry = Entry::new(Event::EmailConfirmed, person.id, &person.name, caller.user());
    let login = found.registration.then(|| app.tokens.begin(now)).transpose()?;
    let session = login.as_ref().map(|login| new_session(login, &caller));
    if !app.store.confirm_email(&jti, session.as_ref(), &entry, now)? {
        // Another request was faster with the token, or another user with the email address.
        return Err(Error::InvalidRegistrationToken);
    }
    let Some(login) = login else {
        return Ok(Response::private(&Changed { user: &person.name, email: &found.email }));
    };
    let name = Username::parse(&person.name)?;
    let known = app.store.credentials_of(person.id)?.ok_or(Error::MissingUser)?;
    let known_since = now.after(known.tokens_after);
    app.attempts.remember_ip(&name, call.client_ip(), known_since);
    let access_token = app.tokens.mint(&login, person.id, &person.roles)?;
    let body = Registered { access_token: &access_token, user: &person.name };
    let shown = DeviceProof::of(call, None);
    Ok(begun(call, &shown, (person.id, None), &body, known_since))
}

/// Takes the mailed token as bearer. Refuses it as `get` does, so that a page can say so before
/// somebody confirms in vain.
pub(super) fn check(call: &Call<'_>) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        user: &'a str,
        email: &'a str,
        registration: bool,
    }
    let (_, Confirmation { person, email, registration }) = &confirmation(call)?;
    Ok(Response::private(&Body { user: &person.name, email, registration: *registration }))
}

/// Returns the token's name, and what it confirms.
fn confirmation(call: &Call<'_>) -> Result<(String, Confirmation), Error> {
    let Call { app, request, now, .. } = *call;
    let claims = app.tokens.registration(bearer(request)?.ok_or(Error::MissingBearer)?, now)?;
    if let Some(found) = app.store.confirmation(&claims.jti, now)?
        && found.person.id == claims.id
    {
        return Ok((claims.jti, found));
    }
    Err(match app.store.person(claims.id)? {
        Some(_) => Error::InvalidRegistrationToken,
        None => Error::MissingUser,
    })
}

#[derive(Serialize)]
struct Registered<'a> {
    access_token: &'a str,
    user: &'a str,
}

#[derive(Serialize)]
struct Changed<'a> {
    user: &'a str,
    email: &'a str,
}
