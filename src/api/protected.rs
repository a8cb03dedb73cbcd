//! `GET /api/protected`: what only somebody with a good token may read.

use serde::Serialize;

use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::{Request, Response};

pub(crate) fn get(
    _: &App,
    identity: &Identity,
    _: &Request<'_>,
    _: Timestamp,
) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body {
        message: String,
    }
    let message = format!("protected endpoint (allowed usr {})", identity.name());
    Ok(super::private(&Body { message }))
}
