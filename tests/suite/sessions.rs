//! Sessions as their users meet them: where they come from, what they show, what ends them.

use serde_json::{Value, json};

use crate::support::{PASSWORD, Reply, SECRET, Server, assert_without, now, payload, signed};

const REVOKED: (u16, &str) = (403, "BlacklistedError");

fn is(reply: &Reply, expected: (u16, &str)) {
    let (status, name) = reply.error();
    assert_eq!((status, name.as_str()), expected, "{reply:?}");
}

/// The token of the same session whose access ended, as if it had been issued at `iat`.
fn expired(token: &str, iat: i64) -> String {
    let mut claims = payload(token);
    claims["iat"] = json!(iat);
    claims["exp"] = json!(now() - 5);
    signed(&claims)
}

fn refresh(server: &Server, token: &str) -> Reply {
    server.send("POST", "/api/refresh", &[], token)
}

fn refresh_by(server: &Server, agent: &str, token: &str) -> Reply {
    server.send("POST", "/api/refresh", &[("User-Agent", agent)], token)
}

fn sessions(server: &Server, token: &str) -> Vec<Value> {
    let reply = server.send_as(token, "GET", "/api/sessions", "");
    assert_eq!(reply.status(), 200, "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply.json()["sessions"].as_array().unwrap().clone()
}

#[test]
fn a_logout_counts_at_once_and_for_one_session() {
    let server = Server::start(&[]);
    let first = server.register("ada", PASSWORD).token();
    let second = server.login("ada", PASSWORD).token();
    let reply = server.send_as(&first, "POST", "/api/logout", "");
    assert_eq!((reply.status(), reply.json()), (200, json!({"message": "logged out"})));
    is(&server.protected(&first), REVOKED);
    is(&refresh(&server, &expired(&first, payload(&first)["iat"].as_i64().unwrap())), REVOKED);
    is(&server.send_as(&first, "POST", "/api/logout", ""), REVOKED);
    assert_eq!(server.protected(&second).status(), 200);
    is(&server.send("POST", "/api/logout", &[], ""), (401, "MissingToken"));
    let log = server.log();
    assert!(log.contains("logout user=ada id=1 from=127.0.0.1"), "{log}");
}

#[test]
fn a_logout_everywhere_is_one() {
    let server = Server::start(&[]);
    let tokens = [
        server.register("ada", PASSWORD).token(),
        server.login("ada", PASSWORD).token(),
        server.login("ada", PASSWORD).token(),
    ];
    let other = server.register("bob", PASSWORD).token();
    assert_eq!(server.send_as(&tokens[1], "POST", "/api/logout/all", "").status(), 200);
    for token in &tokens {
        is(&server.protected(token), REVOKED);
    }
    assert_eq!(server.protected(&other).status(), 200);
    let again = server.login("ada", PASSWORD).token();
    assert_eq!(server.protected(&again).status(), 200);
}

#[test]
fn sessions_are_shown_to_their_user_and_ended_one_by_one() {
    let server = Server::start(&[]);
    let agent = |agent: &str| {
        let body = json!({"username": "ada", "password": PASSWORD}).to_string();
        server.send("POST", "/api/login", &[("User-Agent", agent)], &body).token()
    };
    let begun = now();
    let here = server.register("ada", PASSWORD).token();
    let phone = agent("A phone\u{85}\t, with a very long näme ".repeat(20).trim());
    let bob = server.register("bob", PASSWORD).token();

    let shown = sessions(&server, &here);
    assert_eq!(shown.len(), 2);
    for session in &shown {
        assert_eq!(session["address"], "127.0.0.1");
        assert_eq!(session["created"], session["last_refreshed"]);
        let created = session["created"].as_i64().unwrap();
        assert!((begun - 20..=now() + 20).contains(&created), "{session}");
        // As long as the token in use, counted from its own beginning.
        let [rf_exp, iat] = ["rf_exp", "iat"].map(|claim| payload(&here)[claim].as_i64().unwrap());
        let lasts = session["expires"].as_i64().unwrap() - created;
        assert!((lasts - (rf_exp - iat)).abs() < 20, "{session}");
        let current = session["id"] == payload(&here)["jti"];
        assert_eq!(session["current"], current);
        let agent = session["user_agent"].as_str().unwrap();
        assert!(current && agent.is_empty() || agent.starts_with("A phone, with"), "{agent}");
        assert!(agent.len() <= 200, "{agent}");
    }
    assert_without(&json!(shown).to_string(), &[PASSWORD, SECRET, "bob"], &"the sessions");

    let end =
        |token: &str, id: &str| server.send_as(token, "DELETE", &format!("/api/sessions/{id}"), "");
    let id = |token: &str| payload(token)["jti"].as_str().unwrap().to_owned();
    is(&end(&bob, &id(&phone)), (404, "NotFound"));
    is(&end(&here, "nothing"), (404, "NotFound"));
    assert_eq!(end(&here, "nothing").json()["message"], "There is no such session");
    is(&end(&here, "%27%20OR%201=1"), (404, "NotFound"));
    is(&end(&here, ""), (404, "NotFound"));
    assert_eq!(server.protected(&phone).status(), 200);
    is(&end(&here, "%zz"), (404, "NotFound"));
    // However a client writes it into a path.
    let encoded: String = id(&phone).bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert_eq!(end(&here, &encoded).status(), 200);
    is(&server.protected(&phone), REVOKED);
    is(&end(&here, &id(&phone)), (404, "NotFound"));
    assert_eq!(sessions(&server, &here).len(), 1);
    assert_eq!(end(&here, &id(&here)).status(), 200);
    is(&server.protected(&here), REVOKED);
    assert_eq!(server.protected(&bob).status(), 200);
}

#[test]
fn a_refresh_exchanges_a_token() {
    let server = Server::start(&[]);
    let first = server.register("ada", PASSWORD).token();
    let issued = payload(&first)["iat"].as_i64().unwrap();
    // As if the login had been a while ago.
    let database = server.dir.sql();
    let past = issued - 100;
    let since = |newest: i64, previous: Option<i64>| {
        let claims = payload(&first);
        let sql = "UPDATE sessions SET newest = $1, previous = $2, ended = NULL WHERE jti = $3";
        let jti = claims["jti"].as_str().unwrap();
        assert_eq!(database.execute(sql, &[&newest, &previous, &jti]), 1);
    };
    since(past, None);
    let old = expired(&first, past);
    let new = refresh(&server, &old).token();
    assert_eq!(payload(&new)["jti"], payload(&first)["jti"]);
    // The answer was lost, or another window was as fast: the same token again.
    assert_eq!(refresh(&server, &old).token(), new);
    assert_eq!(server.protected(&new).status(), 200);
    assert_eq!(sessions(&server, &new).len(), 1);

    // Half a minute later, from elsewhere, it is a replay: the session is over, for the thief and
    // for the user.
    since(now() - 31, Some(past));
    is(&refresh_by(&server, "another program", &old), REVOKED);
    is(&server.protected(&new), REVOKED);
    assert!(server.log().contains("refresh-replayed user=ada id=1 from=127.0.0.1"));

    // So it is with any older token, however soon.
    since(now() - 5, Some(past + 50));
    is(&refresh_by(&server, "another program", &old), REVOKED);
    is(&server.protected(&new), REVOKED);
}

/// Two tabs with a copy of the token each, of which one has refreshed twice: what the other one
/// gets for its token, and the newest token. The database says that the last refresh was so many
/// seconds ago; returned is when that was.
fn second_tab(server: &Server, agent: &str, refreshed_ago: i64) -> (Reply, String, i64) {
    let copied = server.register("ada", PASSWORD).token();
    let database = server.dir.sql();
    let ago = |seconds: i64| {
        let issued = now() - seconds;
        let sql = "UPDATE sessions SET newest = $1 WHERE \"user\" = 1 AND ended IS NULL";
        assert_eq!(database.execute(sql, &[&issued]), 1);
        issued
    };
    let copied = expired(&copied, ago(5_000));
    let second = refresh_by(server, "a browser", &copied).token();
    let second = expired(&second, ago(4_000));
    let newest = refresh_by(server, "a browser", &second).token();
    let refreshed = ago(refreshed_ago);
    (refresh_by(server, agent, &copied), newest, refreshed)
}

#[test]
fn a_second_tab_ended_the_session_of_both() {
    let server = Server::start(&[]);
    let (reply, newest, refreshed) = second_tab(&server, "a browser", 1_000);
    let again = reply.token();
    // The token that the first tab has, not another one.
    assert_eq!(payload(&again)["iat"], json!(refreshed));
    assert_eq!(payload(&again)["jti"], payload(&newest)["jti"]);
    assert_eq!(server.protected(&again).status(), 200);
    assert_eq!(server.protected(&newest).status(), 200);
    assert!(!server.log().contains("replayed"), "{}", server.log());
}

#[test]
fn a_second_tab_got_a_token_that_had_expired() {
    let server = Server::start(&["--access-lifespan", "1000s"]);
    let begun = now();
    let (reply, newest, refreshed) = second_tab(&server, "a browser", 1_001);
    let new = reply.token();
    assert!(payload(&new)["iat"].as_i64().unwrap() >= begun - 20);
    // The first tab, which has not looked since, is not out either.
    let newest = expired(&newest, refreshed);
    let shared = refresh_by(&server, "a browser", &newest).token();
    assert_eq!(payload(&shared)["iat"], payload(&new)["iat"]);
    assert!(!server.log().contains("replayed"), "{}", server.log());
}

#[test]
fn an_older_token_is_good_only_where_the_session_was_refreshed() {
    let check = |flags: &[&str], agent: &str| {
        let server = Server::start(flags);
        let (reply, newest, _) = second_tab(&server, agent, 1_000);
        is(&reply, REVOKED);
        is(&server.protected(&newest), REVOKED);
        assert_eq!(server.log().matches("refresh-replayed user=ada").count(), 1);
    };
    check(&[], "another program");
    check(&["--refresh-reuse", "never"], "a browser");

    // By address, as the throttle groups them.
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let first = server.register("ada", PASSWORD).token();
    let id = payload(&first)["jti"].clone();
    let database = server.dir.sql();
    let issued = payload(&first)["iat"].as_i64().unwrap();
    let sql = "UPDATE sessions SET newest = newest - 1000, previous = newest - 2000,
        refreshed_address = '2001:db8:1:2::3', refreshed_agent = 'a browser' WHERE jti = $1";
    assert_eq!(database.execute(sql, &[&id.as_str().unwrap()]), 1);
    let old = expired(&first, issued - 5_000);
    let from = |address: &str| {
        let headers = [("User-Agent", "a browser"), ("X-Forwarded-For", address)];
        server.send("POST", "/api/refresh", &headers, &old)
    };
    assert_eq!(payload(&from("2001:db8:1:2:ffff::1").token())["iat"], json!(issued - 1_000));
    is(&from("2001:db8:1:3::3"), REVOKED);
    is(&from("2001:db8:1:2::3"), REVOKED);
}

#[test]
fn behind_a_proxy_that_nobody_named_an_exchanged_token_was_good_everywhere() {
    // A refresh by somebody behind the proxy, and one that it does not say of whom.
    let everywhere = [Some("192.0.2.1"), Some("198.51.100.7"), None];
    for (owner, thief) in
        everywhere.iter().flat_map(|owner| everywhere.map(|thief| (*owner, thief)))
    {
        let server = Server::start(&[]);
        let ask = |path: &str, from: Option<&str>, body: &str| {
            let headers = [("User-Agent", "a browser"), ("X-Forwarded-For", from.unwrap_or(""))];
            server.send("POST", path, &headers[..1 + usize::from(from.is_some())], body)
        };
        let body = json!({"username": "ada", "password": PASSWORD}).to_string();
        let copied = ask("/api/registration", owner, &body).token();
        let database = server.dir.sql();
        let ago = |seconds: i64| {
            let issued = now() - seconds;
            assert_eq!(database.execute("UPDATE sessions SET newest = $1", &[&issued]), 1);
            issued
        };
        let copied = expired(&copied, ago(5_000));
        let second = ask("/api/refresh", owner, &copied).token();
        let newest = ask("/api/refresh", owner, &expired(&second, ago(4_000))).token();
        let shown = sessions(&server, &newest)[0]["address"].clone();
        assert_eq!(shown, json!(if owner.is_some() { "-" } else { "127.0.0.1" }));
        let stolen = ask("/api/refresh", thief, &copied);
        if (owner, thief) == (None, None) {
            // No proxy, as far as can be seen: the same machine.
            stolen.token();
            continue;
        }
        is(&stolen, REVOKED);
        is(&server.protected(&newest), REVOKED);
        // The log and the audit have the address that there is.
        assert!(server.log().contains("refresh-replayed user=ada id=1 from=127.0.0.1"));
    }
}

#[test]
fn a_session_that_nobody_used_could_be_refreshed_for_a_month() {
    let server = Server::start(&["--access-lifespan", "1h", "--session-idle", "2h"]);
    let database = server.dir.sql();
    // The same token, as if its session had been refreshed last so many seconds ago.
    let age = |token: &str, seconds: i64| {
        let (jti, issued) = (payload(token)["jti"].clone(), now() - seconds);
        let sql = "UPDATE sessions SET newest = $1, previous = NULL WHERE jti = $2";
        assert_eq!(database.execute(sql, &[&issued, &jti.as_str().unwrap()]), 1);
        expired(token, issued)
    };
    let idle = server.register("ada", PASSWORD).token();
    let used = server.login("ada", PASSWORD).token();
    let idle = age(&idle, 7_201);
    let used = refresh(&server, &age(&used, 5_000)).token();
    is(&refresh(&server, &idle), (401, "ExpiredRefreshError"));
    is(&refresh_by(&server, "another program", &idle), (401, "ExpiredRefreshError"));
    let shown = sessions(&server, &used);
    let ids: Vec<_> = shown.iter().map(|session| &session["id"]).collect();
    assert_eq!(ids, [&payload(&used)["jti"]]);
    // Nobody has stolen anything.
    assert!(!server.log().contains("replayed"), "{}", server.log());

    // Without the flag they last as long as ever.
    let (_, dir) = server.stop("-TERM");
    let server = Server::start_in(dir, &[]);
    assert_eq!(sessions(&server, &used).len(), 2);
    refresh(&server, &idle).token();
}

#[test]
fn another_password_ends_all_sessions_and_begins_one() {
    let server = Server::start(&[]);
    let here = server.register("ada", PASSWORD).token();
    let there = server.login("ada", PASSWORD).token();
    let put = |body: &Value| server.send_as(&here, "PUT", "/api/password", &body.to_string());
    let new = "eleven paper boats";
    is(&put(&json!({"current": "wrong one", "new": new})), (403, "WrongPassword"));
    is(&put(&json!({"current": "", "new": new})), (403, "WrongPassword"));
    is(&put(&json!({"current": PASSWORD, "new": "short"})), (400, "InvalidPassword"));
    is(&put(&json!({"current": PASSWORD, "new": ""})), (400, "InvalidPassword"));
    is(&put(&json!({"current": PASSWORD})), (400, "BadRequest"));
    is(&put(&json!({"new": new})), (400, "BadRequest"));
    is(&put(&json!({"current": null, "new": new})), (400, "BadRequest"));
    assert_eq!(server.protected(&there).status(), 200);
    let changed = put(&json!({"current": PASSWORD, "new": new}));
    assert_eq!(changed.status(), 200, "{changed:?}");
    assert_eq!(server.protected(&changed.token()).status(), 200);
    is(&server.protected(&here), REVOKED);
    is(&server.protected(&there), REVOKED);
    is(&server.login("ada", PASSWORD), (401, "AuthenticationError"));
    server.login("ada", new).token();
    assert_without(&server.log(), &[PASSWORD, new, "wrong one"], &"the log");
}

#[test]
fn who_one_is_and_no_longer() {
    let server = Server::start(&[]);
    let begun = now();
    let token = server.register("Ada", PASSWORD).token();
    assert_eq!(server.user(&["roles", "ada", "--set", "editor,author"], "").0, 0);
    let me = server.send_as(&token, "GET", "/api/me", "").json();
    assert_eq!((&me["id"], &me["username"]), (&json!(1), &json!("Ada")));
    assert_eq!((&me["email"], &me["roles"]), (&Value::Null, &json!(["editor", "author"])));
    assert!((begun - 20..=now() + 20).contains(&me["created"].as_i64().unwrap()), "{me}");

    let delete = |body: &str| server.send_as(&token, "DELETE", "/api/me", body);
    is(&delete(""), (400, "BadRequest"));
    is(&delete(&json!({"password": "wrong one"}).to_string()), (403, "WrongPassword"));
    assert_eq!(server.protected(&token).status(), 200);
    assert_eq!(delete(&json!({"password": PASSWORD}).to_string()).status(), 200);
    is(&server.protected(&token), (401, "MissingUserError"));
    is(&server.login("ada", PASSWORD), (401, "AuthenticationError"));
}

#[test]
fn the_last_administrator_cannot_leave() {
    let server = Server::start(&[]);
    assert_eq!(server.user(&["add", "ada", "--role", "admin"], PASSWORD).0, 0);
    let token = server.login("ada", PASSWORD).token();
    let body = json!({"password": PASSWORD}).to_string();
    is(&server.send_as(&token, "DELETE", "/api/me", &body), (409, "LastAdmin"));
    for command in
        [&["roles", "ada", "--set", ""][..], &["deactivate", "ada"], &["delete", "ada", "--yes"]]
    {
        let (code, _, error) = server.user(command, "");
        assert_eq!(code, 1);
        assert!(error.contains("make another administrator first"), "{error}");
    }
    assert_eq!(server.protected(&token).status(), 200);
    assert_eq!(server.user(&["add", "bob", "--role", "admin"], PASSWORD).0, 0);
    assert_eq!(server.send_as(&token, "DELETE", "/api/me", &body).status(), 200);
}

#[test]
fn the_first_answer_for_a_foreign_token_has_the_whole_identity() {
    let server = Server::start(&["--adopt-tokens"]);
    assert_eq!(server.user(&["add", "ada", "--email", "ada@example.org"], PASSWORD).0, 0);
    server.take_older_tokens();
    let (iat, exp, rf_exp) = (now() - 50, now() + 900, now() + 1000);
    let token =
        signed(&json!({"iat": iat, "exp": exp, "jti": "a", "id": 1, "rls": "", "rf_exp": rf_exp}));
    for _ in 0..2 {
        let reply = server.send_as(&token, "GET", "/api/verify", "");
        let email = reply.header("remote-email");
        assert_eq!((reply.status(), email), (200, Some("ada@example.org")), "{reply:?}");
    }
}

#[test]
fn foreign_tokens_with_the_same_secret() {
    let foreign = |jti: &str, iat: i64, exp: i64| {
        let rf_exp = now() + 1000;
        signed(&json!({"iat": iat, "exp": exp, "jti": jti, "id": 1, "rls": "", "rf_exp": rf_exp}))
    };
    let server = Server::start(&[]);
    server.add_imported("ada");
    is(&server.protected(&foreign("a", now() - 50, now() + 900)), REVOKED);
    is(&refresh(&server, &foreign("a", now() - 50, now() - 5)), REVOKED);
    let (_, dir) = server.stop("-TERM");

    let server = Server::start_in(dir, &["--adopt-tokens"]);
    let good = foreign("a", now() - 50, now() + 900);
    assert_eq!(server.protected(&good).status(), 200);
    assert_eq!(server.protected(&good).status(), 200);
    let adopted = "token-adopted user=ada id=1 from=127.0.0.1";
    assert_eq!(server.log().matches(adopted).count(), 1, "{}", server.log());
    let old = foreign("b", now() - 50, now() - 5);
    let new = refresh(&server, &old).token();
    assert_eq!(payload(&new)["jti"], "b");
    let shown = sessions(&server, &good);
    assert!(shown.iter().any(|session| session["id"] == "a"), "{shown:?}");
    assert_eq!(server.send_as(&good, "POST", "/api/logout", "").status(), 200);
    is(&server.protected(&good), REVOKED);
    assert_eq!(server.send_as(&new, "POST", "/api/logout/all", "").status(), 200);
    is(&server.protected(&new), REVOKED);
    // One that never came here has ended as well.
    is(&server.protected(&foreign("c", now() - 500, now() + 900)), REVOKED);

    // A new account is not the account that such a token names, even with the same id.
    server.register("bob", PASSWORD).token();
    server.add("carol");
    let rf_exp = now() + 1000;
    for id in [2, 3] {
        let of_another = json!({
            "iat": now() - 50, "exp": now() + 900, "jti": "d", "id": id, "rls": "",
            "rf_exp": rf_exp,
        });
        is(&server.protected(&signed(&of_another)), REVOKED);
    }
}

#[test]
fn what_happened_is_on_record() {
    let server = Server::start(&[]);
    let token = server.register("Ada", PASSWORD).token();
    is(&server.login("ada", "wrong one"), (401, "AuthenticationError"));
    is(&server.login("a secret typed as a name", "x"), (401, "AuthenticationError"));
    server.send_as(&token, "POST", "/api/logout", "");
    assert_eq!(server.user(&["deactivate", "ada"], "").0, 0);
    is(&server.login("ada", PASSWORD), (403, "InvalidUserError"));
    assert_eq!(server.user(&["roles", "ada", "--set", "editor"], "").0, 0);
    let audit = |args: &[&str]| {
        let args = [&["audit", "--database", "lictor.db"], args].concat();
        let output = crate::support::outcome(&crate::support::run(&server.dir.0, &args, ""));
        assert_eq!(output.0, 0, "{output:?}");
        output.1
    };
    let lines = audit(&["--json"]);
    let entries: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let row = |entry: &Value| {
        json!([entry["event"], entry["user"], entry["name"], entry["address"], entry["detail"]])
    };
    let here = "127.0.0.1";
    assert_eq!(
        entries.iter().rev().map(row).collect::<Vec<_>>(),
        [
            json!(["registration", 1, "Ada", here, ""]),
            json!(["login-failed", 1, "Ada", here, ""]),
            json!(["login-failed", null, null, here, ""]),
            json!(["logout", 1, "Ada", here, ""]),
            json!(["deactivated", 1, "Ada", null, ""]),
            json!(["login-refused", 1, "Ada", here, ""]),
            json!(["roles-changed", 1, "Ada", null, "editor"]),
        ]
    );
    assert_without(&lines, &[PASSWORD, "wrong one", "a secret typed"], &"the audit");
    let text = audit(&["--user", "ADA", "--since", "1h", "--limit", "2"]);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("roles-changed") && text.contains("the command line  editor"), "{text}");
    let nobody = ["audit", "--user", "nobody", "--database", "lictor.db"];
    let (code, _, error) =
        crate::support::outcome(&crate::support::run(&server.dir.0, &nobody, ""));
    assert_eq!(code, 1);
    assert!(error.contains("there is no user nobody"), "{error}");
    assert_eq!(server.user(&["delete", "ada", "--yes"], "").0, 0);
    let gone = audit(&["--user", "Ada", "--limit", "1"]);
    assert!(gone.contains("user-deleted"), "{gone}");
}
