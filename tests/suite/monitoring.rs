//! What one sees of a running server: metrics, log lines, request ids, readiness, `lictor health`.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Client, Dir, PASSWORD, SECRET, Server, eventually, finish, lictor, outcome, request, wait,
};

/// The address of the metrics, which the log names.
fn metrics_of(server: &Server) -> SocketAddr {
    let log = server.log();
    let named = log.split("metrics: http://").nth(1).unwrap_or_else(|| panic!("{log}"));
    named.split('/').next().unwrap().parse().unwrap()
}

/// The text of the metrics.
fn scrape(address: SocketAddr) -> String {
    try_scrape(address).expect("metrics, but the connection was closed")
}

/// The text of the metrics; `None` if the server closes the connection first, or gives it up because it
/// has not read the request in time.
fn try_scrape(address: SocketAddr) -> Option<String> {
    let mut client = Client::connect(address);
    client.send(request("GET", "/metrics", &[], ""));
    let reply = client.try_reply("GET").filter(|reply| reply.status() != 408)?;
    assert_eq!(reply.status(), 200, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    Some(reply.body)
}

/// The value of a sample; `None` if it is not there.
fn sample(page: &str, sample: &str) -> Option<f64> {
    let value = page.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
    Some(value.parse().unwrap())
}

/// Waits until a sample has a value. A page is given out for a second.
#[track_caller]
fn comes(address: SocketAddr, name: &str, expected: f64) {
    eventually(|| sample(&scrape(address), name) == Some(expected));
}

#[test]
fn metrics_count_what_happens() {
    let server = Server::start(&["--metrics", "127.0.0.1:0"]);
    let metrics = metrics_of(&server);
    let token = server.register("ada", PASSWORD).token();
    for _ in 0..3 {
        assert_eq!(server.protected(&token).status(), 200);
    }
    assert_eq!(server.protected("x").status(), 401);
    assert_eq!(server.login("ada", PASSWORD).status(), 200);
    assert_eq!(server.login("ada", "five paper lanterns").status(), 401);
    assert_eq!(server.get("/api/nothing/at/all").status(), 404);
    let mut client = server.connect();
    client.send("no request\r\n\r\n");
    assert_eq!(client.reply("GET").status(), 400);

    let requests = "lictor_http_requests_total";
    let protected = "method=\"GET\",route=\"/api/protected\"";
    comes(metrics, &format!("{requests}{{{protected},status=\"401\"}}"), 1.0);
    comes(metrics, &format!("{requests}{{{protected},status=\"200\"}}"), 3.0);
    comes(metrics, &format!("lictor_http_request_duration_seconds_count{{{protected}}}"), 4.0);
    comes(metrics, "lictor_logins_total{outcome=\"success\"}", 1.0);
    comes(metrics, "lictor_logins_total{outcome=\"failure\"}", 1.0);
    comes(metrics, "lictor_audit_events_total{event=\"registration\"}", 1.0);
    comes(metrics, "lictor_password_hash_duration_seconds_count", 3.0);
    comes(metrics, "lictor_queue_wait_seconds_count{pool=\"hash\"}", 3.0);
    // It is closed after a minute, so the waits above come before it.
    let mut idle = server.connect();
    idle.send(request("GET", "/api/", &[], ""));
    assert_eq!(idle.reply("GET").status(), 200);
    comes(metrics, "lictor_connections{state=\"idle\"}", 1.0);
    let page = scrape(metrics);
    for (name, expected) in [
        (format!("{requests}{{method=\"\",route=\"other\",status=\"404\"}}"), 1.0),
        (format!("{requests}{{method=\"\",route=\"refused\",status=\"400\"}}"), 1.0),
        ("lictor_queue_length{pool=\"hash\"}".into(), 0.0),
        ("lictor_queue_limit{pool=\"hash\"}".into(), 256.0),
        ("lictor_queue_refused_total{pool=\"hash\",reason=\"full\"}".into(), 0.0),
        ("lictor_ready".into(), 1.0),
        ("lictor_database_up".into(), 1.0),
        ("lictor_sweeps_total".into(), 0.0),
        ("lictor_mails_waiting".into(), 0.0),
    ] {
        assert_eq!(sample(&page, &name), Some(expected), "{name}: {page}");
    }
    // A page may be made while a connection is accepted.
    eventually(|| sample(&scrape(metrics), "lictor_connections_accepted_total") >= Some(10.0));
    // No path that a client has made up, no name, no address.
    for secret in ["nothing/at", "ada", "127.0.0.1", token.as_str()] {
        assert!(!page.contains(secret), "{secret}: {page}");
    }
}

#[test]
fn a_flood_of_logins_is_seen_in_the_queue() {
    // A machine on which the queue is emptied as it fills does not do so three times.
    assert!((0..3).any(|_| a_flood_fills_the_queue()), "nobody was refused");
}

/// Sends many logins at once, and looks at the metrics; says whether some had no place in the queue.
fn a_flood_fills_the_queue() -> bool {
    let server = Server::start(&["--metrics", "127.0.0.1:0", "--hash-threads", "1"]);
    let metrics = metrics_of(&server);
    // One address has 64 places of 256. The passwords of an unknown name are compared as well.
    let login = json!({"username": "nobody", "password": PASSWORD}).to_string();
    let login = request("POST", "/api/login", &[], &login);
    // All have arrived before the server goes on and reads the first.
    server.signal("-STOP");
    let mut clients: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.send(&login));
    server.signal("-CONT");
    let answers: Vec<u16> =
        clients.iter_mut().map(|client| client.reply("POST").status()).collect();
    let count = |status| answers.iter().filter(|&&answer| answer == status).count() as f64;
    if count(503) == 0.0 {
        return false;
    }
    comes(metrics, "lictor_queue_refused_total{pool=\"hash\",reason=\"client\"}", count(503));
    comes(metrics, "lictor_throttled_requests_total", count(429));
    comes(metrics, "lictor_logins_total{outcome=\"throttled\"}", count(429));
    let waits = scrape(metrics);
    let waited = sample(&waits, "lictor_queue_wait_seconds_sum{pool=\"hash\"}").unwrap();
    assert!(waited > 0.0, "{waits}");
    true
}

#[test]
fn the_port_of_the_metrics_has_nothing_else_and_bears_bad_clients() {
    let server = Server::start(&["--metrics", "127.0.0.1:0"]);
    let metrics = metrics_of(&server);
    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "/api/protected", 404),
        ("POST", "/metrics", 405),
        ("HEAD", "/metrics", 200),
    ] {
        let mut client = Client::connect(metrics);
        client.send(request(method, path, &[], ""));
        assert_eq!(client.reply(method).status(), status, "{method} {path}");
    }
    assert!(!server.get("/metrics").body.contains("lictor_ready"), "not on the other port");
    // Many more connections than the port has, with half a head each; some send on and on.
    let mut clients: Vec<TcpStream> =
        (0..300).map(|_| TcpStream::connect(metrics).unwrap()).collect();
    for client in &mut clients {
        // The server may have closed it for the next one.
        let _ = client.write_all(b"GET /metrics HTTP/1.1\r\nHost: ");
    }
    for _ in 0..3 {
        // While the server has not read what all of them sent, there is no room for another.
        eventually(|| try_scrape(metrics).is_some());
        clients.iter_mut().for_each(|client| drop(client.write_all(&[b'x'; 1000])));
    }
    assert_eq!(server.get("/api/health").status(), 200);
    let (code, _) = server.stop("-TERM");
    assert_eq!(code, Some(0), "its open connections do not keep the server");
}

#[test]
fn without_the_flag_there_are_no_metrics_and_a_taken_port_is_an_error() {
    let server = Server::start(&[]);
    assert!(!server.log().contains("metrics"), "{}", server.log());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = Dir::new();
    let mut command = lictor(&dir.0, &["serve", "--metrics", &address]);
    command.env("LICTOR_LISTEN", "127.0.0.1:0").env("SECRET_KEY", SECRET);
    let (code, _, err) = outcome(&finish(command, ""));
    assert_eq!(code, 1, "{err}");
    assert!(err.contains(&format!("cannot listen for metrics on {address}")), "{err}");
    assert!(err.contains("with --metrics"), "{err}");
}

/// The lines of the log that contain a text.
fn lines(server: &Server, text: &str) -> Vec<String> {
    server.log().lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

/// Whether a line of the log has a number of seconds behind `name`, with a fraction.
fn seconds(line: &str, name: &str) -> bool {
    let value = line.split(name).nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    value.contains('.') && value.parse::<f64>().is_ok_and(|seconds| seconds >= 0.0)
}

#[test]
fn each_request_is_a_line_at_debug() {
    let server = Server::start(&["--log", "debug"]);
    let token = server.register("ada", PASSWORD).token();
    server.protected(&token);
    server.send("GET", "/api/x%0aERROR", &[], "");
    eventually(|| lines(&server, "GET /api/x").len() == 1);
    let line = &lines(&server, " GET /api/protected 200 ")[0];
    assert!(line.contains("route=/api/protected "), "{line}");
    assert!(seconds(line, " time="), "{line}");
    // With a database across a network it waits for the query.
    let waits = line.contains(" pool=check ") && seconds(line, " wait=");
    assert!(waits || !line.contains("pool="), "{line}");
    let line = &lines(&server, " POST /api/registration 200 ")[0];
    for part in ["127.0.0.1 ", " route=/api/registration ", " pool=hash "] {
        assert!(line.contains(part), "{line}");
    }
    assert!(seconds(line, " wait=") && seconds(line, " time="), "{line}");
    assert!(lines(&server, "GET /api/x")[0].contains(" 404 route=other time="));
}

#[test]
fn a_client_begins_no_line_of_the_log() {
    for format in ["text", "json"] {
        let server = Server::start(&["--log", "debug", "--log-format", format]);
        for evil in ["\u{85}ERROR", "\u{2028}ERROR", "\u{202e}x", "%0aERROR", "\"},{\"", "\\u0041"]
        {
            server.login(&format!("{evil}a"), PASSWORD);
            let agent = [("User-Agent", evil), ("X-Request-Id", "mine\tis")];
            server.send("GET", &format!("/{evil}"), &agent, "");
        }
        server.get("/api/the-end");
        eventually(|| !lines(&server, "/api/the-end").is_empty());
        let log = server.log();
        for line in log.lines() {
            assert!(!line.chars().any(char::is_control), "{line:?}");
            assert!(!line.contains("mine"), "{line:?}");
            match format {
                "text" => assert!(line.starts_with("20") && line.len() > 27, "{line:?}"),
                _ => {
                    let json: Value = serde_json::from_str(line).expect(line);
                    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
                    assert_eq!(keys, ["level", "message", "target", "time"], "{line}");
                }
            }
        }
    }
}

#[test]
fn with_json_everything_is_json() {
    let json = |text: &str| -> Value { serde_json::from_str(text).expect(text) };
    let flags = ["serve", "--log-format", "json", "--listen"];
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (args, variables, code, what) in [
        (&[flags.as_slice(), &[&address]].concat()[..], &[][..], 1, "cannot listen on "),
        (&[], &[("LICTOR_LOG_FORMAT", "json"), ("LICTOR_WBE", "off")], 2, "LICTOR_WBE"),
        (&["--wbe"], &[("LICTOR_LOG_FORMAT", "json")], 2, "--wbe"),
        (&[flags.as_slice(), &["nowhere", "--wbe"]].concat(), &[], 2, "--wbe"),
        (&["--log-format=json"], &[("LICTOR_WBE", "off")], 2, "LICTOR_WBE"),
        (&["--env-file", "none", "--log-format", "json"], &[], 2, "--env-file"),
    ] {
        let dir = Dir::new();
        let mut command = lictor(&dir.0, args);
        command.env("SECRET_KEY", SECRET).envs(variables.iter().copied());
        let (found, out, err) = outcome(&command.output().unwrap());
        assert_eq!((found, out.as_str()), (code, ""), "{err}");
        let lines: Vec<Value> = err.lines().map(json).collect();
        let last = lines.last().unwrap();
        assert_eq!(last["level"], "error");
        assert!(last["message"].as_str().unwrap().contains(what), "{last}");
    }
    let server = Server::start(&["--log-format", "json"]);
    assert!(server.log().lines().all(|line| json(line).is_object()), "{}", server.log());
}

#[test]
fn lines_for_the_journal_have_their_priority() {
    for (stream, prefix) in [(true, "<6>20"), (false, "20")] {
        let dir = Dir::new();
        let path = dir.0.join("log");
        // The server's standard error is this file.
        let file = File::create(&path).unwrap().metadata().unwrap();
        let inode = file.ino() + u64::from(!stream);
        let mut command = lictor(&dir.0, &["serve", "--listen", "127.0.0.1:0"]);
        command.env("SECRET_KEY", SECRET).env("JOURNAL_STREAM", format!("{}:{inode}", file.dev()));
        let server = Server::spawn(dir, command);
        let info = lines(&server, "INFO  database: ");
        assert!(info.len() == 1 && info[0].starts_with(prefix), "{}", server.log());
        server.login("nobody", PASSWORD);
        eventually(|| !lines(&server, "WARN  login-failed").is_empty());
        let warning = lines(&server, "WARN  login-failed");
        assert_eq!(warning[0].starts_with("<4>"), stream, "{warning:?}");
    }
}

#[test]
fn an_error_of_the_server_has_an_id_that_its_log_line_has_too() {
    let server = Server::start(&["--log", "debug"]);
    let token = server.register("ada", PASSWORD).token();
    server.dir.sql().execute("ALTER TABLE users RENAME TO people", &[]);
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", &*bearer), ("X-Request-Id", "0123456789abcdef")];
    let mut ids = Vec::new();
    for _ in 0..2 {
        let reply = server.send("GET", "/api/protected", &headers, "");
        assert_eq!(reply.error(), (500, "InternalError".into()));
        let id = reply.json()["request_id"].as_str().unwrap().to_owned();
        assert_eq!(reply.header("x-request-id"), Some(&*id));
        assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        eventually(|| lines(&server, &id).len() == 2);
        let logged = lines(&server, &id);
        assert!(logged[0].contains("ERROR InternalError: "), "{logged:?}");
        assert!(logged[1].contains("route=/api/protected"), "{logged:?}");
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
    assert!(!ids.contains(&headers[1].1.to_owned()), "never that of the client");
    let refused = server.protected("x");
    assert_eq!(refused.header("x-request-id"), None, "{refused:?}");
    assert_eq!(refused.json().get("request_id"), None);
}

#[test]
fn a_stop_can_be_put_off_until_a_balancer_has_noticed() {
    let mut server = Server::start(&["--drain-delay", "10m"]);
    let token = server.register("ada", PASSWORD).token();
    let mut kept = server.connect();
    let ready = request("GET", "/api/ready", &[], "");
    kept.send(&ready);
    let reply = kept.reply("GET");
    assert_eq!((reply.status(), reply.body.as_str()), (200, r#"{"status":"ready"}"#));
    server.signal("-TERM");
    eventually(|| server.get("/api/ready").status() == 503);
    kept.send(&ready);
    let reply = kept.reply("GET");
    assert_eq!(reply.error(), (503, "Unavailable".into()), "on a connection from before");
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(server.protected(&token).status(), 200, "everything else goes on");
    assert_eq!(server.login("ada", PASSWORD).status(), 200);
    assert_eq!(server.get("/api/health").status(), 200, "the server is well");
    // The second signal ends the delay.
    server.signal("-TERM");
    assert_eq!(wait(&mut server.child).code(), Some(0));
}

#[test]
fn a_short_delay_ends_by_itself() {
    let mut server = Server::start(&["--drain-delay", "1s"]);
    server.signal("-TERM");
    // Not ready any more, or gone: at any moment, also between these steps.
    eventually(|| {
        let Ok(stream) = TcpStream::connect(server.address) else { return true };
        let mut client = Client::over(stream);
        let sent = client.stream.write_all(request("GET", "/api/ready", &[], "").as_bytes());
        let reply = sent.ok().and_then(|()| client.try_reply("GET"));
        reply.is_none_or(|reply| reply.status() == 503)
    });
    assert_eq!(wait(&mut server.child).code(), Some(0));
    let dir = Dir::new();
    let (code, _, err) = outcome(&finish(lictor(&dir.0, &["check", "--drain-delay", "11m"]), ""));
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("--drain-delay must be at most 10 minutes"), "{err}");
}

/// Runs `lictor health`; returns the exit code and the message.
fn health(args: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let dir = Dir::new();
    let mut command = lictor(&dir.0, &[&["health"], args].concat());
    command.envs(environment.iter().copied());
    let (code, out, err) = outcome(&finish(command, ""));
    assert_eq!(out, "");
    assert!(!dir.file().exists(), "it opens no database");
    (code, err)
}

/// Like [`health`], if the answer can come in time. The command gives up after two seconds; a machine
/// that stands still for longer does not do so three times.
fn health_in_time(args: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let mut found = health(args, environment);
    for _ in 0..2 {
        if found.1.contains("within 2 s") {
            found = health(args, environment);
        }
    }
    found
}

#[test]
fn health_asks_the_server_that_serve_would_be() {
    let server = Server::start(&["--drain-delay", "10m"]);
    let address = server.address.to_string();
    let port = server.address.port();
    for (args, environment) in [
        (vec!["--listen", &*address], vec![]),
        (vec![], vec![("LICTOR_LISTEN", &*address)]),
        (vec![], vec![("LICTOR_LISTEN", &*format!("0.0.0.0:{port}"))]),
        (vec![], vec![("PORT", &*port.to_string())]),
        (vec![&*format!("http://localhost:{port}/api/ready")], vec![]),
    ] {
        let found = health_in_time(&args, &environment);
        assert_eq!(found, (0, String::new()), "{args:?} {environment:?}");
    }
    server.signal("-TERM");
    eventually(|| server.get("/api/ready").status() == 503);
    let (code, message) = health_in_time(&[&format!("http://{address}/api/ready")], &[]);
    assert_eq!(code, 1);
    assert!(
        message.contains("503 Service Unavailable") && message.contains("stopping"),
        "{message}"
    );
    assert_eq!(health(&[&format!("http://{address}/api/nothing")], &[]).0, 1);
}

/// Accepts connections, and lets `serve` have each.
fn strange_server(serve: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| drop(thread::spawn(move || serve(stream))))
    });
    format!("http://{address}/")
}

#[test]
fn health_waits_for_nobody() {
    // Each of these would keep a client for ever that only limits each read.
    let silent = strange_server(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let dripping = strange_server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let endless = strange_server(|mut stream| while stream.write_all(&[b'x'; 4096]).is_ok() {});
    let closing = strange_server(drop);
    let bound = TcpListener::bind("127.0.0.1:0").unwrap();
    let backlog = format!("http://{}/", bound.local_addr().unwrap());
    // A port that was free a moment ago may be that of another test now.
    let closed = "http://127.0.0.1:1/".to_owned();
    let rows = [
        (silent, "within 2 s"),
        (dripping, "within 2 s"),
        (endless, "not HTTP/1.1"),
        (closing, "http://127.0.0.1"),
        (backlog, "within 2 s"),
        (closed, "refused"),
    ];
    let check = |url: &str, why: &str| {
        let ask = if why == "within 2 s" { health } else { health_in_time };
        let (code, message) = ask(&[url], &[]);
        assert_eq!(code, 1, "{url}: {message}");
        assert!(message.contains(why), "{message}");
        assert_eq!(message.lines().count(), 2, "{message}");
    };
    thread::scope(|scope| {
        for (url, why) in &rows {
            scope.spawn(move || check(url, why));
        }
    });
    for url in ["https://127.0.0.1/", "127.0.0.1:5000", "http://a/\u{1b}[2J", "http://a/\r\nX: y"] {
        let (code, message) = health(&[url], &[]);
        assert_eq!(code, 2, "{message}");
        assert!(message.contains("http://127.0.0.1:5000"), "{message}");
        assert!(!message.contains('\u{1b}'), "{message}");
    }
}
