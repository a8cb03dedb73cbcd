//! A response and its bytes.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;

use super::body::{Body, Rest};
use super::fields::{HeaderFields, can_be_sent};
use super::limits::MAX_PIECE;
use crate::clock::Timestamp;

/// A header value that can be sent: visible ASCII, spaces and tabs. It holds no CR and LF, so a
/// value from a client cannot begin another header field (RFC 9110 section 5.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderValue(Cow<'static, str>);

impl HeaderValue {
    /// `None` when `value` holds a byte that must not be sent.
    ///
    /// ```
    /// # use lictor_engine as lictor;
    /// use lictor::http::HeaderValue;
    /// assert!(HeaderValue::new("https://app.example").is_some());
    /// assert!(HeaderValue::new("x\r\nSet-Cookie: y").is_none());
    /// ```
    pub fn new(value: impl Into<Cow<'static, str>>) -> Option<HeaderValue> {
        HeaderValue::checked(value.into())
    }

    fn checked(value: Cow<'static, str>) -> Option<HeaderValue> {
        can_be_sent(&value).then_some(HeaderValue(value))
    }

    fn number(value: u32) -> HeaderValue {
        HeaderValue(Cow::Owned(value.to_string()))
    }
}

/// Tells browsers not to guess another content type than the declared one.
const NOSNIFF: (&str, &str) = ("X-Content-Type-Options", "nosniff");

/// What was added to the header of a response.
#[derive(Debug, Clone)]
enum Added {
    One(&'static str, HeaderValue),
    Several(HeaderFields),
}

impl Added {
    fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let (one, several) = match self {
            Added::One(name, value) => (Some((*name, value.0.as_ref())), None),
            Added::Several(fields) => (None, Some(fields.iter())),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }
}

/// One response: status, header fields beyond the usual ones, body.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status, from 100 to 599. Another number is a bug, and the engine sends 500 instead.
    pub status: u16,
    headers: Vec<Added>,
    content_type: &'static str,
    body: Body,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    message: &'a str,
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl Response {
    /// A JSON answer.
    pub fn json(status: u16, value: &impl Serialize) -> Response {
        // serde_json cannot fail for strings, numbers, lists and maps with string keys, which is
        // what our answers hold. An embedder's type that fails is a bug, and answered like one.
        match serde_json::to_vec(value) {
            Ok(body) => Response::of(status, "application/json", body.into()),
            Err(_) => Response::error(500, "InternalError", "The answer could not be written"),
        }
    }

    /// A 200 answer for its reader alone: no cache may store it (RFC 6749 section 5.1).
    pub fn private(value: &impl Serialize) -> Response {
        Response::json(200, value).with("Cache-Control", "no-store")
    }

    /// An answer in plain text, in UTF-8.
    ///
    /// ```
    /// # use lictor_engine as lictor;
    /// use lictor::http::Response;
    /// let response = Response::text(200, "Good day\n");
    /// assert_eq!(response.content_type(), "text/plain; charset=utf-8");
    /// assert_eq!(response.body(), b"Good day\n");
    /// ```
    pub fn text(status: u16, text: &str) -> Response {
        let body = text.as_bytes().to_vec();
        Response::of(status, "text/plain; charset=utf-8", body.into())
    }

    /// An answer with this body. A content type that a header field cannot hold
    /// ([`HeaderValue::new`]) is a bug, and answered with 500.
    #[inline]
    pub fn fixed(
        status: u16,
        content_type: &'static str,
        body: impl Into<Cow<'static, [u8]>>,
    ) -> Response {
        match can_be_sent(content_type) {
            true => Response::of(status, content_type, body.into()),
            false => Response::error(500, "InternalError", "The answer has a wrong content type"),
        }
    }

    #[inline]
    fn of(status: u16, content_type: &'static str, body: Cow<'static, [u8]>) -> Response {
        Response { status, headers: Vec::new(), content_type, body: Body::Bytes(body) }
    }

    /// A 200 answer whose body it shares with others, so that many clients that do not read occupy
    /// its memory once.
    pub fn shared(content_type: &'static str, body: Arc<[u8]>) -> Response {
        Response { status: 200, headers: Vec::new(), content_type, body: Body::Shared(body) }
    }

    /// An answer whose body is the first `length` bytes of a file, which is read while they are
    /// sent.
    pub fn file(content_type: &'static str, file: Arc<File>, length: u64) -> Response {
        let body = Body::File(file, length);
        Response { status: 200, headers: Vec::new(), content_type, body }
    }

    /// The answer with its body in memory, for a server that sends bytes only.
    pub fn loaded(self) -> io::Result<Response> {
        Ok(Response { body: Body::Bytes(self.body.read()?), ..self })
    }

    /// An answer without body.
    pub fn empty(status: u16) -> Response {
        Response::fixed(status, "", &b""[..])
    }

    /// An error, in the shape of all our errors:
    /// `{"error": name, "message": message, "status_code": status}`.
    pub fn error(status: u16, name: &str, message: &str) -> Response {
        let (error, status_code) = (name, status);
        Response::json(status, &ErrorBody { error, message, status_code, request_id: None })
    }

    /// An error that the log explains: the field `request_id` and the header field `X-Request-Id`
    /// have the id by which its log line is found.
    ///
    /// ```
    /// # use lictor_engine as lictor;
    /// use lictor::http::Response;
    /// let response = Response::logged_error(500, "InternalError", "Its log says what", "5f0c");
    /// assert!(response.body().ends_with(br#""status_code":500,"request_id":"5f0c"}"#));
    /// assert!(response.headers().any(|field| field == ("X-Request-Id", "5f0c")));
    /// ```
    pub fn logged_error(status: u16, name: &str, message: &str, id: &str) -> Response {
        let (error, status_code, request_id) = (name, status, Some(id));
        let body = ErrorBody { error, message, status_code, request_id };
        let response = Response::json(status, &body);
        match HeaderValue::new(id.to_owned()) {
            Some(id) => response.with_value("X-Request-Id", id),
            None => response,
        }
    }

    /// Adds a header field with a constant value. A value that cannot be sent is left out; a value
    /// from outside goes through [`HeaderValue::new`] instead.
    pub fn with(self, name: &'static str, value: &'static str) -> Response {
        match can_be_sent(value) {
            true => self.with_value(name, HeaderValue(Cow::Borrowed(value))),
            false => self,
        }
    }

    /// Adds a header field.
    #[inline]
    pub fn with_value(mut self, name: &'static str, value: HeaderValue) -> Response {
        self.headers.push(Added::One(name, value));
        self
    }

    /// Adds several header fields.
    #[inline]
    pub fn with_fields(mut self, fields: HeaderFields) -> Response {
        self.headers.push(Added::Several(fields));
        self
    }

    /// Adds `Retry-After` in seconds.
    pub fn retry_after(self, seconds: u32) -> Response {
        self.with_value("Retry-After", HeaderValue::number(seconds))
    }

    /// The body. Empty for a file that the engine sends; `Site::handle` of lictor returns
    /// files as bytes.
    pub fn body(&self) -> &[u8] {
        self.body.in_memory()
    }

    /// The `Content-Type`; empty when there is no body.
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// The header fields beyond `Content-Type`, `Content-Length`, `Date` and `Connection`. With a
    /// content type, `X-Content-Type-Options: nosniff` is the first.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let nosniff = (!self.content_type.is_empty()).then_some(NOSNIFF);
        nosniff.into_iter().chain(self.headers.iter().flat_map(Added::fields))
    }

    /// Appends the response's bytes to `out` (RFC 9112 section 4). Returns false if the body is too
    /// long: it follows in pieces. With `head_only`, the answer to HEAD, the body is left out, but
    /// not its length.
    // Long: one field after the other.
    pub(super) fn encode(
        &self,
        out: &mut Vec<u8>,
        date: &Date,
        persistence: Persistence,
        head_only: bool,
    ) -> bool {
        out.extend_from_slice(b"HTTP/1.1 ");
        let status = if (100..=599).contains(&self.status) { self.status } else { 500 };
        push_number(out, status.into());
        out.push(b' ');
        out.extend_from_slice(reason(status).as_bytes());
        out.extend_from_slice(b"\r\nDate: ");
        out.extend_from_slice(date.as_bytes());
        if !self.content_type.is_empty() {
            push_field(out, "Content-Type", self.content_type);
            // `NOSNIFF`, in one piece.
            out.extend_from_slice(b"\r\nX-Content-Type-Options: nosniff");
        }
        // 1xx, 204 and 304 have no body, and 204 must have no length (RFC 9110 section 8.6).
        let bodiless = matches!(status, 100..200 | 204 | 304);
        if !bodiless {
            out.extend_from_slice(b"\r\nContent-Length: ");
            push_number(out, self.body.len());
        }
        for added in &self.headers {
            match added {
                Added::One(name, value) => push_field(out, name, &value.0),
                Added::Several(fields) => out.extend_from_slice(fields.as_bytes()),
            }
        }
        match persistence {
            Persistence::Default => {}
            Persistence::KeepAlive => push_field(out, "Connection", "keep-alive"),
            Persistence::Close => push_field(out, "Connection", "close"),
        }
        out.extend_from_slice(b"\r\n\r\n");
        if bodiless || head_only {
            return true;
        }
        match &self.body {
            Body::File(..) => false,
            body if body.len() <= MAX_PIECE as u64 => {
                out.extend_from_slice(body.in_memory());
                true
            }
            _ => false,
        }
    }

    /// The body, to be sent in pieces.
    pub(super) fn into_rest(self) -> Rest {
        Rest::of(self.body)
    }
}

/// The `Connection` field of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Persistence {
    /// None: HTTP/1.1 keeps the connection.
    Default,
    /// For HTTP/1.0, whose client asked for it.
    KeepAlive,
    /// On the last response.
    Close,
}

/// The value of the `Date` header, formatted once a second.
#[derive(Debug)]
pub struct Date {
    second: Timestamp,
    text: Vec<u8>,
}

impl Date {
    /// A date without a value.
    pub fn new() -> Date {
        Date { second: Timestamp(i64::MIN), text: Vec::with_capacity(29) }
    }

    /// Sets the date to `now`.
    pub fn update(&mut self, now: Timestamp) {
        if self.second == now {
            return;
        }
        self.second = now;
        // IMF-fixdate ends with the year 9999; httpdate panics after it.
        let seconds = now.0.clamp(0, 253_402_300_799) as u64;
        self.text.clear();
        // Writing to a Vec cannot fail.
        let _ = write!(
            self.text,
            "{}",
            httpdate::HttpDate::from(UNIX_EPOCH + Duration::from_secs(seconds))
        );
    }

    fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

impl Default for Date {
    fn default() -> Date {
        Date::new()
    }
}

#[inline]
fn push_field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
}

#[inline]
fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        425 => "Too Early",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        // The reason phrase may be empty (RFC 9112 section 4); an embedder may use any status.
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(response: &Response, persistence: Persistence, head_only: bool) -> String {
        let mut date = Date::new();
        date.update(Timestamp(784_111_777));
        let mut out = Vec::new();
        response.encode(&mut out, &date, persistence, head_only);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn responses_as_bytes() {
        let hello = Response::json(200, &serde_json::json!({"Hello": "World"}));
        let usual = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                     Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n\
                     Content-Length: 17\r\n";
        for (response, persistence, head_only, expected) in [
            (&hello, Persistence::Default, false, format!("{usual}\r\n{{\"Hello\":\"World\"}}")),
            (&hello, Persistence::Default, true, format!("{usual}\r\n")),
            (&hello, Persistence::Close, true, format!("{usual}Connection: close\r\n\r\n")),
            (&hello, Persistence::KeepAlive, true, format!("{usual}Connection: keep-alive\r\n\r\n")),
            (
                &Response::empty(204).with("Allow", "GET"),
                Persistence::Default,
                false,
                "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nAllow: GET\r\n\r\n"
                    .into(),
            ),
        ] {
            assert_eq!(encoded(response, persistence, head_only), expected);
        }
    }

    #[test]
    fn numbers_and_dates() {
        for number in [0, 7, 10, 4096, u64::MAX] {
            let mut out = Vec::new();
            push_number(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
        }
        for (second, expected) in [
            (i64::MIN + 1, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            let mut date = Date::new();
            date.update(Timestamp(second));
            assert_eq!(date.as_bytes(), expected.as_bytes());
        }
    }

    #[test]
    fn a_browser_must_not_guess_the_content_type_on_any_server() {
        let response = Response::text(200, "x").with("Allow", "GET");
        let fields: Vec<_> = response.headers().collect();
        assert_eq!(fields, [("X-Content-Type-Options", "nosniff"), ("Allow", "GET")]);
        let bytes = encoded(&response, Persistence::Default, false);
        assert_eq!(bytes.matches("nosniff").count(), 1, "{bytes}");
        assert_eq!(Response::empty(204).headers().count(), 0);
    }

    #[test]
    fn a_wrong_status_or_content_type_is_answered_500() {
        for status in [0, 7, 99, 600, 65_535] {
            let bytes = encoded(&Response::empty(status), Persistence::Default, false);
            assert!(bytes.starts_with("HTTP/1.1 500 Internal Server Error\r\n"), "{bytes}");
        }
        let response = Response::fixed(200, "text/html\r\nSet-Cookie: a=b", &b"x"[..]);
        assert_eq!(response.status, 500);
        assert_eq!(response.content_type(), "application/json");
    }

    #[test]
    fn a_header_value_cannot_end_its_line() {
        for bad in ["a\rb", "a\nb", "a\0b", "\u{7f}", "é"] {
            assert_eq!(HeaderValue::new(bad), None, "{bad:?}");
        }
        let response = Response::empty(200).with("X-Bad", "a\r\nb");
        assert!(!encoded(&response, Persistence::Default, false).contains("X-Bad"));
    }
}
