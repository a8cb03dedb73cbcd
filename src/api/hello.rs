//! `GET /api/`: the server is there. `GET /api` sends there.

use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::{HeaderValue, Request, Response};

pub(crate) fn get(_: &App, _: &Request<'_>, _: Timestamp) -> Result<Response, Error> {
    Ok(Response::fixed(200, "application/json", &br#"{"Hello":"World"}"#[..]))
}

/// The location is relative, so that it is right behind any proxy; the query is kept.
pub(crate) fn redirect(_: &App, request: &Request<'_>, _: Timestamp) -> Result<Response, Error> {
    let location = match request.query {
        Some(query) => format!("/api/?{query}"),
        None => "/api/".into(),
    };
    let location = HeaderValue::new(location)
        .ok_or_else(|| Error::BadRequest("The query holds a character that it must not".into()))?;
    Ok(Response::empty(308).with_value("Location", location))
}
