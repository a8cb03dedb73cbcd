//! Heads as bytes, and what they say or why they are refused.

use std::net::Ipv4Addr;

use super::scan::REQUEST_LINE_EXTRA;
use super::target::is_authority;
use super::*;
use crate::http::limits::{MAX_HEAD, MAX_TARGET};

/// The refusal's status, or the head as `method path ?query framing`, with `+` for keep-alive and
/// `e` for an expectation.
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
fn authorities() {
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
    let head = |n: usize| with_fields(&format!("X: {}", "a".repeat(n - with_fields("X: ").len())));
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
