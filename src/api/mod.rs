//! The endpoints, one file each: what it takes, what it answers.
//!
//! | file | owns |
//! |---|---|
//! | `routes` | the table of all endpoints: who may call each, and what it waits for |
//! | `admin/` | the endpoints for administrators |
//! | `session_list` | a user's sessions, as `sessions` and `admin/sessions` show them |
//! | `admission` | whether a proxy may let a request through, for `verify` and `forward_auth` |
//! | `session_state` | `GET /api/session` |
//! | `query` | reading the parameters of a request's query |
//! | `qr` | a text as a QR code |
//! | all others | the endpoint of that name |

mod admin;
mod app_passwords;
mod apps;
mod config;
mod email;
mod finalize;
mod forward_auth;
mod health;
mod hello;
mod jwks;
mod login;
mod logout;
mod me;
mod openapi;
mod password;
mod protected;
mod ready;
mod refresh;
mod registration;
mod reset;
mod reset_finalize;
mod routes;
mod second_factor;
mod session;
mod session_list;
mod session_state;
mod sessions;
mod setup;
mod verify;

mod admission;
mod qr;
mod query;

use std::time::Duration;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::http::Response;

pub(crate) use routes::routes;

/// The body with a token and nothing else.
#[derive(Serialize)]
struct Token<'a> {
    access_token: &'a str,
}

/// Returns the answer that a change was made.
fn done(message: &str) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        message: &'a str,
    }
    Response::private(&Body { message })
}

/// Returns the last second of a lifespan that begins now.
fn later(now: Timestamp, lifespan: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(i64::try_from(lifespan.as_secs()).unwrap_or(i64::MAX)))
}
