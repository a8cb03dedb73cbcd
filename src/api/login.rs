//! `POST /api/login`: a name and a password, and what else the user has, for a token.

use zeroize::Zeroizing;

use super::fields::Fields;
use super::{opening, second_factor, token};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Password, Verdict};
use crate::http::{Request, Response};
use crate::store::{Credentials, Entry, Event, Proof};

/// Bytes of a body that are read before it is that request's turn. A name, a password and a code
/// fit in.
const MAX_LOOKED_INTO: usize = 4 * 1024;

/// Takes `{username, password}`, and `otp` from whoever has a second factor; the name may be the
/// e-mail address. Whether the name is unknown, the password wrong or the user inactive, one hash
/// is computed and one entry written.
pub(crate) fn post(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    let mut fields = Fields::of(request)?;
    let username = fields.text("username")?;
    let password = fields.text("password")?;
    let otp = fields.optional("otp")?;
    let found = app.store.credentials(&username)?;
    let unlocked = found.as_ref().map_or(Timestamp(0), |found| found.unlocked);
    let attempt = app.attempts.login(&username, app.client(request), unlocked, now)?;
    attempt.end(log_in(app, request, found, &password, otp.as_ref(), now))
}

/// The answer to an attempt that was admitted.
fn log_in(
    app: &App,
    request: &Request<'_>,
    mut found: Option<Credentials>,
    password: &str,
    otp: Option<&Zeroizing<String>>,
    now: Timestamp,
) -> Result<Response, Error> {
    let right = authenticate(app, found.as_mut(), password)?;
    let caller = app.caller(request);
    let Some(Credentials { person, hash, unlocked }) = found else {
        // The name is not kept: people type their password there.
        let event = Event::LoginFailed;
        let entry = Entry { event, user: None, name: None, actor: caller.user(), detail: "" };
        app.note(&entry, now);
        return Err(Error::Authentication);
    };
    let entry = |event| Entry::new(event, person.id, &person.name, caller.user());
    if !right {
        app.note(&entry(Event::LoginFailed), now);
        return Err(Error::Authentication);
    }
    if !person.active {
        app.note(&entry(Event::LoginRefused), now);
        return Err(Error::InactiveUser);
    }
    let second = match second_factor::demand(app, person.id, otp, unlocked, now) {
        Err(Error::SecondFactorRequired) => {
            app.note(&entry(Event::SecondFactorAsked), now);
            return Err(Error::SecondFactorRequired);
        }
        Err(Error::WrongOtp) => {
            let detail = "second factor";
            app.note(&Entry { detail, ..entry(Event::LoginFailed) }, now);
            return Err(Error::Authentication);
        }
        other => other?,
    };
    let login = app.tokens.begin(now)?;
    let proof = Proof { password: &hash, second: second.as_ref() };
    let begun = entry(Event::Login);
    if !app.store.begin(person.id, &opening(&login, &caller), &proof, &begun, now)? {
        // While the password was compared, it was changed, the code used, or the user shut out.
        app.note(&entry(Event::LoginFailed), now);
        return Err(Error::Authentication);
    }
    second_factor::log(&begun, second.as_ref());
    Ok(token(&app.tokens.mint(&login, person.id, &person.roles)?))
}

/// Whether the request is a login to an account that was logged in to from there before.
pub(crate) fn is_familiar(app: &App, request: &Request<'_>) -> bool {
    request.body.len() <= MAX_LOOKED_INTO
        && Fields::of(request)
            .and_then(|mut fields| fields.text("username"))
            .is_ok_and(|username| app.attempts.familiar(&username, app.client(request)))
}

/// Whether the password is right. A hash that is too weak by now is replaced, in `found` too.
fn authenticate(app: &App, found: Option<&mut Credentials>, password: &str) -> Result<bool, Error> {
    let (Some(found), Some(password)) = (found, Password::attempt(password)) else {
        app.hasher.verify_nothing()?;
        return Ok(false);
    };
    match app.hasher.verify(&password, &found.hash)? {
        Verdict::Wrong => return Ok(false),
        Verdict::Right => {}
        Verdict::RightButOutdated => {
            let stronger = app.hasher.hash(&password)?;
            match app.store.strengthen(found.person.id, &found.hash, &stronger) {
                Ok(true) => found.hash = stronger,
                // Changed meanwhile, perhaps by another login to the same better hash.
                Ok(false) => return is_still_right(app, found, &password),
                // The login counts even if the better hash cannot be kept this time.
                Err(error) => {
                    log::warn!("the hash of {} could not be renewed: {error}", found.person.name);
                }
            }
        }
    }
    Ok(true)
}

/// Compares once more, with what is kept by now.
fn is_still_right(app: &App, found: &mut Credentials, password: &Password) -> Result<bool, Error> {
    let Some(current) = app.store.credentials_of(found.person.id)? else { return Ok(false) };
    *found = current;
    Ok(app.hasher.verify(password, &found.hash)? != Verdict::Wrong)
}
