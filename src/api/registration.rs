//! `POST /api/registration`: a new account.

use super::fields::Fields;
use super::{opening, token};
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::Registration;
use crate::error::Error;
use crate::guard::{Code, CodeHash, Password, Roles, Username};
use crate::http::{Request, Response};
use crate::store::{Entry, Event, NewUser};

/// Takes `{username, password}`, and `invitation` where it takes one. That the name is free, and
/// the invitation unused, is for the database to say, at the moment of the insertion.
pub(crate) fn post(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    if app.registration == Registration::Closed {
        return Err(Error::RegistrationClosed);
    }
    let mut fields = Fields::of(request)?;
    let invited = match app.registration {
        Registration::Invite => Some(Invited::with(app, &fields.text("invitation")?, now)?),
        Registration::Open | Registration::Closed => None,
    };
    let name = Username::parse(&fields.text("username")?)?;
    let password = Password::choose(&fields.text("password")?, &name)?;
    let client = app.client(request);
    app.attempts.registration(client, now)?;
    let hash = app.hasher.hash(&password)?;
    let roles = invited.as_ref().map_or_else(Roles::default, |invited| invited.roles.clone());
    let user = NewUser { name: &name, email: None, hash: &hash, roles: &roles };
    let login = app.tokens.begin(now)?;
    let caller = app.caller(request);
    let opening = opening(&login, &caller);
    let mut entry = Entry {
        event: Event::Registration,
        user: None,
        name: Some(name.as_str()),
        actor: caller.user(),
        detail: invited.as_ref().map_or("", |invited| invited.detail.as_str()),
    };
    let id = match &invited {
        Some(Invited { code, .. }) => app
            .store
            .accept(code, &user, Some(&opening), &entry, now)?
            // Another registration was faster.
            .ok_or(Error::InvalidInvitation)?,
        None => app.store.add(&user, Some(&opening), &entry, now)?,
    };
    app.attempts.welcome(&name, client);
    entry.user = Some(id);
    entry.log();
    Ok(token(&app.tokens.mint(&login, id, &roles)?))
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
