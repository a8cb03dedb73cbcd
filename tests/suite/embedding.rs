//! lictor inside another program: routes of its own, requests from another server.

use std::io::Read as _;

use lictor::clock::Timestamp;
use lictor::http::{Header, Request, Response};
use lictor::{
    App, Call, Config, Cors, Error, Handler, Identity, Network, Origin, Route, Secret, Site,
};

use crate::support::{Dir, PASSWORD, SECRET};

fn open(config: Config) -> Site {
    Site::new(App::open(config).unwrap()).unwrap()
}

fn greet(call: &Call<'_>, user: &Identity) -> Result<Response, Error> {
    let roles: Vec<_> = user.roles().iter().collect();
    Ok(Response::json(200, &serde_json::json!([user.id(), user.name(), roles, call.now.0])))
}

fn broken(_: &Call<'_>) -> Result<Response, Error> {
    Err(Error::Internal("the cause is for the log".into()))
}

#[test]
fn guarded_routes_of_ones_own() {
    let dir = Dir::new();
    let config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    let site = open(config)
        .with_route(Route::new("GET", "/api/greet", Handler::user(greet)))
        .with_route(Route::new("GET", "/broken", Handler::public(broken)));
    let now = Timestamp(1_800_000_000);

    let mut registration = Request::new("POST", "/api/registration", &[]);
    let body = serde_json::json!({"username": "ada", "password": PASSWORD}).to_string();
    registration.body = body.as_bytes();
    let token: serde_json::Value =
        serde_json::from_slice(site.handle(&registration, now).body()).unwrap();
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let headers = [Header { name: "authorization", value: bearer.as_bytes() }];

    let greeted = site.handle(&Request::new("GET", "/api/greet", &headers), now);
    assert_eq!(greeted.body(), br#"[1,"ada",["user"],1800000000]"#);
    // Time is what the caller says.
    let late = Timestamp(now.0 + 86_401);
    assert_eq!(site.handle(&Request::new("GET", "/api/greet", &headers), late).status, 401);
    assert_eq!(site.handle(&Request::new("GET", "/api/greet", &[]), now).status, 401);

    let failed = site.handle(&Request::new("GET", "/broken", &[]), now);
    assert_eq!(failed.status, 500);
    assert!(!String::from_utf8_lossy(failed.body()).contains("cause"));
}

#[test]
fn guessing_is_slowed_down_on_the_callers_clock() {
    let dir = Dir::new();
    let mut config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    config.trusted_proxies = vec![Network::parse("10.0.0.0/8").unwrap()];
    let site = open(config);
    let send = |path: &str, from: &str, name: &str, password: &str, after: i64| {
        let headers = [Header { name: "X-Forwarded-For", value: from.as_bytes() }];
        let body = serde_json::json!({"username": name, "password": password}).to_string();
        let mut request = Request::new("POST", path, &headers);
        request.body = body.as_bytes();
        request.peer = Some([10, 0, 0, 1].into());
        assert_eq!(site.app().client_ip(&request), Some(from.parse().unwrap()));
        let response = site.handle(&request, Timestamp(1_800_000_000 + after));
        let wait = response.headers().find(|(name, _)| *name == "Retry-After");
        (response.status, wait.map(|(_, wait)| wait.parse::<i64>().unwrap()))
    };
    assert_eq!(send("/api/registration", "192.0.2.1", "ada", PASSWORD, 0).0, 200);
    let login =
        |from: &str, password: &str, after: i64| send("/api/login", from, "ada", password, after);
    for (from, password, after, expected) in [
        ("192.0.2.2", "wrong", 0, (401, None)),
        ("192.0.2.3", "wrong", 0, (401, None)),
        ("192.0.2.4", "wrong", 0, (401, None)),
        ("192.0.2.5", "wrong", 0, (401, None)),
        ("192.0.2.6", "wrong", 0, (401, None)),
        ("192.0.2.7", "wrong", 0, (429, Some(1))),
        ("192.0.2.7", PASSWORD, 0, (429, Some(1))),
        ("192.0.2.1", PASSWORD, 0, (200, None)),
        ("192.0.2.7", "wrong", 1, (401, None)),
        ("192.0.2.7", "wrong", 1, (429, Some(2))),
        ("192.0.2.7", "wrong", 3, (401, None)),
        ("192.0.2.7", PASSWORD, 6, (429, Some(1))),
        ("192.0.2.7", PASSWORD, 7, (200, None)),
        ("192.0.2.8", "wrong", 7, (401, None)),
    ] {
        assert_eq!(login(from, password, after), expected, "{from} {password} after {after} s");
    }
}

#[test]
fn pages_of_other_origins_are_refused_before_anything_is_done() {
    let dir = Dir::new();
    let mut config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    config.cors = Cors::Only(vec![Origin::parse("https://app.example").unwrap()]);
    let site = open(config);
    let register = |name: &str, origin: &str| {
        let headers = [
            Header { name: "Host", value: b"login.example" },
            Header { name: "Origin", value: origin.as_bytes() },
        ];
        let body = serde_json::json!({"username": name, "password": PASSWORD}).to_string();
        let mut request = Request::new("POST", "/api/registration", &headers);
        request.body = body.as_bytes();
        site.handle(&request, Timestamp(1_800_000_000)).status
    };
    for (origin, expected) in [
        ("https://evil.example", 403),
        ("null", 403),
        ("https://app.example", 200),
        ("https://login.example", 409),
    ] {
        assert_eq!(register("ada", origin), expected, "{origin}");
    }
}

#[test]
fn the_examples_work() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    for example in ["embedded", "tiny_http"] {
        let dir = Dir::new();
        // `cargo test` builds the examples beside the tests; `cargo test --test suite` does not.
        let tests = std::env::current_exe().unwrap();
        let binary = tests.parent().unwrap().parent().unwrap().join("examples").join(example);
        let mut child = Command::new(binary)
            .args(["127.0.0.1:0", "app.db"])
            .current_dir(&dir.0)
            .env("SECRET_KEY", SECRET)
            .stdout(Stdio::piped())
            .spawn()
            .expect("run `cargo build --examples` first");
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        let address = line.trim().rsplit_once("http://").unwrap().1.to_owned();
        let ask = |method: &str, path: &str, header: &str, body: &str| {
            let mut stream = std::net::TcpStream::connect(&address).unwrap();
            let length = body.len();
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{header}Content-Length: {length}\r\n\r\n{body}"
            )
            .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let registered = ask(
            "POST",
            "/api/registration",
            "",
            &serde_json::json!({"username": "ada", "password": PASSWORD}).to_string(),
        );
        let token = registered.split('"').nth(3).unwrap();
        let greeted = ask("GET", "/api/greet", &format!("Authorization: Bearer {token}\r\n"), "");
        let refused = ask("GET", "/api/greet", "", "");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            greeted.starts_with("HTTP/1.1 200") && greeted.contains("Good day, ada"),
            "{example}: {greeted}"
        );
        assert!(
            refused.starts_with("HTTP/1.1 401") && refused.contains("MissingToken"),
            "{example}: {refused}"
        );
    }
}
