//! A request's head: its end is at the same place however the bytes arrive, and it is accepted only
//! if a second, naive reading of its lines agrees on every point that smuggling could use.

use std::net::Ipv4Addr;

use super::{is_token, lines};
use lictor_engine::http::head::{Framing, Head, NO_FIELDS, Scan, parse};
use lictor_engine::http::limits::{MAX_HEAD, MAX_HEADERS, MAX_TARGET};
use lictor_engine::http::{Refusal, Request};

/// Every status of a refused head.
const REFUSALS: [u16; 7] = [400, 413, 414, 417, 431, 501, 505];
/// Splits to try with one input.
const SPLITS: usize = 64;

/// The target: `data` are the first bytes of a client.
pub fn head(data: &[u8]) {
    let found = find(data, [data.len()]);
    assert_eq!(find(data, 0..=data.len()), found, "byte by byte");
    for split in (1..data.len()).step_by(data.len() / SPLITS + 1) {
        assert_eq!(find(data, [split, data.len()]), found, "split at {split}");
    }
    match found {
        Err(refusal) => refused(&refusal),
        Ok(None) => assert!(data.len() < MAX_HEAD),
        Ok(Some(length)) => complete(&data[..length]),
    }
}

/// The length of the head, if the bytes arrive up to each of `ends` in turn.
fn find(data: &[u8], ends: impl IntoIterator<Item = usize>) -> Result<Option<usize>, Refusal> {
    let mut scan = Scan::default();
    for end in ends {
        if let Some(length) = scan.find(&data[..end])? {
            return Ok(Some(length));
        }
    }
    Ok(None)
}

fn refused(refusal: &Refusal) {
    assert!(REFUSALS.contains(&refusal.status), "{refusal:?}");
    assert!(!refusal.message.is_empty());
}

fn complete(bytes: &[u8]) {
    assert!(bytes.len() <= MAX_HEAD && bytes.ends_with(b"\r\n\r\n"));
    let mut fields = NO_FIELDS;
    match parse(bytes, &mut fields, Ipv4Addr::LOCALHOST.into()) {
        Err((refusal, _)) => refused(&refusal),
        Ok(head) => accepted(bytes, &head),
    }
}

fn accepted(bytes: &[u8], head: &Head<'_>) {
    let mut lines = lines(bytes).into_iter().peekable();
    // One empty line may come before a request.
    lines.next_if(|line| line.is_empty());
    request_line(lines.next().unwrap_or_default(), head);
    let mut fields = Vec::new();
    let mut ended = false;
    for line in lines {
        assert!(!ended, "something comes behind the empty line");
        assert!(line.iter().all(|&b| b == b'\t' || (b >= b' ' && b != 0x7f)), "a control byte");
        ended = line.is_empty();
        if !ended {
            fields.push(field(line));
        }
    }
    assert!(ended && fields.len() <= MAX_HEADERS);
    for (name, value) in &fields {
        assert!(head.request.headers(name).any(|known| known == *value), "{name} is lost");
        let (same, known) = (values(&fields, name).len(), head.request.headers(name).count());
        assert_eq!(same, known, "{name}");
    }
    let hosts = values(&fields, "host").len();
    assert!(hosts == 1 || (head.http10 && hosts == 0), "{hosts} hosts");
    assert_eq!(head.framing, framing(&fields, head.http10));
    cookies(&head.request);
}

fn request_line(line: &[u8], head: &Head<'_>) {
    let words: Vec<_> = line.split(|&b| b == b' ').collect();
    let [method, target, version] = words[..] else { panic!("{} words", words.len()) };
    assert_eq!(method, head.request.method.as_bytes());
    assert!(!method.is_empty() && method.iter().all(|&b| is_token(b)) && method != b"CONNECT");
    assert_eq!(version, if head.http10 { b"HTTP/1.0" } else { b"HTTP/1.1" });
    assert!(target.len() <= MAX_TARGET);
    let (path, query) = (head.request.path, head.request.query);
    assert!(path.starts_with('/') || (path == "*" && method == b"OPTIONS"), "{path:?}");
    assert!(!path.contains('?'));
    let read = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    assert!(read.bytes().all(|b| (b'!'..=b'~').contains(&b) && b != b'#'), "{read:?}");
    // An absolute URI may have no path, with or without a query; its path is "/" then.
    let without_path = path == "/" && !target.starts_with(b"/");
    let rest = if without_path { &read[1..] } else { &read };
    assert!(target.ends_with(read.as_bytes()) || target.ends_with(rest.as_bytes()));
}

/// The name and the value of a field line.
fn field(line: &[u8]) -> (&str, &[u8]) {
    let colon = line.iter().position(|&b| b == b':').unwrap_or_default();
    let name = &line[..colon];
    assert!(!name.is_empty() && name.iter().all(|&b| is_token(b)), "no name");
    let name = std::str::from_utf8(name).unwrap_or_else(|_| unreachable!("a token is ASCII"));
    (name, line[colon + 1..].trim_ascii())
}

fn values<'a>(fields: &[(&str, &'a [u8])], name: &str) -> Vec<&'a [u8]> {
    fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value).collect()
}

/// The length of the body; panics if there are two ways to read it.
fn framing(fields: &[(&str, &[u8])], http10: bool) -> Framing {
    let lengths = values(fields, "content-length");
    let codings = values(fields, "transfer-encoding");
    match (&lengths[..], &codings[..]) {
        ([], []) => Framing::Length(0),
        ([], [coding]) if !http10 && coding.eq_ignore_ascii_case(b"chunked") => Framing::Chunked,
        ([digits], []) => {
            let text = String::from_utf8_lossy(digits);
            assert!(!text.starts_with('+'), "{text:?}");
            Framing::Length(text.parse().unwrap_or_else(|_| panic!("{text:?} was accepted")))
        }
        _ => panic!("the end of the body is ambiguous"),
    }
}

/// The search for a cookie never panics, and finds no value that is not there.
fn cookies(request: &Request<'_>) {
    if let Some(value) = request.cookie("access_token") {
        assert!(!value.contains(&b';'));
        assert!(request.headers("cookie").any(|line| line.len() >= value.len() + 13));
    }
}
