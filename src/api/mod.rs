//! The endpoints, one file each: what it takes, what it answers.

pub(crate) mod admin;
pub(crate) mod config;
pub(crate) mod email;
pub(crate) mod finalize;
pub(crate) mod health;
pub(crate) mod hello;
pub(crate) mod jwks;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod me;
pub(crate) mod password;
pub(crate) mod protected;
pub(crate) mod refresh;
pub(crate) mod registration;
pub(crate) mod reset;
pub(crate) mod reset_finalize;
pub(crate) mod second_factor;
pub(crate) mod sessions;
pub(crate) mod verify;

pub(crate) mod fields;
pub(crate) mod qr;
mod query;

use std::time::Duration;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::app::{App, Caller};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{DEVICE_LIFESPAN, Device, Devices, Identity, Password, SessionClaims, Verdict};
use crate::http::{HeaderValue, Request, Response};
use crate::store::Familiarity;
use crate::store::{Authority, Credentials, Entry, Event, NewSession, Proof};
use crate::values::{FactorUse, PasswordHash};

/// An answer that is for its reader only: nobody on the way may keep it (RFC 6749 section 5.1).
fn private(body: &impl Serialize) -> Response {
    Response::json(200, body).with("Cache-Control", "no-store")
}

/// The body that carries a token.
#[derive(Serialize)]
struct Token<'a> {
    access_token: &'a str,
}

/// The answer that carries it and nothing else.
fn token(access_token: &str) -> Response {
    private(&Token { access_token })
}

/// The cookie with the secrets of a browser's device.
const DEVICE_COOKIE: &str = "lictor_device";
/// All requests that begin a session are below it: each adds its person to those that the browser
/// knows already.
const DEVICE_COOKIE_PATH: &str = "/api/";

/// What a request shows of the device that it comes from.
struct DeviceProof {
    devices: Devices,
    answer: DeviceAnswer,
}

/// Where the answer has the device's secrets.
#[derive(Clone, Copy, PartialEq)]
enum DeviceAnswer {
    /// In a cookie, where the request had them, if it had any.
    Cookie,
    /// In the field `device`, where the request had them: the client keeps them itself.
    Field,
    /// In the field, which was empty in the request. What a cookie showed is not for it: scripts
    /// cannot read that cookie.
    NewField,
}

impl DeviceProof {
    /// From the field `device` of the body if something is in it, or else from the cookie: a
    /// link in a mail is opened without a field. There may be several cookies of the name, since
    /// pages of sibling domains can set some.
    fn of(
        app: &App,
        request: &Request<'_>,
        field: Option<&Zeroizing<String>>,
        now: Timestamp,
    ) -> DeviceProof {
        let answer = match field {
            None => DeviceAnswer::Cookie,
            Some(text) if text.is_empty() => DeviceAnswer::NewField,
            Some(text) => {
                let devices = app.device_keys.read(text.as_bytes(), now);
                return DeviceProof { devices, answer: DeviceAnswer::Field };
            }
        };
        let devices = app.device_keys.read_all(request.cookies(DEVICE_COOKIE), now);
        DeviceProof { devices, answer }
    }
}

/// The answer to a request that has begun a session of `user`: `body`, and the secret by which the
/// device is known from now on, in the field `device` if the request had one, or else as a cookie.
/// `known` is the device if the account knew it before; `now` is [after](Timestamp::after) what
/// made the secrets from before void. A page of another origin sets no cookie: it could put its own
/// account in the place of the people that the browser knows.
fn begun(
    app: &App,
    request: &Request<'_>,
    shown: &DeviceProof,
    (user, known): (i64, Option<Device>),
    body: &impl Serialize,
    now: Timestamp,
) -> Response {
    #[derive(Serialize)]
    struct WithDevice<'a, B> {
        #[serde(flatten)]
        body: &'a B,
        device: &'a str,
    }
    let renewed = match shown.answer {
        DeviceAnswer::NewField => Devices::default().renewed(user, None, now),
        DeviceAnswer::Cookie | DeviceAnswer::Field => shown.devices.renewed(user, known, now),
    };
    // Without randomness there is no secret, and the login counts all the same.
    let Ok(devices) = renewed else { return private(body) };
    let device = app.device_keys.write(&devices);
    if shown.answer != DeviceAnswer::Cookie {
        return private(&WithDevice { body, device: &device });
    }
    if app.is_from_elsewhere(request) {
        return private(body);
    }
    let secure = if app.is_https(request) { "; Secure" } else { "" };
    let cookie = format!(
        "{DEVICE_COOKIE}={device}; Path={DEVICE_COOKIE_PATH}; Max-Age={DEVICE_LIFESPAN}; HttpOnly; \
         SameSite=Lax{secure}"
    );
    match HeaderValue::new(cookie) {
        Some(cookie) => private(body).with_value("Set-Cookie", cookie),
        None => private(body),
    }
}

/// The answer that something was done.
fn done(message: &str) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        message: &'a str,
    }
    private(&Body { message })
}

/// The last second of what is good for so long.
fn later(now: Timestamp, lifespan: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(i64::try_from(lifespan.as_secs()).unwrap_or(i64::MAX)))
}

/// The session of a login.
fn opening<'a>(login: &'a SessionClaims, caller: &'a Caller) -> NewSession<'a> {
    NewSession {
        jti: &login.jti,
        issued: login.iat,
        expires: login.rf_exp,
        origin: caller.origin(),
        notice: false,
    }
}

/// What somebody who is logged in has shown for a change of their account.
struct Verified {
    /// What the password was compared to.
    hash: PasswordHash,
    /// What there is to use up of the second factor, if there is one.
    second: Option<FactorUse>,
    /// Up to when all sessions were ended at that time.
    tokens_after: Timestamp,
}

impl Verified {
    /// The authority of whoever has shown it.
    fn authority<'a>(&'a self, identity: &'a Identity) -> Authority<'a> {
        let second = self.second.as_ref();
        identity.authority(Some(Proof { password: &self.hash, second }))
    }
}

/// Somebody who is logged in shows that they know their password; what it was compared to. Not a
/// 401: the token is good, and a page need not ask for a new login.
fn confirm(
    app: &App,
    identity: &Identity,
    password: &str,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Credentials, Error> {
    let attempt = app.attempts.password(identity.id(), now)?;
    attempt.end(compare(app, identity, password, request, now))
}

fn compare(
    app: &App,
    identity: &Identity,
    password: &str,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Credentials, Error> {
    let found = app.store.credentials_of(identity.id())?.ok_or(Error::MissingUser)?;
    // A second factor does not help here: with it they can log in anew, which begins the count.
    let limit = app.attempts.limit(Familiarity::Device);
    let guarded = limit.is_some_and(|limit| found.failures >= limit);
    let verdict = match Password::attempt(password) {
        Some(password) if !guarded => app.hasher.verify(&password, &found.hash)?,
        _ => {
            app.hasher.verify_nothing()?;
            Verdict::Wrong
        }
    };
    if verdict != Verdict::Wrong {
        log::debug!("user {} knows the password", identity.id());
        return Ok(found);
    }
    let actor = app.caller(request).user();
    let entry = Entry {
        detail: "while logged in",
        ..Entry::new(Event::LoginFailed, identity.id(), identity.name(), actor)
    };
    app.note_failure(&entry, limit.unwrap_or(0), now);
    Err(Error::WrongPassword)
}
