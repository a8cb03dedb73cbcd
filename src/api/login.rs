//! `POST /api/login`: a name and a password, and what else the user has, for a token.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::fields::Fields;
use super::{DeviceProof, Token, begun, opening, second_factor};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Device, Password, Verdict};
use crate::http::{Request, Response};
use crate::store::{Credentials, Entry, Event, NewSession, Proof};
use crate::store::{Familiarity, GUARDED};

/// Bytes of a body that are read before it is that request's turn. A name, a password and a code
/// fit in.
const MAX_LOOKED_INTO: usize = 4 * 1024;

/// Takes `{username, password}`, and `otp` from whoever has a second factor; the name may be the
/// e-mail address. The device may show its secret in `device`, or in a cookie. Whether the name is
/// unknown, the password wrong or the user inactive, one hash is computed and one entry written.
pub(crate) fn post(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    let mut fields = Fields::of(request)?;
    let username = fields.text("username")?;
    let password = fields.text("password")?;
    let otp = fields.optional("otp")?;
    let shown = DeviceProof::of(app, request, fields.optional("device")?.as_ref(), now);
    let found = app.store.credentials(&username)?;
    let known = found.as_ref().and_then(|found| known(&shown, found));
    let unlocked = found.as_ref().map_or(Timestamp(0), |found| found.unlocked);
    let client = app.client(request);
    let since = found.as_ref().map_or(Timestamp(0), |found| found.tokens_after);
    let attempt = app.attempts.login(&username, client, known.as_ref(), (unlocked, since), now)?;
    let typed = Typed { username, password, otp, shown, known };
    attempt.end(log_in(app, request, found, &typed, now))
}

/// What a login brings.
struct Typed {
    username: Zeroizing<String>,
    password: Zeroizing<String>,
    otp: Option<Zeroizing<String>>,
    shown: DeviceProof,
    known: Option<Device>,
}

/// The device as the account knows it. Whatever ends all sessions, such as another password,
/// makes devices strangers as well.
fn known(shown: &DeviceProof, found: &Credentials) -> Option<Device> {
    shown.devices.of(found.person.id, found.tokens_after)
}

/// The answer to an attempt that was admitted.
fn log_in(
    app: &App,
    request: &Request<'_>,
    mut found: Option<Credentials>,
    typed: &Typed,
    now: Timestamp,
) -> Result<Response, Error> {
    let Typed { password, otp, shown, known, .. } = typed;
    let familiarity = familiarity(app, typed, found.as_ref(), app.client(request))?;
    let limit = app.attempts.limit(familiarity);
    let guarded = is_guarded(app, found.as_ref(), limit)?;
    // Looks like a wrong password, and costs as much.
    let right = authenticate(app, found.as_mut().filter(|_| !guarded), password)?;
    let caller = app.caller(request);
    let Some(Credentials { person, hash, unlocked, tokens_after, .. }) = found else {
        // The name is not kept: people type their password there.
        let event = Event::LoginFailed;
        let entry = Entry { event, user: None, name: None, actor: caller.user(), detail: "" };
        app.note_failure(&entry, 0, now);
        return Err(Error::Authentication);
    };
    let entry = |event| Entry::new(event, person.id, &person.name, caller.user());
    if guarded {
        let detail = "not compared: too many have failed";
        app.note_failure(&Entry { detail, ..entry(Event::LoginFailed) }, 0, now);
        return Err(Error::Authentication);
    }
    if !right {
        app.note_failure(&entry(Event::LoginFailed), limit.unwrap_or(0), now);
        return Err(Error::Authentication);
    }
    if !person.active {
        app.note(&entry(Event::LoginRefused), now);
        return Err(Error::InactiveUser);
    }
    let second = match second_factor::demand(app, person.id, otp.as_ref(), unlocked, now) {
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
    let notice = app.login_notices && app.mail && known.is_none();
    let session = NewSession { notice, ..opening(&login, &caller) };
    let proof = Proof { password: &hash, second: second.as_ref() };
    let event = entry(Event::Login);
    if !app.store.begin(person.id, &session, &proof, &event, now)? {
        // While the password was compared, it was changed, the code used, or the user shut out.
        app.note(&entry(Event::LoginFailed), now);
        return Err(Error::Authentication);
    }
    let access_token = app.tokens.mint(&login, person.id, &person.roles)?;
    let body = Token { access_token: &access_token };
    Ok(begun(app, request, shown, (person.id, *known), &body, now.after(tokens_after)))
}

/// How well the account knows where a login comes from. The throttle forgets addresses with a
/// restart; where it makes a difference, sessions are looked at, which costs something: asked only
/// of an attempt that was admitted.
fn familiarity(
    app: &App,
    typed: &Typed,
    found: Option<&Credentials>,
    client: Option<IpAddr>,
) -> Result<Familiarity, Error> {
    if typed.known.is_some() {
        return Ok(Familiarity::Device);
    }
    let (Some(found), Some(client)) = (found, client) else { return Ok(Familiarity::Stranger) };
    let known = app.attempts.familiar(&typed.username, Some(client), found.tokens_after)
        || (found.failures >= GUARDED && app.store.is_known_at(found.person.id, client)?);
    Ok(if known { Familiarity::Address } else { Familiarity::Stranger })
}

/// Whether too many passwords of the account were wrong in a row to compare another. Where there
/// is a second factor, the password alone lets nobody in.
fn is_guarded(app: &App, found: Option<&Credentials>, limit: Option<u32>) -> Result<bool, Error> {
    let reached = |found: &&Credentials| limit.is_some_and(|limit| found.failures >= limit);
    let Some(found) = found.filter(reached) else { return Ok(false) };
    let factor = app.store.second_factor(found.person.id)?;
    Ok(!factor.is_some_and(|factor| factor.confirmed))
}

/// The name that a request logs in with, and what it shows of its device, before it is its turn.
fn look(
    app: &App,
    request: &Request<'_>,
    now: Timestamp,
) -> Option<(Zeroizing<String>, DeviceProof)> {
    if request.body.len() > MAX_LOOKED_INTO {
        return None;
    }
    let mut fields = Fields::of(request).ok()?;
    let username = fields.text("username").ok()?;
    let device = fields.optional("device").ok()?;
    Some((username, DeviceProof::of(app, request, device.as_ref(), now)))
}

/// The device that a login comes from, if the account knows it.
pub(crate) fn device(app: &App, request: &Request<'_>, now: Timestamp) -> Option<Device> {
    let (username, shown) = look(app, request, now)?;
    // A stranger costs no look into the database.
    if shown.devices.is_empty() {
        return None;
    }
    known(&shown, &app.store.credentials(&username).ok()??)
}

/// Whether the request is a login to an account that was logged in to before from there, or with
/// the device that it comes from.
pub(crate) fn is_familiar(app: &App, request: &Request<'_>, now: Timestamp) -> bool {
    let Some((username, shown)) = look(app, request, now) else { return false };
    let familiar = |since| app.attempts.familiar(&username, app.client(request), since);
    // A stranger costs no look into the database.
    if shown.devices.is_empty() && !familiar(Timestamp(0)) {
        return false;
    }
    // Whoever has a secret of their own account must not get a place in the queue with it.
    app.store
        .credentials(&username)
        .ok()
        .flatten()
        .is_some_and(|found| known(&shown, &found).is_some() || familiar(found.tokens_after))
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
