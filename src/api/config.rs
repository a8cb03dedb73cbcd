//! `GET /api/config`: what this server offers, so that pages show nothing else.

use serde::Serialize;

use crate::app::Call;
use crate::error::Error;
use crate::http::Response;

#[derive(Serialize)]
struct Body<'a> {
    registration: &'static str,
    mail: bool,
    issuer: &'a str,
    min_password_length: usize,
}

pub(super) fn get(call: &Call<'_>) -> Result<Response, Error> {
    let body = Body {
        registration: call.app.config.registration.name(),
        mail: call.app.config.sends_mail(),
        issuer: call.app.config.issuer.as_str(),
        min_password_length: call.app.password_rules.min_length(),
    };
    Ok(Response::json(200, &body).with("Cache-Control", "no-cache"))
}
