//! `PUT /api/password`: another password, for somebody who knows the old one and has the second
//! factor.

use serde::Serialize;

use super::fields::Fields;
use super::{DeviceProof, begun, opening, second_factor};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Identity, Password};
use crate::http::{Request, Response};
use crate::store::{Change, Entry, Event};
use crate::values::{Email, Username};

/// Takes `{current, new}`, and `otp` from whoever has a second factor. Every session of the user
/// ends, the one in use as well: whoever has a token of it is out. The answer has the token of the
/// session that begins, and the device's new secret.
pub(crate) fn put(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let mut fields = Fields::of(request)?;
    let current = fields.text("current")?;
    let new = fields.text("new")?;
    let otp = fields.optional("otp")?;
    let device = DeviceProof::of(app, request, fields.optional("device")?.as_ref(), now);
    let name = Username::parse(identity.name())?;
    let email = app.store.account_of(identity.id())?.and_then(|account| account.email);
    let email = email.and_then(|email| Email::parse(&email).ok());
    let new = Password::choose(&new, &name, email.as_ref(), &app.password_rules)?;
    let verified = second_factor::show(app, identity, &current, otp.as_ref(), request, now)?;
    let hash = app.hasher.hash(&new)?;
    let caller = app.caller(request);
    let login = app.tokens.begin(now)?;
    let session = opening(&login, &caller);
    let change = Change::Password { hash: &hash, session: Some(&session) };
    let entry = Entry::new(Event::PasswordChanged, identity.id(), identity.name(), caller.user());
    let by = verified.authority(identity);
    if !app.store.change(identity.id(), &change, &by, &entry, now)? {
        return Err(Error::MissingUser);
    }
    let access_token = app.tokens.mint(&login, identity.id(), identity.roles())?;
    let message = "password changed; all sessions from before have ended";
    let body = Body { access_token: &access_token, message };
    // All devices and addresses became strangers with the old password; these are known anew.
    let known_since = now.after(verified.tokens_after.max(now));
    app.attempts.welcome(&name, app.client(request), known_since);
    Ok(begun(app, request, &device, (identity.id(), None), &body, known_since))
}

#[derive(Serialize)]
struct Body<'a> {
    access_token: &'a str,
    message: &'a str,
}
