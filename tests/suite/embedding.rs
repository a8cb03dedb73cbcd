//! lictor inside another program: routes of its own, requests from another server.

use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use lictor::clock::Timestamp;
use lictor::http::{Header, Request, Response};
use lictor::net::Stop;
use lictor::{
    App, Background, Call, Config, Cors, Error, Handler, Identity, MailSettings, Network, Origin,
    PageUrl, Registration, Role, Roles, Route, SecondFactorRule, Secret, Sender, Server, Site,
    Transport,
};

use crate::support::{Client, Dir, PASSWORD, PATIENCE, SECRET, eventually, request};

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

/// Registers `name` and returns the token.
fn register(site: &Site, name: &str, now: Timestamp) -> String {
    let body = serde_json::json!({"username": name, "password": PASSWORD}).to_string();
    let mut request = Request::new("POST", "/api/registration", &[]);
    request.body = body.as_bytes();
    let answer: serde_json::Value =
        serde_json::from_slice(site.handle(&request, now).body()).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn another_server_learns_who_calls() {
    let dir = Dir::new();
    let mut config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    config.require_second_factor = SecondFactorRule::Admin;
    let site = open(config);
    let now = Timestamp::now();
    let ada = register(&site, "ada", now);
    let admin = Roles::parse("admin").unwrap();
    site.app().add_user("root", None, PASSWORD, &admin).unwrap();
    let mut login = Request::new("POST", "/api/login", &[]);
    let body = serde_json::json!({"username": "root", "password": PASSWORD}).to_string();
    login.body = body.as_bytes();
    let root: serde_json::Value = serde_json::from_slice(site.handle(&login, now).body()).unwrap();
    let root = root["access_token"].as_str().unwrap().to_owned();

    let identify = |method: &str, field: &'static str, value: String| {
        let headers = [Header { name: field, value: value.as_bytes() }];
        let request = Request::new(method, "/notes", &headers);
        let found = site.app().identify(&request, now);
        found.map(|user| user.name().to_owned()).map_err(|error| error.kind().name)
    };
    let bearer =
        |method: &str, token: &str| identify(method, "Authorization", format!("Bearer {token}"));
    let cookie =
        |method: &str, token: &str| identify(method, "Cookie", format!("access_token={token}"));
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        assert_eq!(bearer(method, &ada), Ok("ada".into()), "{method}");
        assert_eq!(bearer(method, &format!("{ada}x")), Err("InvalidTokenHeader"), "{method}");
        // The operator asks administrators for a second factor.
        assert_eq!(bearer(method, &root), Err("SecondFactorMissing"), "{method}");
        // A page of another site can make a browser send the cookie along.
        let expected = match method {
            "GET" | "HEAD" => Ok("ada".into()),
            _ => Err("MissingToken"),
        };
        assert_eq!(cookie(method, &ada), expected, "{method}");
    }
    let nobody = Request::new("GET", "/notes", &[]);
    assert_eq!(site.app().identify(&nobody, now).unwrap_err().kind().name, "MissingToken");
}

#[test]
fn handlers_have_state_and_roles() {
    let dir = Dir::new();
    let mut config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    config.default_roles = Roles::parse("editor").unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let names = Arc::clone(&seen);
    let edit = Handler::role(Role::parse("editor").unwrap(), move |_, editor| {
        names.lock().unwrap().push(editor.name().to_owned());
        Ok(Response::json(200, &"edited"))
    });
    let print =
        Handler::role(Role::parse("printer").unwrap(), |_, _| Ok(Response::json(200, &"printed")));
    let site = open(config)
        .with_route(Route::new("POST", "/edit/{id}", edit).writes())
        .with_route(Route::new("POST", "/print", print).hashes());
    let now = Timestamp(1_800_000_000);
    let bearer = format!("Bearer {}", register(&site, "ada", now));
    let headers = [Header { name: "Authorization", value: bearer.as_bytes() }];
    let post = |path: &str, headers: &[Header<'_>]| {
        site.handle(&Request::new("POST", path, headers), now).status
    };
    assert_eq!(post("/edit/7", &headers), 200);
    assert_eq!(post("/edit/7", &[]), 401);
    assert_eq!(post("/print", &headers), 403);
    assert_eq!(*seen.lock().unwrap(), ["ada"]);
}

#[test]
fn accounts_are_made_by_the_rules_of_the_command_line() {
    let dir = Dir::new();
    let config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    let app = App::open(config).unwrap();
    let roles = Roles::parse("admin").unwrap();
    let add = |name: &str, email: Option<&str>, password: &str| {
        app.add_user(name, email, password, &roles).map_err(|error| error.kind().name)
    };
    assert_eq!(add("ada", Some("ada@example.org"), PASSWORD), Ok(1));
    assert_eq!(add("ADA", None, PASSWORD), Err("UsernameTaken"));
    assert_eq!(add("eve", None, "short"), Err("InvalidPassword"));
    assert_eq!(add("a b", None, PASSWORD), Err("InvalidUsername"));
    assert!(add("eve", Some("no address"), PASSWORD).is_err());
    // The name that was taken may have used up an id.
    assert!(add("eve", None, PASSWORD).is_ok_and(|id| id > 1));
    let audit = "SELECT event || ' ' || name || ' ' || detail FROM audit ORDER BY id";
    let audit = dir.sql().texts(audit);
    assert_eq!(audit, ["user-added ada admin", "user-added eve admin"]);
}

#[test]
fn background_threads_send_mail_and_end_when_dropped() {
    let dir = Dir::new();
    let mails = dir.0.join("mails");
    std::fs::create_dir(&mails).unwrap();
    let mut config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    config.public_url = Some(PageUrl::parse("https://login.example").unwrap());
    config.registration = Registration::Email;
    config.mail = Some(MailSettings::new(
        Transport::parse(&format!("dir:{}", mails.display())).unwrap(),
        Sender::parse("login@login.example").unwrap(),
    ));
    let app = Arc::new(App::open(config).unwrap());
    let site = Site::new(Arc::clone(&app)).unwrap();
    let background = Background::start(Arc::clone(&app)).unwrap();
    let body = serde_json::json!(
        {"username": "ada", "password": PASSWORD, "email": "ada@example.org"}
    );
    let body = body.to_string();
    let mut request = Request::new("POST", "/api/registration", &[]);
    request.body = body.as_bytes();
    assert_eq!(site.handle(&request, Timestamp::now()).status, 201);
    wait_for_mails(&mails, 1);
    let begun = Instant::now();
    drop(background);
    assert!(begun.elapsed() < PATIENCE, "the threads did not end");
    // The program itself can go on, and has all of the app again when the site is gone.
    drop(site);
    assert_eq!(Arc::strong_count(&app), 1);
}

/// Waits until the directory of mails holds `count` of them.
fn wait_for_mails(mails: &std::path::Path, count: usize) {
    eventually(|| std::fs::read_dir(mails).unwrap().count() >= count);
}

#[test]
fn an_app_has_one_background_at_a_time() {
    let dir = Dir::new();
    let mails = dir.0.join("mails");
    std::fs::create_dir(&mails).unwrap();
    let mut config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    config.listen = ([127, 0, 0, 1], 0).into();
    config.public_url = Some(PageUrl::parse("https://login.example").unwrap());
    config.registration = Registration::Email;
    config.mail = Some(MailSettings::new(
        Transport::parse(&format!("dir:{}", mails.display())).unwrap(),
        Sender::parse("login@login.example").unwrap(),
    ));
    let app = Arc::new(App::open(config).unwrap());
    assert_eq!(app.config().registration, Registration::Email);
    let site = Site::new(Arc::clone(&app)).unwrap();
    let register = |name: &str| {
        let email = format!("{name}@example.org");
        let body = serde_json::json!({"username": name, "password": PASSWORD, "email": email});
        let body = body.to_string();
        let mut request = Request::new("POST", "/api/registration", &[]);
        request.body = body.as_bytes();
        assert_eq!(site.handle(&request, Timestamp::now()).status, 201);
    };

    let first = Background::start(Arc::clone(&app)).unwrap();
    let refused = Background::start(Arc::clone(&app)).unwrap_err();
    assert_eq!(refused.what, "the background threads of this App run already");
    let server = Server::bind(Site::new(Arc::clone(&app)).unwrap()).unwrap();
    let refused = server.run(&Stop::new().unwrap()).unwrap_err();
    assert_eq!(refused.next, "keep the first Background; Server::run starts its own");
    // The ones that were refused have not ended the first.
    register("ada");
    wait_for_mails(&mails, 1);

    drop(first);
    let second = Background::start(Arc::clone(&app)).unwrap();
    register("bob");
    wait_for_mails(&mails, 2);
    drop(second);
}

#[test]
fn a_handler_that_panics_is_a_500_with_an_id_and_the_metrics_count_it_at_its_route() {
    let dir = Dir::new();
    let mut config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.metrics = Some(config.listen);
    let route = Route::new("GET", "/bug/{id}", Handler::public(|_| panic!("a handler's bug")));
    let server = Server::bind(open(config).with_route(route)).unwrap();
    let (address, metrics) = (server.address(), server.metrics_address().unwrap());
    let stop = Stop::new().unwrap();
    let stopper = stop.stopper().unwrap();
    let serving = std::thread::spawn(move || server.run(&stop));
    let ask = |address, path| {
        let mut client = Client::connect(address);
        client.send(request("GET", path, &[], ""));
        client.reply("GET")
    };
    let reply = ask(address, "/bug/7");
    assert_eq!(reply.error(), (500, "InternalError".into()));
    assert!(reply.json()["request_id"].as_str().is_some_and(|id| id.len() == 16), "{reply:?}");
    let count = "lictor_http_requests_total{method=\"GET\",route=\"/bug/{id}\",status=\"500\"} 1\n";
    eventually(|| ask(metrics, "/metrics").body.contains(count));
    stopper.stop();
    serving.join().unwrap().unwrap();
}

#[test]
#[should_panic(expected = "the route GET /api/sessions is not allowed: an earlier route")]
fn a_route_with_the_path_of_a_built_in_one_panics() {
    let dir = Dir::new();
    let config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    open(config).with_route(Route::new("GET", "/api/sessions", Handler::user(greet)));
}

#[test]
#[should_panic(expected = "the route get /x is not allowed: the method is not")]
fn a_route_with_a_method_in_lower_case_panics() {
    let dir = Dir::new();
    let config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    open(config).with_route(Route::new("get", "/x", Handler::user(greet)));
}

#[test]
fn a_path_with_the_text_of_a_pattern_has_a_parameter() {
    let dir = Dir::new();
    let config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    let echo = Handler::public(|call| Ok(Response::text(200, call.request.parameter)));
    let site = open(config).with_route(Route::new("GET", "/one/{a}", echo));
    let get = |path: &str| site.handle(&Request::new("GET", path, &[]), Timestamp(1_800_000_000));
    assert_eq!(get("/one/{a}").body(), b"{a}");
    assert_eq!(get("/one/").status, 404);
    let nosniff = ("X-Content-Type-Options", "nosniff");
    assert_eq!(get("/one/2").headers().filter(|field| *field == nosniff).count(), 1);
    assert_eq!(get("/api/").headers().filter(|field| *field == nosniff).count(), 1);
}

#[test]
fn a_role_can_be_required_of_an_identity() {
    let dir = Dir::new();
    let site = open(Config::new(dir.database(), Secret::new(SECRET).unwrap()));
    let now = Timestamp::now();
    let bearer = format!("Bearer {}", register(&site, "ada", now));
    let headers = [Header { name: "Authorization", value: bearer.as_bytes() }];
    let ada = site.app().identify(&Request::new("GET", "/notes", &headers), now).unwrap();
    assert!(ada.require_role(&Role::parse("user").unwrap()).is_ok());
    let refused = ada.require_role(&Role::parse("editor").unwrap()).unwrap_err();
    assert_eq!(refused.kind().status, 403);
}

#[test]
fn a_problem_with_the_database_has_the_error_of_sqlite() {
    use std::error::Error as _;
    let dir = Dir::new();
    std::fs::write(dir.file(), [b'x'; 4096]).unwrap();
    let problem = App::open(Config::new(dir.database(), Secret::new(SECRET).unwrap())).unwrap_err();
    let source = problem.source().unwrap().downcast_ref::<rusqlite::Error>().unwrap();
    assert_eq!(source.sqlite_error_code(), Some(rusqlite::ErrorCode::NotADatabase));
    // A `main` that returns the problem prints it like this.
    assert_eq!(format!("{problem:?}"), problem.to_string());
}

#[test]
fn the_examples_work() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    for example in ["embedded", "tiny_http", "axum"] {
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
            // At once: a server that answers before it has read the body closes the connection.
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{header}Content-Length: {length}\r\n\r\n{body}"
            );
            stream.write_all(request.as_bytes()).unwrap();
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
        // A route of the other server asks who calls.
        let note = |method: &str, header: &str| {
            let answer = ask(method, "/notes", &format!("{header}{token}\r\n"), "buy milk");
            (answer.split(' ').nth(1).unwrap().to_owned(), answer.contains("buy milk"))
        };
        let notes = [
            note("POST", "Authorization: Bearer "),
            note("GET", "Cookie: access_token="),
            note("POST", "Cookie: access_token="),
        ];
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
        let expected = [("200", true), ("200", true), ("401", false)];
        let expected = expected.map(|(status, has)| (status.to_owned(), has));
        assert!(example == "embedded" || notes == expected, "{example}: {notes:?}");
    }
}
