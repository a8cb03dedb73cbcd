//! `POST /api/session` begins a browser session, or gives a token's session the cookie; `DELETE
//! /api/session` ends it. The cookie is for apps behind a proxy and for reading: what changes
//! something needs a token.

use serde::Serialize;

use super::{done, login, logout};
use crate::app::Call;
use crate::error::Error;
use crate::guard::{Credential, Identity, ShownCookie, bearer};
use crate::http::Response;
use crate::login::{NewCookie, cookie};
use crate::store::{Entry, Event, RefreshRequest};

/// Takes what a login takes, or a token as bearer; and `remember`, which is false for a cookie that
/// goes when the browser is closed.
pub(super) fn post(call: &Call<'_>) -> Result<Response, Error> {
    let cookie = NewCookie::for_answer(call)?;
    match bearer(call.request)? {
        Some(token) => of_token(call, token, cookie),
        None => {
            let fields = call.fields()?;
            let cookie = Some(cookie.remembered(&fields)?);
            login::attempt(call, fields, login::Gives { token: false, cookie })
        }
    }
}

fn of_token(call: &Call<'_>, token: &[u8], cookie: NewCookie) -> Result<Response, Error> {
    let cookie = if call.request.body.trim_ascii().is_empty() {
        cookie
    } else {
        let fields = call.fields()?;
        if !fields.has_only("remember") {
            let what = "With a token, the body must be empty or hold remember alone; without one, \
                        send username and password";
            return Err(Error::BadRequest(what.into()));
        }
        cookie.remembered(&fields)?
    };
    let Call { app, now, .. } = *call;
    let claims = app.tokens.access(token, now)?;
    // The cookie is good at all apps.
    app.tokens.require_all(claims.audiences)?;
    let identity = app.check(call, |check| check.identify(claims.clone(), false))?;
    let issued = claims.iat.ok_or(Error::MissingClaim("iat"))?;
    let caller = call.caller();
    let (id, name, jti) = (identity.id(), identity.name(), identity.session());
    // A thief who has an old token must not get more than for a refresh.
    let exchange = RefreshRequest { jti, issued, origin: caller.client_info() };
    let entry = Entry::new(Event::BrowserSession, id, name, caller.user());
    let by = identity.authority(None);
    let expires = app.store.give_cookie(&exchange, &app.rotation, &by, &entry, now)?;
    #[derive(Serialize)]
    struct Body<'a> {
        user: &'a str,
        expires: i64,
    }
    logout::end_replaced(call, jti)?;
    let response = Response::private(&Body { user: name, expires: expires.0 });
    cookie.give(call, (jti, expires), response)
}

/// Takes a token as bearer, or the cookie from a page of this server. For such a page it ends both
/// sessions, and its browser forgets the cookie in any case.
pub(super) fn delete(call: &Call<'_>) -> Result<Response, Error> {
    let answer = done("logged out");
    let own_page = call.is_own_page();
    match of_bearer(call) {
        Ok(Some(identity)) => {
            logout::end_own(call, &identity)?;
            if !own_page {
                return Ok(logout::without_cookie(call, &identity, answer));
            }
        }
        Ok(None) if !own_page && call.session_cookie() != ShownCookie::Missing => {
            return Err(Error::OriginNotAllowed);
        }
        Ok(None) => {}
        // A page whose token is no longer good can still log its browser out.
        Err(error) if own_page && error.kind().status < 500 => {}
        Err(error) => return Err(error),
    }
    if own_page {
        logout::end_of_cookies(call, "")?;
    }
    Ok(cookie::taken_back(call, answer))
}

/// Returns the user of the token that the request shows; `None` without one.
fn of_bearer(call: &Call<'_>) -> Result<Option<Identity>, Error> {
    let check = |token| call.app.check_credential(call, Credential::Token(token), false);
    bearer(call.request)?.map(check).transpose()
}
