//! `GET /api/config`: what this server offers, so that a page shows nothing else.

use serde::Serialize;

use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::{Request, Response};

#[derive(Serialize)]
struct Body<'a> {
    registration: &'static str,
    mail: bool,
    issuer: &'a str,
    min_password_length: usize,
}

pub(crate) fn get(app: &App, _: &Request<'_>, _: Timestamp) -> Result<Response, Error> {
    let body = Body {
        registration: app.registration.name(),
        mail: app.mail,
        issuer: app.issuer.as_str(),
        min_password_length: app.password_rules.min_length(),
    };
    Ok(Response::json(200, &body).with("Cache-Control", "no-cache"))
}
