//! `GET /api/verify` as a proxy calls it: the identity in the answer, and refusals in doubt.

use crate::support::{PASSWORD, Reply, Server, assert_without};

/// Returns the three fields of a good answer; checks the rest of it, the fields of other login servers
/// included.
fn identity(reply: &Reply) -> [&str; 3] {
    assert_eq!((reply.status(), reply.body.as_str()), (200, ""), "{reply:?}");
    for (name, value) in [
        ("content-length", Some("0")),
        ("cache-control", Some("no-store")),
        ("content-type", None),
        ("set-cookie", None),
    ] {
        assert_eq!(reply.header(name), value, "{reply:?}");
    }
    let found = |name| reply.header(name).unwrap();
    let [user, id, roles] = ["x-auth-user", "x-auth-id", "x-auth-roles"].map(found);
    let others = ["remote-user", "remote-name", "x-remote-user", "remote-groups", "remote-email"];
    assert_eq!(others.map(found), [user, user, user, roles, ""], "{reply:?}");
    [user, id, roles]
}

/// Returns status and name of a refusal; checks that it says nothing of the user.
fn refusal(reply: &Reply) -> (u16, String) {
    let head = reply.head.to_ascii_lowercase();
    assert_without(&head, &["x-auth-", "remote-"], reply);
    let (status, name) = reply.error();
    let challenges = head.lines().filter_map(|line| line.strip_prefix("www-authenticate: "));
    let expected = ["bearer", "basic realm=\"lictor\", charset=\"utf-8\""];
    let expected = if status == 401 { &expected[..] } else { &[] };
    assert_eq!(challenges.collect::<Vec<_>>(), expected, "{reply:?}");
    (status, name)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn the_answer_names_the_user_and_the_roles() {
    let server = Server::start(&[]);
    let unusual = "a+b,c;\"d\"=%41";
    for (name, roles, expected) in [
        ("Ada", "", ["Ada", "1", ""]),
        ("root", "admin,team:x", ["root", "2", "admin,team:x"]),
        ("@Jürgen", "editor", ["@J%C3%BCrgen", "3", "editor"]),
        (unusual, "", ["a%2Bb%2Cc%3B%22d%22%3D%2541", "4", ""]),
        (&"阿".repeat(64), "", [&"%E9%98%BF".repeat(64), "5", ""]),
    ] {
        let token = server.register(name, PASSWORD).token();
        assert_eq!(server.user(&["roles", name, "--set", roles], "").0, 0);
        let header = bearer(&token);
        let cookie = format!("theme=dark; access_token={token}");
        for field in [("Authorization", &header), ("Cookie", &cookie)] {
            let field = [(field.0, field.1.as_str())];
            assert_eq!(identity(&server.send("GET", "/api/verify", &field, "")), expected);
            assert_eq!(identity(&server.send("HEAD", "/api/verify", &field, "")), expected);
            // Some proxies send the body along.
            assert_eq!(identity(&server.send("GET", "/api/verify", &field, "{}")), expected);
        }
    }
}

#[test]
fn every_role_in_the_query_is_required() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    assert_eq!(server.user(&["roles", "ada", "--set", "editor,team:x"], "").0, 0);
    let header = bearer(&token);
    let missing = "MissingRoleError";
    for (query, expected) in [
        ("?role=editor", (200, "")),
        ("?role=team:x", (200, "")),
        ("?role=team%3Ax&role=editor", (200, "")),
        ("?role=admin", (403, missing)),
        ("?role=Editor", (403, missing)),
        ("?role=edit", (403, missing)),
        ("?role=editor&role=admin", (403, missing)),
        ("?role=admin&role=editor", (403, missing)),
        ("?", (400, "BadRequest")),
        ("?role=", (400, "BadRequest")),
        ("?roles=editor", (400, "BadRequest")),
        ("?role=editor&x=y", (400, "BadRequest")),
        ("?role=editor,admin", (400, "BadRequest")),
        ("?role=%65ditor%0A", (400, "BadRequest")),
    ] {
        let path = format!("/api/verify{query}");
        for method in ["GET", "HEAD"] {
            let reply = server.send(method, &path, &[("Authorization", &header)], "");
            assert_eq!(reply.status(), expected.0, "{method} {query}");
            match (method, expected.0) {
                (_, 200) => assert_eq!(identity(&reply), ["ada", "1", "editor,team:x"]),
                ("GET", _) => assert_eq!(refusal(&reply), (expected.0, expected.1.into())),
                _ => {}
            }
        }
        // Without a token the roles do not matter.
        assert_eq!(refusal(&server.get(&path)), (401, "MissingToken".into()), "{query}");
    }
    let reply = server.send("GET", "/api/verify?role=a&role=b", &[("Authorization", &header)], "");
    let message = "This endpoint requires all the following roles: a, b";
    assert_eq!(reply.json()["message"], message);
    // The database counts, as it is now.
    assert_eq!(server.user(&["roles", "ada", "--set", "admin"], "").0, 0);
    for (path, status) in [("/api/verify?role=editor", 403), ("/api/verify?role=admin", 200)] {
        let reply = server.send("GET", path, &[("Authorization", &header)], "");
        assert_eq!(reply.status(), status, "{path}");
    }
}

#[test]
fn requests_in_doubt_are_refused() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let good = bearer(&token);
    let unsigned = bearer(&format!("{}.", token.rsplit_once('.').unwrap().0));
    let cookie = format!("access_token={token}");
    let ask = |fields: &[(&str, &str)]| server.send("GET", "/api/verify", fields, "");
    let bad_token = (401, "InvalidTokenHeader");
    for (fields, expected) in [
        (&[][..], (401, "MissingToken")),
        (&[("Cookie", "other=x")], (401, "MissingToken")),
        (&[("Cookie", "access_token=x")], bad_token),
        (&[("Authorization", "Basic YTpi")], bad_token),
        (&[("Authorization", "Bearer a.b.c")], bad_token),
        (&[("Authorization", &unsigned)], bad_token),
        (&[("Authorization", &good), ("Authorization", &good)], bad_token),
        (&[("Authorization", "Bearer x"), ("Cookie", &cookie)], bad_token),
    ] {
        assert_eq!(refusal(&ask(fields)), (expected.0, expected.1.into()), "{fields:?}");
    }
    // A proxy that lets the client send the fields gets no good answer.
    for name in [
        "X-Auth-User",
        "x-auth-id",
        "X-Auth-Roles",
        "X_Auth_User",
        "X.Auth-Roles",
        "Remote-User",
        "REMOTE_NAME",
        "remote.email",
        "Remote-groups",
        "X-Remote-User",
        // Any name that an app may read as another one.
        "X_WebAuth_User",
        "X-WebAuth_User",
        "X.WebAuth.User",
        "_",
    ] {
        let reply = ask(&[("Authorization", &good), (name, "root")]);
        assert_eq!(refusal(&reply), (403, "AccessDeniedError".into()), "{name}");
        assert_without(&reply.body, &["root"], &reply);
    }
    // The proxy hands the connection over, and the next request on it is asked about by nobody.
    for fields in [
        &[("Upgrade", "h2c")][..],
        &[("Upgrade", "websocket, h2c")],
        &[("Upgrade", "")],
        &[("Upgrade", "h2c"), ("Upgrade", "websocket")],
        &[("Upgrade", "websocket"), ("Upgrade", "h2c")],
        &[("HTTP2-Settings", "AAMAAABkAAQAAP__")],
    ] {
        let reply = ask(&[&[("Authorization", good.as_str())], fields].concat());
        assert_eq!(refusal(&reply), (403, "AccessDeniedError".into()), "{fields:?}");
    }
    identity(&ask(&[("Authorization", &good), ("Upgrade", "WebSocket")]));
    // Nothing that a client says of its request counts; other methods are refused.
    for (name, value) in
        [("X-Forwarded-Method", "OPTIONS"), ("X-Original-URI", "/public"), ("X-Auth-Token", "x")]
    {
        identity(&ask(&[("Authorization", &good), (name, value)]));
        assert_eq!(refusal(&ask(&[(name, value)])).0, 401, "{name}");
    }
    for method in ["POST", "PUT", "DELETE", "PROPFIND"] {
        let reply = server.send(method, "/api/verify", &[("Authorization", &good)], "");
        assert_eq!(refusal(&reply), (405, "MethodNotAllowed".into()), "{method}");
    }

    let other = bearer(&server.login("ada", PASSWORD).token());
    identity(&ask(&[("Authorization", &other)]));
    assert_eq!(server.send("POST", "/api/logout", &[("Authorization", &other)], "").status(), 200);
    let reply = ask(&[("Authorization", &other)]);
    assert_eq!(refusal(&reply), (403, "BlacklistedError".into()));

    assert_eq!(server.user(&["deactivate", "ada"], "").0, 0);
    assert_eq!(refusal(&ask(&[("Authorization", &good)])), (403, "InvalidUserError".into()));
    assert_eq!(server.user(&["activate", "ada"], "").0, 0);
    assert_eq!(refusal(&ask(&[("Authorization", &good)])), (403, "BlacklistedError".into()));
    let again = bearer(&server.login("ada", PASSWORD).token());
    assert_eq!(identity(&ask(&[("Authorization", &again)])), ["ada", "1", "user"]);
    assert_eq!(server.user(&["delete", "ada", "--yes"], "").0, 0);
    assert_eq!(refusal(&ask(&[("Authorization", &again)])), (401, "MissingUserError".into()));
}

#[test]
fn pages_of_other_origins_learn_no_more_than_the_status() {
    let server = Server::start(&[]);
    let header = bearer(&server.register("ada", PASSWORD).token());
    let fields = [("Authorization", header.as_str()), ("Origin", "https://other.example")];
    let reply = server.send("GET", "/api/verify", &fields, "");
    identity(&reply);
    assert_eq!(reply.header("access-control-expose-headers"), Some("Retry-After"));
    assert_eq!(reply.header("access-control-allow-credentials"), None);
    assert_eq!(reply.header("vary"), Some("Origin"));
}
