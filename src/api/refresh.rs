//! `POST /api/refresh`: an expired token for a new one, as long as its session lasts.
//!
//! A token is exchanged once. One that was exchanged long ago and comes back was stolen, or its
//! successor was; nobody can tell which, so the session ends (RFC 9700 section 4.14.2).

use super::token;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::bearer;
use crate::http::{Request, Response};
use crate::store::{Entry, Event, Rotation};

/// Seconds in which a token can be exchanged again: the answer was lost, or two windows did it at
/// once.
const GRACE: i64 = 30;

/// The body is the raw token; without a body the bearer header may hold it.
pub(crate) fn post(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    let old = match request.body {
        b"" => bearer(request)?.unwrap_or_default(),
        body => body,
    };
    let claims = app.tokens.refreshable(old, now)?;
    let identity = app.at_the_door(request, now, |door| door.behind(claims.clone()))?;
    let issued = claims.iat.ok_or(Error::MissingClaim("iat"))?;
    let actor = app.caller(request).user();
    let replayed = Entry::new(Event::RefreshReplayed, identity.id(), identity.name(), actor);
    match app.store.rotate(&claims.jti, issued, GRACE, &replayed, now)? {
        Rotation::Issue(iat) => Ok(token(&app.tokens.renew(&claims, identity.roles(), iat)?)),
        Rotation::Gone => Err(Error::Revoked),
        Rotation::Replayed => {
            replayed.log();
            Err(Error::Revoked)
        }
    }
}
