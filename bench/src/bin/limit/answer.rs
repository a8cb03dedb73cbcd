//! Requests and answers as bytes: the least parsing that finds the end of a
//! request, and answers that are fixed except for a name or a token.

use std::io::Write;

use lictor_bench::claims::Login;
use memchr::{memchr, memmem};

const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
    Content-Length: 17\r\n\r\n{\"Hello\":\"World\"}";

pub enum Parsed<'a> {
    /// A request and its length.
    Complete(Request<'a>, usize),
    /// More bytes are needed.
    Partial,
    Malformed,
}

pub enum Request<'a> {
    Hello,
    /// With the value of the `Authorization` header.
    Protected(&'a [u8]),
    Login(Login),
    Other,
}

/// Reads one request from the start of `bytes`.
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return Parsed::Partial;
    };
    let head = &bytes[..end + 2];
    let Some((line, headers)) = split_line(head) else {
        return Parsed::Malformed;
    };
    let Some((authorization, body_length)) = read_headers(headers) else {
        return Parsed::Malformed;
    };
    let body_start = end + 4;
    let Some(body) = bytes[body_start..].get(..body_length) else {
        return Parsed::Partial;
    };
    let request = match line {
        b"GET /api/ HTTP/1.1" => Request::Hello,
        b"GET /api/protected HTTP/1.1" => Request::Protected(authorization),
        b"POST /api/login HTTP/1.1" => match serde_json::from_slice(body) {
            Ok(login) => Request::Login(login),
            Err(_) => return Parsed::Malformed,
        },
        _ => Request::Other,
    };
    Parsed::Complete(request, body_start + body_length)
}

/// Finds the `Authorization` header and the length of the body.
fn read_headers(mut lines: &[u8]) -> Option<(&[u8], usize)> {
    let (mut authorization, mut length): (&[u8], usize) = (b"", 0);
    while let Some((line, rest)) = split_line(lines) {
        let colon = memchr(b':', line)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // Comparing lengths first excludes nearly every other header.
        if name.len() == 13 && name.eq_ignore_ascii_case(b"authorization") {
            authorization = value;
        } else if name.len() == 14 && name.eq_ignore_ascii_case(b"content-length") {
            length = str::from_utf8(value).ok()?.parse().ok()?;
        }
        lines = rest;
    }
    Some((authorization, length))
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b'\r', bytes)?;
    Some((&bytes[..end], bytes.get(end + 2..)?))
}

pub fn hello(output: &mut Vec<u8>) {
    output.extend_from_slice(HELLO);
}

pub fn allowed(output: &mut Vec<u8>, name: &str) {
    const BEFORE: &str = r#"{"message":"protected endpoint (allowed usr "#;
    const AFTER: &str = r#")"}"#;
    // The benchmark chooses the name of the user, which needs no escaping.
    json(output, &[BEFORE, name, AFTER]);
}

pub fn access_token(output: &mut Vec<u8>, token: &str) {
    json(output, &[r#"{"access_token":""#, token, r#""}"#]);
}

pub fn status(output: &mut Vec<u8>, status: &str) {
    // Writing to a vector cannot fail.
    let _ = write!(output, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
}

fn json(output: &mut Vec<u8>, parts: &[&str]) {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
    output.extend_from_slice(HEAD);
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let _ = write!(output, "{length}\r\n\r\n");
    for part in parts {
        output.extend_from_slice(part.as_bytes());
    }
}
