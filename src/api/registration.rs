//! `POST /api/registration`: a new account.

use super::{Token, done, later};
use crate::app::Call;
use crate::config::Registration;
use crate::error::Error;
use crate::guard::{Attempt, AudienceSet, Password, SessionClaims, Verdict};
use crate::http::Response;
use crate::login::{DeviceProof, audience, begun, new_session};
use crate::store::{Credentials, Entry, Event, LinkMail, NewUser};
use crate::values::{Code, CodeHash, Email, Language, PasswordHash, Roles, Username};

/// Takes `{username, password}`, and `invitation` or `email` where the server asks for it;
/// `audience` is that of a login, where the answer has a token. Whether the name is free and the
/// invitation unused, the database says when it inserts the account.
pub(super) fn post(call: &Call<'_>) -> Result<Response, Error> {
    let app = call.app;
    let Typed { invited, name, email, password, audience, shown } = Typed::read(call)?;
    let client = call.client_ip();
    if let Some(email) = &email {
        app.attempts.mail(email, client, call.now)?;
    }
    app.attempts.registration(client, call.now)?;
    let waiting = match &email {
        Some(email) => app.store.waiting(&name, email, call.now)?,
        None => None,
    };
    let (hash, claim) = match waiting {
        None => (app.hasher.hash(&password)?, Claim::New),
        Some(waiting) => claim(call, waiting, &password)?,
    };
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
        Some(email) => wait_for(call, (&user, claim), email, entry),
        None => {
            let login = app.tokens.begin(call.now)?.only(audience);
            let (id, access_token) = begin(call, &login, &user, invited.as_ref(), entry)?;
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
    audience: Option<AudienceSet>,
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
        let audience = match mode {
            Registration::Email => None,
            _ => audience(call.app, &mut fields)?,
        };
        let shown = DeviceProof::of(call, fields.optional("device")?.as_ref());
        Ok(Typed { invited, name, email, password, audience, shown })
    }
}

/// What a registration with an e-mail address asks for.
#[derive(Clone, Copy)]
enum Claim {
    /// A new account.
    New,
    /// Another mail for the account with this id, which waits.
    Again(i64),
    /// The name of an account that waits, with another password than its own.
    Taken,
}

/// Compares the password with that of the account that waits: if it is right, the person gets another
/// mail. The comparison takes the time of a new hash, and the throttle counts it as a guess. If the
/// throttle asks for a wait, the answer is that for a wrong password: a wait would show that the name
/// is kept for an account that waits.
fn claim(
    call: &Call<'_>,
    waiting: Credentials,
    password: &Password,
) -> Result<(PasswordHash, Claim), Error> {
    let Credentials { person, hash, .. } = waiting;
    let attempts = &call.app.attempts;
    let attempt = attempts.waiting_registration(&person.name, call.client_ip(), call.now);
    let verdict = call.app.hasher.verify(&Attempt::of(password), &hash)?;
    let right = match verdict {
        Verdict::Wrong => Err(Error::Authentication),
        Verdict::Right | Verdict::RightButOutdated => Ok(()),
    };
    let claim = match attempt.and_then(|attempt| attempt.end(right)) {
        Ok(()) => Claim::Again(person.id),
        Err(_) => Claim::Taken,
    };
    Ok((hash, claim))
}

/// Makes an account that waits until its email address is confirmed. Whether another account has
/// the address is not looked up here, so that neither the answer nor its time tells; the mail does.
fn wait_for(
    call: &Call<'_>,
    (user, claim): (&NewUser<'_>, Claim),
    email: &Email,
    entry: Entry<'_>,
) -> Result<Response, Error> {
    let app = call.app;
    app.require_mail()?;
    let jti = app.tokens.begin(call.now)?.jti;
    let expires = later(call.now, app.config.confirmation_lifespan);
    let mail = LinkMail { email, jti: &jti, expires };
    match claim {
        Claim::New => app.store.register(user, &mail, &entry, call.now).map(drop)?,
        Claim::Again(id) => {
            app.store.register_again((id, user.hash), &mail, &entry, call.now)?;
        }
        Claim::Taken => return Err(app.store.register_in_vain(user, email, &entry, call.now)),
    }
    let message = format!("successfully sent registration email to user {}", user.name.as_str());
    let mut response = done(&message);
    response.status = 201;
    Ok(response)
}

/// Makes an account that can be used, and its first session; returns its id and token.
fn begin(
    call: &Call<'_>,
    login: &SessionClaims,
    user: &NewUser<'_>,
    invited: Option<&Invited>,
    entry: Entry<'_>,
) -> Result<(i64, String), Error> {
    let Call { app, now, .. } = *call;
    let caller = call.caller();
    let session = new_session(login, &caller);
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
    Ok((id, app.tokens.mint(login, id, user.roles)?))
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
