//! `POST /api/login`: a name and a password for a token.

use super::fields::Fields;
use super::token;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Password, Verdict};
use crate::http::{Request, Response};
use crate::store::{Credentials, Person};

/// Bytes of a body that are read before it is that request's turn. A name and a password fit in.
const MAX_LOOKED_INTO: usize = 4 * 1024;

/// Takes `{username, password}`; the name may be the e-mail address. Whether the name is
/// unknown, the password wrong or the user inactive, one hash is computed.
pub(crate) fn post(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    let mut fields = Fields::of(request)?;
    let username = fields.text("username")?;
    let password = fields.text("password")?;
    let found = app.store.credentials(&username)?;
    let client = app.client(request);
    let attempt = app.attempts.login(&username, client, Timestamp(0), now)?;
    let user = authenticate(app, found, &password)?;
    if user.is_some() {
        attempt.succeeded();
    }
    let from = client.map_or_else(|| "-".into(), |client| client.to_string());
    match user {
        Some(user) if user.active => {
            log::info!("{} (id {}) logged in from {from}", user.name, user.id);
            Ok(token(&app.tokens.mint(user.id, &user.roles, now)?))
        }
        Some(user) => {
            log::warn!(
                "{} (id {}) is inactive and tried to log in from {from}",
                user.name,
                user.id
            );
            Err(Error::InactiveUser)
        }
        None => {
            // The name is not logged: people type their password there.
            log::warn!("a login from {from} failed");
            Err(Error::Authentication)
        }
    }
}

/// Whether the request is a login to an account that was logged in to from there before.
pub(crate) fn is_familiar(app: &App, request: &Request<'_>) -> bool {
    request.body.len() <= MAX_LOOKED_INTO
        && Fields::of(request)
            .and_then(|mut fields| fields.text("username"))
            .is_ok_and(|username| app.attempts.familiar(&username, app.client(request)))
}

/// The user, if the password is right.
fn authenticate(
    app: &App,
    found: Option<Credentials>,
    password: &str,
) -> Result<Option<Person>, Error> {
    let (Some(Credentials { person, hash }), Some(password)) = (found, Password::attempt(password))
    else {
        app.hasher.verify_nothing()?;
        return Ok(None);
    };
    match app.hasher.verify(&password, &hash)? {
        Verdict::Wrong => return Ok(None),
        Verdict::Right => {}
        Verdict::RightButOutdated => {
            let stronger = app.hasher.hash(&password)?;
            // The login counts even if the better hash cannot be kept this time.
            if let Err(error) = app.store.strengthen(person.id, &hash, &stronger) {
                log::warn!("the hash of {} could not be renewed: {error}", person.name);
            }
        }
    }
    Ok(Some(person))
}
