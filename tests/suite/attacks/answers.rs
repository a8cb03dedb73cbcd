//! Reads the bytes that a server sent, strictly: they are well-formed answers one after the other,
//! or the error says where they are not.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::Client;

/// Every status of the endpoints and the engine except 500.
const KNOWN: [u16; 20] = [
    100, 200, 201, 204, 308, 400, 401, 403, 404, 405, 408, 409, 413, 414, 417, 425, 431, 501, 503,
    505,
];

/// The statuses of all answers in `bytes`.
pub fn statuses(bytes: &[u8]) -> Result<Vec<u16>, String> {
    let mut rest = bytes;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (status, length) = one(rest).map_err(|what| {
            format!("{what} in answer {}: {:?}", found.len(), String::from_utf8_lossy(rest))
        })?;
        found.push(status);
        rest = &rest[length..];
    }
    Ok(found)
}

/// The status and the length of the answer that `bytes` begin with.
fn one(bytes: &[u8]) -> Result<(u16, usize), String> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no end of the head")?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "a head that is not text")?;
    if head.chars().any(|c| c.is_control() && !"\r\n\t".contains(c)) {
        return Err("a control character".into());
    }
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let status: u16 = line
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.split_once(' '))
        .and_then(|(digits, _)| digits.parse().ok())
        .ok_or("a bad status line")?;
    if !KNOWN.contains(&status) {
        return Err(format!("status {status}"));
    }
    if status == 100 {
        return if head == line { Ok((100, end + 4)) } else { Err("a 100 with fields".into()) };
    }
    let mut fields = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(": ").ok_or("a field without colon")?;
        if name.is_empty() || name.contains('\t') || line.contains(['\r', '\n']) {
            return Err("a malformed field".into());
        }
        fields.push((name.to_ascii_lowercase(), value));
    }
    let all = |name: &str| fields.iter().filter(|(n, _)| n == name).map(|(_, v)| *v).collect();
    let dates: Vec<&str> = all("date");
    let lengths: Vec<&str> = all("content-length");
    if dates.len() != 1 {
        return Err("not one Date".into());
    }
    let length = match (status, &lengths[..]) {
        (204, []) => 0,
        (204, _) => return Err("a 204 with a length".into()),
        (_, [digits]) => digits.parse().map_err(|_| "a bad length")?,
        _ => return Err("not one Content-Length".into()),
    };
    let body = bytes.get(end + 4..end + 4 + length).ok_or("a body cut short")?;
    if status >= 400 {
        let json: Value = serde_json::from_slice(body).map_err(|_| "an error without JSON")?;
        if json["status_code"] != status || !json["error"].is_string() {
            return Err("an error of another shape".into());
        }
    }
    Ok((status, end + 4 + length))
}

/// The server gives a client two seconds to read a refusal while it still sends. One that was slower than
/// this may have been cut.
const IN_TIME: Duration = Duration::from_secs(1);

/// Sends `bytes`, closes the sending half, and returns everything that the server sends. Fails if
/// the server neither answers nor closes, or resets the connection; a client that was slow tries
/// again, up to three times.
pub fn converse(address: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>, String> {
    for _ in 0..2 {
        let begun = Instant::now();
        let outcome = converse_once(address, bytes);
        if outcome.is_ok() || begun.elapsed() < IN_TIME {
            return outcome;
        }
    }
    converse_once(address, bytes)
}

fn converse_once(address: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut client = Client::connect(address);
    // After an early refusal the server may close while the client still sends.
    let _ = client.stream.write_all(bytes);
    let _ = client.stream.shutdown(Shutdown::Write);
    let mut answers = Vec::new();
    match client.stream.read_to_end(&mut answers) {
        Ok(_) => Ok(answers),
        Err(error) => {
            Err(format!("{error} after {} bytes of answers", String::from_utf8_lossy(&answers)))
        }
    }
}

/// [`converse`], then [`statuses`].
pub fn conversation(address: SocketAddr, bytes: &[u8]) -> Result<Vec<u16>, String> {
    statuses(&converse(address, bytes)?)
}

#[test]
fn malformed_answers_are_errors() {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let error = r#"{"error":"X","message":"y","status_code":400}"#;
    for (bytes, expected) in [
        (String::new(), Some(vec![])),
        (format!("HTTP/1.1 200 OK\r\n{date}Content-Length: 2\r\n\r\nhi"), Some(vec![200])),
        (
            format!(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad Request\r\n{date}Content-Length: {}\r\n\r\n{error}",
                error.len()
            ),
            Some(vec![100, 400]),
        ),
        (format!("HTTP/1.1 204 No Content\r\n{date}\r\n"), Some(vec![204])),
        (format!("HTTP/1.1 200 OK\r\n{date}Content-Length: 3\r\n\r\nhi"), None),
        (format!("HTTP/1.1 200 OK\r\n{date}Content-Length: 2\r\n\r\nhi!"), None),
        (format!("HTTP/1.1 200 OK\r\n{date}\r\n"), None),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into(), None),
        (format!("HTTP/1.1 500 Oh\r\n{date}Content-Length: 0\r\n\r\n"), None),
        (format!("HTTP/1.1 400 Oh\r\n{date}Content-Length: 2\r\n\r\nhi"), None),
        (format!("HTTP/1.1 200 OK\n{date}Content-Length: 0\r\n\r\n"), None),
    ] {
        assert_eq!(statuses(bytes.as_bytes()).ok(), expected, "{bytes:?}");
    }
}
