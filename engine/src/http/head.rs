//! A request's head: its end in `scan`, its target in `target`, and here the whole (RFC 9112).
//!
//! `httparse` reads the fields. What it lets pass is checked here: bare line feeds, framing,
//! `Host`, the forms of a target. In doubt a request is refused: requests are smuggled where two
//! programs read the same bytes differently.

mod scan;
mod target;

use std::mem::MaybeUninit;
use std::net::IpAddr;

use super::limits::MAX_HEADERS;
use super::refusal::{self, Refusal, malformed};
use super::{Header, Request};
pub use scan::Scan;
use target::{is_authority, origin_form};

/// How a body ends (RFC 9112 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Length(usize),
    Chunked,
}

/// A head that passed every check.
#[derive(Debug)]
pub struct Head<'a> {
    pub request: Request<'a>,
    pub framing: Framing,
    pub http10: bool,
    pub keep_alive: bool,
    pub expects_continue: bool,
}

/// Space for the fields of one head.
pub type Fields<'a> = [MaybeUninit<Header<'a>>; MAX_HEADERS];

/// No fields yet.
pub const NO_FIELDS: Fields<'static> = [const { MaybeUninit::uninit() }; MAX_HEADERS];

/// Reads a complete head: `bytes` are exactly those that [`Scan::find`] found. A refusal comes with
/// the request if its line and fields could be read: its answer needs them for CORS.
// Long: one check after the other, in the order of the head.
#[expect(clippy::result_large_err, reason = "as large as the other outcome, and as short-lived")]
pub fn parse<'a>(
    bytes: &'a [u8],
    fields: &'a mut Fields<'a>,
    peer: IpAddr,
) -> Result<Head<'a>, (Refusal, Option<Request<'a>>)> {
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(bytes, fields) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => {
            return Err((malformed("The request line is empty"), None));
        }
        Err(error) => return Err((unreadable(error, bytes), None)),
    }
    // httparse sets all three when it says Complete.
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err((malformed("The request line is incomplete"), None));
    };
    let headers: &'a [Header<'a>] = parsed.headers;
    let http10 = minor == 0;
    // The target of CONNECT has a form of its own, which is not checked.
    let connect = method == "CONNECT";
    let target = if connect { Ok(target) } else { origin_form(method, target) };
    let target = target.map_err(|refusal| (refusal, None))?;
    let mut request = Request::new(method, target, headers);
    if request.path.is_empty() {
        // An absolute target may have a query and no path, and means `/` (RFC 9110 section 4.2.3).
        request.path = "/";
    }
    request.peer = Some(peer);
    let checked = || -> Result<_, Refusal> {
        host(&request, http10)?;
        if connect {
            return Err(refusal::CONNECT);
        }
        let framing = framing(&request, http10)?;
        let expects_continue = expects_continue(&request, http10)?;
        Ok((framing, keep_alive(&request, http10), expects_continue))
    };
    let (framing, keep_alive, expects_continue) = checked().map_err(|r| (r, Some(request)))?;
    Ok(Head { request, framing, http10, keep_alive, expects_continue })
}

fn unreadable(error: httparse::Error, bytes: &[u8]) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => refusal::HEAD_TOO_LARGE,
        httparse::Error::Version if speaks_other_http(bytes) => refusal::VERSION,
        httparse::Error::Version => malformed("The request line does not end in HTTP/1.1"),
        httparse::Error::HeaderName => malformed("A header field's name is malformed"),
        httparse::Error::HeaderValue => malformed("A header field's value is malformed"),
        httparse::Error::Token => malformed("The request line is malformed"),
        _ => malformed("The request head is malformed"),
    }
}

/// Whether the request line is well-formed except for a version of HTTP that is not supported.
fn speaks_other_http(bytes: &[u8]) -> bool {
    let line = bytes.split(|&b| b == b'\r').find(|line| !line.trim_ascii().is_empty());
    let mut words = line.unwrap_or_default().split(|&b| b == b' ').skip(2);
    match (words.next(), words.next()) {
        // One digit, a dot, one digit (RFC 9112 section 2.3).
        (Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor]), None) => {
            major.is_ascii_digit() && minor.is_ascii_digit()
        }
        _ => false,
    }
}

/// Exactly one well-formed `Host` in HTTP/1.1, at most one in HTTP/1.0 (RFC 9112 section 3.2).
fn host(request: &Request<'_>, http10: bool) -> Result<(), Refusal> {
    let mut hosts = request.headers("host");
    match (hosts.next(), hosts.next()) {
        (None, _) if http10 => Ok(()),
        (None, _) => Err(malformed("The Host header is missing")),
        (Some(_), Some(_)) => Err(malformed("The Host header is repeated")),
        (Some(host), None) if is_authority(host) => Ok(()),
        (Some(_), None) => Err(malformed("The Host header is malformed")),
    }
}

fn framing(request: &Request<'_>, http10: bool) -> Result<Framing, Refusal> {
    let mut lengths = request.headers("content-length");
    let mut codings = request.headers("transfer-encoding");
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(_), Some(_)) => {
            Err(malformed("Both Content-Length and Transfer-Encoding are present"))
        }
        (Some(_), None) if lengths.next().is_some() => {
            Err(malformed("The Content-Length header is repeated"))
        }
        (Some(length), None) => content_length(length),
        (None, Some(_)) if http10 => Err(malformed("Transfer-Encoding is not for HTTP/1.0")),
        (None, Some(coding))
            if codings.next().is_none() && coding.eq_ignore_ascii_case(b"chunked") =>
        {
            Ok(Framing::Chunked)
        }
        (None, Some(_)) => Err(malformed("The Transfer-Encoding is not exactly chunked")),
    }
}

fn content_length(digits: &[u8]) -> Result<Framing, Refusal> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(malformed("The Content-Length is not a number"));
    }
    // A number that overflows is well-formed, and larger than any limit.
    let length = digits.iter().try_fold(0usize, |sum, &digit| {
        sum.checked_mul(10)?.checked_add(usize::from(digit - b'0'))
    });
    length.map(Framing::Length).ok_or(refusal::BODY_TOO_LARGE)
}

fn expects_continue(request: &Request<'_>, http10: bool) -> Result<bool, Refusal> {
    // An HTTP/1.0 client cannot wait for 100 (RFC 9110 section 10.1.1).
    if http10 {
        return Ok(false);
    }
    let mut expects = false;
    for value in request.headers("expect") {
        if !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(refusal::EXPECTATION_FAILED);
        }
        expects = true;
    }
    Ok(expects)
}

fn keep_alive(request: &Request<'_>, http10: bool) -> bool {
    let says = |option: &[u8]| {
        request
            .headers("connection")
            .flat_map(|line| line.split(|&b| b == b','))
            .any(|word| word.trim_ascii().eq_ignore_ascii_case(option))
    };
    if http10 { says(b"keep-alive") && !says(b"close") } else { !says(b"close") }
}

#[cfg(test)]
mod tests;
