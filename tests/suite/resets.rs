//! Reset tokens: they set a password once, and some changes void them.

use jwt_simple::prelude::{Ed25519PublicKey, EdDSAPublicKeyLike as _, NoCustomClaims};
use serde_json::{Value, json};

use crate::administration::{Administered, is};
use crate::support::{
    Dir, PASSWORD, Reply, Server, assert_without, now, outcome, part, payload, run, signed,
};

const NEW: &str = "eleven paper boats";
const VOID: (u16, &str) = (401, "InvalidResetToken");
const REVOKED: (u16, &str) = (403, "BlacklistedError");

fn reset(server: &Server, token: &str, password: &str) -> Reply {
    let body = json!({"password": password}).to_string();
    server.send_as(token, "POST", "/api/reset_finalize", &body)
}

/// A server with an administrator, and Bob, who is user 2; returns his access token.
fn with_bob() -> (Administered, String) {
    let admin = Administered::start(&[]);
    let token = admin.server.register("Bob", PASSWORD).token();
    (admin, token)
}

/// A new reset token for Bob.
fn link(admin: &Administered) -> String {
    let made = admin.done("POST", "users/2/reset-link", &json!(null));
    made["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_reset_token_sets_a_password_once() {
    let (admin, before) = with_bob();
    let server = &admin.server;
    let begun = now();
    let made = admin.done("POST", "users/2/reset-link", &json!(null));
    let lasts = begun + 3580..=now() + 3620;
    assert_eq!(made["link"], Value::Null);
    let token = made["token"].as_str().unwrap();
    let claims = payload(token);
    assert_eq!((&claims["is_prt"], &claims["id"]), (&json!(true), &json!(2)));
    assert_eq!(claims["exp"], made["expires"]);
    assert!(lasts.contains(&made["expires"].as_i64().unwrap()), "{lasts:?} {made}");

    // It has no other use, and a failed request does not use it up.
    is(&server.protected(token), (401, "MisusedResetToken"));
    is(&server.send("POST", "/api/refresh", &[], token), (401, "MisusedResetToken"));
    for (body, expected) in [
        ("", (400, "BadRequest")),
        ("{}", (400, "BadRequest")),
        (r#"{"password":null}"#, (400, "BadRequest")),
        (r#"{"password":["x"]}"#, (400, "BadRequest")),
        (r#"{"password":""}"#, (400, "InvalidPassword")),
        (r#"{"password":"short"}"#, (400, "InvalidPassword")),
    ] {
        is(&server.send_as(token, "POST", "/api/reset_finalize", body), expected);
    }
    assert_eq!(server.protected(&before).status(), 200);

    let done = reset(server, token, NEW);
    assert_eq!((done.status(), &done.json()["user"]), (200, &json!("Bob")), "{done:?}");
    assert_eq!(done.header("cache-control"), Some("no-store"));
    assert_eq!(done.json().as_object().unwrap().len(), 2);
    let new = done.token();
    assert_eq!(server.protected(&new).status(), 200);
    is(&server.protected(&before), REVOKED);
    is(&server.login("bob", PASSWORD), (401, "AuthenticationError"));
    server.login("bob", NEW).token();
    is(&reset(server, token, "a third password"), VOID);
    is(&reset(server, token, "short"), VOID);
    server.login("bob", NEW).token();

    let entries = admin.get("audit?user=2&limit=200");
    let rows = entries["entries"].as_array().unwrap();
    let row = |event: &str| rows.iter().find(|row| row["event"] == event).unwrap();
    assert_eq!(
        (&row("reset-link")["actor"], &row("reset-link")["detail"]),
        (&json!(1), &json!(""))
    );
    let done = row("password-reset");
    assert_eq!((&done["actor"], &done["address"]), (&Value::Null, &json!("127.0.0.1")));
    let signature = token.rsplit('.').next().unwrap();
    let log = server.log();
    assert!(log.contains("reset-link user=Bob id=2 by=1 from=127.0.0.1"), "{log}");
    assert!(log.contains("password-reset user=Bob id=2 from=127.0.0.1"), "{log}");
    assert_without(&log, &[PASSWORD, NEW, "a third password", signature], &"the log");
    assert_without(&entries.to_string(), &[NEW, signature], &"the audit");
}

#[test]
fn forged_and_foreign_tokens_reset_nothing() {
    let (admin, access) = with_bob();
    let server = &admin.server;
    let good = link(&admin);
    let forged = |changes: &Value| {
        let mut claims = payload(&good);
        for (claim, value) in changes.as_object().unwrap() {
            match value.as_str() {
                Some("gone") => claims.as_object_mut().unwrap().remove(claim),
                _ => claims.as_object_mut().unwrap().insert(claim.clone(), value.clone()),
            };
        }
        signed(&claims)
    };
    is(&server.send("POST", "/api/reset_finalize", &[], "{}"), (401, "MissingToken"));
    let cookie = format!("access_token={good}");
    let body = json!({"password": NEW}).to_string();
    let by_cookie = server.send("POST", "/api/reset_finalize", &[("Cookie", &cookie)], &body);
    is(&by_cookie, (401, "MissingToken"));
    let basic = [("Authorization", "Basic YTpi")];
    is(&server.send("POST", "/api/reset_finalize", &basic, &body), (401, "InvalidTokenHeader"));
    for (token, expected) in [
        (access, VOID),
        (format!("{good}x"), (401, "InvalidTokenHeader")),
        (good[..good.len() - 1].to_owned(), (401, "InvalidTokenHeader")),
        (forged(&json!({"is_prt": "gone"})), VOID),
        (forged(&json!({"is_ert": true})), (401, "MisusedRegistrationToken")),
        (forged(&json!({"is_prt": "gone", "is_ert": true})), (401, "MisusedRegistrationToken")),
        (forged(&json!({"exp": now() - 1})), (401, "ExpiredAccessError")),
        (forged(&json!({"jti": "gone"})), (401, "MissingClaimError")),
        // Tokens that another program with the same secret could sign.
        (forged(&json!({"jti": "30c4ebee-8314-4802-bceb-ddb83e83ba2e"})), VOID),
        (forged(&json!({"id": 1})), VOID),
        (forged(&json!({"id": 99})), (401, "MissingUserError")),
        (forged(&json!({"id": -1})), (401, "MissingUserError")),
    ] {
        is(&reset(server, &token, NEW), expected);
    }
    // The row has expired, whatever the claim says.
    admin.sql().execute("UPDATE tickets SET expires = $1", &[&(now() - 1)]);
    is(&reset(server, &good, NEW), VOID);
    admin.sql().execute("UPDATE tickets SET expires = $1", &[&(now() + 3600)]);
    assert_eq!(reset(server, &good, NEW).status(), 200);
}

#[test]
fn a_new_link_a_new_password_and_a_deactivation_void_a_reset_token() {
    let (admin, token) = with_bob();
    let server = &admin.server;
    let first = link(&admin);
    let second = link(&admin);
    is(&reset(server, &first, NEW), VOID);
    let changed = json!({"current": PASSWORD, "new": NEW}).to_string();
    assert_eq!(server.send_as(&token, "PUT", "/api/password", &changed).status(), 200);
    is(&reset(server, &second, PASSWORD), VOID);

    let third = link(&admin);
    admin.done("PUT", "users/2/active", &json!({"active": false}));
    is(&reset(server, &third, PASSWORD), (403, "InvalidUserError"));
    is(&admin.send("POST", "users/2/reset-link", ""), (409, "UserInactive"));
    admin.done("PUT", "users/2/active", &json!({"active": true}));
    is(&reset(server, &third, PASSWORD), VOID);

    let fourth = link(&admin);
    assert_eq!(server.user(&["passwd", "bob"], PASSWORD).0, 0);
    is(&reset(server, &fourth, NEW), VOID);
    server.login("bob", PASSWORD).token();

    // New roles and ended sessions do not void it.
    let fifth = link(&admin);
    admin.done("PUT", "users/2/roles", &json!({"roles": ["editor"]}));
    admin.done("DELETE", "users/2/sessions", &json!(null));
    let new = reset(server, &fifth, NEW).token();
    assert_eq!(payload(&new)["rls"], "editor");

    let sixth = link(&admin);
    admin.done("DELETE", "users/2", &json!(null));
    is(&reset(server, &sixth, NEW), (401, "MissingUserError"));
}

#[test]
fn of_four_concurrent_resets_with_one_token_one_succeeds() {
    let (admin, _) = with_bob();
    for round in 0..5 {
        let token = link(&admin);
        let passwords = [0, 1, 2, 3].map(|number| format!("password {round} of {number}"));
        let replies: Vec<Reply> = std::thread::scope(|scope| {
            let threads: Vec<_> = passwords
                .iter()
                .map(|password| scope.spawn(|| reset(&admin.server, &token, password)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let won: Vec<usize> = (0..4).filter(|number| replies[*number].status() == 200).collect();
        assert_eq!(won.len(), 1, "{replies:?}");
        for (number, reply) in replies.iter().enumerate() {
            if won[0] != number {
                is(reply, VOID);
            }
            let login = admin.server.login("bob", &passwords[number]).status();
            assert_eq!(login == 200, won[0] == number, "{round}: {number}");
        }
        let open = "SELECT count(*) FROM sessions WHERE \"user\" = 2 AND ended IS NULL";
        let open = admin.sql().number(open);
        assert_eq!(open, 2, "one session of the reset and one of the login");
    }
}

#[test]
fn the_lifespan_of_reset_tokens_is_a_flag() {
    let admin = Administered::start(&["--reset-lifespan", "1s"]);
    admin.server.register("bob", PASSWORD).token();
    let token = link(&admin);
    let claims = payload(&token);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 1);
    while now() <= claims["exp"].as_i64().unwrap() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    is(&reset(&admin.server, &token, NEW), (401, "ExpiredAccessError"));
}

#[test]
fn the_command_line_makes_reset_tokens() {
    let dir = Dir::new();
    let lictor = |args: &[&str], input: &str| outcome(&run(&dir.0, args, input));
    let database = ["--database", "lictor.db"];
    let reset_link =
        |args: &[&str]| lictor(&[&["user", "reset-link"], args, &database].concat(), "");
    assert_eq!(
        lictor(&["user", "add", "bob", "--create", "--database", "lictor.db"], PASSWORD).0,
        0
    );
    let (code, _, error) = reset_link(&["bob"]);
    assert!(code == 1 && error.contains("there is no key file at lictor.key"), "{error}");
    // With the key file of the server.
    std::fs::write(dir.0.join("key"), crate::support::SECRET).unwrap();
    let (code, out, _) = reset_link(&["bob", "--secret-key-file", "key", "--reset-lifespan", "2h"]);
    assert_eq!(code, 0);
    let token = out.lines().next().unwrap().strip_prefix("token    ").unwrap().to_owned();
    let claims = payload(&token);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 7200);
    assert!(out.lines().nth(1).unwrap().starts_with("expires  20"), "{out}");
    let (code, _, error) = reset_link(&["nobody", "--secret-key-file", "key"]);
    assert!(code == 1 && error.contains("there is no user nobody"), "{error}");
    assert_eq!(lictor(&["user", "add", "idle", "--database", "lictor.db"], PASSWORD).0, 0);
    assert_eq!(lictor(&["user", "deactivate", "idle", "--database", "lictor.db"], "").0, 0);
    let (code, _, error) = reset_link(&["idle", "--secret-key-file", "key"]);
    assert!(code == 1 && error.contains("lictor user activate idle"), "{error}");

    let server = Server::start_in(dir, &[]);
    assert_eq!(reset(&server, &token, NEW).json()["user"], "bob");
    server.login("bob", NEW).token();
}

#[test]
fn the_email_is_refused_as_a_password() {
    let (admin, _) = with_bob();
    let email = "bob.baumeister@example.org";
    let sql = "UPDATE users SET email = $1, email_key = $1 WHERE id = 2";
    admin.sql().execute(sql, &[&email]);
    let token = link(&admin);
    for password in [email, "Bob.Baumeister", "1bob.baumeister"] {
        is(&reset(&admin.server, &token, password), (400, "InvalidPassword"));
    }
    reset(&admin.server, &token, NEW).token();
}

#[test]
fn a_link_made_after_a_key_rotation_works_before_and_after_the_restart() {
    let server = Server::start_with(Dir::new(), &[], &[]);
    server.register("bob", PASSWORD).token();
    let (code, _, error) = outcome(&run(&server.dir.0, &["key", "rotate"], ""));
    assert_eq!(code, 0, "{error}");
    let link = |server: &Server| {
        let (code, out, error) = server.user(&["reset-link", "bob"], "");
        assert_eq!(code, 0, "{error}");
        out.lines().find_map(|line| line.strip_prefix("token    ")).unwrap().to_owned()
    };
    let token = link(&server);
    reset(&server, &token, NEW).token();
    let token = link(&server);
    let server = Server::start_with(server.stop("-TERM").1, &[], &[]);
    reset(&server, &token, PASSWORD).token();
}

#[test]
fn a_reset_token_was_signed_with_the_key_that_is_published() {
    let server = Server::start_with(Dir::new(), &["--jwt-algorithm", "EdDSA"], &[]);
    let access = server.register("bob", PASSWORD).token();
    let (code, out, error) = server.user(&["reset-link", "bob"], "");
    assert_eq!(code, 0, "{error}");
    let token = out.lines().find_map(|line| line.strip_prefix("token    ")).unwrap();
    let header = |token: &str| serde_json::from_slice::<Value>(&part(token, 0)).unwrap();
    let set = server.get("/.well-known/jwks.json").json();
    let [public] = &set["keys"].as_array().unwrap()[..] else { panic!("{set}") };
    assert_eq!(header(&access)["kid"], public["kid"]);
    assert_eq!(header(token)["typ"], "lictor-reset+jwt");
    assert_ne!(header(token)["kid"], public["kid"]);
    let key = Ed25519PublicKey::from_jwk(&public.to_string()).unwrap();
    assert!(key.verify_token::<NoCustomClaims>(&access, None).is_ok());
    assert!(key.verify_token::<NoCustomClaims>(token, None).is_err());

    is(&server.protected(token), (401, "MisusedResetToken"));
    is(&server.send_as(token, "GET", "/api/verify", ""), (401, "MisusedResetToken"));
    // It stays valid while its key is in the key file, whichever key signs after the next start.
    let flags = ["--jwt-algorithm", "HS256"];
    let server = Server::start_with(server.stop("-TERM").1, &flags, &[]);
    reset(&server, token, NEW).token();
    is(&reset(&server, token, PASSWORD), VOID);
}
