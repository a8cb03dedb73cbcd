//! `GET /.well-known/jwks.json`: the public keys, so that other services verify tokens without a
//! secret (RFC 7517).

use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::{Request, Response};

/// How long others may keep the keys before they look for new ones.
const CACHE: &str = "public, max-age=300";

/// Without a key whose public half there is, the list is empty.
pub(crate) fn get(app: &App, _: &Request<'_>, _: Timestamp) -> Result<Response, Error> {
    let keys = app.tokens.jwks().to_owned().into_bytes();
    Ok(Response::fixed(200, "application/json", keys).with("Cache-Control", CACHE))
}
