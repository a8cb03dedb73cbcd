//! `GET /api/health`: whether the database can be read and written, for monitoring.

use serde::Serialize;

use crate::app::Call;
use crate::error::Error;
use crate::http::Response;
use crate::store::Health;

const HEALTHY: &[u8] = br#"{"status":"ok","checks":{"read":"ok","write":"ok"}}"#;

/// What was tried: `ok`, `failed`, or `skipped`.
#[derive(Serialize)]
struct Checks {
    read: &'static str,
    write: &'static str,
}

/// The answer if something failed: an error, with what was checked.
#[derive(Serialize)]
struct Failed<'a> {
    error: &'a str,
    message: &'a str,
    status_code: u16,
    status: &'a str,
    checks: Checks,
}

pub(super) fn get(call: &Call<'_>) -> Result<Response, Error> {
    let Health { read, write } = call.app.store.health();
    let checks = Checks { read: word(Some(&read)), write: word(write.as_ref()) };
    let response = match read.and(write.unwrap_or(Ok(()))) {
        Ok(()) => Response::fixed(200, "application/json", HEALTHY),
        Err(error) => failed(&error, checks),
    };
    Ok(response.with("Cache-Control", "no-store"))
}

fn word(outcome: Option<&Result<(), Error>>) -> &'static str {
    match outcome {
        Some(Ok(())) => "ok",
        Some(Err(_)) => "failed",
        None => "skipped",
    }
}

fn failed(error: &Error, checks: Checks) -> Response {
    let (kind, message) = (error.kind(), error.message());
    let body = Failed {
        error: kind.name,
        message: &message,
        status_code: kind.status,
        status: "failed",
        checks,
    };
    let response = Response::json(kind.status, &body);
    match error {
        Error::Damaged => response.retry_after(60),
        Error::Unavailable(_) => response.retry_after(3),
        _ => response,
    }
}
