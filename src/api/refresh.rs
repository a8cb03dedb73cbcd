//! `POST /api/refresh`: an expired token for a new one, as long as its session lasts.
//!
//! A token is exchanged once. One that was exchanged before and comes back was stolen, or its
//! successor was; nobody can tell which, so the session ends (RFC 9700 section 4.14.2). What is
//! excused is the policy of `guard::rotation`.

use super::token;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::bearer;
use crate::http::{Request, Response};
use crate::store::{Entry, Event, RefreshOutcome, RefreshRequest};

/// The body is the raw token; without a body the bearer header may hold it.
pub(crate) fn post(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    let old = match request.body {
        b"" => bearer(request)?.unwrap_or_default(),
        body => body,
    };
    let claims = app.tokens.refreshable(old, now)?;
    let identity = app.check_tokens(request, now, |door| door.behind(claims.clone()))?;
    let issued = claims.iat.ok_or(Error::MissingClaim("iat"))?;
    let caller = app.caller(request);
    let exchange = RefreshRequest { jti: &claims.jti, issued, origin: caller.origin() };
    let replayed =
        Entry::new(Event::RefreshReplayed, identity.id(), identity.name(), caller.user());
    match app.store.rotate(&exchange, &app.rotation, &replayed, now)? {
        RefreshOutcome::Issue(iat) => {
            Ok(token(&app.tokens.renew(&claims, identity.roles(), iat)?))
        }
        RefreshOutcome::Gone | RefreshOutcome::Replayed => Err(Error::Revoked),
        RefreshOutcome::Idle => Err(Error::ExpiredRefresh),
    }
}
