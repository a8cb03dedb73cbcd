//! `PUT /api/password`: another password, for a user who knows the old one and has the second
//! factor.

use serde::Serialize;

use crate::app::Call;
use crate::error::Error;
use crate::guard::{Identity, Password};
use crate::http::Response;
use crate::login::{DeviceProof, begun, new_session, second_factor};
use crate::store::{Change, Entry, Event};
use crate::values::{Email, Username};

/// Takes `{current, new}`, `keep_app_passwords`, which is false if it is missing, and `otp` from
/// users with a second factor. Every session of the user
/// ends, the one in use as well, so that stolen tokens are void. The answer has the token of the
/// session that begins, and the device's new secret.
pub(super) fn put(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        access_token: &'a str,
        message: &'a str,
    }
    let Call { app, now, .. } = *call;
    let mut fields = call.fields()?;
    let current = fields.text("current")?;
    let new = fields.text("new")?;
    let otp = fields.optional("otp")?;
    let keep_app_passwords = fields.is_on("keep_app_passwords")?;
    let device = DeviceProof::of(call, fields.optional("device")?.as_ref());
    let name = Username::parse(identity.name())?;
    let email = app.store.account_of(identity.id())?.and_then(|account| account.email);
    let email = email.and_then(|email| Email::parse(&email).ok());
    let new = Password::choose(&new, &name, email.as_ref(), &app.password_rules)?;
    let verified = second_factor::verify(call, identity, &current, otp.as_ref())?;
    let hash = app.hasher.hash(&new)?;
    let caller = call.caller();
    let login = app.tokens.begin(now)?.only(Some(identity.audiences()));
    let session = new_session(&login, &caller);
    let change = Change::Password { hash: &hash, session: Some(&session), keep_app_passwords };
    let entry = Entry {
        detail: if keep_app_passwords { "app passwords kept" } else { "" },
        ..Entry::new(Event::PasswordChanged, identity.id(), identity.name(), caller.user())
    };
    let by = verified.authority(identity);
    if !app.store.change(identity.id(), &change, &by, &entry, now)? {
        return Err(Error::MissingUser);
    }
    let access_token = app.tokens.mint(&login, identity.id(), identity.roles())?;
    let message = "password changed; all sessions from before have ended";
    let body = Body { access_token: &access_token, message };
    // With the old password all devices and IP addresses became strangers; these are known anew.
    let known_since = now.after(verified.tokens_after.max(now));
    app.attempts.remember_ip(&name, call.client_ip(), known_since);
    Ok(begun(call, &device, (identity.id(), None), &body, known_since))
}
