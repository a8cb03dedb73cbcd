//! `POST /api/login`: a name and a password, and a code of the second factor, for a token, with the
//! cookie of a browser session if it is asked for. `POST /api/session` gives the cookie alone.

use std::net::IpAddr;

use serde::Serialize;
use zeroize::Zeroizing;

use super::logout;
use crate::app::{App, Call, Caller, Fields};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Attempt, AudienceSet, Device, SessionClaims, Verdict, scheme_of};
use crate::http::Response;
use crate::login::{DeviceProof, NewCookie, audience, begun, new_session, second_factor};
use crate::store::{Credentials, Entry, Event, Familiarity, GUARDED, NewSession, Proof};
use crate::values::{FactorUse, PasswordHash};

/// What the answer to a login has.
pub(super) struct Gives {
    pub(super) token: bool,
    pub(super) cookie: Option<NewCookie>,
}

/// Takes the fields of [`attempt`], and `cookie`, which asks for the cookie as well; `remember` is
/// that of `POST /api/session`.
pub(super) fn post(call: &Call<'_>) -> Result<Response, Error> {
    let fields = call.fields()?;
    let cookie = fields.is_on("cookie")?.then(|| NewCookie::for_answer(call)).transpose()?;
    let cookie = cookie.map(|cookie| cookie.remembered(&fields)).transpose()?;
    attempt(call, fields, Gives { token: true, cookie })
}

/// Takes `{username, password}`, and `otp` from users with a second factor; the name may be the
/// email address. With `audience`, the token is for this one alone. The device may show its secret in
/// `device`, or in a cookie. Whether the name is unknown, the password wrong or the user inactive, one
/// entry is written, and the password is compared with one stored hash; for an unknown name, that of
/// some account, its decoy. A hash of another program is computed twice if the password can be typed in
/// two ways.
pub(super) fn attempt(
    call: &Call<'_>,
    mut fields: Fields,
    gives: Gives,
) -> Result<Response, Error> {
    let app = call.app;
    let username = fields.text("username")?;
    let password = Attempt::new(&fields.text("password")?);
    let otp = fields.optional("otp")?;
    // A cookie has no audience.
    let audience = if gives.token { audience(app, &mut fields)? } else { None };
    let shown = DeviceProof::of(call, fields.optional("device")?.as_ref());
    let found = app.store.credentials(&username)?;
    let known = found.as_ref().and_then(|found| shown.known(found.person.id, found.tokens_after));
    let unlocked = found.as_ref().map_or(Timestamp(0), |found| found.unlocked);
    let since = found.as_ref().map_or(Timestamp(0), |found| found.tokens_after);
    let times = (unlocked, since);
    let attempt =
        app.attempts.login(&username, call.client_ip(), known.as_ref(), times, call.now)?;
    let typed = Typed { username, password, otp, audience, shown, known };
    attempt.end(log_in(call, found, &typed, &gives))
}

/// The fields of a login request, and the device if the account knows it.
struct Typed {
    username: Zeroizing<String>,
    password: Attempt,
    otp: Option<Zeroizing<String>>,
    audience: Option<AudienceSet>,
    shown: DeviceProof,
    /// The device, if the account knows it.
    known: Option<Device>,
}

/// Returns the answer to an attempt that the throttle has let through.
fn log_in(
    call: &Call<'_>,
    found: Option<Credentials>,
    typed: &Typed,
    gives: &Gives,
) -> Result<Response, Error> {
    let app = call.app;
    let caller = call.caller();
    let found = check_password(call, found, typed, &caller)?;
    let person = &found.person;
    if !person.active {
        call.record(&Entry::new(Event::LoginRefused, person.id, &person.name, caller.user()))?;
        return Err(Error::InactiveUser);
    }
    let second = check_second_factor(call, &found, typed, &caller)?;
    let login = app.tokens.begin(call.now)?.only(typed.audience);
    let notice = app.config.login_notices && app.config.sends_mail() && typed.known.is_none();
    let cookie = gives.cookie.is_some();
    let session = NewSession { notice, cookie, ..new_session(&login, &caller) };
    let proof = Proof { password: &found.hash, second: second.as_ref() };
    let entry = Entry::new(Event::Login, person.id, &person.name, caller.user());
    if !app.store.begin(person.id, &session, &proof, &entry, call.now)? {
        // While the password was compared, it was changed, the code used, or the user deactivated.
        call.record(&Entry { event: Event::LoginFailed, ..entry })?;
        return Err(Error::Authentication);
    }
    answer(call, &found, typed, gives, &login)
}

/// Returns the answer to a login that has begun a session.
fn answer(
    call: &Call<'_>,
    found: &Credentials,
    typed: &Typed,
    gives: &Gives,
    login: &SessionClaims,
) -> Result<Response, Error> {
    let Credentials { person, tokens_after, .. } = found;
    let body = match gives.token {
        true => {
            let token = call.app.tokens.mint(login, person.id, &person.roles)?;
            Body { access_token: Some(token), user: None, expires: None }
        }
        false => {
            let (user, expires) = (Some(person.name.as_str()), Some(login.rf_exp.0));
            Body { access_token: None, user, expires }
        }
    };
    let now = call.now.after(*tokens_after);
    let response = begun(call, &typed.shown, (person.id, typed.known), &body, now);
    match gives.cookie {
        Some(cookie) => {
            logout::end_replaced(call, &login.jti)?;
            cookie.give(call, (&login.jti, login.rf_exp), response)
        }
        None => Ok(response),
    }
}

/// The answer to a login: a token, or whose session has begun and when it ends by itself.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
}

/// Returns the account if the password is right, or else records the failure.
fn check_password(
    call: &Call<'_>,
    mut found: Option<Credentials>,
    typed: &Typed,
    caller: &Caller,
) -> Result<Credentials, Error> {
    let app = call.app;
    let familiarity = familiarity(app, typed, found.as_ref(), call.client_ip())?;
    let limit = app.attempts.limit(familiarity);
    let guarded = is_guarded(app, found.as_ref(), limit)?;
    // Read for every login, so that the query does not tell an unknown name.
    let decoy = app.store.decoy(app.decoys.number(&typed.username))?;
    let right = match found.as_mut() {
        Some(found) if !guarded => authenticate(call, found, &typed.password, caller)?,
        // A guarded account looks like a wrong password, and takes as long.
        found => {
            pretend(app, found.map(|found| &found.hash), decoy.as_ref(), &typed.password)?;
            false
        }
    };
    let Some(found) = found else {
        // The name is not stored: people type their password there.
        let event = Event::LoginFailed;
        let entry = Entry { event, user: None, name: None, actor: caller.user(), detail: "" };
        app.store.fail_unknown(&typed.username, &entry, call.now)?;
        return Err(Error::Authentication);
    };
    if right {
        return Ok(found);
    }
    let person = &found.person;
    let entry = Entry::new(Event::LoginFailed, person.id, &person.name, caller.user());
    if guarded {
        let detail = "not compared: too many have failed";
        call.record_failure(&Entry { detail, ..entry }, 0)?;
    } else {
        call.record_failure(&entry, limit.unwrap_or(0))?;
    }
    Err(Error::Authentication)
}

/// Returns what the login uses up of the second factor, or else records why it may not.
fn check_second_factor(
    call: &Call<'_>,
    found: &Credentials,
    typed: &Typed,
    caller: &Caller,
) -> Result<Option<FactorUse>, Error> {
    let Credentials { person, unlocked, .. } = found;
    let entry = |event| Entry::new(event, person.id, &person.name, caller.user());
    match second_factor::demand(call, person.id, typed.otp.as_ref(), *unlocked) {
        Err(Error::SecondFactorRequired) => {
            call.record(&entry(Event::SecondFactorAsked))?;
            Err(Error::SecondFactorRequired)
        }
        Err(Error::WrongOtp) => {
            call.record(&Entry { detail: "second factor", ..entry(Event::LoginFailed) })?;
            Err(Error::Authentication)
        }
        second => second,
    }
}

/// Returns how well the account knows where a login comes from. The throttle forgets IP addresses
/// with a restart; where it makes a difference, the sessions are searched, which costs something.
fn familiarity(
    app: &App,
    typed: &Typed,
    found: Option<&Credentials>,
    client: Option<IpAddr>,
) -> Result<Familiarity, Error> {
    let Some(found) = found else { return Ok(Familiarity::Stranger) };
    let Typed { username, known, .. } = typed;
    let known = app.attempts.familiarity(username, client, known.as_ref(), found.tokens_after);
    match (known, client) {
        (Familiarity::Stranger, Some(client))
            if found.failures >= GUARDED && app.store.is_known_at(found.person.id, client)? =>
        {
            Ok(Familiarity::Ip)
        }
        (known, _) => Ok(known),
    }
}

/// Whether too many passwords of the account were wrong in a row to compare another. An account
/// with a second factor is not guarded: its password alone lets nobody in.
fn is_guarded(app: &App, found: Option<&Credentials>, limit: Option<u32>) -> Result<bool, Error> {
    let reached = |found: &&Credentials| limit.is_some_and(|limit| found.failures >= limit);
    let Some(found) = found.filter(reached) else { return Ok(false) };
    let factor = app.store.second_factor(found.person.id)?;
    Ok(!factor.is_some_and(|factor| factor.confirmed))
}

/// Compares with the account's own hash or else with a decoy, and forgets the result.
fn pretend(
    app: &App,
    own: Option<&PasswordHash>,
    decoy: Option<&PasswordHash>,
    password: &Attempt,
) -> Result<(), Error> {
    match (own, decoy) {
        (Some(own), _) => app.hasher.verify(password, own).map(drop),
        (None, Some(decoy)) => app.hasher.verify_decoy(password, decoy),
        (None, None) => app.hasher.verify_nothing(),
    }
}

/// Whether the password is right. A hash with outdated parameters, or of another program, is
/// replaced, in `found` too.
fn authenticate(
    call: &Call<'_>,
    found: &mut Credentials,
    password: &Attempt,
    caller: &Caller,
) -> Result<bool, Error> {
    match call.app.hasher.verify(password, &found.hash)? {
        Verdict::Wrong => Ok(false),
        Verdict::Right => Ok(true),
        Verdict::RightButOutdated => strengthen(call, found, password, caller),
    }
}

/// Replaces a hash by a new one of the same password, in `found` too. Returns whether the password
/// is still right.
fn strengthen(
    call: &Call<'_>,
    found: &mut Credentials,
    password: &Attempt,
    caller: &Caller,
) -> Result<bool, Error> {
    let app = call.app;
    // An old password may be longer than ours can be, or hold characters that ours cannot: its hash
    // stays.
    let Some(prepared) = password.password() else { return Ok(true) };
    let stronger = app.hasher.hash(prepared)?;
    let person = &found.person;
    let entry = scheme_of(&found.hash).map(|scheme| {
        let entry = Entry::new(Event::HashReplaced, person.id, &person.name, caller.user());
        Entry { detail: scheme, ..entry }
    });
    match app.store.strengthen(person.id, &found.hash, &stronger, entry.as_ref(), call.now) {
        Ok(true) => found.hash = stronger,
        // Changed meanwhile, perhaps by another login to the same better hash.
        Ok(false) => return is_still_right(app, found, password),
        // The login counts even if the better hash cannot be stored this time.
        Err(error) => log::warn!("the hash of {} could not be renewed: {error}", person.name),
    }
    Ok(true)
}

/// Compares once more, with the hash that the store has now.
fn is_still_right(app: &App, found: &mut Credentials, password: &Attempt) -> Result<bool, Error> {
    let Some(current) = app.store.credentials_of(found.person.id)? else { return Ok(false) };
    *found = current;
    Ok(app.hasher.verify(password, &found.hash)? != Verdict::Wrong)
}
