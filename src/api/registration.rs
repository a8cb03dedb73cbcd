//! `POST /api/registration`: a new account.

use super::fields::Fields;
use super::{DeviceProof, Token, begun, done, later, opening};
use crate::app::{App, Caller};
use crate::clock::Timestamp;
use crate::config::Registration;
use crate::error::Error;
use crate::guard::Password;
use crate::http::{Request, Response};
use crate::store::{Entry, Event, LinkMail, NewUser};
use crate::values::Language;
use crate::values::{Code, CodeHash, Email, Roles, Username};

/// Takes `{username, password}`, and where it must be `invitation` or `email`. That the name is free, and
/// the invitation unused, is for the database to say, at the moment of the insertion.
pub(crate) fn post(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    if app.registration == Registration::Closed {
        return Err(Error::RegistrationClosed);
    }
    let mut fields = Fields::of(request)?;
    let invited = match app.registration {
        Registration::Invite => Some(Invited::with(app, &fields.text("invitation")?, now)?),
        Registration::Open | Registration::Email | Registration::Closed => None,
    };
    let name = Username::choose(&fields.text("username")?)?;
    let email = match app.registration {
        Registration::Email => Some(Email::parse(&fields.text("email")?)?),
        Registration::Open | Registration::Invite | Registration::Closed => None,
    };
    let password =
        Password::choose(&fields.text("password")?, &name, email.as_ref(), &app.password_rules)?;
    let shown = DeviceProof::of(app, request, fields.optional("device")?.as_ref(), now);
    let client = app.client(request);
    if let Some(email) = &email {
        app.attempts.mail(email, client, now)?;
    }
    app.attempts.registration(client, now)?;
    let hash = app.hasher.hash(&password)?;
    // An invitation says which roles it gives, if any: its maker has thought of them.
    let roles = invited.as_ref().map_or(&app.default_roles, |invited| &invited.roles);
    let language = Language::chosen(request.header("accept-language"));
    let user = NewUser { name: &name, email: None, hash: &hash, roles, language };
    let caller = app.caller(request);
    let entry = Entry {
        event: Event::Registration,
        user: None,
        name: Some(name.as_str()),
        actor: caller.user(),
        detail: invited.as_ref().map_or("", |invited| invited.detail.as_str()),
    };
    match &email {
        Some(email) => wait_for(app, &user, email, entry, now),
        None => {
            let (id, access_token) = begin(app, &user, invited.as_ref(), entry, &caller, now)?;
            let body = Token { access_token: &access_token };
            Ok(begun(app, request, &shown, (id, None), &body, now.after(now)))
        }
    }
}

/// An account that waits for its address to be confirmed. Whether somebody has the address is not
/// looked up here, so that neither the answer nor its time tells; the mail's reader learns it.
fn wait_for(
    app: &App,
    user: &NewUser<'_>,
    email: &Email,
    entry: Entry<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    app.mailer()?;
    let jti = app.tokens.begin(now)?.jti;
    let posting = LinkMail { email, jti: &jti, expires: later(now, app.confirmation_lifespan) };
    app.store.register(user, &posting, &entry, now)?;
    let message = format!("successfully sent registration email to user {}", user.name.as_str());
    let mut response = done(&message);
    response.status = 201;
    Ok(response)
}

/// An account that can be used, and its first session: its id and token.
fn begin(
    app: &App,
    user: &NewUser<'_>,
    invited: Option<&Invited>,
    entry: Entry<'_>,
    caller: &Caller,
    now: Timestamp,
) -> Result<(i64, String), Error> {
    let login = app.tokens.begin(now)?;
    let opening = opening(&login, caller);
    let id = match invited {
        Some(Invited { code, .. }) => app
            .store
            .accept(code, user, Some(&opening), &entry, now)?
            // Another registration was faster.
            .ok_or(Error::InvalidInvitation)?,
        None => app.store.add(user, Some(&opening), &entry, now)?,
    };
    // The account takes no token that was issued up to now.
    app.attempts.welcome(user.name, caller.client(), now.after(now));
    Ok((id, app.tokens.mint(&login, id, user.roles)?))
}

/// An invitation that was good at a look before the password is hashed.
struct Invited {
    code: CodeHash,
    roles: Roles,
    /// For the audit.
    detail: String,
}

impl Invited {
    fn with(app: &App, typed: &str, now: Timestamp) -> Result<Invited, Error> {
        let code = Code::typed(typed).ok_or(Error::InvalidInvitation)?.hash();
        let found = app.store.invitation(&code, now)?.ok_or(Error::InvalidInvitation)?;
        Ok(Invited { code, roles: found.roles, detail: format!("invitation {}", found.id) })
    }
}
