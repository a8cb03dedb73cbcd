//! What somebody may still do by the time it is written: the session, the password, the second
//! factor and the role are asked again, and the settings that ask for more.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::administration::Administered;
use crate::second_factor::{Authenticator, codes, enrol, forget_steps, with_factor};
use crate::support::{Dir, PASSWORD, PATIENCE, Reply, Server, eventually, now, request};

const NEW: &str = "eleven paper boats";
const MAIL: [&str; 6] = [
    "--mail",
    "dir:mails",
    "--mail-from",
    "lictor@mail.example",
    "--public-url",
    "https://login.example",
];

fn is(reply: &Reply, expected: (u16, &str)) {
    let (status, name) = reply.error();
    assert_eq!((status, name.as_str()), expected, "{reply:?}");
}

/// Each request that was let in, and each password that was right, is a line of the log.
const DEBUG: [&str; 2] = ["--log", "debug"];

/// Sends a request that waits for the database, changes it meanwhile, and takes the answer. If the
/// server has given the wait up before the change, a slow machine was late: then once more.
fn overtaken(server: &Server, token: &str, what: (&str, &str, Value), meanwhile: &str) -> Reply {
    (0..3)
        .find_map(|_| try_overtaken(server, token, &what, meanwhile))
        .expect("a request that waits for the database until it is changed")
}

fn try_overtaken(
    server: &Server,
    token: &str,
    what: &(&str, &str, Value),
    meanwhile: &str,
) -> Option<Reply> {
    let mut hold = server.dir.sql().hold();
    let (method, path, body) = what;
    let compares = ["password", "current"].iter().any(|field| !body[field].is_null());
    let sign = if compares { " knows the password" } else { " is let in" };
    let signs = || server.log().matches(sign).count();
    let before = signs();
    let mut client = server.connect();
    let bearer = format!("Bearer {token}");
    client.send(request(method, path, &[("Authorization", &bearer)], &body.to_string()));
    // Else the check before the lock would give the same answer.
    let begun = Instant::now();
    while signs() == before {
        assert!(begun.elapsed() < PATIENCE, "{method} {path}: {}", server.log());
        std::thread::sleep(Duration::from_millis(10));
    }
    hold.execute(meanwhile);
    if client.has_news() {
        // Without a commit, nothing has changed.
        drop(hold);
        assert_eq!(client.reply(method).error(), (503, "Unavailable".into()), "{method} {path}");
        return None;
    }
    hold.release();
    Some(client.reply(method))
}

#[test]
fn what_waited_for_the_database_was_done_with_a_password_that_had_been_replaced() {
    let server = Server::start(&[&["--throttle", "off"], &DEBUG[..], &MAIL[..]].concat());
    server.add("ada");
    // Another password, as a reset sets it; the session is left so that each is seen by itself.
    let password = "UPDATE users SET password = '$argon2id$another' WHERE name = 'ada'";
    let session = "UPDATE sessions SET ended = 1 WHERE ended IS NULL";
    let database = server.dir.sql();
    let known = database.text("SELECT password FROM users");
    let counted = |sql: &str| database.number(sql);
    for what in [
        ("PUT", "/api/email", json!({"email": "eve@mail.example", "password": PASSWORD})),
        ("PUT", "/api/password", json!({"current": PASSWORD, "new": NEW})),
        ("POST", "/api/second-factor", json!({"password": PASSWORD})),
        ("DELETE", "/api/me", json!({"password": PASSWORD})),
        ("POST", "/api/logout/all", json!({})),
    ] {
        let token = server.login("ada", PASSWORD).token();
        if what.1 != "/api/logout/all" {
            is(&overtaken(&server, &token, what.clone(), password), (403, "WrongPassword"));
            database.execute("UPDATE users SET password = $1", &[&known]);
        }
        let another = server.login("ada", PASSWORD).token();
        let one = format!("{session} AND jti <> '{}'", jti(&another));
        is(&overtaken(&server, &token, what, &one), (403, "BlacklistedError"));
        assert_eq!(server.protected(&another).status(), 200);
    }
    // A user who logs out, and was logged out in the meantime, is logged out.
    let token = server.login("ada", PASSWORD).token();
    let logout = ("POST", "/api/logout", json!({}));
    assert_eq!(overtaken(&server, &token, logout, session).status(), 200);
    let written = "SELECT (SELECT count(*) FROM tickets) + (SELECT count(*) FROM outbox)
                   + (SELECT count(*) FROM second_factors)";
    assert_eq!(counted(written), 0);
    server.login("ada", PASSWORD).token();
}

fn jti(token: &str) -> String {
    crate::support::payload(token)["jti"].as_str().unwrap().to_owned()
}

#[test]
fn a_demoted_administrator_made_another_one() {
    let admin = Administered::start(&DEBUG);
    let server = &admin.server;
    server.add("bob");
    assert_eq!(server.user(&["add", "two", "--role", "admin"], PASSWORD).0, 0);
    let demoted = "UPDATE users SET roles = '' WHERE name = 'Root'";
    for (method, path, body) in [
        ("PUT", "users/2/roles", json!({"roles": ["admin"]})),
        ("PUT", "users/2/active", json!({"active": false})),
        ("DELETE", "users/2/sessions", json!({})),
        ("DELETE", "users/2", json!({})),
        ("POST", "users/2/reset-link", json!({})),
        ("POST", "invitations", json!({"roles": ["admin"]})),
    ] {
        let what = (method, &*format!("/api/admin/{path}"), body);
        is(&overtaken(server, &admin.token, what, demoted), (403, "MissingRoleError"));
        assert_eq!(server.user(&["roles", "root", "--set", "admin"], "").0, 0);
    }
    let bob = admin.get("users/2");
    assert_eq!((&bob["roles"], &bob["active"]), (&json!([]), &json!(true)));
    assert_eq!(admin.get("invitations"), json!({"invitations": []}));
}

#[test]
fn ones_own_older_token_outlived_another_password() {
    let server = Server::start(&[]);
    let here = server.register("ada", PASSWORD).token();
    let put = |token: &str, current: &str, new: &str| {
        let body = json!({"current": current, "new": new}).to_string();
        server.send_as(token, "PUT", "/api/password", &body)
    };
    let changed = put(&here, PASSWORD, NEW);
    let keys: Vec<_> = changed.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!((changed.status(), keys), (200, vec!["access_token".into(), "message".into()]));
    assert_eq!(changed.header("cache-control"), Some("no-store"));
    is(&server.protected(&here), (403, "BlacklistedError"));
    // The new session is one of its own, and the only one.
    let new = changed.token();
    assert_ne!(jti(&new), jti(&here));
    let sessions = server.send_as(&new, "GET", "/api/sessions", "").json();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(sessions["sessions"][0]["current"], true);
    put(&new, NEW, PASSWORD).token();
}

#[test]
fn the_password_alone_was_enough_where_there_is_a_second_factor() {
    let server = Server::start(&MAIL);
    let (mut token, app, recovery) = with_factor(&server);
    let send = |token: &str, (method, path, body): (&str, &str, Value), otp: Value| {
        forget_steps(&server);
        let mut body = body;
        if !otp.is_null() {
            body["otp"] = otp;
        }
        server.send_as(token, method, path, &body.to_string())
    };
    let email = || ("PUT", "/api/email", json!({"email": "a@mail.example", "password": PASSWORD}));
    let password = || ("PUT", "/api/password", json!({"current": PASSWORD, "new": PASSWORD}));
    let delete = || ("DELETE", "/api/me", json!({"password": PASSWORD}));
    for (nth, what) in [email, password, delete].iter().enumerate() {
        is(&send(&token, what(), Value::Null), (403, "OtpRequired"));
        is(&send(&token, what(), json!("")), (403, "OtpRequired"));
        is(&send(&token, what(), json!(app.wrong())), (403, "WrongOtp"));
        is(&send(&token, what(), json!("nonsense")), (403, "WrongOtp"));
        is(&send(&token, what(), json!(7)), (400, "BadRequest"));
        // A wrong password says nothing of the code, and a good code does not replace it.
        let mut wrong = what();
        for field in ["password", "current"] {
            if wrong.2[field].is_string() {
                wrong.2[field] = json!("wrong one");
            }
        }
        is(&send(&token, wrong, json!(app.code(0))), (403, "WrongPassword"));
        let done = send(&token, what(), json!(recovery[nth]));
        assert_eq!(done.status(), 200, "{done:?}");
        if let Some(new) = done.json()["access_token"].as_str() {
            token = new.to_owned();
        }
    }
    is(&server.protected(&token), (401, "MissingUserError"));
}

#[test]
fn a_code_that_was_used_changed_something_more() {
    let server = Server::start(&MAIL);
    let token = server.register("ada", PASSWORD).token();
    let app = enrol(&server, &token);
    let used = app.code(0);
    let confirm = json!({"otp": used}).to_string();
    codes(&server.send_as(&token, "PUT", "/api/second-factor", &confirm));
    let change = |otp: &str| {
        let body = json!({"email": "a@mail.example", "password": PASSWORD, "otp": otp});
        server.send_as(&token, "PUT", "/api/email", &body.to_string())
    };
    is(&change(&used), (403, "WrongOtp"));
    let next = app.code(1);
    assert_eq!(change(&next).status(), 200);
    is(&change(&next), (403, "WrongOtp"));
    let body = json!({"username": "ada", "password": PASSWORD, "otp": next});
    is(&server.post("/api/login", &body), (401, "AuthenticationError"));
}

#[test]
fn recovery_codes_could_be_tried_without_end() {
    let server = Server::start(&[]);
    let (token, app, recovery) = with_factor(&server);
    let guess = "0123-4567-89AB-CDEF-GHJK-MNPQ";
    let send = |otp: &str| {
        let body = json!({"password": PASSWORD, "otp": otp}).to_string();
        server.send_as(&token, "POST", "/api/second-factor/recovery-codes", &body)
    };
    let tried = (0..40).find(|_| send(guess).status() == 429).expect("40 guesses");
    // Each guess compares the password, too, so a slow machine spends the first waits with that.
    assert!((10..=30).contains(&tried), "{tried}");
    // It is the same count at a login, where another would admit ten; and digits have another.
    let login = json!({"username": "ada", "password": PASSWORD, "otp": guess});
    let tried = (0..8).find(|_| server.post("/api/login", &login).status() == 429);
    assert!(tried.is_some(), "eight more guesses");
    forget_steps(&server);
    assert_eq!(codes(&send(&app.code(0))).len(), 10);
    drop(recovery);
}

/// The mails that were sent, once there are this many.
pub fn mails(dir: &Dir, count: usize) -> Vec<String> {
    eventually(|| dir.mails().len() >= count);
    dir.mails()
}

fn count(mails: &[String], words: &str) -> usize {
    mails.iter().filter(|mail| mail.contains(words)).count()
}

#[test]
fn nobody_was_told_of_a_used_recovery_code_or_a_deleted_account() {
    let server = Server::start(&[&["--throttle", "off"], &MAIL[..]].concat());
    let (token, app, recovery) = with_factor(&server);
    let database = server.dir.sql();
    let address = "UPDATE users SET email = 'ada@mail.example', email_key = 'ada@mail.example'";
    database.execute(address, &[]);
    let login = json!({"username": "ada", "password": PASSWORD, "otp": recovery[0]});
    server.post("/api/login", &login).token();
    let told = mails(&server.dir, 1);
    assert_eq!(count(&told, "Subject: Recovery code used at lictor"), 1, "{told:?}");
    forget_steps(&server);
    let send = |method: &str, path: &str, otp: &str| {
        let body = json!({"password": PASSWORD, "otp": otp}).to_string();
        let reply = server.send_as(&token, method, path, &body);
        assert_eq!(reply.status(), 200, "{reply:?}");
        reply
    };
    let made = codes(&send("POST", "/api/second-factor/recovery-codes", &app.code(0)));
    let told = mails(&server.dir, 2);
    assert_eq!(count(&told, "Subject: New recovery codes at lictor"), 1, "{told:?}");
    // The mail is for an account that is gone: its row stands alone.
    send("DELETE", "/api/me", &made[0]);
    let told = mails(&server.dir, 3);
    let last = told.iter().find(|mail| mail.contains("was deleted")).expect("a notice");
    assert!(last.contains("To: ada@mail.example") && last.contains("ada"), "{last}");
    eventually(|| database.number("SELECT count(*) FROM outbox") == 0);
}

#[test]
fn an_account_was_deleted_by_an_administrator_without_a_word() {
    let admin = Administered::start(&MAIL);
    let server = &admin.server;
    assert_eq!(server.user(&["add", "ana", "--email", "ana@mail.example"], PASSWORD).0, 0);
    admin.sql().execute("UPDATE users SET language = 'de' WHERE id = 2", &[]);
    admin.done("DELETE", "users/2", &json!({}));
    let told = mails(&server.dir, 1);
    // In her language still.
    assert!(told[0].contains("To: ana@mail.example"), "{told:?}");
    assert!(told[0].contains("Content-Language: de"), "{told:?}");
}

#[test]
fn who_must_have_a_second_factor_did_without() {
    let server = Server::start(&["--require-second-factor", "admin", "--throttle", "off"]);
    assert_eq!(server.user(&["add", "ada", "--role", "admin"], PASSWORD).0, 0);
    assert_eq!(server.user(&["add", "bob"], PASSWORD).0, 0);
    let missing = (403, "SecondFactorMissing");
    let me = |token: &str| {
        let me = server.send_as(token, "GET", "/api/me", "").json();
        (me["second_factor"].clone(), me["second_factor_required"].clone())
    };
    // Others are as free as ever.
    let bob = server.login("bob", PASSWORD).token();
    assert_eq!((me(&bob), server.protected(&bob).status()), ((json!(false), json!(false)), 200));
    let ada = server.login("ada", PASSWORD).token();
    assert_eq!(me(&ada), (json!(false), json!(true)));
    for (method, path) in [
        ("GET", "/api/protected"),
        ("GET", "/api/verify"),
        ("GET", "/api/sessions"),
        ("DELETE", "/api/sessions/x"),
        ("PUT", "/api/password"),
        ("PUT", "/api/email"),
        ("DELETE", "/api/me"),
        ("DELETE", "/api/second-factor"),
        ("POST", "/api/second-factor/recovery-codes"),
        ("GET", "/api/admin/users"),
        ("GET", "/api/admin/audit"),
        ("PUT", "/api/admin/users/2/roles"),
        ("POST", "/api/admin/invitations"),
    ] {
        is(&server.send_as(&ada, method, path, "{}"), missing);
    }
    // The session goes on, and a logout is one.
    is(&server.send_as(&ada, "POST", "/api/refresh", ""), (425, "EarlyRefreshError"));
    let other = server.login("ada", PASSWORD).token();
    assert_eq!(server.send_as(&other, "POST", "/api/logout", "").status(), 200);
    let app = enrol(&server, &ada);
    is(&server.protected(&ada), missing);
    let confirm = json!({"otp": app.code(0)}).to_string();
    codes(&server.send_as(&ada, "PUT", "/api/second-factor", &confirm));
    assert_eq!((me(&ada), server.protected(&ada).status()), ((json!(true), json!(true)), 200));
    assert_eq!(server.send_as(&ada, "GET", "/api/admin/users", "").status(), 200);
    // It cannot be turned off; who loses the role may.
    forget_steps(&server);
    let off = json!({"password": PASSWORD, "otp": app.code(0)}).to_string();
    is(&server.send_as(&ada, "DELETE", "/api/second-factor", &off), missing);
    // What the command line takes away is missed at once.
    assert_eq!(server.user(&["reset-second-factor", "ada"], "").0, 0);
    is(&server.protected(&ada), missing);
    assert_eq!(server.send_as(&ada, "POST", "/api/logout/all", "").status(), 200);
}

#[test]
fn everybody_must_have_a_second_factor() {
    let server = Server::start(&["--require-second-factor", "all"]);
    let token = server.register("ada", PASSWORD).token();
    is(&server.protected(&token), (403, "SecondFactorMissing"));
    let app: Authenticator = enrol(&server, &token);
    let confirm = json!({"otp": app.code(0)}).to_string();
    codes(&server.send_as(&token, "PUT", "/api/second-factor", &confirm));
    assert_eq!(server.protected(&token).status(), 200);
}

#[test]
fn a_token_of_last_week_ended_sessions_and_made_administrators() {
    let admin = Administered::start(&["--reauthenticate", "15m", "--throttle", "off"]);
    let server = &admin.server;
    server.add("bob");
    let send = |token: &str, method: &str, path: &str, body: &str| {
        server.send_as(token, method, path, body)
    };
    let other = server.login("root", PASSWORD).token();
    let session = format!("/api/sessions/{}", jti(&other));
    let all: Vec<(&str, &str, &str)> = vec![
        ("DELETE", &session, ""),
        ("PUT", "/api/admin/users/2/roles", r#"{"roles":["editor"]}"#),
        ("PUT", "/api/admin/users/2/active", r#"{"active":true}"#),
        ("POST", "/api/admin/users/2/reset-link", ""),
        ("DELETE", "/api/admin/users/2/sessions", ""),
        ("POST", "/api/admin/invitations", "{}"),
        ("DELETE", "/api/admin/users/2", ""),
        ("POST", "/api/logout/all", ""),
    ];
    let age = |token: &str, seconds: i64| {
        let sql = "UPDATE sessions SET created = $1 WHERE jti = $2";
        admin.sql().execute(sql, &[&(now() - seconds), &jti(token)]);
    };
    age(&admin.token, 20 * 60);
    for (method, path, body) in &all {
        is(&send(&admin.token, method, path, body), (403, "ReauthenticationRequired"));
    }
    is(
        &send(&admin.token, "DELETE", "/api/admin/invitations/x", ""),
        (403, "ReauthenticationRequired"),
    );
    // Looking does not want it, nor what asks for the password itself, nor leaving.
    for path in ["/api/admin/users", "/api/sessions", "/api/me", "/api/protected"] {
        assert_eq!(send(&admin.token, "GET", path, "").status(), 200, "{path}");
    }
    let own = server.login("root", PASSWORD).token();
    age(&own, 20 * 60);
    assert_eq!(send(&own, "DELETE", &format!("/api/sessions/{}", jti(&own)), "").status(), 200);
    let left = server.login("root", PASSWORD).token();
    age(&left, 20 * 60);
    assert_eq!(send(&left, "POST", "/api/logout", "").status(), 200);
    age(&admin.token, 10 * 60);
    for (method, path, body) in &all {
        let reply = send(&admin.token, method, path, body);
        assert_eq!(reply.status(), 200, "{method} {path}: {reply:?}");
    }
    // Off, as by default, any login will do: the other tests are full of it.
}
