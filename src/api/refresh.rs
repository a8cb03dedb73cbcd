//! `POST /api/refresh`: a new token for an expired one, until its session ends.
//!
//! A token is exchanged once. If one that was exchanged before comes back, it was stolen, or its
//! successor was; nobody can tell which, so the session ends (RFC 9700 section 4.14.2). The policy
//! of `store::rotation` says what is excused.

use super::Token;
use crate::app::Call;
use crate::error::Error;
use crate::guard::bearer;
use crate::http::Response;
use crate::store::{Entry, Event, RefreshOutcome, RefreshRequest};

/// Takes the raw token as body, or as bearer if there is no body.
pub(super) fn post(call: &Call<'_>) -> Result<Response, Error> {
    let Call { app, request, now, .. } = *call;
    let old = match request.body {
        b"" => bearer(request)?.unwrap_or_default(),
        body => body,
    };
    let claims = app.tokens.refreshable(old, now)?;
    let identity = app.check_tokens(call, |check| check.identify(claims.clone()))?;
    let issued = claims.iat.ok_or(Error::MissingClaim("iat"))?;
    let caller = call.caller();
    let refresh = RefreshRequest { jti: &claims.jti, issued, origin: caller.client_info() };
    let replayed =
        Entry::new(Event::RefreshReplayed, identity.id(), identity.name(), caller.user());
    match app.store.rotate(&refresh, &app.rotation, &replayed, now)? {
        RefreshOutcome::Issue(iat) => {
            let access_token = &app.tokens.renew(&claims, identity.roles(), iat)?;
            Ok(Response::private(&Token { access_token }))
        }
        RefreshOutcome::Gone | RefreshOutcome::Replayed => Err(Error::Revoked),
        RefreshOutcome::Idle => Err(Error::ExpiredRefresh),
    }
}
