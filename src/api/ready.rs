//! `GET /api/ready`: whether a load balancer should send requests here.

use crate::app::Call;
use crate::error::Error;
use crate::http::Response;

/// 503 from the request to stop until the end. A server that starts answers nothing at all.
pub(super) fn get(call: &Call<'_>) -> Result<Response, Error> {
    let response = match call.app.is_stopping() {
        true => Response::error(503, "Unavailable", "The server is stopping").retry_after(1),
        false => Response::fixed(200, "application/json", &br#"{"status":"ready"}"#[..]),
    };
    Ok(response.with("Cache-Control", "no-store"))
}
