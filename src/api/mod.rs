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

use crate::app::{App, Caller};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Beginning, Identity, Password, PasswordHash, Spend, Verdict};
use crate::http::{Request, Response};
use crate::store::{Authority, Credentials, Entry, Event, Opening, Proof};

/// An answer that is for its reader only: nobody on the way may keep it (RFC 6749 section 5.1).
fn private(body: &impl Serialize) -> Response {
    Response::json(200, body).with("Cache-Control", "no-store")
}

/// The answer that carries a token.
fn token(access_token: &str) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        access_token: &'a str,
    }
    private(&Body { access_token })
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
fn opening<'a>(login: &'a Beginning, caller: &'a Caller) -> Opening<'a> {
    Opening { jti: &login.jti, issued: login.iat, expires: login.rf_exp, origin: caller.origin() }
}

/// What somebody who is logged in has shown for a change of their account.
struct Shown {
    /// What the password was compared to.
    hash: PasswordHash,
    /// What there is to use up of the second factor, if there is one.
    second: Option<Spend>,
}

impl Shown {
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
    let verdict = match Password::attempt(password) {
        Some(password) => app.hasher.verify(&password, &found.hash)?,
        None => Verdict::Wrong,
    };
    if verdict != Verdict::Wrong {
        return Ok(found);
    }
    let actor = app.caller(request).user();
    let entry = Entry {
        detail: "while logged in",
        ..Entry::new(Event::LoginFailed, identity.id(), identity.name(), actor)
    };
    app.note(&entry, now);
    Err(Error::WrongPassword)
}
