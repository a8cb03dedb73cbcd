//! `POST /api/reset_finalize`: another password for the holder of a reset token, once. `GET` says
//! whose password that is, and leaves the token as it was.

use serde::Serialize;
use zeroize::Zeroizing;

use crate::app::{Call, Caller};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Password, bearer};
use crate::http::Response;
use crate::login::{DeviceProof, audience, begun, new_session, second_factor};
use crate::store::{Credentials, Entry, Event, PasswordReset, Person};
use crate::values::{Email, FactorUse, Otp, Username};

/// Takes the token as bearer, and `{password}`; `otp` too from users with a second factor: the
/// token stands in for the password and for nothing else. `audience` is that of a login. All
/// sessions of the user end, and one begins.
pub(super) fn post(call: &Call<'_>) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        access_token: &'a str,
        user: &'a str,
    }
    let Call { app, now, .. } = *call;
    let (jti, person) = holder(call)?;
    let mut fields = call.fields()?;
    let password = fields.text("password")?;
    let otp = fields.optional("otp")?;
    let shown = DeviceProof::of(call, fields.optional("device")?.as_ref());
    let audience = audience(app, &mut fields)?;
    let name = Username::parse(&person.name)?;
    let email = app.store.account_of(person.id)?.and_then(|account| account.email);
    let email = email.and_then(|email| Email::parse(&email).ok());
    let password = Password::choose(&password, &name, email.as_ref(), &app.password_rules)?;
    let caller = call.caller();
    let Credentials { unlocked, tokens_after, .. } =
        app.store.credentials_of(person.id)?.ok_or(Error::MissingUser)?;
    let second = second(call, &person, &caller, otp.as_ref(), unlocked)?;
    let hash = app.hasher.hash(&password)?;
    let login = app.tokens.begin(now)?.only(audience);
    let session = new_session(&login, &caller);
    let reset = PasswordReset { hash: &hash, second: second.as_ref(), session: &session };
    let entry = Entry::new(Event::PasswordReset, person.id, &person.name, caller.user());
    if !app.store.reset(&jti, &reset, &entry, now)? {
        let refusal = refusal(call, &jti, second.as_ref())?;
        if let Error::WrongOtp = refusal {
            record_wrong_code(call, &person, &caller)?;
        }
        return Err(refusal);
    }
    let known_since = now.after(tokens_after.max(now));
    app.attempts.remember_ip(&name, call.client_ip(), known_since);
    let access_token = app.tokens.mint(&login, person.id, &person.roles)?;
    let body = Body { access_token: &access_token, user: &person.name };
    // The device counts as new: the end of all sessions made the known ones strangers.
    Ok(begun(call, &shown, (person.id, None), &body, known_since))
}

/// Takes the token as bearer. Refuses it as `post` does, so that a page can say so before somebody
/// chooses a password in vain.
pub(super) fn get(call: &Call<'_>) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        user: &'a str,
        second_factor: bool,
    }
    let (_, person) = holder(call)?;
    let factor = call.app.store.second_factor(person.id)?;
    let second_factor = factor.is_some_and(|factor| factor.confirmed);
    Ok(Response::private(&Body { user: &person.name, second_factor }))
}

/// Returns the token's name and its user, before anything is hashed.
fn holder(call: &Call<'_>) -> Result<(String, Person), Error> {
    let Call { app, request, now, .. } = *call;
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

/// Returns what the reset uses up of a second factor. Wrong codes are counted, as at a login.
fn second(
    call: &Call<'_>,
    person: &Person,
    caller: &Caller,
    otp: Option<&Zeroizing<String>>,
    unlocked: Timestamp,
) -> Result<Option<FactorUse>, Error> {
    let second = second_factor::demand(call, person.id, otp, unlocked);
    // A text that cannot be a code is no guess: it costs nothing and is not counted, so it must
    // not fill the audit.
    let guessed = otp.is_some_and(|otp| Otp::typed(otp).is_some());
    if let (Err(Error::WrongOtp), true) = (&second, guessed) {
        record_wrong_code(call, person, caller)?;
    }
    second
}

fn record_wrong_code(call: &Call<'_>, person: &Person, caller: &Caller) -> Result<(), Error> {
    let entry = Entry::new(Event::LoginFailed, person.id, &person.name, caller.user());
    let detail = "second factor, to reset the password";
    call.record(&Entry { detail, ..entry })
}

/// Returns why the store did not reset the password: another request was faster with the token or
/// with the code, or there is no such recovery code, which only the store can tell.
fn refusal(call: &Call<'_>, jti: &str, second: Option<&FactorUse>) -> Result<Error, Error> {
    let still_good = call.app.store.holder(jti, call.now)?.is_some();
    Ok(match (still_good, second) {
        (true, Some(_)) => Error::WrongOtp,
        (true, None) => Error::SecondFactorRequired,
        (false, _) => Error::InvalidResetToken,
    })
}
