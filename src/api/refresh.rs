//! `POST /api/refresh`: an expired token for a new one, as long as its session lasts.

use super::token;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Identity, bearer};
use crate::http::{Request, Response};

/// The body is the raw token; without a body the bearer header may hold it.
pub(crate) fn post(app: &App, request: &Request<'_>, now: Timestamp) -> Result<Response, Error> {
    let old = match request.body {
        b"" => bearer(request)?.unwrap_or_default(),
        body => body,
    };
    let claims = app.tokens.refreshable(old, now)?;
    let identity = Identity::behind(&claims, &*app.store)?;
    Ok(token(&app.tokens.renew(&claims, identity.roles(), now)?))
}
