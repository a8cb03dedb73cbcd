//! The endpoints, one file each: what it takes, what it answers.

pub(crate) mod health;
pub(crate) mod hello;
pub(crate) mod jwks;
pub(crate) mod login;
pub(crate) mod protected;
pub(crate) mod refresh;
pub(crate) mod registration;

pub(crate) mod fields;

use serde::Serialize;

use crate::http::Response;

/// The answer that carries a token; nobody on the way may keep it (RFC 6749 section 5.1).
fn token(access_token: &str) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        access_token: &'a str,
    }
    Response::json(200, &Body { access_token }).with("Cache-Control", "no-store")
}
