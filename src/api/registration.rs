//! `POST /api/registration`: a new account.

use super::{Token, done, later};
use crate::app::{Call, Caller};
use crate::config::Registration;
use crate::error::Error;
use crate::guard::Password;
use crate::http::Response;
use crate::login::{DeviceProof, begun, new_session};
use crate::store::{Entry, Event, LinkMail, NewUser};
use crate::values::{Code, CodeHash, Email, Language, Roles, Username};

/// Takes `{username, password}`, and `invitation` or `email` where the server asks for it. Whether
/// the name is free and the invitation unused, the database says when it inserts the account.
pub(super) fn post(call: &Call<'_>) -> Result<Response, Error> {
    let app = call.app;
    let Typed { invited, name, email, password, shown } = Typed::read(call)?;
    let client = call.client_ip();
    if let Some(email) = &email {
        app.attempts.mail(email, client, call.now)?;
    }
    app.attempts.registration(client, call.now)?;
    let hash = app.hasher.hash(&password)?;
    // An invitation says which roles it gives, if any.
    let roles = invited.as_ref().map_or(&app.config.default_roles, |invited| &invited.roles);
    let language = Language::chosen(call.request.header("accept-language"));
    let user = NewUser { name: &name, email: None, hash: &hash, roles, language };
    let caller = call.caller();
    let entry = Entry {
        event: Event::Registration,
        user: None,
        name: Some(name.as_str()),
        actor: caller.user(),
        detail: invited.as_ref().map_or("", |invited| invited.detail.as_str()),
    };
    match &email {
        Some(email) => wait_for(call, &user, email, entry),
        None => {
            let (id, access_token) = begin(call, &user, invited.as_ref(), entry, &caller)?;
            let body = Token { access_token: &access_token };
            Ok(begun(call, &shown, (id, None), &body, call.now.after(call.now)))
        }
    }
}

/// The fields of a registration request.
struct Typed {
    invited: Option<Invited>,
    name: Username,
    email: Option<Email>,
    password: Password,
    shown: DeviceProof,
}

impl Typed {
    fn read(call: &Call<'_>) -> Result<Typed, Error> {
        let mode = call.app.config.registration;
        if mode == Registration::Closed {
            return Err(Error::RegistrationClosed);
        }
        let mut fields = call.fields()?;
        let invited = match mode {
            Registration::Invite => Some(Invited::with(call, &fields.text("invitation")?)?),
            Registration::Open | Registration::Email | Registration::Closed => None,
        };
        let name = Username::choose(&fields.text("username")?)?;
        let email = match mode {
            Registration::Email => Some(Email::parse(&fields.text("email")?)?),
            Registration::Open | Registration::Invite | Registration::Closed => None,
        };
        let rules = &call.app.password_rules;
        let password = Password::choose(&fields.text("password")?, &name, email.as_ref(), rules)?;
        let shown = DeviceProof::of(call, fields.optional("device")?.as_ref());
        Ok(Typed { invited, name, email, password, shown })
    }
}

/// Makes an account that waits until its email address is confirmed. Whether another account has
/// the address is not looked up here, so that neither the answer nor its time tells; the mail does.
fn wait_for(
    call: &Call<'_>,
    user: &NewUser<'_>,
    email: &Email,
    entry: Entry<'_>,
) -> Result<Response, Error> {
    let app = call.app;
    app.require_mail()?;
    let jti = app.tokens.begin(call.now)?.jti;
    let expires = later(call.now, app.config.confirmation_lifespan);
    let mail = LinkMail { email, jti: &jti, expires };
    app.store.register(user, &mail, &entry, call.now)?;
    let message = format!("successfully sent registration email to user {}", user.name.as_str());
    let mut response = done(&message);
    response.status = 201;
    Ok(response)
}

/// Makes an account that can be used, and its first session; returns its id and token.
fn begin(
    call: &Call<'_>,
    user: &NewUser<'_>,
    invited: Option<&Invited>,
    entry: Entry<'_>,
    caller: &Caller,
) -> Result<(i64, String), Error> {
    let Call { app, now, .. } = *call;
    let login = app.tokens.begin(now)?;
    let session = new_session(&login, caller);
    let id = match invited {
        Some(Invited { code, .. }) => app
            .store
            .accept(code, user, Some(&session), &entry, now)?
            // Another registration was faster.
            .ok_or(Error::InvalidInvitation)?,
        None => app.store.register_with_session(user, &session, &entry, now)?,
    };
    // The account takes no token that was issued up to now.
    app.attempts.remember_ip(user.name, caller.ip(), now.after(now));
    Ok((id, app.tokens.mint(&login, id, user.roles)?))
}

/// An invitation that was good before the password was hashed.
struct Invited {
    code: CodeHash,
    roles: Roles,
    /// For the audit.
    detail: String,
}

impl Invited {
    fn with(call: &Call<'_>, typed: &str) -> Result<Invited, Error> {
        let code = Code::typed(typed).ok_or(Error::InvalidInvitation)?.hash();
        let found = call.app.store.invitation(&code, call.now)?;
        let found = found.ok_or(Error::InvalidInvitation)?;
        Ok(Invited { code, roles: found.roles, detail: format!("invitation {}", found.id) })
    }
}
