//! `POST /api/reset`: a mail with which whoever has forgotten their password can set another.

use super::fields::Fields;
use super::{done, later};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::{Request, Response};
use crate::store::LinkMail;
use crate::values::Email;

/// Takes `{email}`. Nothing here depends on whether anybody has the address: that is looked up
/// when the mail is sent.
pub(crate) fn post(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    app.mailer()?;
    let email = Email::parse(&Fields::of(request)?.text("email")?)?;
    app.attempts.reset(&email, app.client(request), now)?;
    let jti = app.tokens.begin(now)?.jti;
    let posting = LinkMail { email: &email, jti: &jti, expires: later(now, app.reset_lifespan) };
    app.store.request_reset(&posting, &app.caller(request).address(), now)?;
    Ok(done(&format!("successfully sent password reset email to {}", email.as_str())))
}
