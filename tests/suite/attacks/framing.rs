//! Every rule of reading a request (RFC 9112). After an accepted request the connection goes on; a
//! refused one gets exactly one answer, and no later byte is parsed.

use super::answers::conversation;
use super::vitals::Target;

/// The request after every other one; it is answered 200 exactly if it is read as a request.
const NEXT: &str = "GET /api/ HTTP/1.1\r\nHost: h\r\n\r\n";

/// Sends each of `rows`, in the frame that `make` puts around it, and checks its status. After 400,
/// 413, 414, 417, 431, 501 and 505 the server closes.
fn check(rows: &[(&str, u16)], make: impl Fn(&str) -> String) {
    let target = Target::start(&[]);
    let mut wrong = Vec::new();
    for (row, expected) in rows {
        let bytes = make(row) + NEXT;
        let last = matches!(expected, 400 | 413 | 414 | 417 | 431 | 501 | 505);
        let expected = if last { vec![*expected] } else { vec![*expected, 200] };
        // The first request of a connection and a later one are read alike.
        let second = [&[200], &expected[..]].concat();
        for (bytes, expected) in [(bytes.clone(), expected), (NEXT.to_owned() + &bytes, second)] {
            let got = conversation(target.address, bytes.as_bytes());
            if got.as_ref() != Ok(&expected) {
                wrong.push(format!("{bytes:?}: {got:?} instead of {expected:?}"));
            }
        }
    }
    target.unharmed();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn request_lines() {
    check(
        &[
            ("GET /api/ HTTP/1.1", 200),
            ("GET /api/?a=b&c HTTP/1.1", 200),
            ("\r\nGET /api/ HTTP/1.1", 200),
            ("get /api/ HTTP/1.1", 405),
            ("M-SEARCH /api/ HTTP/1.1", 405),
            ("TRACE /api/ HTTP/1.1", 405),
            ("TRACE /nothing HTTP/1.1", 405),
            ("OPTIONS /api/ HTTP/1.1", 204),
            ("OPTIONS * HTTP/1.1", 204),
            ("GET * HTTP/1.1", 400),
            ("CONNECT h:443 HTTP/1.1", 501),
            ("CONNECT /api/ HTTP/1.1", 501),
            ("GET http://h:abc/api/ HTTP/1.1", 400),
            ("GET h:443 HTTP/1.1", 400),
            ("GET http://h/api/ HTTP/1.1", 200),
            ("GET HTTP://other:80/api/?q HTTP/1.1", 200),
            ("GET http://h HTTP/1.1", 200),
            ("GET http:///api/ HTTP/1.1", 400),
            ("GET http://u@h/api/ HTTP/1.1", 400),
            ("GET http://h?q HTTP/1.1", 200),
            ("GET https://h/api/ HTTP/1.1", 400),
            ("GET api/ HTTP/1.1", 400),
            ("GET /api/#x HTTP/1.1", 400),
            ("GET /a b HTTP/1.1", 400),
            ("GET /\u{e9} HTTP/1.1", 400),
            ("GET /\0 HTTP/1.1", 400),
            ("GET /\u{7f} HTTP/1.1", 400),
            ("GET /\t HTTP/1.1", 400),
            ("GET  /api/ HTTP/1.1", 400),
            ("GET /api/  HTTP/1.1", 400),
            ("GET /api/ HTTP/1.1 ", 400),
            (" GET /api/ HTTP/1.1", 400),
            ("\tGET /api/ HTTP/1.1", 400),
            ("GET\t/api/ HTTP/1.1", 400),
            ("GET /api/\tHTTP/1.1", 400),
            ("GET /api/", 400),
            ("GET", 400),
            ("G@T /api/ HTTP/1.1", 400),
            ("G\0T /api/ HTTP/1.1", 400),
            ("(GET) /api/ HTTP/1.1", 400),
            ("\nGET /api/ HTTP/1.1", 400),
            ("\rGET /api/ HTTP/1.1", 400),
            ("GET /api/ HTTP/1.1\r", 400),
            ("GET /api/ http/1.1", 400),
            ("GET /api/ HTTP/1.1x", 400),
            ("GET /api/ HTTP/1", 400),
            ("GET /api/ HTTP/11", 400),
            ("GET /api/ HTTP/01.1", 400),
            ("GET /api/ HTTP/1.01", 400),
            ("GET /api/ HTTP/1.2", 505),
            ("GET /api/ HTTP/0.9", 505),
            ("GET /api/ HTTP/2.0", 505),
            ("GET /api/ HTTP/3", 400),
            ("GET /api/ HTTPS/1.1", 400),
            ("GET /api/ ICY/1.1", 400),
        ],
        |line| format!("{line}\r\nHost: h\r\n\r\n"),
    );
}

#[test]
fn header_fields() {
    check(
        &[
            ("X: y", 200),
            ("X:y", 200),
            ("X:   y\t ", 200),
            ("X:", 200),
            ("X: \u{e9}\u{1f600}", 200),
            ("!#$%&'*+-.^_`|~09: y", 200),
            ("X : y", 400),
            ("X\t: y", 400),
            ("Content-Length : 0", 400),
            ("Transfer-Encoding : chunked", 400),
            (" X: y", 400),
            ("X: y\r\n z", 400),
            ("X: y\r\n\tz", 400),
            ("X: y\r\n ", 400),
            ("X", 400),
            (": y", 400),
            ("X Y: z", 400),
            ("X(: y", 400),
            ("X\u{e9}: y", 400),
            ("X\0: y", 400),
            ("X: \0", 400),
            ("X: \u{1}", 400),
            ("X: \u{b}", 400),
            ("X: \u{1b}", 400),
            ("X: \u{7f}", 400),
            ("X: a\rb", 400),
            ("X: a\r", 400),
            ("X: a\nb: c", 400),
            ("X: a\n", 400),
            ("X: a\n\n", 400),
            ("X: a\r\r\n", 400),
            ("Expect: 200-ok", 417),
        ],
        |field| format!("GET /api/ HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n"),
    );
}

#[test]
fn hosts() {
    check(
        &[
            ("Host: h\r\n", 200),
            ("hOST:h\r\n", 200),
            ("Host: h.example:8080\r\n", 200),
            ("Host: [::1]:80\r\n", 200),
            ("Host: h:\r\n", 200),
            ("Host: h:65535\r\n", 200),
            ("Host:\r\n", 400),
            ("Host: :80\r\n", 400),
            ("Host: name:abc\r\n", 400),
            ("Host: name:99999\r\n", 400),
            ("Host: [::1\r\n", 400),
            ("Host: %zz\r\n", 400),
            ("", 400),
            ("X: y\r\n", 400),
            ("Host: h\r\nHost: h\r\n", 400),
            ("Host: h\r\nX: y\r\nhost: i\r\n", 400),
            ("Host: h i\r\n", 400),
            ("Host: h/api\r\n", 400),
            ("Host: u@h\r\n", 400),
            ("Host: h?q\r\n", 400),
            ("Host: h#f\r\n", 400),
            ("Host: h\\i\r\n", 400),
            ("Host: \u{e9}\r\n", 400),
        ],
        |host| format!("GET /api/ HTTP/1.1\r\n{host}\r\n"),
    );
}

#[test]
fn lengths() {
    check(
        &[
            ("Content-Length: 3", 401),
            ("content-length:3", 401),
            ("Content-Length:  3\t", 401),
            ("Content-Length: 0000003", 401),
            ("Content-Length: 3\r\nContent-Length: 3", 400),
            ("Content-Length: 3\r\ncontent-length: 4", 400),
            ("Content-Length: 3,3", 400),
            ("Content-Length: 3, 3", 400),
            ("Content-Length: 3 3", 400),
            ("Content-Length:", 400),
            ("Content-Length: +3", 400),
            ("Content-Length: -3", 400),
            ("Content-Length: -0", 400),
            ("Content-Length: 0x3", 400),
            ("Content-Length: 3a", 400),
            ("Content-Length: 3.0", 400),
            ("Content-Length: 3e0", 400),
            ("Content-Length: 3;q", 400),
            ("Content-Length: \"3\"", 400),
            ("Content-Length: \u{ff13}", 400),
            ("Content-Length: chunked", 400),
            ("Content-Length: 3\r\n Content-Length: 0", 400),
            ("Content-Length: 65537", 413),
            ("Content-Length: 18446744073709551619", 413),
            ("Content-Length: 3\r\nTransfer-Encoding: chunked", 400),
            ("Transfer-Encoding: chunked\r\nContent-Length: 3", 400),
            ("Transfer-Encoding: identity\r\nContent-Length: 3", 400),
        ],
        |field| format!("POST /api/refresh HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\nabc"),
    );
}

#[test]
fn transfer_codings() {
    check(
        &[
            ("Transfer-Encoding: chunked", 401),
            ("TRANSFER-ENCODING:CHUNKED\t", 401),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
            ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", 400),
            ("Transfer-Encoding: chunked, chunked", 400),
            ("Transfer-Encoding: gzip, chunked", 400),
            ("Transfer-Encoding: chunked, gzip", 400),
            ("Transfer-Encoding: chunked,", 400),
            ("Transfer-Encoding: ,chunked", 400),
            ("Transfer-Encoding: gzip", 400),
            ("Transfer-Encoding: identity", 400),
            ("Transfer-Encoding:", 400),
            ("Transfer-Encoding: xchunked", 400),
            ("Transfer-Encoding: chunkedx", 400),
            ("Transfer-Encoding: chunked;q=1", 400),
            ("Transfer-Encoding: \"chunked\"", 400),
            ("Transfer-Encoding: chun ked", 400),
            ("Transfer-Encoding: \u{b}chunked", 400),
            ("Transfer-Encoding: \u{212a}chunked", 400),
            ("Transfer-Encoding:\r\n chunked", 400),
        ],
        |field| {
            format!("POST /api/refresh HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        },
    );
}

#[test]
fn chunks() {
    check(
        &[
            ("3\r\nabc\r\n0\r\n\r\n", 401),
            ("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", 401),
            ("0003\r\nabc\r\n00\r\n\r\n", 401),
            ("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", 401),
            ("3;x=y;z=\"q\"\r\nabc\r\n0;last\r\n\r\n", 401),
            ("3\r\nabc\r\n0\r\nT: u\r\nContent-Length: 9\r\n\r\n", 401),
            ("\r\n3\r\nabc\r\n0\r\n\r\n", 400),
            ("3\nabc\n0\n\n", 400),
            ("3\r\nabc\n0\r\n\r\n", 400),
            ("3\rabc\r\n0\r\n\r\n", 400),
            ("3\r\nabc0\r\n\r\n", 400),
            ("3\r\nabcd\r\n0\r\n\r\n", 400),
            ("3\r\nab\r\n0\r\n\r\n", 400),
            ("3 \r\nabc\r\n0\r\n\r\n", 400),
            (" 3\r\nabc\r\n0\r\n\r\n", 400),
            ("+3\r\nabc\r\n0\r\n\r\n", 400),
            ("-3\r\nabc\r\n0\r\n\r\n", 400),
            ("0x3\r\nabc\r\n0\r\n\r\n", 400),
            ("3_0\r\nabc\r\n0\r\n\r\n", 400),
            ("g\r\nabc\r\n0\r\n\r\n", 400),
            (";x\r\n\r\n", 400),
            ("3;a\nb\r\nabc\r\n0\r\n\r\n", 400),
            ("3;a\0\r\nabc\r\n0\r\n\r\n", 400),
            ("3;a\rb\r\nabc\r\n0\r\n\r\n", 400),
            ("0\r\n\n", 400),
            ("0\r\n\rX", 400),
            ("0\n\r\n", 400),
            ("0\r\nno colon\r\n\r\n", 400),
            ("0\r\n: x\r\n\r\n", 400),
            ("0\r\nT : u\r\n\r\n", 400),
            ("0\r\nT: u\n\r\n", 400),
            ("0\r\nT: \0\r\n\r\n", 400),
            ("0\r\nT: u\r\n folded\r\n\r\n", 400),
            ("10001\r\n", 413),
            ("ffffffffffffffff\r\n", 413),
            ("10000000000000003\r\nabc\r\n0\r\n\r\n", 413),
        ],
        |body| {
            format!(
                "POST /api/refresh HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
            )
        },
    );
}

#[test]
fn connections_end_when_one_side_says_so() {
    let target = Target::start(&[]);
    for (bytes, expected) in [
        ("GET /api/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", vec![200]),
        ("GET /api/ HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n", vec![200]),
        ("GET /api/ HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", vec![200, 200]),
        ("GET /api/ HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n", vec![200, 200]),
        ("GET /api/ HTTP/1.0\r\n\r\n", vec![200]),
        ("GET /api/ HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", vec![200, 200]),
        ("GET /api/ HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", vec![200]),
        ("GET /api/ HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", vec![400]),
        ("POST /api/refresh HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", vec![400]),
        ("POST /api/refresh HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\na", vec![401]),
        (
            "POST /api/refresh HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na",
            vec![401, 200],
        ),
    ] {
        let got = conversation(target.address, (bytes.to_owned() + NEXT).as_bytes());
        assert_eq!(got, Ok(expected), "{bytes:?}");
    }
    target.unharmed();
}

#[test]
fn other_protocols_get_one_answer() {
    let target = Target::start(&[]);
    let mut hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    hello.extend((0..501u32).map(|byte| (byte * 7 % 256) as u8));
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00\x00\x00\x00\x00";
    for (bytes, expected) in [
        (&hello[..], vec![400]),
        (b"\x16", vec![400]),
        (preface, vec![505]),
        (b"SSH-2.0-OpenSSH_9.9\r\n", vec![]),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", vec![400]),
        (b"\x80\x2e\x01\x03\x01", vec![400]),
        (b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00", vec![400]),
        (b"\x05\x01\x00", vec![400]),
        (b"*1\r\n$4\r\nPING\r\n", vec![]),
        (b"EHLO me\r\n\r\n", vec![400]),
        (b"\0\0\0\0", vec![400]),
        (b"\xff\xff\xff\xff\r\n\r\n", vec![400]),
    ] {
        let got = conversation(target.address, bytes);
        assert_eq!(got, Ok(expected), "{bytes:?}");
    }
    target.unharmed();
}
