//! `PUT /api/password`: another password, for somebody who knows the old one.

use super::fields::Fields;
use super::{confirm, done};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Email, Identity, Password, Username};
use crate::http::{Request, Response};
use crate::store::{Change, Entry, Event};

/// Takes `{current, new}`. All other sessions of the user end.
pub(crate) fn put(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let mut fields = Fields::of(request)?;
    let current = fields.text("current")?;
    let new = fields.text("new")?;
    let name = Username::parse(identity.name())?;
    let email = app.store.account_of(identity.id())?.and_then(|account| account.email);
    let email = email.and_then(|email| Email::parse(&email).ok());
    let new = Password::choose(&new, &name, email.as_ref(), &app.password_rules)?;
    let old = confirm(app, identity, &current, request, now)?.hash;
    let hash = app.hasher.hash(&new)?;
    let keep = Some(identity.session());
    let change = Change::Password { hash: &hash, old: Some(&old), keep };
    let actor = app.caller(request).user();
    let entry = Entry::new(Event::PasswordChanged, identity.id(), identity.name(), actor);
    if !app.store.change(identity.id(), &change, &entry, now)? {
        // Somebody else has changed it since it was compared.
        return Err(Error::WrongPassword);
    }
    app.ring();
    entry.log();
    Ok(done("password changed; all other sessions have ended"))
}
