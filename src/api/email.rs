//! `PUT /api/email`: another address, for somebody who knows the password and has the second factor,
//! once they have shown that mail reaches them there.

use super::fields::Fields;
use super::{done, later, second_factor};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::{Request, Response};
use crate::store::{Entry, Event, LinkMail};
use crate::values::Email;

/// Takes `{email, password}`, and `otp` from whoever has a second factor. Whether somebody else has the address is not told here.
pub(crate) fn put(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    app.mailer()?;
    let mut fields = Fields::of(request)?;
    let email = Email::parse(&fields.text("email")?)?;
    let password = fields.text("password")?;
    let otp = fields.optional("otp")?;
    let shown = second_factor::show(app, identity, &password, otp.as_ref(), request, now)?;
    app.attempts.mail(&email, app.client(request), now)?;
    let jti = app.tokens.begin(now)?.jti;
    let expires = later(now, app.confirmation_lifespan);
    let posting = LinkMail { email: &email, jti: &jti, expires };
    let actor = app.caller(request).user();
    let entry = Entry::new(Event::AddressProposed, identity.id(), identity.name(), actor);
    let by = shown.authority(identity);
    if !app.store.propose_address(identity.id(), &posting, &by, &entry, now)? {
        return Err(Error::MissingUser);
    }
    Ok(done(&format!("successfully sent confirmation email to {}", email.as_str())))
}
