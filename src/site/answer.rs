//! Errors as answers, and what every answer carries.

use super::Site;
use crate::error::Error;
use crate::http::{HeaderValue, Request, Response};

/// The answer to an error, as the endpoints give it. Logs the cause, which the client does not
/// learn.
impl From<&Error> for Response {
    fn from(error: &Error) -> Response {
        let kind = error.kind();
        if let Some(cause) = error.cause() {
            log::log!(error.level(), "{}: {}", kind.name, cause.escape_debug());
        }
        let response = Response::error(kind.status, kind.name, &error.message());
        match error {
            _ if kind.status == 401 => response.with("WWW-Authenticate", "Bearer"),
            Error::Unavailable(_) => response.retry_after(3),
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
    /// Adds what every answer of the API carries.
    pub(super) fn finish(&self, request: &Request<'_>, response: Response) -> Response {
        // Also without an origin: a cache must not give this answer to a page of another one.
        self.finish_varied(request, response.with("Vary", "Origin"))
    }

    /// Does the same for an answer that has its `Vary` already, and logs the answer.
    pub(super) fn finish_varied(&self, request: &Request<'_>, response: Response) -> Response {
        log::debug!(
            "{} {} {} {}",
            self.app.client_ip(request).map_or_else(|| "-".into(), |ip| ip.to_string()),
            request.method,
            request.path.escape_debug(),
            response.status
        );
        self.with_cors(request, response)
    }
}
