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

/// Takes the token as body, raw or as a JSON string, or as bearer if there is no body.
pub(super) fn post(call: &Call<'_>) -> Result<Response, Error> {
    let Call { app, request, now, .. } = *call;
    let old = match (request.body, json_text(request.body)) {
        (b"", _) => bearer(request)?.unwrap_or_default(),
        (_, Some(token)) => token,
        (raw, None) => raw,
    };
    let claims = app.tokens.refreshable(old, now)?;
    let identity = app.check(call, |check| check.identify(claims.clone(), false))?;
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

/// Returns the text of a body that is a JSON string, as generated clients send every text. A token has nothing
/// that JSON escapes. White space around it, and a byte order mark before it, mean nothing, as in all bodies.
fn json_text(body: &[u8]) -> Option<&[u8]> {
    let json = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    match json.trim_ascii() {
        [b'"', text @ .., b'"'] => Some(text),
        _ => None,
    }
}
