//! Bodies that are small for the sender and expensive for a careless reader.

use std::time::{Duration, Instant};

use super::vitals::Target;
use crate::support::request;

/// The largest body.
const BODY: usize = 64 * 1024;
/// The time limit of every bomb. A password hash alone takes a few hundredths of a second; on a loaded
/// machine, where a plain login takes long, a bomb may take this many times as long.
const BOUND: Duration = Duration::from_secs(2);
const TIMES: u32 = 20;

/// The largest body with as many `unit`s as fit between `before` and `after`.
fn filled(before: &str, unit: &str, after: &str) -> String {
    let room = BODY - before.len() - after.len();
    format!("{before}{}{after}", unit.repeat(room / unit.len()))
}

fn plain_login(target: &Target) -> Duration {
    let start = Instant::now();
    assert_eq!(target.login("nobody", "ten wooden lanterns").status(), 401);
    start.elapsed()
}

/// Sends every bomb as a login and as a registration; checks its status and its time.
fn check(bombs: &[String], expected: &[u16]) {
    let target = Target::start_warm();
    for bomb in bombs {
        for path in ["/api/login", "/api/registration"] {
            let explode = || {
                let mut client = target.connect();
                let start = Instant::now();
                client.send(request("POST", path, &[], bomb));
                let reply = client.reply("POST");
                let took = start.elapsed();
                assert!(expected.contains(&reply.status()), "{path} {bomb:.80}: {reply:?}");
                reply.error();
                assert!(reply.body.len() < 1024, "{path} {bomb:.80}: {reply:?}");
                client.send("GET /api/ HTTP/1.1\r\nHost: h\r\n\r\n");
                assert_eq!(client.reply("GET").status(), 200, "the connection goes on");
                took < BOUND || took < TIMES * plain_login(&target)
            };
            assert!((0..3).any(|_| explode()), "{path} {bomb:.80} took too long");
        }
    }
    target.unharmed();
}

#[test]
fn deep_nesting() {
    let closed = |open: &str, close: &str, depth| open.repeat(depth) + "1" + &close.repeat(depth);
    let within = |inner: &str| format!(r#"{{"username":"ada","password":{inner}}}"#);
    check(
        &[
            filled("", "[", ""),
            filled("", r#"{"a":"#, ""),
            filled("", "[{\"\":", ""),
            closed("[", "]", BODY / 2 - 1),
            closed(r#"{"a":"#, "}", BODY / 6 - 1),
            within(&closed("[", "]", 30_000)),
            within(&closed("[", "]", 127)),
            within(&closed(r#"{"password":"#, "}", 4_000)),
        ],
        &[400],
    );
}

#[test]
fn long_texts() {
    let name = r#"{"password":"ten wooden lanterns","username":""#;
    let word = r#"{"username":"ada","password":""#;
    let mut bombs = Vec::new();
    // Plain, escaped, composed to nothing, decomposed to eighteen times as much, reordered,
    // mapped to another case, written from right to left, of no width.
    for unit in [
        "x",
        r"\u0061",
        r"\ud83d\ude00",
        "\u{e9}",
        "e\u{301}",
        "\u{fdfa}",
        "\u{301}\u{323}\u{301}",
        "\u{1e9e}\u{130}",
        "\u{5d0}\u{661}",
        "\u{200d}",
        "\u{3000}",
        r"\u0000",
    ] {
        for before in [name, word] {
            bombs.push(filled(before, unit, "\"}"));
        }
    }
    check(&bombs, &[400, 401]);
}

#[test]
fn many_keys_and_values() {
    let numbered = |make: &dyn Fn(usize) -> String| {
        let mut body = String::from("{");
        for number in 0.. {
            let next = make(number);
            if body.len() + next.len() >= BODY {
                break;
            }
            body += &next;
        }
        body.pop();
        body + "}"
    };
    check(
        &[
            numbered(&|number| format!("\"{number}\":1,")),
            numbered(&|number| format!("\"username{}\":[],", number % 7)),
            numbered(&|_| "\"username\":{},".into()),
            numbered(&|number| format!("\"password\":{number},")),
            filled("[", "1,", "1]"),
            filled("[", "{},", "{}]"),
            filled("[", "\"\",", "\"\"]"),
            filled("{\"username\":[", "[],", "[]],\"password\":1}"),
            filled("", " ", "{}"),
            filled("{", " \r\n\t", "}"),
            filled("", "{}", ""),
            filled("", "\u{feff}", ""),
        ],
        &[400],
    );
}

#[test]
fn the_last_of_many_equal_keys_counts_everywhere() {
    let target = Target::start_warm();
    let twice = |field: &str, last: &str| filled("{", &format!("{field}:\"no\","), last);
    let body = twice("\"username\"", r#""username":"ada","password":"ten wooden lanterns"}"#);
    let send = |path: &str, body: &str| target.send("POST", path, &[], body).status();
    assert_eq!(send("/api/registration", &body), 200);
    assert_eq!(send("/api/login", &body), 200);
    let body = twice("\"password\"", r#""username":"ada","password":"ten wooden lanterns"}"#);
    assert_eq!(send("/api/login", &body), 200);
    let body = twice("\"password\"", r#""username":"ada"}"#);
    assert_eq!(send("/api/login", &body), 401);
    target.unharmed();
}

#[test]
fn big_numbers() {
    let value = |number: String| format!(r#"{{"username":{number},"password":{number}}}"#);
    check(
        &[
            filled(r#"{"username":"#, "9", ",\"password\":1}"),
            filled(r#"{"username":0."#, "9", ",\"password\":1}"),
            filled(r#"{"username":1e"#, "9", ",\"password\":1}"),
            filled(r#"{"username":1e-"#, "9", ",\"password\":1}"),
            filled(r#"{"username":-0."#, "0", "1,\"password\":1}"),
            value("18446744073709551616".into()),
            value("-9223372036854775809".into()),
            value("1e309".into()),
            value("5e-324".into()),
            value("2.2250738585072011e-308".into()),
            value("-0".into()),
        ],
        &[400],
    );
}
