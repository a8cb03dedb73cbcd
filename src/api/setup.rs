//! `POST /api/setup`: the first administrator, made with the token that the start of the server has
//! shown.

use super::Token;
use crate::app::Call;
use crate::error::Error;
use crate::guard::Password;
use crate::http::Response;
use crate::login::{DeviceProof, begun, new_session};
use crate::store::{Entry, Event, NewUser};
use crate::values::{Language, Roles, Username};

/// Takes `{token, username, password}`, and logs the administrator in. The account has the roles of
/// everybody who registers as well. A registration is refused for a taken name or a weak password
/// without using the token up.
pub(super) fn post(call: &Call<'_>) -> Result<Response, Error> {
    let Call { app, now, .. } = *call;
    let mut fields = call.fields()?;
    let token = fields.text("token")?;
    app.check_setup(&token).or_else(|error| match error {
        // Only a wrong token counts: behind a proxy that is not trusted, strangers have the same ip.
        Error::InvalidSetupToken => {
            app.attempts.registration(call.client_ip(), now).and(Err(error))
        }
        other => Err(other),
    })?;
    let name = Username::choose(&fields.text("username")?)?;
    let password = Password::choose(&fields.text("password")?, &name, None, &app.password_rules)?;
    let shown = DeviceProof::of(call, fields.optional("device")?.as_ref());
    let hash = app.hasher.hash(&password)?;
    let roles = Roles::of(["admin"].into_iter().chain(app.config.default_roles.iter()))?;
    let language = Language::chosen(call.request.header("accept-language"));
    let user = NewUser { name: &name, email: None, hash: &hash, roles: &roles, language };
    let (login, caller) = (app.tokens.begin(now)?, call.caller());
    let session = new_session(&login, &caller);
    let entry = Entry {
        event: Event::Registration,
        user: None,
        name: Some(name.as_str()),
        actor: caller.user(),
        detail: "first administrator",
    };
    let id = app.store.set_up(&user, &session, &entry, now)?;
    app.end_setup();
    app.attempts.remember_ip(&name, caller.ip(), now.after(now));
    let access_token = app.tokens.mint(&login, id, &roles)?;
    let body = Token { access_token: &access_token };
    let mut response = begun(call, &shown, (id, None), &body, now.after(now));
    response.status = 201;
    Ok(response)
}
