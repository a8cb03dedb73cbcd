//! Browser sessions: the cookie that one login gives for reading and for the apps behind a proxy, what
//! it is good for, and what ends it.

use std::fs;

use serde_json::{Value, json};

use crate::support::{PASSWORD, Reply, Server, assert_without, payload};

pub const URL: &str = "https://login.example.org";
pub const HOST: &str = "login.example.org";
pub const SECURE: &str = "__Host-lictor";
const ENDED: (u16, &str) = (401, "SessionEndedError");
const SEVERAL: (u16, &str) = (401, "SeveralSessionsError");
pub const FOREIGN: (u16, &str) = (403, "OriginNotAllowed");
pub const NO_BEARER: (u16, &str) = (401, "MissingToken");

pub type Fields<'a> = &'a [(&'a str, &'a str)];

/// Sends a request to the server as if it had this name.
pub fn ask(
    server: &Server,
    host: &str,
    method: &str,
    path: &str,
    fields: Fields<'_>,
    body: &str,
) -> Reply {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in fields {
        text += &format!("{name}: {value}\r\n");
    }
    if !fields.iter().any(|(name, _)| *name == "Content-Type") {
        text += "Content-Type: application/json\r\n";
    }
    let mut client = server.connect();
    client.send(format!("{text}Content-Length: {}\r\n\r\n{body}", body.len()));
    client.reply(method)
}

/// A server behind a proxy with TLS.
pub fn start(flags: &[&str]) -> Server {
    let server = Server::start(&[&["--public-url", URL], flags].concat());
    server.add("ada");
    server
}

pub fn credentials(name: &str) -> Value {
    json!({"username": name, "password": PASSWORD})
}

pub fn log_in(server: &Server) -> Reply {
    let body = credentials("ada").to_string();
    ask(server, HOST, "POST", "/api/session", &[("Origin", URL)], &body)
}

/// The names and values of the cookies that an answer sets, and their attributes.
pub fn set_cookies(reply: &Reply) -> Vec<(String, String, String)> {
    let lines = reply.head.lines().filter_map(|line| line.strip_prefix("Set-Cookie: "));
    let parts = lines.map(|line| {
        let (pair, attributes) = line.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned(), attributes.to_owned())
    });
    parts.filter(|(name, ..)| name != "lictor_device").collect()
}

/// The session's cookie of an answer, as a browser sends it.
pub fn cookie(reply: &Reply) -> String {
    assert_eq!(reply.status(), 200, "{reply:?}");
    let [(name, value, _)] = &set_cookies(reply)[..] else { panic!("no cookie: {reply:?}") };
    format!("{name}={value}")
}

/// Whether the browser forgets its session's cookie.
pub fn forgets(reply: &Reply) -> bool {
    let cookies = set_cookies(reply);
    assert!(cookies.iter().all(|(_, value, _)| value.is_empty()), "{reply:?}");
    for (name, _, attributes) in &cookies {
        let secure = if name == "lictor" { "" } else { "; Secure" };
        let expected = format!("Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}");
        assert!(attributes.starts_with(&expected), "{reply:?}");
    }
    !cookies.is_empty()
}

pub fn get(server: &Server, path: &str, cookie: &str) -> Reply {
    ask(server, HOST, "GET", path, &[("Cookie", cookie)], "")
}

/// The `jti` of the session that a cookie is for.
pub fn jti(cookie: &str) -> &str {
    cookie.split_once('.').unwrap().1
}

pub fn is(reply: &Reply, expected: (u16, &str)) {
    let (status, name) = reply.error();
    assert_eq!((status, name.as_str()), expected, "{reply:?}");
}

pub fn is_ended(reply: &Reply) {
    is(reply, ENDED);
    assert!(forgets(reply), "{reply:?}");
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
}

#[test]
fn the_cookie_has_the_attributes_of_the_way_that_it_goes() {
    let proxy = ["--trusted-proxy", "127.0.0.1"];
    let domain = ["--public-url", URL, "--cookie-domain", "Example.org"];
    let (https, http) = (("X-Forwarded-Proto", "https"), ("X-Forwarded-Proto", "http"));
    let secure = "Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure";
    let plain = "Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax";
    let whole = format!("{secure}; Domain=example.org");
    let (host, shared) = (Some((SECURE, secure)), Some(("__Secure-lictor", whole.as_str())));
    let local = Some(("lictor", plain));
    type Row<'a> = (&'a str, Fields<'a>, Option<(&'a str, &'a str)>);
    let check = |flags: &[&str], rows: &[Row<'_>]| {
        let server = Server::start(&[flags, &["--throttle", "off"]].concat());
        server.add("ada");
        for (name, fields, expected) in rows {
            let body = credentials("ada").to_string();
            let reply = ask(&server, name, "POST", "/api/session", fields, &body);
            match expected {
                Some((name, attributes)) => {
                    let [(found, _, theirs)] = &set_cookies(&reply)[..] else {
                        panic!("{reply:?}")
                    };
                    assert_eq!(
                        (found.as_str(), theirs.as_str()),
                        (*name, *attributes),
                        "{fields:?}"
                    );
                }
                None => is(&reply, (400, "InsecureCookie")),
            }
        }
        server
    };
    check(
        &["--public-url", URL],
        &[
            (HOST, &[("Origin", URL)], host),
            (HOST, &[], host),
            ("127.0.0.1:5000", &[], host),
            ("192.168.1.5", &[("Origin", "http://192.168.1.5")], local),
        ],
    );
    check(
        &domain,
        &[(HOST, &[("Origin", URL)], shared), ("[::1]", &[("Origin", "http://[::1]")], local)],
    );
    let server = check(
        &[],
        &[
            ("127.0.0.1:5000", &[], local),
            ("localhost:5000", &[("Origin", "http://localhost:5000")], local),
            ("10.1.2.3", &[], local),
            ("[fd00::1]:80", &[], local),
            ("127.0.0.1", &[("Origin", "https://127.0.0.1")], host),
            ("test", &[], None),
            ("login.lan", &[("Origin", "http://login.lan")], None),
            ("192.0.2.1", &[], None),
            // Nobody has named the proxy.
            ("login.lan", &[https], None),
        ],
    );
    assert_eq!(server.log().matches("logs in over plain HTTP").count(), 1, "{}", server.log());
    let behind = [("X-Forwarded-Host", "login.lan"), http];
    check(
        &proxy,
        &[
            ("login.lan", &[https], host),
            ("login.lan", &[("X-Forwarded-Proto", "HTTPS, http")], host),
            ("login.lan", &[http], None),
            // What counts is the name that the client has used.
            ("127.0.0.1:5000", &behind, None),
            ("127.0.0.1:5000", &[("X-Forwarded-Host", "10.0.0.1"), http], local),
        ],
    );
}

#[test]
fn a_cookie_that_is_not_to_be_remembered_goes_with_the_browser() {
    let server = start(&["--throttle", "off"]);
    let origin = ("Origin", URL);
    let check = |path: &str, fields: Fields<'_>, body: &Value, lasts: bool| {
        let reply = ask(&server, HOST, "POST", path, fields, &body.to_string());
        assert_eq!(reply.status(), 200, "{path} {reply:?}");
        let [(_, value, attributes)] = &set_cookies(&reply)[..] else { panic!("{reply:?}") };
        // The cookie of a token's session has lost the time since then.
        let (age, rest) = match attributes.strip_prefix("Path=/; Max-Age=") {
            Some(age) => age.split_once("; ").unwrap(),
            None => ("", attributes.strip_prefix("Path=/; ").unwrap()),
        };
        let kept = age.parse::<i64>().is_ok_and(|age| (2_592_000 - 600..=2_592_000).contains(&age));
        assert_eq!((kept, age.is_empty()), (lasts, !lasts), "{body}: {attributes}");
        assert_eq!(rest, "HttpOnly; SameSite=Lax; Secure", "{body}: {attributes}");
        // It is the same session at the server.
        let shown = format!("{SECURE}={value}");
        assert_eq!(get(&server, "/api/me", &shown).status(), 200);
    };
    for (remember, lasts) in [(json!(false), false), (json!(true), true), (Value::Null, true)] {
        let mut body = credentials("ada");
        body["remember"] = remember.clone();
        check("/api/session", &[origin], &body, lasts);
        body["cookie"] = json!(true);
        check("/api/login", &[origin], &body, lasts);
        let token = server.login("ada", PASSWORD).token();
        let bearer = format!("Bearer {token}");
        let fields = [origin, ("Authorization", bearer.as_str())];
        check("/api/session", &fields, &json!({"remember": remember}), lasts);
    }

    let token = server.login("ada", PASSWORD).token();
    let bearer = format!("Bearer {token}");
    let fields = [origin, ("Authorization", bearer.as_str())];
    let mut wrong = credentials("ada");
    wrong["remember"] = json!("no");
    for (fields, body) in [
        (&fields[..1], wrong),
        (&fields[..], json!({"remember": "no"})),
        (&fields[..], json!({"remember": false, "username": "ada"})),
        (&fields[..], json!(false)),
    ] {
        let reply = ask(&server, HOST, "POST", "/api/session", fields, &body.to_string());
        is(&reply, (400, "BadRequest"));
        assert!(set_cookies(&reply).is_empty(), "{reply:?}");
    }
}

#[test]
fn a_login_without_a_token_is_good_for_reading_alone() {
    let server = start(&[]);
    let reply = log_in(&server);
    let json = reply.json();
    assert_eq!(json.as_object().unwrap().len(), 2, "{reply:?}");
    assert_eq!(json["user"], "ada");
    let left = json["expires"].as_i64().unwrap() - crate::support::now();
    assert!((2_592_000 - 600..=2_592_000).contains(&left), "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let cookie = cookie(&reply);
    assert_without(&server.log(), &[PASSWORD, &cookie], &"the log");

    for path in ["/api/protected", "/api/me", "/api/sessions", "/api/verify"] {
        for method in ["GET", "HEAD"] {
            let reply = ask(&server, HOST, method, path, &[("Cookie", &cookie)], "");
            assert_eq!((reply.status(), forgets(&reply)), (200, false), "{method} {path}");
        }
    }
    let sessions = get(&server, "/api/sessions", &cookie).json();
    let [session] = &sessions["sessions"].as_array().unwrap()[..] else { panic!("{sessions}") };
    assert_eq!((&session["current"], &session["browser"]), (&json!(true), &json!(true)));
    assert_eq!(session["seen"], session["created"]);
    // Nor for what administrators read.
    assert_eq!(server.user(&["roles", "ada", "--set", "admin"], "").0, 0);
    for path in ["/api/admin/users", "/api/admin/audit"] {
        is(&get(&server, path, &cookie), (401, "MissingToken"));
    }

    // Not for a change, wherever the page is from.
    let id = jti(&cookie);
    for (method, path) in [
        ("POST", "/api/logout"),
        ("POST", "/api/logout/all"),
        ("PUT", "/api/password"),
        ("DELETE", "/api/me"),
        ("DELETE", &format!("/api/sessions/{id}")),
        ("PUT", "/api/admin/users/1/active"),
    ] {
        for fields in [&[("Cookie", cookie.as_str())][..], &[("Cookie", &cookie), ("Origin", URL)]]
        {
            is(&ask(&server, HOST, method, path, fields, "{}"), NO_BEARER);
        }
    }
    // It is no token, and gets none.
    let value = cookie.split_once('=').unwrap().1;
    for token in [value, id] {
        let bearer = format!("Bearer {token}");
        let invalid = (401, "InvalidTokenHeader");
        is(
            &ask(&server, HOST, "GET", "/api/protected", &[("Authorization", &bearer)], ""),
            invalid,
        );
        is(&ask(&server, HOST, "POST", "/api/refresh", &[], token), invalid);
        let old = format!("access_token={token}");
        is(&get(&server, "/api/protected", &old), invalid);
    }
    assert_eq!(
        ask(&server, HOST, "POST", "/api/refresh", &[("Cookie", &cookie)], "").status(),
        401
    );
}

#[test]
fn a_login_with_a_cookie_is_refused_as_one_with_a_token() {
    let server = start(&[]);
    let log_in = |body: &Value| {
        ask(&server, HOST, "POST", "/api/session", &[("Origin", URL)], &body.to_string())
    };
    let wrong = json!({"username": "ada", "password": "nine wooden lanterns"});
    let nobody = json!({"username": "eve", "password": PASSWORD});
    for (body, expected) in [
        (&wrong, (401, "AuthenticationError")),
        (&nobody, (401, "AuthenticationError")),
        (&json!({"username": "ada"}), (400, "BadRequest")),
        (&json!({}), (400, "BadRequest")),
    ] {
        let reply = log_in(body);
        is(&reply, expected);
        assert_eq!(set_cookies(&reply), [], "{reply:?}");
    }
    let audit = server.dir.sql();
    let events = || audit.texts("SELECT event FROM audit ORDER BY id").split_off(1);
    assert_eq!(events(), ["login-failed", "login-failed"]);
    assert_eq!(log_in(&credentials("ada")).status(), 200);
    assert_eq!(events().last().unwrap(), "login");
    // One count for both endpoints: another one would admit ten. The first waits are short, and one
    // that is over by the next try doubles the next.
    let tries = (0..100).find_map(|_| Some(log_in(&wrong)).filter(|reply| reply.status() != 401));
    is(&tries.expect("a wait"), (429, "TooManyRequests"));
    let login = || server.post("/api/login", &wrong);
    let refused = (0..8).map(|_| login()).find(|reply| reply.status() != 401);
    is(&refused.expect("a wait"), (429, "TooManyRequests"));
    assert_eq!(server.user(&["unlock", "ada"], "").0, 0);
    assert_eq!(server.user(&["deactivate", "ada"], "").0, 0);
    is(&log_in(&credentials("ada")), (403, "InvalidUserError"));
}

#[test]
fn pages_of_other_origins_get_no_cookie() {
    let server = start(&["--throttle", "off"]);
    let with_cookie = json!({"username": "ada", "password": PASSWORD, "cookie": true}).to_string();
    let without = credentials("ada").to_string();
    for origin in
        ["https://evil.example", "http://login.example.org", "null", "https://wiki.example.org"]
    {
        let fields = [("Origin", origin)];
        for (path, body) in [("/api/session", &without), ("/api/login", &with_cookie)] {
            let reply = ask(&server, HOST, "POST", path, &fields, body);
            is(&reply, FOREIGN);
            assert_eq!(set_cookies(&reply), [], "{origin}");
        }
        let reply = ask(&server, HOST, "POST", "/api/login", &fields, &without);
        reply.token();
        assert_eq!(set_cookies(&reply), [], "{origin}");
    }
    // Browsers that do not name the origin.
    let site = |site| ("Sec-Fetch-Site", site);
    let kind = |kind| ("Content-Type", kind);
    let bad = (400, "BadRequest");
    for (fields, expected) in [
        (&[site("cross-site"), kind("application/json")][..], Some(FOREIGN)),
        (&[site("same-site"), kind("text/plain")], Some(FOREIGN)),
        (&[site("cross-site"), ("Origin", URL)], Some(FOREIGN)),
        (&[site("none"), site("cross-site")], Some(FOREIGN)),
        (&[kind("text/plain")], Some(bad)),
        (&[kind("application/x-www-form-urlencoded")], Some(bad)),
        (&[kind("multipart/form-data; boundary=application/json")], Some(bad)),
        (&[kind("text/plain; application/json")], Some(bad)),
        (&[kind("")], Some(bad)),
        (&[site("none"), kind("text/plain")], Some(bad)),
        (&[kind("Application/JSON ; charset=utf-8")], None),
        (&[site("same-origin"), kind("text/plain")], None),
        (&[("Origin", URL), kind("text/plain")], None),
    ] {
        for (path, body) in [("/api/session", &without), ("/api/login", &with_cookie)] {
            let reply = ask(&server, HOST, "POST", path, fields, body);
            match expected {
                Some(expected) => is(&reply, expected),
                None => assert_eq!(reply.status(), 200, "{fields:?}"),
            }
            assert_eq!(set_cookies(&reply).is_empty(), expected.is_some(), "{fields:?}");
        }
    }
}

#[test]
fn a_login_gives_a_token_and_a_cookie_of_one_session() {
    let server = start(&[]);
    let body = json!({"username": "ada", "password": PASSWORD, "cookie": true}).to_string();
    let reply = ask(&server, HOST, "POST", "/api/login", &[("Origin", URL)], &body);
    let (token, cookie) = (reply.token(), cookie(&reply));
    assert_eq!(payload(&token)["jti"], jti(&cookie));
    assert_eq!(get(&server, "/api/protected", &cookie).status(), 200);
    for (body, expected) in [
        ("{\"cookie\":1}", "cookie: must be true or false"),
        ("{\"cookie\":true}", "username: is missing"),
    ] {
        let reply = ask(&server, HOST, "POST", "/api/login", &[("Origin", URL)], body);
        assert_eq!((reply.status(), &reply.json()["message"]), (400, &json!(expected)));
    }
    // The end of the one is the end of the other.
    let bearer = format!("Bearer {token}");
    let fields = [("Authorization", bearer.as_str()), ("Cookie", &cookie)];
    let reply = ask(&server, HOST, "POST", "/api/logout", &fields, "");
    assert!(reply.status() == 200 && forgets(&reply), "{reply:?}");
    is_ended(&get(&server, "/api/protected", &cookie));
    is(&server.protected(&token), (403, "BlacklistedError"));
}

#[test]
fn a_token_gets_the_cookie_of_its_own_session() {
    let server = start(&[]);
    let token = server.login("ada", PASSWORD).token();
    let bearer = format!("Bearer {token}");
    let post = |fields: Fields<'_>, body| ask(&server, HOST, "POST", "/api/session", fields, body);
    let with_token = ("Authorization", bearer.as_str());
    let sessions = |token: &str| server.send_as(token, "GET", "/api/sessions", "").json();
    assert_eq!(sessions(&token)["sessions"][0]["browser"], false);
    assert_eq!(sessions(&token)["sessions"][0]["seen"], Value::Null);
    // The cookie of a session that has none does not exist.
    for body in ["", "{}", " {}\n"] {
        let reply = post(&[with_token, ("Origin", URL)], body);
        assert_eq!(jti(&cookie(&reply)), payload(&token)["jti"]);
        assert_eq!(reply.json()["user"], "ada");
        assert_eq!(reply.json()["expires"], payload(&token)["rf_exp"]);
    }
    let cookie = cookie(&post(&[with_token], ""));
    assert_eq!(get(&server, "/api/protected", &cookie).status(), 200);
    assert_eq!(sessions(&token)["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(sessions(&token)["sessions"][0]["browser"], true);
    let body = credentials("ada").to_string();
    is(&post(&[with_token], &body), (400, "BadRequest"));
    is(&post(&[with_token, ("Origin", "https://evil.example")], ""), FOREIGN);
    is(&post(&[("Authorization", "Bearer x")], ""), (401, "InvalidTokenHeader"));
    // A cookie gets no other one.
    is(&post(&[("Cookie", &cookie), ("Origin", URL)], ""), (400, "BadRequest"));

    // Logging out with the token of another session leaves this one alone.
    let other = format!("Bearer {}", server.login("ada", PASSWORD).token());
    let fields = [("Authorization", other.as_str()), ("Cookie", &cookie)];
    let reply = ask(&server, HOST, "POST", "/api/logout", &fields, "");
    assert!(reply.status() == 200 && !forgets(&reply), "{reply:?}");
    assert_eq!(get(&server, "/api/protected", &cookie).status(), 200);
    let fields = [with_token, ("Cookie", &cookie)];
    assert!(forgets(&ask(&server, HOST, "POST", "/api/logout/all", &fields, "")));
    is_ended(&get(&server, "/api/protected", &cookie));
    is(&post(&[with_token], ""), (403, "BlacklistedError"));
}

#[test]
fn cookies_that_somebody_else_has_set_neither_count_nor_harm() {
    let server = start(&["--throttle", "off"]);
    let [good, other, ended] = [(); 3].map(|()| cookie(&log_in(&server)));
    let end = "UPDATE sessions SET ended = 1 WHERE jti = $1";
    assert_eq!(server.dir.sql().execute(end, &[&jti(&ended)]), 1);
    let token = server.login("ada", PASSWORD).token();
    let value = good.split_once('=').unwrap().1;
    let forged = format!("{SECURE}=AAAAAAAAAAAAAAAAAAAAAA.{}", jti(&good));
    let many = |bad: usize| format!("{}{good}", format!("{forged}; ").repeat(bad));
    let fifty: String = (0..50).map(|number| format!("c{number}=x; ")).collect();
    for (line, expected) in [
        (good.clone(), None),
        (format!("{good}; {good}"), None),
        (format!("{forged}; {good}"), None),
        (format!("{SECURE}=; {SECURE}=x; {good}; {SECURE}=y"), None),
        (many(7), None),
        (format!("{fifty}{good}"), None),
        (format!("{SECURE}=\"{value}\""), None),
        (format!("{good}; access_token=x"), None),
        (format!("{forged}; access_token={token}"), None),
        (format!("{}; {other}", many(7)), Some(SEVERAL)),
        (format!("{}; {SECURE}=x", many(7)), Some(SEVERAL)),
        (many(8), Some(SEVERAL)),
        (forged.clone(), Some(ENDED)),
        (format!("{good}x"), Some(ENDED)),
        (format!("{SECURE}={}", jti(&good)), Some(ENDED)),
        (format!("{SECURE}={token}"), Some(ENDED)),
        (format!("{good}; {other}"), Some(SEVERAL)),
        (format!("{good}; {other}; access_token={token}"), Some(SEVERAL)),
        (format!("{ended}; access_token={token}"), Some(ENDED)),
        // Names that the settings and the request do not fit.
        (format!("lictor={value}"), Some(NO_BEARER)),
        (format!("__Secure-lictor={value}"), Some(NO_BEARER)),
        (format!("__host-lictor={value}"), Some(NO_BEARER)),
        (format!("{SECURE}2={value}"), Some(NO_BEARER)),
    ] {
        let reply = get(&server, "/api/protected", &line);
        match expected {
            None => assert_eq!((reply.status(), forgets(&reply)), (200, false), "{line}"),
            Some(expected) => {
                is(&reply, expected);
                assert_eq!(forgets(&reply), expected == ENDED, "{line}");
            }
        }
    }
    // Neither of the two sessions has ended by that.
    for cookie in [&good, &other] {
        assert_eq!(get(&server, "/api/protected", cookie).status(), 200);
    }
    // Over plain HTTP on this machine the plain name counts as well.
    let plain = format!("lictor={value}");
    let fields = [("Cookie", plain.as_str()), ("Origin", "http://127.0.0.1")];
    assert_eq!(ask(&server, "127.0.0.1", "GET", "/api/protected", &fields, "").status(), 200);
    // A header decides alone.
    let fields = [("Cookie", good.as_str()), ("Authorization", "Bearer x")];
    let reply = ask(&server, HOST, "GET", "/api/protected", &fields, "");
    is(&reply, (401, "InvalidTokenHeader"));
}

#[test]
fn a_required_second_factor_is_required_of_a_cookie() {
    let server = start(&["--require-second-factor", "all"]);
    let cookie = cookie(&log_in(&server));
    for path in ["/api/protected", "/api/sessions", "/api/verify"] {
        is(&get(&server, path, &cookie), (403, "SecondFactorMissing"));
    }
    assert_eq!(get(&server, "/api/me", &cookie).json()["second_factor_required"], true);
}

#[test]
fn when_a_cookie_was_last_shown_is_noted_to_some_minutes() {
    let server = start(&[]);
    let [old, new] = [(); 2].map(|()| cookie(&log_in(&server)));
    let now = crate::support::now();
    let database = server.dir.sql();
    let set = |cookie: &str, seen: i64| {
        let sql = "UPDATE sessions SET seen = $1 WHERE jti = $2";
        assert_eq!(database.execute(sql, &[&seen, &jti(cookie)]), 1);
    };
    set(&old, now - 400);
    set(&new, now - 200);
    for cookie in [&old, &new, &old] {
        assert_eq!(get(&server, "/api/protected", cookie).status(), 200);
    }
    let old_seen = |jti: &str| {
        let sql = format!("SELECT seen FROM sessions WHERE jti = '{jti}'");
        move |dir: &crate::support::Dir| dir.sql().number(&sql)
    };
    let (code, dir) = server.stop("-TERM");
    assert_eq!(code, Some(0));
    assert!(old_seen(jti(&old))(&dir) >= now);
    assert_eq!(old_seen(jti(&new))(&dir), now - 200);
}

#[test]
fn pages_learn_whether_to_ask_for_the_cookie() {
    for (flags, expected) in [(&[][..], false), (&["--cookie-domain", "example.org"], true)] {
        let server = start(flags);
        assert_eq!(server.get("/api/config").json()["cookie"], expected, "{flags:?}");
    }
}

#[test]
fn a_cookie_domain_must_be_one_that_the_login_is_below() {
    let dir = crate::support::Dir::new();
    let check = |domain: &str, url: &str| {
        let args = ["check", "--cookie-domain", domain, "--public-url", url];
        crate::support::outcome(&crate::support::run(&dir.0, &args, ""))
    };
    for (domain, url, expected) in [
        ("example.org", URL, ""),
        ("login.example.org", URL, ""),
        ("localhost", "http://localhost:5000", ""),
        (
            "example.com",
            URL,
            "lictor: --cookie-domain is example.com, but people log in at login.example.org",
        ),
        ("in.example.org", URL, "lictor: --cookie-domain is in.example.org, but people log in at"),
        ("org", URL, "lictor: --cookie-domain: \"org\" is no domain"),
        ("192.0.2.1", "http://192.0.2.1", "lictor: --cookie-domain: \"192.0.2.1\" is no domain"),
    ] {
        let (code, out, err) = check(domain, url);
        assert_eq!(code, if expected.is_empty() { 0 } else { 2 }, "{domain} {url}: {err}");
        assert!(err.starts_with(expected), "{domain} {url}: {err}");
        let row = format!("cookie domain    {domain}\n");
        assert!(code != 0 || out.contains(&row), "{out}");
    }
    assert!(!fs::exists(dir.file()).unwrap());
}
