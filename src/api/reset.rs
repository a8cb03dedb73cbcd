//! `POST /api/reset`: a mail with which a user who has forgotten the password sets another.

use super::{done, later};
use crate::app::Call;
use crate::error::Error;
use crate::http::Response;
use crate::store::LinkMail;
use crate::values::Email;

/// Takes `{email}`. Nothing here depends on whether an account has the address: that is looked up
/// when the mail is sent.
pub(super) fn post(call: &Call<'_>) -> Result<Response, Error> {
    let Call { app, now, .. } = *call;
    app.require_mail()?;
    let email = Email::parse(&call.fields()?.text("email")?)?;
    app.attempts.reset(&email, call.client_ip(), now)?;
    let jti = app.tokens.begin(now)?.jti;
    let expires = later(now, app.config.reset_lifespan);
    let mail = LinkMail { email: &email, jti: &jti, expires };
    app.store.request_reset(&mail, &call.caller().ip_text(), now)?;
    Ok(done(&format!("successfully sent password reset email to {}", email.as_str())))
}
