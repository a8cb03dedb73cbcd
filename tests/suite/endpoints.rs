//! The contract of the endpoints that everybody uses: each refusal with its name, and what must not
//! be in an answer or the log.

use serde_json::{Value, json};

use crate::support::{PASSWORD, Reply, SECRET, Server, assert_without, now, signed};

/// Method, path, headers, body; expected status and error name.
type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, (u16, &'a str));

fn check_errors(server: &Server, rows: &[Row<'_>]) {
    for (method, path, headers, body, expected) in rows {
        let reply = server.send(method, path, headers, body);
        let (status, name) = reply.error();
        assert_eq!((status, name.as_str()), *expected, "{method} {path} {headers:?} {body}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let challenge = reply.header("www-authenticate");
        assert_eq!(challenge, (status == 401).then_some("Bearer"), "{reply:?}");
        assert_without(&reply.body, &[PASSWORD, SECRET, "$argon2"], &reply);
    }
}

#[test]
fn register_log_in_and_refresh_without_a_secret_in_answers_or_log() {
    let server = Server::start(&["--log", "debug"]);
    assert_eq!(server.get("/api/").body, r#"{"Hello":"World"}"#);
    let healthy = r#"{"status":"ok","checks":{"read":"ok","write":"ok"}}"#;
    assert_eq!(server.get("/api/health").body, healthy);

    let registered = server.register("Ada", PASSWORD);
    assert_eq!(registered.header("cache-control"), Some("no-store"));
    let logged_in = server.login("ada", PASSWORD);
    assert_eq!(logged_in.header("cache-control"), Some("no-store"));
    let expected = r#"{"message":"protected endpoint (allowed usr Ada)"}"#;
    for token in [registered.token(), logged_in.token()] {
        assert_eq!(server.protected(&token).body, expected);
        let cookie = format!("a=b; access_token={token}");
        assert_eq!(server.send("GET", "/api/protected", &[("Cookie", &cookie)], "").body, expected);
    }
    assert_ne!(registered.token(), logged_in.token());

    let hash = server.dir.sql().text("SELECT password FROM users");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let signature = registered.token().rsplit_once('.').unwrap().1.to_owned();
    let log = server.log();
    assert!(log.contains("registration user=Ada id=1 from=127.0.0.1"), "{log}");
    assert!(log.contains("POST /api/login 200"), "{log}");
    assert_without(&log, &[PASSWORD, SECRET, &hash, "$argon2", &signature], &"the log");
    for reply in [&registered, &logged_in] {
        assert_without(&reply.body, &[PASSWORD, SECRET, &hash], reply);
    }
}

#[test]
fn logins() {
    let server = Server::start(&[]);
    server.register("ada", PASSWORD).token();
    server.register("idle", PASSWORD).token();
    assert_eq!(server.user(&["deactivate", "idle"], "").0, 0);
    let login =
        |name: &str, password: &str| json!({"username": name, "password": password}).to_string();
    let wrong = (401, "AuthenticationError");
    let bad = (400, "BadRequest");
    let post = |body: &str, expected: (u16, &str)| {
        check_errors(&server, &[("POST", "/api/login", &[], body, expected)]);
    };
    post(&login("ada", "another password"), wrong);
    post(&login("nobody", PASSWORD), wrong);
    post(&login("idle", "another password"), wrong);
    post(&login("idle", PASSWORD), (403, "InvalidUserError"));
    post(&login("ada", ""), wrong);
    post(&login("", ""), wrong);
    post(&login("ada", &format!("{PASSWORD}\0")), wrong);
    post(&login("ada", &PASSWORD.to_uppercase()), wrong);
    post(&login("ada", &"x".repeat(10_000)), wrong);
    post(&login("a'; DROP TABLE users; --", PASSWORD), wrong);
    for body in [
        "",
        "{",
        "[]",
        "null",
        "\"ada\"",
        "username=ada&password=x",
        r#"{"username":"ada"}"#,
        r#"{"password":"x"}"#,
        r#"{"username":null,"password":"x"}"#,
        r#"{"username":"ada","password":null}"#,
        r#"{"username":1,"password":"x"}"#,
        r#"{"username":["ada"],"password":"x"}"#,
        r#"{"username":"\ud800","password":"x"}"#,
    ] {
        post(body, bad);
    }
    post(&"[".repeat(60_000), bad);
    let missing = server.send("POST", "/api/login", &[], r#"{"username":"ada"}"#);
    assert_eq!(missing.json()["message"], "password: is missing");
    let log = server.log();
    assert!(log.contains("login-failed from=127.0.0.1"), "{log}");
    assert_without(&log, &[PASSWORD, "another password", "nobody"], &log);

    // The body is read as JSON, whatever the content type says and however the JSON is spelt.
    for headers in
        [&[][..], &[("Content-Type", "text/plain")], &[("Content-Type", "application/json")]]
    {
        server.send("POST", "/api/login", headers, &login("ADA", PASSWORD)).token();
    }
}

#[test]
fn an_email_address_logs_in_too() {
    let server = Server::start(&[]);
    let added = server.user(&["add", "ada", "--email", "Ada@Mail.example"], PASSWORD);
    assert_eq!(added.0, 0, "{added:?}");
    let token = server.login("ada@mail.EXAMPLE", PASSWORD).token();
    assert!(server.protected(&token).body.contains("(allowed usr ada)"));
}

#[test]
fn a_weak_hash_is_replaced_at_the_next_login() {
    let server = Server::start(&[]);
    server.register("ada", PASSWORD).token();
    let config = argon2_other::Config { mem_cost: 1024, ..argon2_other::Config::original() };
    let weak =
        argon2_other::hash_encoded(PASSWORD.as_bytes(), b"0123456789abcdef", &config).unwrap();
    let database = server.dir.sql();
    database.execute("UPDATE users SET password = $1", &[&weak]);
    assert_eq!(server.login("ada", "another password").status(), 401);
    let stored = || database.text("SELECT password FROM users");
    assert_eq!(stored(), weak);
    server.login("ada", PASSWORD).token();
    assert!(stored().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    server.login("ada", PASSWORD).token();
}

#[test]
fn registrations() {
    let server = Server::start(&[]);
    server.register("Ada", PASSWORD).token();
    let body =
        |name: &str, password: &str| json!({"username": name, "password": password}).to_string();
    let long_name = "x".repeat(65);
    let long_password = "x".repeat(1025);
    for (name, password, expected) in [
        ("Ada", PASSWORD, (409, "UsernameTaken")),
        ("aDa", "another password", (409, "UsernameTaken")),
        ("", PASSWORD, (400, "InvalidUsername")),
        ("a b", PASSWORD, (400, "InvalidUsername")),
        ("a\nb", PASSWORD, (400, "InvalidUsername")),
        (&long_name, PASSWORD, (400, "InvalidUsername")),
        ("bob@example.org", PASSWORD, (400, "InvalidUsername")),
        ("bob", "", (400, "InvalidPassword")),
        ("bob", "short", (400, "InvalidPassword")),
        ("bobby-tables", "Bobby-Tables", (400, "InvalidPassword")),
        ("bob", &long_password, (400, "InvalidPassword")),
        ("bob", "with\0nul and more", (400, "InvalidPassword")),
    ] {
        check_errors(
            &server,
            &[("POST", "/api/registration", &[], &body(name, password), expected)],
        );
    }
    for broken in ["", "[]", r#"{"username":7,"password":"x"}"#, r#"{"username":"bob"}"#] {
        check_errors(&server, &[("POST", "/api/registration", &[], broken, (400, "BadRequest"))]);
    }
    // The refused ones left nothing behind, and unusual names work.
    let unusual = "x".repeat(64);
    for (name, password) in
        [("bob", &*"x".repeat(1024)), (&unusual, PASSWORD), ("@Jürgen", "zażółć-🦀-пароль")]
    {
        let token = server.register(name, password).token();
        assert!(server.protected(&token).body.contains(name));
        server.login(name, password).token();
    }
}

#[test]
fn of_simultaneous_registrations_one_gets_the_name() {
    let server = Server::start(&[]);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| server.register("ada", PASSWORD).status())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
}

#[test]
fn closed_registration_refuses_everybody() {
    let server = Server::start(&["--registration", "closed"]);
    let refused = server.register("ada", PASSWORD);
    assert_eq!(refused.error(), (403, "RegistrationClosed".into()));
    assert_eq!(server.user(&["add", "ada"], PASSWORD).0, 0);
    server.login("ada", PASSWORD).token();
}

fn claims(changes: &Value) -> String {
    let mut claims = json!({
        "iat": now() - 200, "exp": now() + 600, "jti": "30c4ebee-8314-4802-bceb-ddb83e83ba2e",
        "id": 1, "rls": "", "rf_exp": now() + 1000,
    });
    for (claim, value) in changes.as_object().unwrap() {
        match value.as_str() {
            Some("gone") => claims.as_object_mut().unwrap().remove(claim),
            _ => claims.as_object_mut().unwrap().insert(claim.clone(), value.clone()),
        };
    }
    signed(&claims)
}

#[test]
fn tokens_for_access() {
    let server = Server::start(&["--adopt-tokens"]);
    server.add("ada");
    server.add_imported("idle");
    assert_eq!(server.user(&["deactivate", "idle"], "").0, 0);
    let good = claims(&json!({}));
    assert_eq!(server.protected(&good).status(), 200);
    // Roles in a token grant nothing and harm nothing.
    assert_eq!(server.protected(&claims(&json!({"rls": "admin"}))).status(), 200);
    for (changes, expected) in [
        (json!({"exp": now() - 1}), (401, "ExpiredAccessError")),
        (json!({"iat": now() + 500}), (401, "InvalidTokenHeader")),
        (json!({"nbf": now() + 500}), (401, "InvalidTokenHeader")),
        (json!({"exp": "soon"}), (401, "InvalidTokenHeader")),
        (json!({"id": "1"}), (401, "InvalidTokenHeader")),
        (json!({"jti": null}), (401, "InvalidTokenHeader")),
        (json!({"jti": "gone"}), (401, "MissingClaimError")),
        (json!({"id": "gone"}), (401, "MissingClaimError")),
        (json!({"exp": "gone"}), (401, "MissingClaimError")),
        (json!({"rf_exp": "gone"}), (401, "MissingClaimError")),
        (json!({"is_ert": true}), (401, "MisusedRegistrationToken")),
        (json!({"is_prt": true}), (401, "MisusedResetToken")),
        (json!({"id": 99}), (401, "MissingUserError")),
        (json!({"id": -1}), (401, "MissingUserError")),
        (json!({"id": i64::MIN}), (401, "MissingUserError")),
        (json!({"id": 2}), (403, "InvalidUserError")),
    ] {
        let header = format!("Bearer {}", claims(&changes));
        check_errors(
            &server,
            &[("GET", "/api/protected", &[("Authorization", &header)], "", expected)],
        );
    }
    let basic = [("Authorization", "Basic YTpi")];
    let twice = format!("Bearer {good}");
    let unsigned = format!("Bearer {}.", good.rsplit_once('.').unwrap().0);
    let cookie = format!("access_token={good}");
    check_errors(
        &server,
        &[
            ("GET", "/api/protected", &[], "", (401, "MissingToken")),
            ("GET", "/api/protected", &[("Cookie", "other=x")], "", (401, "MissingToken")),
            (
                "GET",
                "/api/protected",
                &[("Cookie", "access_token=x")],
                "",
                (401, "InvalidTokenHeader"),
            ),
            ("GET", "/api/protected", &basic, "", (401, "InvalidTokenHeader")),
            (
                "GET",
                "/api/protected",
                &[("Authorization", "Bearer")],
                "",
                (401, "InvalidTokenHeader"),
            ),
            (
                "GET",
                "/api/protected",
                &[("Authorization", "Bearer a.b.c")],
                "",
                (401, "InvalidTokenHeader"),
            ),
            (
                "GET",
                "/api/protected",
                &[("Authorization", &unsigned)],
                "",
                (401, "InvalidTokenHeader"),
            ),
            (
                "GET",
                "/api/protected",
                &[("Authorization", &twice), ("Authorization", &twice)],
                "",
                (401, "InvalidTokenHeader"),
            ),
            // A cookie does not count for changes: a page of another site may have sent it.
            ("POST", "/api/logout/all", &[("Cookie", &cookie)], "", (401, "MissingToken")),
            ("DELETE", "/api/me", &[("Cookie", &cookie)], "{}", (401, "MissingToken")),
            // A good cookie does not make up for a bad header.
            (
                "GET",
                "/api/protected",
                &[basic[0], ("Cookie", &cookie)],
                "",
                (401, "InvalidTokenHeader"),
            ),
        ],
    );
}

#[test]
fn a_deactivated_user_is_refused_at_once() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    assert_eq!(server.protected(&token).status(), 200);
    assert_eq!(server.user(&["deactivate", "ada"], "").0, 0);
    assert_eq!(server.protected(&token).error(), (403, "InvalidUserError".into()));
    assert_eq!(server.user(&["activate", "ada"], "").0, 0);
    assert_eq!(server.protected(&token).error(), (403, "BlacklistedError".into()));
    let token = server.login("ada", PASSWORD).token();
    assert_eq!(server.protected(&token).status(), 200);
    assert_eq!(server.user(&["delete", "ada", "--yes"], "").0, 0);
    assert_eq!(server.protected(&token).error(), (401, "MissingUserError".into()));
    // The name is free again, but the old token is not for its new owner.
    server.register("ada", PASSWORD).token();
    assert_eq!(server.protected(&token).error(), (401, "MissingUserError".into()));
}

#[test]
fn refreshes() {
    let lifespans = ["--access-lifespan", "300", "--refresh-lifespan", "3000"];
    let server = Server::start(&[&lifespans[..], &["--adopt-tokens"]].concat());
    server.add("ada");
    server.add_imported("idle");
    assert_eq!(server.user(&["deactivate", "idle"], "").0, 0);
    assert_eq!(server.user(&["roles", "ada", "--set", "admin,editor"], "").0, 0);
    let refresh = |token: &str| server.send("POST", "/api/refresh", &[], token);
    let payload = |reply: &Reply| -> Value {
        use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Decoder as _};
        let token = reply.token();
        let part = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&Base64UrlSafeNoPadding::decode_to_vec(part, None).unwrap()).unwrap()
    };

    let rf_exp = now() + 1000;
    let old = claims(&json!({"exp": now() - 10, "rf_exp": rf_exp, "rls": "boss"}));
    for reply in [
        refresh(&old),
        refresh(&format!("\"{old}\"")),
        refresh(&format!("\u{feff} \"{old}\"\r\n")),
        server.send("POST", "/api/refresh", &[("Authorization", &format!("Bearer {old}"))], ""),
    ] {
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let new = payload(&reply);
        assert_eq!(new["jti"], "30c4ebee-8314-4802-bceb-ddb83e83ba2e");
        assert_eq!((&new["id"], &new["rf_exp"]), (&json!(1), &json!(rf_exp)));
        assert_eq!(new["rls"], "admin,editor", "from the database, not from the token");
        assert_eq!(new["exp"].as_i64().unwrap() - new["iat"].as_i64().unwrap(), 300);
        assert!((now() - new["iat"].as_i64().unwrap()).abs() < 600);
        assert_eq!(server.protected(&reply.token()).status(), 200);
    }
    // A token never outlives its session.
    let short = payload(&refresh(&claims(&json!({"exp": now() - 10, "rf_exp": rf_exp - 900}))));
    assert_eq!(short["exp"], rf_exp - 900);

    let past = now() - 10;
    for (body, expected) in [
        (claims(&json!({})), (425, "EarlyRefreshError")),
        (claims(&json!({"exp": past, "rf_exp": past})), (401, "ExpiredRefreshError")),
        (claims(&json!({"exp": past, "id": 2})), (403, "InvalidUserError")),
        (claims(&json!({"exp": past, "id": 99})), (401, "MissingUserError")),
        (claims(&json!({"exp": past, "jti": "gone"})), (401, "MissingClaimError")),
        (claims(&json!({"exp": past, "is_prt": true})), (401, "MisusedResetToken")),
        (claims(&json!({"exp": past, "is_ert": true})), (401, "MisusedRegistrationToken")),
        (String::new(), (401, "InvalidTokenHeader")),
        ("garbage".into(), (401, "InvalidTokenHeader")),
        (format!("{old}\n"), (401, "InvalidTokenHeader")),
        (format!("\"{old}"), (401, "InvalidTokenHeader")),
        (format!("\"\"{old}\"\""), (401, "InvalidTokenHeader")),
        (format!("{{\"access_token\":\"{old}\"}}"), (401, "InvalidTokenHeader")),
        ("\"\"".into(), (401, "InvalidTokenHeader")),
        ("\"".into(), (401, "InvalidTokenHeader")),
    ] {
        check_errors(&server, &[("POST", "/api/refresh", &[], &body, expected)]);
    }
}

#[test]
fn paths_and_methods() {
    let server = Server::start(&[]);
    for (path, location) in [("/api", "/api/"), ("/api?x=1&y=//evil", "/api/?x=1&y=//evil")] {
        let reply = server.get(path);
        assert_eq!((reply.status(), reply.header("location")), (308, Some(location)));
    }
    let without_pages = Server::start(&["--web", "off"]);
    for path in ["/api/nothing", "/api/login/", "//api/", "/api/%6cogin", "/api/../api/"] {
        check_errors(&server, &[("GET", path, &[], "", (404, "NotFound"))]);
        check_errors(&without_pages, &[("GET", path, &[], "", (404, "NotFound"))]);
    }
    for path in ["/", "/API/", "/login"] {
        check_errors(&without_pages, &[("GET", path, &[], "", (404, "NotFound"))]);
        check_errors(&without_pages, &[("POST", path, &[], "", (404, "NotFound"))]);
    }
    for (method, path, allow) in [
        ("GET", "/api/login", "POST, OPTIONS"),
        ("PUT", "/api/", "GET, HEAD, OPTIONS"),
        ("TRACE", "/api/", "GET, HEAD, OPTIONS"),
        ("TRACE", "/api/nothing", "OPTIONS"),
        ("TRACE", "/login", "GET, HEAD, OPTIONS"),
        ("POST", "/login", "GET, HEAD, OPTIONS"),
        ("DELETE", "/favicon.svg", "GET, HEAD, OPTIONS"),
        ("BREW", "/api/protected", "GET, HEAD, OPTIONS"),
        ("get", "/api/", "GET, HEAD, OPTIONS"),
    ] {
        let reply = server.send(method, path, &[], "");
        assert_eq!(reply.error(), (405, "MethodNotAllowed".into()), "{method} {path}");
        assert_eq!(reply.header("allow"), Some(allow), "{method} {path}");
    }
    for (path, status) in
        [("/api/", 200), ("/api/protected", 401), ("/api/health", 200), ("/x.y", 404)]
    {
        let (head, get) = (server.send("HEAD", path, &[], ""), server.get(path));
        assert_eq!((head.status(), head.body.as_str()), (status, ""), "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
    }
    for (path, allow) in [
        ("/api/", "GET, HEAD, OPTIONS"),
        ("/api/login", "POST, OPTIONS"),
        ("/login", "GET, HEAD, OPTIONS"),
        ("*", "GET, HEAD, POST, DELETE, PUT, OPTIONS"),
    ] {
        let reply = server.send("OPTIONS", path, &[], "");
        assert_eq!((reply.status(), reply.header("allow")), (204, Some(allow)), "{path}");
    }
}

#[test]
fn other_origins() {
    let origin = [("Origin", "http://app.example:3000")];
    let preflight = [
        origin[0],
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type"),
    ];
    let any = Server::start(&[]);
    let some = Server::start(&["--cors-origin", "https://other.example,http://app.example:3000"]);
    for server in [&any, &some] {
        // Also where the engine refuses, or no route is found.
        for (method, path, body) in [
            ("GET", "/api/", ""),
            ("POST", "/api/login", "{"),
            ("GET", "/api/nothing", ""),
            ("GET", "/api/protected", ""),
        ] {
            let reply = server.send(method, path, &origin, body);
            assert_eq!(reply.header("access-control-allow-origin"), Some(origin[0].1), "{reply:?}");
            assert_eq!(reply.header("vary"), Some("Origin"));
            assert_eq!(reply.header("access-control-allow-credentials"), None);
        }
        let too_large = server.send("POST", "/api/login", &[origin[0], ("Expect", "tea")], "");
        assert_eq!(too_large.header("access-control-allow-origin"), Some(origin[0].1));
        let reply = server.send("OPTIONS", "/api/login", &preflight, "");
        assert_eq!(reply.status(), 204);
        for (name, value) in [
            ("access-control-allow-origin", origin[0].1),
            ("access-control-allow-methods", "POST, OPTIONS"),
            ("access-control-allow-headers", "authorization, content-type"),
            ("access-control-max-age", "600"),
        ] {
            assert_eq!(reply.header(name), Some(value));
        }
        assert_eq!(server.get("/api/").header("access-control-allow-origin"), None);
    }
    let none = Server::start(&["--cors-origin", "none"]);
    for (server, origin) in
        [(&none, "http://app.example:3000"), (&some, "http://app.example"), (&some, "null")]
    {
        let reply = server.send("GET", "/api/", &[("Origin", origin)], "");
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.header("access-control-allow-origin"), None);
        assert_eq!(reply.header("vary"), Some("Origin"));
    }
}
