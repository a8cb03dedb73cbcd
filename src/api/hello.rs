//! `GET /api/`: a greeting, which shows that the server runs. `GET /api` redirects there.

use crate::app::Call;
use crate::error::Error;
use crate::http::{HeaderValue, Response};

pub(super) fn get(_: &Call<'_>) -> Result<Response, Error> {
    Ok(Response::fixed(200, "application/json", &br#"{"Hello":"World"}"#[..]))
}

/// The location is relative, and so right behind any proxy; it keeps the query.
pub(super) fn redirect(call: &Call<'_>) -> Result<Response, Error> {
    let location = match call.request.query {
        Some(query) => format!("/api/?{query}"),
        None => "/api/".into(),
    };
    let location = HeaderValue::new(location)
        .ok_or_else(|| Error::BadRequest("The query holds a forbidden character".into()))?;
    Ok(Response::empty(308).with_value("Location", location))
}
