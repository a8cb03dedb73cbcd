//! `GET /api/finalize`: whoever follows the link in a mail shows that the address is theirs.

use serde::Serialize;

use super::{DeviceProof, begun, opening, private};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::bearer;
use crate::http::{Request, Response};
use crate::store::{Entry, Event};
use crate::values::Username;

/// Takes the mailed token as bearer. It ends a registration, which logs the user in, or gives a
/// user another address, which does not: for that one must be the user already.
pub(crate) fn get(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    let claims = app.tokens.registration(bearer(request)?.ok_or(Error::MissingBearer)?, now)?;
    let found = app.store.confirmation(&claims.jti, now)?;
    let Some(found) = found.filter(|found| found.person.id == claims.id) else {
        return Err(match app.store.person(claims.id)? {
            Some(_) => Error::InvalidRegistrationToken,
            None => Error::MissingUser,
        });
    };
    let caller = app.caller(request);
    let person = &found.person;
    let entry = Entry::new(Event::AddressConfirmed, person.id, &person.name, caller.user());
    let login = found.registration.then(|| app.tokens.begin(now)).transpose()?;
    let session = login.as_ref().map(|login| opening(login, &caller));
    if !app.store.confirm_address(&claims.jti, session.as_ref(), &entry, now)? {
        // Another request was faster with the token, or another user with the address.
        return Err(Error::InvalidRegistrationToken);
    }
    let Some(login) = login else {
        return Ok(private(&Changed { user: &person.name, email: &found.email }));
    };
    let name = Username::parse(&person.name)?;
    let known = app.store.credentials_of(person.id)?.ok_or(Error::MissingUser)?;
    let known_since = now.after(known.tokens_after);
    app.attempts.welcome(&name, app.client(request), known_since);
    let access_token = app.tokens.mint(&login, person.id, &person.roles)?;
    let body = Begun { access_token: &access_token, user: &person.name };
    let shown = DeviceProof::of(app, request, None, now);
    Ok(begun(app, request, &shown, (person.id, None), &body, known_since))
}

#[derive(Serialize)]
struct Begun<'a> {
    access_token: &'a str,
    user: &'a str,
}

#[derive(Serialize)]
struct Changed<'a> {
    user: &'a str,
    email: &'a str,
}
