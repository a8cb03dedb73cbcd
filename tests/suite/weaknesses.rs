//! The weaknesses of the Flask original, none of which lictor has. Each test is named after one.
//! `bench/timing` measures that existing and unknown accounts take the same time.

use serde_json::{Value, json};

use crate::support::{PASSWORD, Reply, Server, now, payload, signed};

fn is(reply: &Reply, expected: (u16, &str)) {
    let (status, name) = reply.error();
    assert_eq!((status, name.as_str()), expected, "{reply:?}");
}

fn post(server: &Server, path: &str, username: &Value, password: &Value) -> Reply {
    server.post(path, &json!({"username": username, "password": password}))
}

#[test]
fn inactive_users_pass_protected() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    assert_eq!(server.user(&["deactivate", "ada"], "").0, 0);
    is(&server.protected(&token), (403, "InvalidUserError"));
}

#[test]
fn roles_are_trusted_from_the_token() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let mut claims = payload(&token);
    claims["rls"] = json!("admin");
    let boasting = signed(&claims);
    let me = server.send_as(&boasting, "GET", "/api/me", "");
    assert_eq!((me.status(), &me.json()["roles"]), (200, &json!(["user"])));
}

#[test]
fn nothing_revokes_a_token() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    assert_eq!(server.send_as(&token, "POST", "/api/logout", "").status(), 200);
    is(&server.protected(&token), (403, "BlacklistedError"));
}

#[test]
fn one_expired_token_refreshes_any_number_of_times() {
    let server = Server::start(&["--adopt-tokens"]);
    server.add_imported("ada");
    let expired = |jti: &str, iat: i64| {
        signed(&json!({
            "iat": iat, "exp": now() - 5, "jti": jti, "id": 1, "rls": "", "rf_exp": now() + 1000,
        }))
    };
    let refresh = |token: &str| server.send("POST", "/api/refresh", &[], token);
    let old = expired("a", now() - 500);
    let new = refresh(&old).token();
    // The half minute in which a token can be refreshed twice is over.
    let sql = "UPDATE sessions SET newest = newest - 60 WHERE jti = 'a'";
    server.dir.sql().execute(sql, &[]);
    let elsewhere = [("User-Agent", "another program")];
    is(&server.send("POST", "/api/refresh", &elsewhere, &old), (403, "BlacklistedError"));
    is(&server.protected(&new), (403, "BlacklistedError"));
}

#[test]
fn reset_tokens_work_again_and_again() {
    let server = Server::start(&[]);
    assert_eq!(server.user(&["add", "root", "--role", "admin"], PASSWORD).0, 0);
    server.add("ada");
    let root = server.login("root", PASSWORD).token();
    let made = server.send_as(&root, "POST", "/api/admin/users/2/reset-link", "").json();
    let token = made["token"].as_str().unwrap();
    let mut answers = Vec::new();
    for password in ["eleven paper boats", "twelve paper boats"] {
        let body = json!({"password": password}).to_string();
        answers.push(server.send_as(token, "POST", "/api/reset_finalize", &body));
    }
    assert_eq!(answers[0].json()["user"], "ada");
    is(&answers[1], (401, "InvalidResetToken"));
    is(&server.login("ada", "twelve paper boats"), (401, "AuthenticationError"));
    server.login("ada", "eleven paper boats").token();
}

#[test]
fn registration_tokens_reactivate_accounts() {
    let server = Server::start(&["--adopt-tokens"]);
    server.add_imported("ada");
    let token = signed(&json!({
        "iat": now() - 5, "exp": now() + 500, "jti": "a", "id": 1, "rls": "",
        "rf_exp": now() + 1000, "is_ert": true,
    }));
    assert_eq!(server.user(&["deactivate", "ada"], "").0, 0);
    is(&server.protected(&token), (401, "MisusedRegistrationToken"));
    is(&server.login("ada", PASSWORD), (403, "InvalidUserError"));
}

#[test]
fn existing_and_unknown_accounts_differ() {
    let server = Server::start(&[]);
    server.register("ada", PASSWORD).token();
    server.register("idle", PASSWORD).token();
    assert_eq!(server.user(&["deactivate", "idle"], "").0, 0);
    let answers = ["ada", "idle", "nobody"].map(|name| {
        let reply = server.login(name, "another password");
        let head: Vec<_> = reply
            .head
            .lines()
            .filter(|line| !line.starts_with("Date:"))
            .map(str::to_owned)
            .collect();
        (head, reply.body)
    });
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[test]
fn empty_passwords_are_taken() {
    let server = Server::start(&[]);
    is(&server.register("ada", ""), (400, "InvalidPassword"));
    is(&server.login("ada", ""), (401, "AuthenticationError"));
    let (code, _, error) = server.user(&["add", "ada"], "\n");
    assert_eq!(code, 1);
    assert!(error.contains("password is empty"), "{error}");
}

#[test]
fn what_follows_a_nul_does_not_count() {
    let server = Server::start(&[]);
    server.register("ada", PASSWORD).token();
    is(&server.login("ada", &format!("{PASSWORD}\0")), (401, "AuthenticationError"));
    is(&server.login("ada", &format!("{PASSWORD}\0x")), (401, "AuthenticationError"));
    is(&server.register("bob", &format!("{PASSWORD}\0x")), (400, "InvalidPassword"));
}

#[test]
fn numbers_are_taken_for_names_and_null_passwords_are_a_500() {
    let server = Server::start(&[]);
    for path in ["/api/registration", "/api/login"] {
        for odd in [json!(7), json!(1.5), json!(true), json!(null), json!([]), json!({})] {
            is(&post(&server, path, &odd, &json!(PASSWORD)), (400, "BadRequest"));
            is(&post(&server, path, &json!("ada"), &odd), (400, "BadRequest"));
        }
    }
}

#[test]
fn two_registrations_at_once_both_get_the_name() {
    let server = Server::start(&[]);
    let statuses = std::thread::scope(|scope| {
        [(); 4]
            .map(|()| scope.spawn(|| server.register("ada", PASSWORD).status()))
            .map(|thread| thread.join().unwrap())
    });
    let mut sorted = statuses;
    sorted.sort_unstable();
    assert_eq!(sorted, [200, 409, 409, 409]);
}

#[test]
fn the_ids_of_deleted_users_are_given_out_again() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    assert_eq!(server.user(&["delete", "ada", "--yes"], "").0, 0);
    let next = server.register("ada", PASSWORD).token();
    assert_eq!(payload(&token)["id"], 1);
    assert_eq!(payload(&next)["id"], 2);
    is(&server.protected(&token), (401, "MissingUserError"));
}
