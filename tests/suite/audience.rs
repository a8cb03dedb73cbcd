//! Tokens for some of several apps (`--audience`): every way that issues a token, a refresh that never
//! widens, tokens from before the setting, and what is refused.

use std::fs;

use serde_json::{Value, json};

use crate::browser_sessions::{HOST, URL, ask, cookie, start};
use crate::support::{
    Dir, PASSWORD, SECRET, Server, finish, lictor, now, outcome, payload, run, signed,
};

/// Tokens that can be refreshed at once.
const EARLY: [&str; 2] = ["--early-refresh", "25h"];

const TWO: [&str; 2] = ["--audience", "shop,wiki"];

fn aud(token: &str) -> Value {
    payload(token)["aud"].clone()
}

fn login(server: &Server, audience: &Value) -> crate::support::Reply {
    let body = json!({"username": "ada", "password": PASSWORD, "audience": audience});
    server.post("/api/login", &body)
}

fn refreshed(server: &Server, token: &str) -> String {
    server.send("POST", "/api/refresh", &[], token).token()
}

/// A token that another program with the same secret has signed.
fn foreign(server: &Server, aud: Option<Value>) -> String {
    let ours = payload(&server.login("ada", PASSWORD).token());
    // Each token is a session of its own.
    let (id, jti) = (&ours["id"], ours["jti"].as_str().unwrap().replace('4', "5"));
    let mut claims = json!({
        "iat": now(), "exp": now() + 600, "rf_exp": now() + 6_000, "jti": jti, "id": id,
        "rls": "user",
    });
    if let Some(aud) = aud {
        claims["aud"] = aud;
    }
    signed(&claims)
}

#[test]
fn every_way_to_a_token_gives_one_for_all_audiences() {
    let mail = ["--mail", "dir:mails", "--public-url", "http://login.example.org"];
    let server = Server::start(&[&TWO[..], &EARLY, &mail].concat());
    let both = json!(["shop", "wiki"]);
    let token = server.register("ada", PASSWORD).token();
    assert_eq!(aud(&token), both);
    assert_eq!(aud(&server.login("ada", PASSWORD).token()), both);
    let token = refreshed(&server, &token);
    assert_eq!(aud(&token), both);
    assert_eq!(server.protected(&token).status(), 200);
    let new = json!({"current": PASSWORD, "new": "eleven wooden lanterns"}).to_string();
    let changed = server.send_as(&token, "PUT", "/api/password", &new).token();
    assert_eq!(aud(&changed), both);
    // A handed out reset token names nobody, and what it gives names all.
    let keys = [("SECRET_KEY", SECRET)];
    let mut command =
        lictor(&server.dir.0, &["user", "reset-link", "ada", "--database", "lictor.db"]);
    command.envs(keys);
    let (code, out, error) = outcome(&finish(command, ""));
    assert_eq!(code, 0, "{error}");
    let reset = out.lines().find_map(|line| line.strip_prefix("token")).unwrap().trim().to_owned();
    assert_eq!(aud(&reset), Value::Null);
    let body = json!({"password": PASSWORD}).to_string();
    let after = server.send_as(&reset, "POST", "/api/reset_finalize", &body);
    assert_eq!(aud(&after.token()), both);
}

#[test]
fn a_registration_and_a_reset_can_ask_for_one() {
    let server = Server::start(&[&TWO[..], &["--throttle", "off"]].concat());
    let register = |name: &str, audience: &str| {
        let body = json!({"username": name, "password": PASSWORD, "audience": audience});
        server.post("/api/registration", &body)
    };
    assert_eq!(register("ada", "gone").error(), (400, "BadRequest".into()));
    assert_eq!(aud(&register("ada", "shop").token()), "shop");
    let mut command =
        lictor(&server.dir.0, &["user", "reset-link", "ada", "--database", "lictor.db"]);
    command.env("SECRET_KEY", SECRET);
    let (code, out, error) = outcome(&finish(command, ""));
    assert_eq!(code, 0, "{error}");
    let reset = out.lines().find_map(|line| line.strip_prefix("token")).unwrap().trim().to_owned();
    let set = |audience: &str| {
        let body = json!({"password": PASSWORD, "audience": audience}).to_string();
        server.send_as(&reset, "POST", "/api/reset_finalize", &body)
    };
    assert_eq!(set("gone").error(), (400, "BadRequest".into()));
    assert_eq!(aud(&set("wiki").token()), "wiki");
}

#[test]
fn a_token_for_one_audience_gives_nothing_that_others_take() {
    let server = Server::start(&TWO);
    let admin = ["add", "ada", "--role", "admin"];
    assert_eq!(server.user(&admin, PASSWORD).0, 0);
    let made = r#"{"name": "phone"}"#;
    for (audience, created, other) in [(json!("shop"), 403, 403), (Value::Null, 201, 200)] {
        let token = login(&server, &audience).token();
        for (method, path, body, expected) in [
            ("POST", "/api/app-passwords", made, created),
            ("GET", "/api/admin/users", "", other),
            ("POST", "/api/admin/users/1/unlock", "", other),
            ("GET", "/api/me", "", 200),
            ("GET", "/api/app-passwords", "", 200),
        ] {
            let reply = server.send_as(&token, method, path, body);
            assert_eq!(reply.status(), expected, "{audience} {method} {path}: {reply:?}");
            if expected == 403 {
                assert_eq!(reply.error().1, "AudienceNotAllowedError");
            }
        }
    }
}

#[test]
fn the_first_administrator_and_a_confirmed_address_get_all_audiences_too() {
    let mail = [
        "--registration",
        "email",
        "--mail",
        "dir:mails",
        "--public-url",
        "http://login.example.org",
    ];
    let server =
        Server::start(&[&["--audience", "shop", "--audience", "wiki"][..], &mail].concat());
    let body = json!({"username": "eve", "password": PASSWORD, "email": "eve@example.org"});
    assert_eq!(server.post("/api/registration", &body).status(), 201);
    crate::support::eventually(|| server.dir.mails().len() == 1);
    let text = server.dir.mails()[0].replace("=\r\n", "").replace("=3D", "=");
    let token = text.split("?token=").nth(1).unwrap();
    let end = token.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap();
    assert_eq!(aud(&token[..end]), Value::Null);
    let confirmed = server.send_as(&token[..end], "GET", "/api/finalize", "").token();
    assert_eq!(aud(&confirmed), json!(["shop", "wiki"]));
    let log = server.log();
    let secret = log.split("/setup#").nth(1).unwrap_or_else(|| panic!("no link: {log}"));
    let secret: String =
        secret.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let body = json!({"token": secret, "username": "root", "password": PASSWORD});
    let reply = server.post("/api/setup", &body);
    assert_eq!(reply.status(), 201, "{reply:?}");
    assert_eq!(aud(reply.json()["access_token"].as_str().unwrap()), json!(["shop", "wiki"]));
}

#[test]
fn a_login_for_one_audience_is_never_widened() {
    for flags in [&[][..], &["--jwt-algorithm", "EdDSA"]] {
        let flags = [&TWO[..], &EARLY, flags].concat();
        let server = Server::start_with(Dir::new(), &flags, &[]);
        server.register("ada", PASSWORD).token();
        let token = login(&server, &json!("shop")).token();
        assert_eq!(aud(&token), "shop");
        assert_eq!(server.protected(&token).status(), 200);
        let token = refreshed(&server, &token);
        assert_eq!(aud(&token), "shop");
        let as_bearer = server.send_as(&token, "POST", "/api/refresh", "").token();
        assert_eq!(aud(&as_bearer), "shop");
        let new = json!({"current": PASSWORD, "new": "eleven wooden lanterns"}).to_string();
        let changed = server.send_as(&as_bearer, "PUT", "/api/password", &new).token();
        assert_eq!(aud(&changed), "shop");
        assert_eq!(aud(&refreshed(&server, &changed)), "shop");
    }
}

#[test]
fn an_audience_that_the_server_does_not_have_is_refused() {
    let server = Server::start(&TWO);
    server.register("ada", PASSWORD).token();
    let plain = Server::start(&[]);
    plain.register("ada", PASSWORD).token();
    for value in [
        json!("gone"),
        json!(""),
        json!("Shop"),
        json!("shop,wiki"),
        json!(["shop"]),
        json!(1),
        json!(true),
        json!({}),
    ] {
        for server in [&server, &plain] {
            let reply = login(server, &value);
            assert_eq!(reply.error(), (400, "BadRequest".into()), "{value}");
            let message = reply.json()["message"].as_str().unwrap().to_owned();
            assert!(message.starts_with("audience: "), "{value}: {message}");
        }
    }
    // Null is the same as no field.
    assert_eq!(aud(&login(&server, &Value::Null).token()), json!(["shop", "wiki"]));
    assert_eq!(login(&plain, &json!("shop")).status(), 400);
    assert_eq!(aud(&login(&plain, &Value::Null).token()), Value::Null);
}

#[test]
fn a_browser_session_has_no_audience() {
    let server = start(&TWO);
    let log_in = |path: &str, audience: &str, cookie: bool| {
        let body = json!({
            "username": "ada", "password": PASSWORD, "audience": audience, "cookie": cookie,
        });
        ask(&server, HOST, "POST", path, &[("Origin", URL)], &body.to_string())
    };
    let begun = log_in("/api/session", "gone", false);
    assert!(begun.json().get("access_token").is_none());
    let shown = cookie(&begun);
    let verified = ask(&server, HOST, "GET", "/api/verify", &[("Cookie", &shown)], "");
    assert_eq!(verified.status(), 200, "{verified:?}");
    // A login that gives the cookie as well gives the token for one audience all the same.
    let both = log_in("/api/login", "wiki", true);
    assert_eq!(aud(&both.token()), "wiki");
    cookie(&both);
    // The token of one audience gets no cookie.
    let bearer = format!("Bearer {}", both.token());
    let fields = [("Origin", URL), ("Authorization", bearer.as_str())];
    let refused = ask(&server, HOST, "POST", "/api/session", &fields, "{}");
    assert_eq!(refused.error(), (403, "AudienceNotAllowedError".into()));
    // With a token, the body has no such field.
    let all = ask(
        &server,
        HOST,
        "POST",
        "/api/login",
        &[("Origin", URL)],
        &json!({"username": "ada", "password": PASSWORD}).to_string(),
    );
    let bearer = format!("Bearer {}", all.token());
    let fields = [("Origin", URL), ("Authorization", bearer.as_str())];
    let exchange = |body: &str| ask(&server, HOST, "POST", "/api/session", &fields, body);
    assert_eq!(exchange(r#"{"audience":"shop"}"#).error(), (400, "BadRequest".into()));
    assert_eq!(exchange("{}").status(), 200);
}

#[test]
fn tokens_of_another_program_are_for_whom_they_name() {
    let server = Server::start(&[&TWO[..], &EARLY, &["--adopt-tokens"]].concat());
    server.add_imported("ada");
    for (claim, after) in [
        (None, Some(json!(["shop", "wiki"]))),
        (Some(json!("wiki")), Some(json!("wiki"))),
        (Some(json!(["wiki", "elsewhere"])), Some(json!("wiki"))),
        (Some(json!("elsewhere")), None),
        (Some(json!([])), None),
        (Some(json!([null])), None),
        (Some(json!(5)), None),
        (Some(json!(vec!["shop"; 17])), None),
        (Some(json!(["shop", "a".repeat(256)])), None),
    ] {
        let token = foreign(&server, claim.clone());
        let reply = server.protected(&token);
        match after {
            Some(after) => {
                assert_eq!(reply.status(), 200, "{claim:?}: {reply:?}");
                assert_eq!(aud(&refreshed(&server, &token)), after, "{claim:?}");
            }
            None => {
                assert_eq!(reply.error(), (401, "InvalidTokenHeader".into()), "{claim:?}");
                let refresh = server.send("POST", "/api/refresh", &[], &token);
                assert_eq!(refresh.error(), (401, "InvalidTokenHeader".into()), "{claim:?}");
            }
        }
    }
}

#[test]
fn the_setting_can_change_without_a_login() {
    let dir = Dir::new();
    let set = |dir: &Dir, lines: &str| fs::write(dir.0.join("env"), lines).unwrap();
    set(&dir, "");
    let server = Server::start_with(dir, &EARLY, &[("LICTOR_ENV_FILE", "env")]);
    let reload = |lines: &str, last: &str| {
        let before = server.log().len();
        set(&server.dir, lines);
        server.signal("-HUP");
        crate::support::eventually(|| server.log()[before..].contains(last));
    };
    let old = server.register("ada", PASSWORD).token();
    assert_eq!(aud(&old), Value::Null);
    reload("LICTOR_AUDIENCE=shop, wiki\n", "reloaded: audience shop, wiki (was none)");
    // From before the setting: good, and for all from its refresh on.
    assert_eq!(server.protected(&old).status(), 200);
    let both = refreshed(&server, &old);
    assert_eq!(aud(&both), json!(["shop", "wiki"]));
    let shop = login(&server, &json!("shop")).token();
    reload("LICTOR_AUDIENCE=wiki,docs\n", "reloaded: audience wiki, docs (was shop, wiki)");
    // One that is left counts; a new one does not come by itself.
    assert_eq!(server.protected(&both).status(), 200);
    assert_eq!(aud(&refreshed(&server, &both)), "wiki");
    for reply in [server.protected(&shop), server.send("POST", "/api/refresh", &[], &shop)] {
        assert_eq!(reply.error(), (401, "InvalidTokenHeader".into()));
    }
    // What is faulty changes nothing.
    reload("LICTOR_AUDIENCE=wiki,wiki\n", "not reloaded, all settings stay as they are");
    assert_eq!(server.protected(&both).status(), 200);
    reload("", "reloaded: audience none (was wiki, docs)");
    assert_eq!(server.protected(&both).error(), (401, "InvalidTokenHeader".into()));
    assert_eq!(aud(&server.login("ada", PASSWORD).token()), Value::Null);
}

#[test]
fn check_shows_the_audiences() {
    let dir = Dir::new();
    for (flags, expected) in [
        (&[][..], "audience         none\n"),
        (
            &["--audience", "shop", "--audience", "https://wiki.example.org"],
            "audience         shop, https://wiki.example.org\n",
        ),
    ] {
        let args = [&["check", "--database", "x.db"], flags].concat();
        let (code, out, error) = outcome(&run(&dir.0, &args, ""));
        assert_eq!(code, 0, "{error}");
        assert!(out.contains(expected), "{out}");
    }
    // An empty variable is the same as none.
    let mut command = lictor(&dir.0, &["check", "--database", "x.db"]);
    command.env("LICTOR_AUDIENCE", "");
    let (code, out, error) = outcome(&finish(command, ""));
    assert!(code == 0 && out.contains("audience         none\n"), "{out}{error}");
    let (_, help, _) = outcome(&run(&dir.0, &["serve", "--help"], ""));
    assert!(help.contains("--audience <NAME>") && help.contains("LICTOR_AUDIENCE"), "{help}");
}
