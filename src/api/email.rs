//! `PUT /api/email`: another email address, for a user who knows the password and has the second
//! factor, once the link in a mail has shown that the address is theirs.

use super::{done, later};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::Response;
use crate::login::second_factor;
use crate::store::{Entry, Event, LinkMail};
use crate::values::Email;

/// Takes `{email, password}`, and `otp` from users with a second factor. The answer does not tell
/// whether another account has the address.
pub(super) fn put(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    let Call { app, now, .. } = *call;
    app.require_mail()?;
    let mut fields = call.fields()?;
    let email = Email::parse(&fields.text("email")?)?;
    let password = fields.text("password")?;
    let otp = fields.optional("otp")?;
    let verified = second_factor::verify(call, identity, &password, otp.as_ref())?;
    app.attempts.mail(&email, call.client_ip(), now)?;
    let jti = app.tokens.begin(now)?.jti;
    let expires = later(now, app.config.confirmation_lifespan);
    let mail = LinkMail { email: &email, jti: &jti, expires };
    let actor = call.caller().user();
    let entry = Entry::new(Event::EmailProposed, identity.id(), identity.name(), actor);
    let by = verified.authority(identity);
    if !app.store.propose_email(identity.id(), &mail, &by, &entry, now)? {
        return Err(Error::MissingUser);
    }
    Ok(done(&format!("successfully sent confirmation email to {}", email.as_str())))
}
