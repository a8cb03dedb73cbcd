//! Answers of the engine itself, to requests that reach no handler.

use super::Response;

/// The engine's own answer to a request. The connection closes after it, since it is not known
/// where the next request begins; only after 503 and 500 it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The stable name in the `error` field.
    pub name: &'static str,
    /// One sentence for the client.
    pub message: &'static str,
    /// Seconds for a `Retry-After` header.
    pub retry_after: Option<u32>,
}

impl Refusal {
    /// The refusal in the shape of [`Response::error`].
    pub fn response(&self) -> Response {
        let response = Response::error(self.status, self.name, self.message);
        match self.retry_after {
            Some(seconds) => response.retry_after(seconds),
            None => response,
        }
    }
}

const fn refusal(status: u16, name: &'static str, message: &'static str) -> Refusal {
    Refusal { status, name, message, retry_after: None }
}

/// 400: the bytes are not a well-formed request.
pub(super) const fn malformed(message: &'static str) -> Refusal {
    refusal(400, "BadRequest", message)
}

pub(super) const HEAD_TOO_LARGE: Refusal = refusal(
    431,
    "RequestHeaderFieldsTooLarge",
    "The request head is larger than 16 KiB or has more than 64 fields",
);
pub(super) const TARGET_TOO_LONG: Refusal =
    refusal(414, "UriTooLong", "The request target is longer than 8 KiB");
pub(super) const BODY_TOO_LARGE: Refusal =
    refusal(413, "ContentTooLarge", "The request body is larger than this server takes");
pub(super) const TIMEOUT: Refusal =
    refusal(408, "RequestTimeout", "The request did not arrive in time");
pub(super) const EXPECTATION_FAILED: Refusal =
    refusal(417, "ExpectationFailed", "Only 100-continue can be expected");
pub(super) const VERSION: Refusal =
    refusal(505, "HttpVersionNotSupported", "This server speaks HTTP/1.1 and HTTP/1.0");
pub(super) const TLS: Refusal = malformed("This port speaks plain HTTP, not TLS");
pub(super) const CONNECT: Refusal =
    refusal(501, "NotImplemented", "This server is not a proxy: it has no CONNECT");
pub(super) const INTERNAL: Refusal =
    refusal(500, "InternalError", "Something went wrong on the server; its log says what");
pub(super) const OVERLOADED: Refusal = Refusal {
    retry_after: Some(1),
    ..refusal(503, "Overloaded", "Too many requests are waiting; try again shortly")
};
