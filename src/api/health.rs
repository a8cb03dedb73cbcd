//! `GET /api/health`: whether the database answers, for monitoring.

use crate::app::Call;
use crate::error::Error;
use crate::http::Response;

pub(super) fn get(call: &Call<'_>) -> Result<Response, Error> {
    call.app.store.ping()?;
    Ok(Response::fixed(200, "application/json", &br#"{"status":"ok"}"#[..])
        .with("Cache-Control", "no-store"))
}
