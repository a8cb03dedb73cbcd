//! `GET /.well-known/jwks.json`: the public keys, so that other services verify tokens without a
//! secret (RFC 7517).

use crate::app::Call;
use crate::error::Error;
use crate::http::Response;

/// How long other services may cache the keys.
const CACHE: &str = "public, max-age=300";

/// The list is empty if no key has a public half.
pub(super) fn get(call: &Call<'_>) -> Result<Response, Error> {
    let keys = call.app.tokens.jwks().to_owned().into_bytes();
    Ok(Response::fixed(200, "application/json", keys).with("Cache-Control", CACHE))
}
