//! Errors as answers, and what every answer carries.

use super::Site;
use crate::app::Call;
use crate::error::Error;
use crate::http::{HeaderValue, Request, Response};
use crate::login;
use crate::values::random;

/// A new id for a request that failed: it is in the answer and in the log. Made here, and never taken
/// from the request: a client could choose one that leads to another line. Empty without randomness.
pub(super) fn request_id() -> String {
    random::<8>().map_or_else(|_| String::new(), |id| format!("{:016x}", u64::from_be_bytes(id)))
}

/// The answer to an error, as the endpoints give it. Logs the cause, which the client does not
/// learn.
impl From<&Error> for Response {
    fn from(error: &Error) -> Response {
        let kind = error.kind();
        if let Some(cause) = error.cause() {
            let id = request_id();
            log::log!(error.level(), "{}: {} (request {id})", kind.name, cause.escape_debug());
            let response = Response::logged_error(kind.status, kind.name, &error.message(), &id);
            return match error {
                Error::Unavailable(_) => response.retry_after(3),
                _ => response,
            };
        }
        let response = Response::error(kind.status, kind.name, &error.message());
        match error {
            Error::AppPasswordsThrottled { wait } => {
                response.with("WWW-Authenticate", "Bearer").retry_after(*wait)
            }
            _ if kind.status == 401 => response.with("WWW-Authenticate", "Bearer"),
            // Nothing helps before somebody has restored a backup.
            Error::Damaged => response.retry_after(60),
            Error::TooManyRequests { wait } => response.retry_after(*wait),
            Error::MethodNotAllowed { allow } => with_methods("Allow", allow, response),
            _ => response,
        }
    }
}

/// Adds a field that lists methods. They come from the table of routes, and so can be sent.
pub(super) fn with_methods(name: &'static str, methods: &str, response: Response) -> Response {
    match HeaderValue::new(methods.to_owned()) {
        Some(value) => response.with_value(name, value),
        None => response,
    }
}

impl Site {
    /// Returns the answer of a handler, or to the error with which a request was refused.
    pub(super) fn answered(&self, call: &Call<'_>, answered: Result<Response, Error>) -> Response {
        let response = answered.unwrap_or_else(|error| {
            let response = Response::from(&error);
            match error {
                Error::SessionEnded => login::cookie::taken_back(call, response),
                _ => response,
            }
        });
        self.finish(call.request, response)
    }

    /// Adds what every answer of the API carries.
    pub(super) fn finish(&self, request: &Request<'_>, response: Response) -> Response {
        // Also without an origin: a cache must not give this answer to a page of another one.
        self.finish_varied(request, response.with("Vary", "Origin"))
    }

    /// Does the same for an answer that has its `Vary` already.
    pub(super) fn finish_varied(&self, request: &Request<'_>, response: Response) -> Response {
        self.with_cors(request, response)
    }
}
