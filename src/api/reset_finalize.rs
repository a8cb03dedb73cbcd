//! `POST /api/reset_finalize`: another password for whoever holds a reset token, once.

use serde::Serialize;
use zeroize::Zeroizing;

use super::fields::Fields;
use super::{DeviceProof, begun, opening, second_factor};
use crate::app::{App, Caller};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Password, bearer};
use crate::http::{Request, Response};
use crate::store::{Credentials, Entry, Event, PasswordReset, Person};
use crate::values::{Email, FactorUse, Otp, Username};

/// Takes the token as bearer, and `{password}`; `otp` too from whoever has a second factor: the
/// token stands in for the password and for nothing else. All sessions of the user end, and one
/// begins.
pub(crate) fn post(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        access_token: &'a str,
        user: &'a str,
    }
    let (jti, person) = holder(app, request, now)?;
    let mut fields = Fields::of(request)?;
    let password = fields.text("password")?;
    let otp = fields.optional("otp")?;
    let shown = DeviceProof::of(app, request, fields.optional("device")?.as_ref(), now);
    let name = Username::parse(&person.name)?;
    let email = app.store.account_of(person.id)?.and_then(|account| account.email);
    let email = email.and_then(|email| Email::parse(&email).ok());
    let password = Password::choose(&password, &name, email.as_ref(), &app.password_rules)?;
    let caller = app.caller(request);
    let Credentials { unlocked, tokens_after, .. } =
        app.store.credentials_of(person.id)?.ok_or(Error::MissingUser)?;
    let second = second(app, &person, &caller, otp.as_ref(), (unlocked, now))?;
    let hash = app.hasher.hash(&password)?;
    let login = app.tokens.begin(now)?;
    let session = opening(&login, &caller);
    let reset = PasswordReset { hash: &hash, second: second.as_ref(), session: &session };
    let done = Entry::new(Event::PasswordReset, person.id, &person.name, caller.user());
    if !app.store.reset(&jti, &reset, &done, now)? {
        let refusal = refusal(app, &jti, second.as_ref(), now)?;
        if let Error::WrongOtp = refusal {
            note_wrong_code(app, &person, &caller, now);
        }
        return Err(refusal);
    }
    let known_since = now.after(tokens_after.max(now));
    app.attempts.welcome(&name, app.client(request), known_since);
    let access_token = app.tokens.mint(&login, person.id, &person.roles)?;
    let body = Body { access_token: &access_token, user: &person.name };
    // Whatever device was known has to be made known again, as all sessions have ended.
    Ok(begun(app, request, &shown, (person.id, None), &body, known_since))
}

/// Whose token it is, and its name. Looked up before anything is hashed.
fn holder(app: &App, request: &Request<'_>, now: Timestamp) -> Result<(String, Person), Error> {
    let claims = app.tokens.reset(bearer(request)?.ok_or(Error::MissingBearer)?, now)?;
    if let Some(person) = app.store.holder(&claims.jti, now)?
        && person.id == claims.id
    {
        return Ok((claims.jti, person));
    }
    Err(match app.store.person(claims.id)? {
        Some(Person { active: true, .. }) => Error::InvalidResetToken,
        Some(_) => Error::InactiveUser,
        None => Error::MissingUser,
    })
}

/// What there is to spend of a second factor. Wrong codes are counted, as at a login.
fn second(
    app: &App,
    person: &Person,
    caller: &Caller,
    otp: Option<&Zeroizing<String>>,
    (unlocked, now): (Timestamp, Timestamp),
) -> Result<Option<FactorUse>, Error> {
    let second = second_factor::demand(app, person.id, otp, unlocked, now);
    // What cannot be a code is no guess: it costs nothing and is not counted, so whoever sends it
    // again and again must not fill the audit.
    let guessed = otp.is_some_and(|otp| Otp::typed(otp).is_some());
    if let (Err(Error::WrongOtp), true) = (&second, guessed) {
        note_wrong_code(app, person, caller, now);
    }
    second
}

fn note_wrong_code(app: &App, person: &Person, caller: &Caller, now: Timestamp) {
    let entry = Entry::new(Event::LoginFailed, person.id, &person.name, caller.user());
    let detail = "second factor, to reset the password";
    app.note(&Entry { detail, ..entry }, now);
}

/// Why the store did not reset the password: another request was faster with the token or with
/// the code, or there is no such recovery code, which only the store can tell.
fn refusal(
    app: &App,
    jti: &str,
    second: Option<&FactorUse>,
    now: Timestamp,
) -> Result<Error, Error> {
    let still_good = app.store.holder(jti, now)?.is_some();
    Ok(match (still_good, second) {
        (true, Some(_)) => Error::WrongOtp,
        (true, None) => Error::SecondFactorRequired,
        (false, _) => Error::InvalidResetToken,
    })
}
