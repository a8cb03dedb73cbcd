//! `PUT /api/email`: another address, for somebody who knows the password, once they have shown
//! that mail reaches them there.

use super::fields::Fields;
use super::{confirm, done, later};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Email, Identity};
use crate::http::{Request, Response};
use crate::store::{Entry, Event, Posting};

/// Takes `{email, password}`. Whether somebody else has the address is not told here.
pub(crate) fn put(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let mailer = app.mailer()?;
    let mut fields = Fields::of(request)?;
    let email = Email::parse(&fields.text("email")?)?;
    confirm(app, identity, &fields.text("password")?, request, now)?;
    app.attempts.mail(&email, app.client(request), now)?;
    let jti = app.tokens.begin(now)?.jti;
    let expires = later(now, app.confirmation_lifespan);
    let posting = Posting { email: &email, jti: &jti, expires };
    let actor = app.caller(request).user();
    let entry = Entry::new(Event::AddressProposed, identity.id(), identity.name(), actor);
    if !app.store.propose_address(identity.id(), &posting, &entry, now)? {
        return Err(Error::MissingUser);
    }
    entry.log();
    mailer.bell().ring();
    Ok(done(&format!("successfully sent confirmation email to {}", email.as_str())))
}
