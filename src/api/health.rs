//! `GET /api/health`: whether the database answers, for monitoring.

use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::{Request, Response};

pub(crate) fn get(app: &App, _: &Request<'_>, _: Timestamp) -> Result<Response, Error> {
    app.store.ping()?;
    Ok(Response::fixed(200, "application/json", &br#"{"status":"ok"}"#[..])
        .with("Cache-Control", "no-store"))
}
