//! Where a request's head ends, and what it says: the strict half of RFC 9112.
//!
//! `httparse` reads the fields; what it would let pass stands here: bare line feeds, the rules
//! of framing, `Host`, the forms of a target. When in doubt a request is refused, since two
//! programs that read the same bytes differently are how requests get smuggled.

use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv6Addr};

use super::limits::{MAX_HEAD, MAX_HEADERS, MAX_TARGET};
use super::refusal::{self, Refusal, malformed};
use super::{Header, Request};

/// Looks for the end of a head in bytes that arrive bit by bit; never looks at a byte twice.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Scan {
    at: usize,
    first_line_ended: bool,
}

/// What the scan stops at: all control characters but the tab.
fn is_special(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

/// The first special byte. Most bytes are none, so they are looked at by the block, without a
/// branch for each; the compiler makes vector instructions of that.
fn position_special(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 32;
    let blocks = bytes.chunks_exact(BLOCK);
    let plain = |block: &&[u8]| !block.iter().fold(false, |found, &b| found | is_special(b));
    let skip = blocks.take_while(plain).count() * BLOCK;
    bytes[skip..].iter().position(|&b| is_special(b)).map(|at| skip + at)
}

/// "PUT " and the rest of a request line around its target.
const REQUEST_LINE_EXTRA: usize = 32;

impl Scan {
    /// The length of the head that `bytes` begin with, once its end is there. Call again with
    /// the same bytes and more behind them.
    pub(crate) fn find(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        if bytes.first() == Some(&0x16) {
            return Err(refusal::TLS);
        }
        let window = &bytes[..bytes.len().min(MAX_HEAD)];
        while let Some(skip) = position_special(&window[self.at..]) {
            self.at += skip;
            // Looked at here too, so that the answer is the same however the bytes arrive.
            if !self.first_line_ended && self.at >= MAX_TARGET + REQUEST_LINE_EXTRA {
                return Err(refusal::TARGET_TOO_LONG);
            }
            match (window[self.at], window.get(self.at + 1)) {
                (b'\r', None) => break,
                (b'\r', Some(b'\n')) => {
                    let blank = window[..self.at].ends_with(b"\r\n");
                    self.at += 2;
                    if blank {
                        return Ok(Some(self.at));
                    }
                    // A line feed right at the start is the stray one that RFC 9112 section
                    // 2.2 tells servers to forgive.
                    self.first_line_ended |= self.at > 2;
                }
                (b'\r', Some(_)) => {
                    return Err(malformed("A carriage return without a line feed"));
                }
                (b'\n', _) => return Err(malformed("A line feed without a carriage return")),
                _ => return Err(malformed("A control character in the request head")),
            }
        }
        // A carriage return at the end waits for what comes behind it.
        self.at = window.len() - usize::from(window.ends_with(b"\r"));
        if !self.first_line_ended && bytes.len() > MAX_TARGET + REQUEST_LINE_EXTRA {
            return Err(refusal::TARGET_TOO_LONG);
        }
        if bytes.len() >= MAX_HEAD {
            return Err(refusal::HEAD_TOO_LARGE);
        }
        Ok(None)
    }
}

/// How the body's end is found (RFC 9112 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(usize),
    Chunked,
}

/// A head that passed every check.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) request: Request<'a>,
    pub(crate) framing: Framing,
    pub(crate) http10: bool,
    pub(crate) keep_alive: bool,
    pub(crate) expects_continue: bool,
}

/// Room for the fields of one head.
pub(crate) type Fields<'a> = [MaybeUninit<Header<'a>>; MAX_HEADERS];

/// No fields yet.
pub(crate) const NO_FIELDS: Fields<'static> = [const { MaybeUninit::uninit() }; MAX_HEADERS];

/// Reads a complete head, `bytes` being exactly what [`Scan::find`] found. A refusal comes
/// with the request when its line and fields could be read, for the sake of CORS.
#[expect(clippy::result_large_err, reason = "as large as the other outcome, and as short-lived")]
pub(crate) fn parse<'a>(
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
    // httparse sets all three when it says Complete; a head without them is malformed anyway.
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err((malformed("The request line is incomplete"), None));
    };
    let headers: &'a [Header<'a>] = parsed.headers;
    let http10 = minor == 0;
    // The target of CONNECT has a form of its own, which nothing looks at.
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

/// Whether the request line is well-formed but for a version of HTTP that we do not speak.
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

/// The target as path and query, whatever form it came in (RFC 9112 section 3.2).
fn origin_form<'a>(method: &str, target: &'a str) -> Result<&'a str, Refusal> {
    if target.len() > MAX_TARGET {
        return Err(refusal::TARGET_TOO_LONG);
    }
    if !target.bytes().all(|b| (b'!'..=b'~').contains(&b)) || target.contains('#') {
        return Err(malformed("The request target holds a character that it must not"));
    }
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        return Ok(target);
    }
    let scheme = target.get(..7).unwrap_or_default();
    let rest = match scheme.eq_ignore_ascii_case("http://") {
        true => &target[7..],
        false => return Err(malformed("The request target is neither a path nor an http URI")),
    };
    let authority = rest.find(['/', '?']).unwrap_or(rest.len());
    if !is_authority(&rest.as_bytes()[..authority]) {
        return Err(malformed("The host in the request target is malformed"));
    }
    match &rest[authority..] {
        "" => Ok("/"),
        path_and_query => Ok(path_and_query),
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

/// Whether this is a host and perhaps a port, as an http URI has them: without user information,
/// and not without a host (RFC 3986 section 3.2, RFC 9110 section 4.2.1).
fn is_authority(bytes: &[u8]) -> bool {
    let host_end = match bytes.first() {
        Some(b'[') => bytes.iter().position(|&b| b == b']').map_or(0, |end| end + 1),
        _ => bytes.iter().position(|&b| b == b':').unwrap_or(bytes.len()),
    };
    let (host, port) = bytes.split_at(host_end);
    is_host(host) && is_port(port)
}

/// Whether this is a name or an IPv4 address, or an IPv6 address in brackets. The grammar also has
/// addresses of future versions; there are none.
fn is_host(host: &[u8]) -> bool {
    if let [b'[', address @ .., b']'] = host {
        return std::str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    }
    let mut rest = host;
    while let [first, behind @ ..] = rest {
        rest = match (first, behind) {
            (b'%', [high, low, behind @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                behind
            }
            (b, _) if b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(b) => behind,
            _ => return false,
        };
    }
    !host.is_empty()
}

/// Whether this is nothing, or a colon and a port, which may be empty.
fn is_port(port: &[u8]) -> bool {
    let [b':', digits @ ..] = port else { return port.is_empty() };
    let number = digits.iter().try_fold(0u32, |sum, digit| {
        let sum = sum * 10 + u32::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        (sum <= u32::from(u16::MAX)).then_some(sum)
    });
    number.is_some()
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
    // Digits that overflow are a well-formed length that is too large, whatever the limit.
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
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// Status of the refusal, or what was read: `method path ?query framing`, with `+` for
    /// keep-alive and `e` for an expectation.
    fn read(bytes: &[u8]) -> String {
        let mut scan = Scan::default();
        let length = match scan.find(bytes) {
            Ok(Some(length)) => length,
            Ok(None) => return "partial".into(),
            Err(refusal) => return refusal.status.to_string(),
        };
        let mut fields = NO_FIELDS;
        match parse(&bytes[..length], &mut fields, Ipv4Addr::LOCALHOST.into()) {
            Err((refusal, _)) => refusal.status.to_string(),
            Ok(head) => format!(
                "{} {}{} {:?}{}{}",
                head.request.method,
                head.request.path,
                head.request.query.map(|q| format!("?{q}")).unwrap_or_default(),
                head.framing,
                if head.keep_alive { "+" } else { "" },
                if head.expects_continue { "e" } else { "" },
            ),
        }
    }

    fn with_fields(fields: &str) -> String {
        format!("POST /x HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n")
    }

    #[test]
    fn request_lines() {
        for (line, expected) in [
            ("GET / HTTP/1.1", "GET / Length(0)+"),
            ("GET /a?b=c?d HTTP/1.1", "GET /a?b=c?d Length(0)+"),
            ("\r\nGET / HTTP/1.1", "GET / Length(0)+"),
            ("GET http://h/a HTTP/1.1", "GET /a Length(0)+"),
            ("GET HTTP://h HTTP/1.1", "GET / Length(0)+"),
            ("GET http:///a HTTP/1.1", "400"),
            ("GET http://u@h/a HTTP/1.1", "400"),
            ("GET https://h/a HTTP/1.1", "400"),
            ("GET http://h?x HTTP/1.1", "GET /?x Length(0)+"),
            ("OPTIONS * HTTP/1.1", "OPTIONS * Length(0)+"),
            ("GET * HTTP/1.1", "400"),
            ("GET http://h:80/a HTTP/1.1", "GET /a Length(0)+"),
            ("GET http://h:abc/a HTTP/1.1", "400"),
            ("GET http://:80/a HTTP/1.1", "400"),
            ("CONNECT h:443 HTTP/1.1", "501"),
            ("CONNECT / HTTP/1.1", "501"),
            ("connect h:443 HTTP/1.1", "400"),
            ("GET h:443 HTTP/1.1", "400"),
            ("GET /a#b HTTP/1.1", "400"),
            ("GET /\u{e9} HTTP/1.1", "400"),
            ("GET / HTTP/1.0", "GET / Length(0)"),
            ("GET / HTTP/2.0", "505"),
            ("PRI * HTTP/2.0", "505"),
            ("GET / HTTP/1.2", "505"),
            ("GET / HTTP/0.9", "505"),
            ("GET / HTTP/1", "400"),
            ("GET / HTTP/2", "400"),
            ("GET / HTTP/11", "400"),
            ("GET / HTTP/01.1", "400"),
            ("GET / HTTP/1.01", "400"),
            ("GET / HTTP/1.", "400"),
            ("GET / HTTP/1,1", "400"),
            ("GET / HTTX/1.1", "400"),
            ("GET /", "400"),
            ("GET  / HTTP/1.1", "400"),
            ("GET /  HTTP/1.1", "400"),
            ("GET /a b HTTP/1.1", "400"),
            ("GET / HTTP/1.1 ", "400"),
            ("GET\t/ HTTP/1.1", "400"),
            (" GET / HTTP/1.1", "400"),
            ("G@T / HTTP/1.1", "400"),
            ("\r\n\r\nGET / HTTP/1.1", "400"),
            ("\u{16}\u{3}\u{1}", "400"),
        ] {
            assert_eq!(read(format!("{line}\r\nHost: h\r\n\r\n").as_bytes()), expected, "{line:?}");
        }
    }

    #[test]
    fn framing_is_strict() {
        for (fields, expected) in [
            ("Content-Length: 5", "POST /x Length(5)+"),
            ("content-length:5", "POST /x Length(5)+"),
            ("Content-Length: 0", "POST /x Length(0)+"),
            ("Content-Length: 99999999999", "POST /x Length(99999999999)+"),
            ("Content-Length: 99999999999999999999999", "413"),
            ("Content-Length: +5", "400"),
            ("Content-Length: -5", "400"),
            ("Content-Length: 0x5", "400"),
            ("Content-Length: 5, 5", "400"),
            ("Content-Length: 5 5", "400"),
            ("Content-Length:", "400"),
            ("Content-Length: 5\r\nContent-Length: 5", "400"),
            ("Content-Length : 5", "400"),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked", "400"),
            ("Transfer-Encoding: chunked", "POST /x Chunked+"),
            ("Transfer-Encoding: Chunked", "POST /x Chunked+"),
            ("Transfer-Encoding: gzip, chunked", "400"),
            ("Transfer-Encoding: chunked, identity", "400"),
            ("Transfer-Encoding: identity", "400"),
            ("Transfer-Encoding:", "400"),
            ("Transfer-Encoding: \u{b}chunked", "400"),
            ("Transfer-Encoding: xchunked", "400"),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "400"),
            ("X: a\r\n b", "400"),
            ("X: a\nY: b", "400"),
            ("X: a\rY: b", "400"),
            ("X: a\0b", "400"),
            ("X: a\u{7f}b", "400"),
            (": a", "400"),
            ("X", "400"),
            ("X: a\tb \u{e9}", "POST /x Length(0)+"),
            ("Host: h", "400"),
            ("Expect: 100-continue", "POST /x Length(0)+e"),
            ("Expect: 100-Continue", "POST /x Length(0)+e"),
            ("Expect: tea", "417"),
            ("Expect: 100-continue\r\nExpect: tea", "417"),
            ("Connection: close", "POST /x Length(0)"),
            ("Connection: x, Close", "POST /x Length(0)"),
            ("Connection: keep-alive", "POST /x Length(0)+"),
        ] {
            assert_eq!(read(with_fields(fields).as_bytes()), expected, "{fields:?}");
        }
    }

    #[test]
    fn hosts_and_old_versions() {
        for (bytes, expected) in [
            ("GET / HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT h:443 HTTP/1.1\r\n\r\n", "400"),
            ("GET / HTTP/1.0\r\nHost:\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", "400"),
            ("GET / HTTP/1.0\r\n\r\n", "GET / Length(0)"),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / Length(0)+"),
            ("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "400"),
            ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
            ("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", "GET / Length(0)"),
            ("\r\n\r\n", "400"),
        ] {
            assert_eq!(read(bytes.as_bytes()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_host_is_one_that_a_uri_can_have() {
        for good in [
            "h",
            "h.example:8080",
            "h:0",
            "h:65535",
            "h:00080",
            "h:",
            "127.0.0.1",
            "a_b~c!$&'()*+,;=",
            "%C3%A9.example",
            "[::1]",
            "[::1]:80",
            "[2001:db8::192.0.2.1]:",
        ] {
            assert!(is_authority(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            ":80",
            "h:abc",
            "h:65536",
            "h:99999",
            "h:18446744073709551617",
            "h:+80",
            "h:-1",
            "h:8 0",
            "h:80:80",
            "a:b:80",
            "::1",
            "[]",
            "[::1",
            "::1]",
            "[::1]80",
            "[::1%25eth0]",
            "[127.0.0.1]",
            "[v1.x]",
            "[h]",
            "h[",
            "%",
            "%4",
            "%zz",
            "u@h",
            "h/",
            "h?",
            "h\\",
            "\u{e9}",
        ] {
            assert!(!is_authority(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn sizes_at_and_over_the_limit() {
        let target = |n: usize| format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(n - 1));
        let head =
            |n: usize| with_fields(&format!("X: {}", "a".repeat(n - with_fields("X: ").len())));
        let fields = |n: usize| with_fields(&vec!["X: y"; n - 1].join("\r\n"));
        for (bytes, expected) in [
            (target(MAX_TARGET), format!("GET /{} Length(0)+", "a".repeat(MAX_TARGET - 1))),
            (target(MAX_TARGET + 1), "414".into()),
            ("G".repeat(MAX_TARGET + REQUEST_LINE_EXTRA + 1), "414".into()),
            ("G".repeat(MAX_TARGET + REQUEST_LINE_EXTRA) + " / HTTP/1.1\r\n\r\n", "414".into()),
            (head(MAX_HEAD), "POST /x Length(0)+".into()),
            (head(MAX_HEAD + 1), "431".into()),
            (fields(MAX_HEADERS), "POST /x Length(0)+".into()),
            (fields(MAX_HEADERS + 1), "431".into()),
        ] {
            assert_eq!(read(bytes.as_bytes()), expected, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn the_end_is_found_however_the_bytes_arrive() {
        let whole = with_fields("A: b");
        let mut scan = Scan::default();
        for end in 0..whole.len() {
            assert_eq!(scan.find(&whole.as_bytes()[..end]), Ok(None), "{end}");
        }
        assert_eq!(scan.find(format!("{whole}more").as_bytes()), Ok(Some(whole.len())));
    }
}
