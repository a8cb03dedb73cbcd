//! App passwords: made, listed, used and ended.

use jwt_simple::reexports::ct_codecs::{Base64, Encoder as _};
use serde_json::{Value, json};

use crate::administration::is;
use crate::support::{Dir, PASSWORD, Reply, Server, assert_without, finish, lictor, now, outcome};

const BAD: (u16, &str) = (400, "BadRequest");
const WRONG: (u16, &str) = (401, "InvalidAppPasswordError");
const NOT_ALLOWED: (u16, &str) = (403, "AppPasswordNotAllowedError");

/// Makes an app password; returns the answer.
fn make(server: &Server, token: &str, body: &Value) -> Value {
    let reply = server.send_as(token, "POST", "/api/app-passwords", &body.to_string());
    assert_eq!(reply.status(), 201, "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply.json()
}

fn text<'a>(made: &'a Value, field: &str) -> &'a str {
    made[field].as_str().unwrap()
}

fn list(server: &Server, token: &str) -> Value {
    let reply = server.send_as(token, "GET", "/api/app-passwords", "");
    assert_eq!(reply.status(), 200, "{reply:?}");
    reply.json()["app_passwords"].clone()
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", Base64::encode_to_string(format!("{name}:{password}")).unwrap())
}

/// Asks as a proxy does, with this `Authorization`.
fn verify(server: &Server, authorization: &str) -> Reply {
    server.send("GET", "/api/verify", &[("Authorization", authorization)], "")
}

#[test]
fn one_is_made_shown_once_listed_and_deleted() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    assert_eq!(list(&server, &token), json!([]));
    let made = make(&server, &token, &json!({"name": " Ada's phone "}));
    let (password, id) = (text(&made, "password"), text(&made, "id"));
    let digits = &password["lap_".len()..];
    let fine = digits.bytes().all(|b| b"0123456789abcdefghjkmnpqrstvwxyz".contains(&b));
    assert!(password.starts_with("lap_") && digits.len() == 24 && fine, "{password}");
    let whole = json!({
        "name": "Sync", "hosts": ["Cal.example.org", "*.example.com"], "api": true,
        "expires_in": 3600,
    });
    let other = make(&server, &token, &whole);
    assert!((other["expires"].as_i64().unwrap() - now() - 3600).abs() < 600);

    let listed = list(&server, &token);
    for (made, hosts) in [(&made, json!([])), (&other, json!(["cal.example.org", "*.example.com"]))]
    {
        let row = listed.as_array().unwrap().iter().find(|row| row["id"] == made["id"]).unwrap();
        let mut expected = made.clone();
        expected.as_object_mut().unwrap().remove("password");
        assert_eq!((row, &row["hosts"]), (&expected, &hosts));
    }
    assert_eq!((&made["name"], &made["expires"]), (&json!("Ada's phone"), &Value::Null));
    assert_eq!((&made["api"], &other["api"]), (&json!(false), &json!(true)));

    let stranger = server.register("eve", PASSWORD).token();
    assert_eq!(list(&server, &stranger), json!([]));
    let path = format!("/api/app-passwords/{id}");
    is(&server.send_as(&stranger, "DELETE", &path, ""), (404, "NotFound"));
    assert_eq!(server.send_as(&token, "DELETE", &path, "").status(), 200);
    is(&server.send_as(&token, "DELETE", &path, ""), (404, "NotFound"));
    assert_eq!(list(&server, &token).as_array().unwrap().len(), 1);

    let log = server.log();
    for event in ["app-password-added", "app-password-deleted"] {
        let line = format!("{event} user=ada id=1 from=127.0.0.1 ({id} Ada\\'s phone)");
        assert!(log.contains(&line), "{log}");
    }
    let dump = String::from_utf8_lossy(&server.dir.sql().dump()).into_owned();
    for place in [&log, &dump, &listed.to_string()] {
        assert_without(place, &[password, digits, &digits.to_uppercase()], &"log, rows and list");
    }
}

#[test]
fn fields_have_limits_and_a_recent_login_is_asked_for() {
    let url = "https://login.example.org";
    let server = Server::start(&["--reauthenticate", "15m", "--public-url", url]);
    let token = server.register("ada", PASSWORD).token();
    let many: Vec<String> = (0..17).map(|n| format!("h{n}.example")).collect();
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": " \n"}),
        json!({"name": 7}),
        json!({"name": "x".repeat(65)}),
        json!({"name": "a\u{0}b"}),
        json!({"name": "a\u{202e}b"}),
        json!({"name": "x", "api": "true"}),
        json!({"name": "x", "api": 1}),
        json!({"name": "x", "expires_in": 0}),
        json!({"name": "x", "expires_in": -1}),
        json!({"name": "x", "expires_in": 1.5}),
        json!({"name": "x", "expires_in": 3653 * 24 * 3600 + 1}),
        json!({"name": "x", "hosts": "a.example"}),
        json!({"name": "x", "hosts": [1]}),
        json!({"name": "x", "hosts": [""]}),
        json!({"name": "x", "hosts": ["*"]}),
        json!({"name": "x", "hosts": ["https://a.example"]}),
        json!({"name": "x", "hosts": ["a.example:443"]}),
        json!({"name": "x", "hosts": many}),
    ] {
        is(&server.send_as(&token, "POST", "/api/app-passwords", &body.to_string()), BAD);
    }
    assert_eq!(list(&server, &token), json!([]));
    let whole = json!({
        "name": "x".repeat(64), "hosts": many[..16], "expires_in": 3653 * 24 * 3600, "api": null,
    });
    make(&server, &token, &whole);
    for _ in 1..50 {
        make(&server, &token, &json!({"name": "x"}));
    }
    // Deleting one makes room, but not for a flood of entries in the audit. Each minute that the
    // fifty took allows one more.
    let body = json!({"name": "x"}).to_string();
    let replace = || {
        let path = format!("/api/app-passwords/{}", text(&list(&server, &token)[0], "id"));
        assert_eq!(server.send_as(&token, "DELETE", &path, "").status(), 200);
        (path, server.send_as(&token, "POST", "/api/app-passwords", &body))
    };
    let replaced = (0..20).map(|_| replace()).find(|(_, reply)| reply.status() != 201);
    let (path, waits) = replaced.expect("a wait");
    is(&waits, (429, "TooManyRequests"));
    assert!(waits.header("retry-after").unwrap().parse::<u32>().unwrap() <= 60, "{waits:?}");
    let other = server.register("bob", PASSWORD).token();
    make(&server, &other, &json!({"name": "x"}));
    assert_eq!(server.send_as(&token, "DELETE", &path, "").status(), 404, "it is served");
    let unthrottled = ["--throttle", "off", "--reauthenticate", "15m", "--public-url", url];
    let server = Server::start_in(server.stop("-TERM").1, &unthrottled);
    make(&server, &token, &json!({"name": "x"}));
    let full = server.send_as(&token, "POST", "/api/app-passwords", &body);
    is(&full, (409, "TooManyAppPasswords"));
    server.dir.sql().execute("UPDATE sessions SET created = created - 1000", &[]);
    let late = server.send_as(&token, "POST", "/api/app-passwords", &body);
    is(&late, (403, "ReauthenticationRequired"));
    let body_of_login = json!({"username": "ada", "password": PASSWORD}).to_string();
    let begun = server.send("POST", "/api/session", &[("Origin", url)], &body_of_login);
    let browser = begun.head.lines().find_map(|line| {
        let cookie =
            line.to_ascii_lowercase().starts_with("set-cookie: __host-lictor=").then_some(line)?;
        cookie.split_once(": ")?.1.split(';').next()
    });
    let browser = [("Cookie", browser.unwrap())];
    assert_eq!(server.send("GET", "/api/me", &browser, "").status(), 200);
    is(&server.send("GET", "/api/app-passwords", &browser, ""), (401, "MissingToken"));
    let id = text(&list(&server, &token)[0], "id").to_owned();
    let path = format!("/api/app-passwords/{id}");
    assert_eq!(server.send_as(&token, "DELETE", &path, "").status(), 200, "ending is never late");
    is(&server.send("GET", "/api/app-passwords", &[], ""), (401, "MissingToken"));
    is(&server.send("POST", "/api/app-passwords", &[], "{}"), (401, "MissingToken"));
    // A page of another site has the cookie at most.
    let cookie = format!("access_token={token}");
    is(
        &server.send("POST", "/api/app-passwords", &[("Cookie", &cookie)], &body),
        (401, "MissingToken"),
    );
}

#[test]
fn the_operator_makes_lists_and_deletes_them() {
    let server = Server::start(&[]);
    server.add("ada");
    let command = |args: &[&str]| {
        let args = [&["app-password"][..], args, &["--database", "lictor.db"]].concat();
        outcome(&finish(lictor(&server.dir.0, &args), ""))
    };
    let (code, shown, _) = command(&[
        "add",
        "ada",
        "Ada's phone",
        "--expires",
        "90d",
        "--host",
        "cal.example.org",
        "--host",
        "*.b.example",
        "--api",
    ]);
    let word = |line: usize| shown.lines().nth(line).unwrap().split_whitespace().nth(1).unwrap();
    let (password, id) = (word(0), word(1));
    assert!(code == 0 && password.starts_with("lap_") && password.len() == 28, "{shown}");
    let (code, listed, _) = command(&["list", "ADA"]);
    let row = listed.lines().nth(1).unwrap();
    assert!(code == 0 && row.starts_with(id), "{listed}");
    assert!(row.ends_with("Ada's phone (cal.example.org,*.b.example, API)"), "{listed}");
    assert_without(&listed, &[&password[4..]], &"the list");
    let (code, _, error) = command(&["delete", "ada", id]);
    assert!(code == 1 && error.contains("add --yes"), "{error}");
    assert_eq!(command(&["delete", "ada", "x\u{1b}", "--yes"]).0, 1);
    assert_eq!(command(&["delete", "ada", id, "--yes"]).0, 0);
    let (code, _, error) = command(&["delete", "ada", id, "--yes"]);
    assert_eq!(code, 1);
    assert_eq!(
        error,
        format!(
            "lictor: ada has no app password {id}\n  see which there are: lictor app-password list ada\n"
        )
    );
    let (code, _, error) = command(&["add", "bob", "x"]);
    assert!(code == 1 && error.contains("there is no user bob"), "{error}");
    let audit = server.dir.sql().texts("SELECT event || ' ' || detail FROM audit ORDER BY id");
    let expected = ["added", "deleted"].map(|what| format!("app-password-{what} {id} Ada's phone"));
    assert_eq!(audit[1..], expected);
}

#[test]
fn proxies_take_it_with_basic_and_as_a_bearer_token() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let token = server.register("J\u{fc}rgen", PASSWORD).token();
    let email = "UPDATE users SET email = 'Ada@b.example', email_key = 'ada@b.example'";
    server.dir.sql().execute(email, &[]);
    let made = make(&server, &token, &json!({"name": "Phone"}));
    let password = text(&made, "password");
    let passes = |authorization: &str| {
        for method in ["GET", "HEAD"] {
            let field = [("Authorization", authorization)];
            let reply = server.send(method, "/api/verify", &field, "");
            assert_eq!(reply.status(), 200, "{authorization}: {reply:?}");
            assert_eq!(reply.header("x-auth-user"), Some("J%C3%BCrgen"));
            assert_eq!(reply.header("x-auth-id"), Some("1"));
            assert_eq!(reply.header("x-auth-roles"), Some("user"));
        }
    };
    passes(&format!("Bearer {password}"));
    for name in ["J\u{fc}rgen", "JU\u{308}RGEN", "ada@B.example"] {
        passes(&basic(name, password));
    }
    let wrong = |authorization: &str| {
        let reply = verify(&server, authorization);
        assert_eq!(reply.error(), (WRONG.0, WRONG.1.to_owned()), "{authorization}");
        assert_without(&reply.head.to_ascii_lowercase(), &["x-auth-"], &reply);
        assert_without(&reply.body, &[&password[4..]], &reply);
    };
    server.register("eve", PASSWORD).token();
    for name in ["", " ", "eve", "jurgen", "J\u{fc}rgen\0", "J\u{fc}rgen\n", "nobody", "1"] {
        wrong(&basic(name, password));
    }
    for other in [
        "lap_0000000000000000000000zz",
        "lap_",
        &password[..27],
        &format!("{password}0"),
        &format!("{}{}", &password[..27], if password.ends_with('0') { '1' } else { '0' }),
    ] {
        wrong(&format!("Bearer {other}"));
        wrong(&basic("J\u{fc}rgen", other));
    }
    // What is none is refused as before: the user's own password opens nothing here.
    for other in
        [basic("J\u{fc}rgen", PASSWORD), basic("J\u{fc}rgen", &password[4..]), basic("", "")]
    {
        assert_eq!(verify(&server, &other).error(), (401, "InvalidTokenHeader".to_owned()));
    }
    // The header decides, also beside a good cookie.
    let cookie = format!("access_token={token}");
    let both = [("Authorization", "Bearer lap_"), ("Cookie", cookie.as_str())];
    assert_eq!(server.send("GET", "/api/verify", &both, "").status(), 401);
    let log = server.log();
    assert_without(&log, &[password, &password[4..]], &"the log");
}

#[test]
fn access_rules_and_forward_auth_ask_for_its_user() {
    let dir = Dir::new();
    std::fs::write(
        dir.0.join("access"),
        "cal.example.org  user ada\nwiki.example.org  role editor\nwiki.example.org/public  everyone\n",
    )
    .unwrap();
    let flags = ["--trusted-proxy", "127.0.0.1", "--access", "access"];
    let server = Server::start_in(dir, &flags);
    let token = server.register("ada", PASSWORD).token();
    let made = make(&server, &token, &json!({"name": "x", "hosts": ["*.example.org"]}));
    let good = basic("ada", text(&made, "password"));
    let wrong = basic("ada", "lap_0000000000000000000000zz");
    for endpoint in ["/api/verify", "/api/forward-auth"] {
        let ask = |authorization: &str, host: &str, uri: &str, method: &str| {
            let fields = [
                ("Authorization", authorization),
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Host", host),
                ("X-Forwarded-Uri", uri),
                ("X-Forwarded-Method", method),
            ];
            server.send("GET", endpoint, &fields, "")
        };
        // At the app it may do what its user may.
        for method in ["GET", "PROPFIND", "PUT", "DELETE"] {
            let reply = ask(&good, "cal.example.org", "/ada/", method);
            assert_eq!((reply.status(), reply.header("remote-user")), (200, Some("ada")));
        }
        assert_eq!(ask(&good, "wiki.example.org", "/", "GET").status(), 403, "{endpoint}");
        let open = ask(&wrong, "wiki.example.org", "/public", "GET");
        assert_eq!((open.status(), open.header("remote-user")), (200, Some("")), "nobody's");
        let reply = ask(&wrong, "cal.example.org", "/ada/", "PROPFIND");
        assert_eq!(reply.error(), (WRONG.0, WRONG.1.to_owned()), "{endpoint}");
        // So that CalDAV clients and git ask for another one.
        let head = reply.head.to_ascii_lowercase();
        assert!(head.contains("www-authenticate: basic realm=\"lictor\""), "{reply:?}");
    }
    for _ in 0..30 {
        verify(&server, &wrong);
    }
    let fields = [("Authorization", wrong.as_str()), ("X-Forwarded-Host", "cal.example.org")];
    let reply = made_to_wait(|| server.send("GET", "/api/forward-auth", &fields, ""));
    assert_eq!(reply.status(), 401);
}

fn limited(reply: &Reply) -> bool {
    reply.header("retry-after").is_some()
}

/// Returns the answer to a wrong app password that has to wait. If the wait was over by then, this one
/// has doubled the next: sooner or later it is longer than a slow machine needs.
fn made_to_wait(ask: impl Fn() -> Reply) -> Reply {
    (0..10).map(|_| ask()).find(limited).expect("one of ten that has to wait")
}

#[test]
fn it_is_good_for_its_hosts_alone() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let token = server.register("ada", PASSWORD).token();
    let body = json!({"name": "Phone", "hosts": ["cal.example.org", "*.b.example"]});
    let made = make(&server, &token, &body);
    let bound = basic("ada", text(&made, "password"));
    let made = make(&server, &token, &json!({"name": "All"}));
    let free = basic("ada", text(&made, "password"));
    let ask = |server: &Server, authorization: &str, host: Option<&str>| {
        let mut fields = vec![("Authorization", authorization)];
        fields.extend(host.map(|host| ("X-Forwarded-Host", host)));
        let reply = server.send("GET", "/api/verify", &fields, "");
        if reply.status() != 200 {
            assert_eq!(reply.error(), (NOT_ALLOWED.0, NOT_ALLOWED.1.to_owned()), "{host:?}");
        }
        reply.status()
    };
    for host in ["cal.example.org", "CAL.example.org", "cal.example.org:8443", "x.b.example"] {
        assert_eq!(ask(&server, &bound, Some(host)), 200, "{host}");
    }
    for host in ["wiki.example.org", "example.org", "b.example", "cal.example.org.evil.example"] {
        assert_eq!(ask(&server, &bound, Some(host)), 403, "{host}");
        assert_eq!(ask(&server, &free, Some(host)), 200, "{host}");
    }
    assert_eq!(ask(&server, &bound, None), 403, "no proxy says the host");
    assert_eq!(ask(&server, &free, None), 200);
    // What a client says of its host counts for nothing.
    let untrusting = Server::start_in(server.stop("-TERM").1, &[]);
    assert_eq!(ask(&untrusting, &bound, Some("cal.example.org")), 403);
    assert_eq!(ask(&untrusting, &free, Some("cal.example.org")), 200);
}

#[test]
fn it_changes_nothing_and_reads_the_api_only_if_it_may() {
    let server = Server::start(&[]);
    assert_eq!(server.user(&["add", "root", "--role", "admin"], PASSWORD).0, 0);
    let token = server.login("root", PASSWORD).token();
    let made = [false, true].map(|api| {
        let made = make(&server, &token, &json!({"name": "x", "api": api, "hosts": ["a.example"]}));
        text(&made, "password").to_owned()
    });
    let (plain, reading) = (&made[0], &made[1]);
    let sessions = list(&server, &token).as_array().unwrap().len();
    for (method, path, body, may) in [
        ("GET", "/api/protected", "", true),
        ("HEAD", "/api/protected", "", true),
        ("GET", "/api/me", "", true),
        ("GET", "/api/sessions", "", true),
        ("GET", "/api/admin/users", "", false),
        ("GET", "/api/admin/users/1", "", false),
        ("GET", "/api/admin/audit", "", false),
        ("GET", "/api/app-passwords", "", false),
        ("POST", "/api/app-passwords", "{\"name\":\"y\"}", false),
        ("DELETE", "/api/app-passwords/0123456789ab", "", false),
        ("POST", "/api/logout", "", false),
        ("POST", "/api/logout/all", "", false),
        ("DELETE", "/api/me", "{}", false),
        ("PUT", "/api/password", "{}", false),
        ("PUT", "/api/email", "{}", false),
        ("DELETE", "/api/sessions/x", "", false),
        ("POST", "/api/second-factor", "{}", false),
        ("PUT", "/api/admin/users/1/active", "{\"active\":false}", false),
        ("DELETE", "/api/admin/users/1", "", false),
    ] {
        for (password, may) in [(plain, false), (reading, may)] {
            for authorization in [format!("Bearer {password}"), basic("root", password)] {
                let field = [("Authorization", authorization.as_str())];
                let reply = server.send(method, path, &field, body);
                let expected = if may { 200 } else { 403 };
                assert_eq!(reply.status(), expected, "{method} {path}: {reply:?}");
                if !may && method != "HEAD" {
                    assert_eq!(reply.error().1, NOT_ALLOWED.1, "{method} {path}");
                }
            }
        }
    }
    // Where a token stands for itself, it is none.
    let refresh = server.send("POST", "/api/refresh", &[], reading);
    assert_eq!(refresh.error(), (401, "InvalidTokenHeader".to_owned()));
    for path in ["/api/finalize", "/api/refresh"] {
        let method = if path == "/api/finalize" { "GET" } else { "POST" };
        let reply = server.send_as(reading, method, path, "");
        assert_eq!(reply.error(), (401, "InvalidTokenHeader".to_owned()), "{path}");
    }
    server.send_as(&token, "GET", "/api/protected", "").json();
    assert_eq!(list(&server, &token).as_array().unwrap().len(), sessions, "nothing has changed");
    // The user may do less: no role, no second factor, not active.
    let authorization = format!("Bearer {reading}");
    let users = [("Authorization", authorization.as_str())];
    let roles = || {
        let reply = server.send("GET", "/api/me", &users, "");
        assert_eq!(reply.status(), 200, "{reply:?}");
        reply.json()["roles"].clone()
    };
    assert_eq!(roles(), json!(["admin"]));
    assert_eq!(server.user(&["add", "other", "--role", "admin"], PASSWORD).0, 0);
    assert_eq!(server.user(&["roles", "root", "--set", ""], "").0, 0);
    assert_eq!(roles(), json!([]));
    assert_eq!(server.user(&["deactivate", "root"], "").0, 0);
    is(&server.send_as(reading, "GET", "/api/me", ""), (403, "InvalidUserError"));
    assert_eq!(server.user(&["activate", "root"], "").0, 0);
    assert_eq!(server.send_as(reading, "GET", "/api/me", "").status(), 200);
    let strict = Server::start_in(server.stop("-TERM").1, &["--require-second-factor", "all"]);
    is(&strict.send_as(reading, "GET", "/api/protected", ""), (403, "SecondFactorMissing"));
    assert_eq!(strict.send_as(reading, "GET", "/api/me", "").status(), 200, "without_factor");
}

#[test]
fn it_ends_with_the_password_the_account_and_its_time() {
    let server = Server::start(&[]);
    let fresh =
        |token: &str| text(&make(&server, token, &json!({"name": "x"})), "password").to_owned();
    let works = |password: &str| match verify(&server, &format!("Bearer {password}")) {
        reply if reply.status() == 200 => true,
        reply => {
            assert_eq!(reply.error(), (WRONG.0, WRONG.1.to_owned()));
            false
        }
    };
    let change = |token: &str, current: &str, new: &str, keep: Value| {
        let body = json!({"current": current, "new": new, "keep_app_passwords": keep}).to_string();
        server.send_as(token, "PUT", "/api/password", &body)
    };
    let token = server.register("ada", PASSWORD).token();
    let phone = fresh(&token);
    is(&change(&token, PASSWORD, "eleven wooden lanterns", json!("yes")), BAD);
    let token = change(&token, PASSWORD, "eleven wooden lanterns", json!(true)).token();
    assert!(works(&phone), "the user keeps it");
    assert_eq!(server.send_as(&token, "POST", "/api/logout/all", "").status(), 200);
    assert!(works(&phone), "it belongs to no session");
    let token = server.login("ada", "eleven wooden lanterns").token();
    let token = change(&token, "eleven wooden lanterns", PASSWORD, Value::Null).token();
    assert!(!works(&phone), "another password");
    assert_eq!(list(&server, &token), json!([]));

    let phone = fresh(&token);
    let keep = ["passwd", "ada", "--keep-app-passwords"];
    assert_eq!(server.user(&keep, "eleven wooden lanterns").0, 0);
    assert!(works(&phone));
    assert_eq!(server.user(&["passwd", "ada"], PASSWORD).0, 0);
    assert!(!works(&phone), "the operator's password");

    let token = server.login("ada", PASSWORD).token();
    let phone = fresh(&token);
    server.dir.sql().execute("UPDATE app_passwords SET expires = 1000", &[]);
    assert!(!works(&phone), "its time is over");
    let phone = fresh(&token);
    let body = json!({"password": PASSWORD}).to_string();
    assert_eq!(server.send_as(&token, "DELETE", "/api/me", &body).status(), 200);
    assert!(!works(&phone), "the account is gone");
    let sql = server.dir.sql();
    assert_eq!(sql.number("SELECT count(*) FROM app_passwords"), 0);
    let kept = "SELECT event FROM audit WHERE detail = 'app passwords kept' ORDER BY id";
    assert_eq!(sql.texts(kept), ["password-changed", "password-reset"]);
}

#[test]
fn a_flood_of_wrong_ones_waits_and_keeps_no_good_one_out() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let made = ["phone", "tablet", "watch", "car"].map(|name| {
        let made = make(&server, &token, &json!({"name": name, "api": true}));
        format!("Bearer {}", text(&made, "password"))
    });
    let [phone, tablet, watch, car] = &made;
    assert_eq!(verify(&server, phone).status(), 200);
    let wrong = "Bearer lap_0000000000000000000000zz";
    let admitted = (0..100).take_while(|_| !limited(&verify(&server, wrong))).count();
    // A slow machine spends waits between two of them.
    assert!((20..30).contains(&admitted), "{admitted}");
    // As a proxy understands it, and as programs do.
    for authorization in [wrong, "Bearer lap_"] {
        let reply = made_to_wait(|| verify(&server, authorization));
        assert_eq!(reply.error(), (401, "InvalidAppPasswordError".to_owned()), "{reply:?}");
        let fields = [("Authorization", authorization)];
        let reply = made_to_wait(|| server.send("GET", "/api/me", &fields, ""));
        assert_eq!(reply.error(), (429, "TooManyRequests".to_owned()));
    }
    for _ in 0..30 {
        assert_eq!(verify(&server, phone).status(), 200, "it was good from here before");
    }
    // One that was not is looked up as well, in a file.
    if server.dir.0.join("lictor.db").exists() {
        assert_eq!(verify(&server, tablet).status(), 200);
    } else {
        // The wait may be over between two requests; the next one is longer.
        assert!([tablet, watch, car].into_iter().any(|unknown| {
            made_to_wait(|| verify(&server, wrong));
            limited(&verify(&server, unknown))
        }));
    }
    // The good ones have changed nothing.
    made_to_wait(|| verify(&server, wrong));
    assert_eq!(server.protected(&token).status(), 200, "tokens are not counted with them");
    server.login("ada", PASSWORD).token();
    let line = "many wrong app passwords from 127.0.0.1: the next ones have to wait";
    // Once for a flood, not for each; after minutes it may look like another one.
    let said = server.log().matches(line).count();
    assert!((1..=3).contains(&said), "{}", server.log());
}

#[test]
fn the_last_use_is_shown() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let token = server.register("ada", PASSWORD).token();
    let row = |server: &Server, id: &Value| {
        let listed = list(server, &token);
        listed.as_array().unwrap().iter().find(|row| row["id"] == *id).unwrap().clone()
    };
    // It is written later: every ten seconds, which may be just now.
    let later = (0..3).find_map(|_| {
        let made = make(&server, &token, &json!({"name": "x"}));
        let authorization = basic("ada", text(&made, "password"));
        let fields = [("Authorization", authorization.as_str()), ("X-Forwarded-For", "192.0.2.7")];
        assert_eq!(server.send("GET", "/api/verify", &fields, "").status(), 200);
        row(&server, &made["id"])["used"].is_null().then(|| made["id"].clone())
    });
    let id = later.expect("one that is not written at once");
    // A stop writes what is not written yet.
    let server = Server::start_in(server.stop("-TERM").1, &["--trusted-proxy", "127.0.0.1"]);
    let row = row(&server, &id);
    assert!((row["used"].as_i64().unwrap() - now()).abs() < 600, "{row}");
    assert_eq!(row["used_address"], "192.0.2.7");
}
