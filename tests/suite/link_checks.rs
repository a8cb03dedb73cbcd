//! The checks of mailed links, with which a page asks before its visitor types: they say whose link
//! it is, refuse what its use refuses, and use nothing up.

use serde_json::json;

use crate::second_factor::with_factor;
use crate::support::{Dir, PASSWORD, Reply, Server, eventually};

const NEW: &str = "eleven paper boats";
const NO_TOKEN: (u16, &str) = (401, "MissingToken");
const FLAGS: [&str; 8] = [
    "--throttle",
    "off",
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

/// The token in a mail with a link.
fn mailed(mail: &str) -> String {
    let rest = mail.split("?token=").nth(1).unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

/// The token in the mail to this address, which arrives soon. Mails of the same second have names in no
/// order.
fn mailed_to(dir: &Dir, address: &str) -> String {
    let line = format!("\r\nTo: {address}\r\n");
    let is_its = |mail: &String| mail.contains(&line) && mail.contains("?token=");
    let found = || dir.mails().into_iter().find(is_its);
    eventually(|| found().is_some());
    mailed(&found().unwrap())
}

/// Asks twice, with `GET` and then with `HEAD`, so that a check that uses something up would show.
fn check(server: &Server, path: &str, token: &str) -> Reply {
    let head = server.send_as(token, "HEAD", path, "");
    let reply = server.send_as(token, "GET", path, "");
    assert_eq!(head.status(), reply.status(), "{path}");
    let kept_nowhere = reply.header("cache-control") == Some("no-store");
    assert_eq!(kept_nowhere, reply.status() == 200, "{reply:?}");
    reply
}

#[test]
fn a_link_for_a_new_password_is_checked_without_being_used() {
    const PATH: &str = "/api/reset_finalize";
    let server = Server::start_with(Dir::new(), &[], &[]);
    let (access, _, codes) = with_factor(&server);
    server.register("bob", PASSWORD).token();
    let link = |name: &str| {
        let (code, out, error) = server.user(&["reset-link", name], "");
        assert_eq!(code, 0, "{error}");
        out.lines().find_map(|line| line.strip_prefix("token    ")).unwrap().to_owned()
    };
    let (ada, bob) = (link("ada"), link("bob"));
    for (token, user, second_factor) in [(&ada, "ada", true), (&bob, "bob", false)] {
        let found = check(&server, PATH, token);
        assert_eq!(found.json(), json!({"user": user, "second_factor": second_factor}));
    }
    // It is no login, and other tokens show nothing.
    assert_eq!(server.send_as(&access, "GET", "/api/me", "").status(), 200);
    is(&check(&server, PATH, &access), (401, "InvalidResetToken"));
    is(&check(&server, PATH, &format!("{bob}x")), (401, "InvalidTokenHeader"));
    is(&server.get(PATH), NO_TOKEN);
    let cookie = format!("access_token={bob}");
    is(&server.send("GET", PATH, &[("Cookie", &cookie)], ""), NO_TOKEN);

    let use_up = |token: &str, otp: &str| {
        let body = json!({"password": NEW, "otp": otp}).to_string();
        assert_eq!(server.send_as(token, "POST", PATH, &body).status(), 200);
    };
    use_up(&bob, "");
    use_up(&ada, &codes[0]);
    for token in [&ada, &bob] {
        is(&check(&server, PATH, token), (401, "InvalidResetToken"));
    }
    let late = link("bob");
    assert_eq!(server.user(&["deactivate", "bob"], "").0, 0);
    is(&check(&server, PATH, &late), (403, "InvalidUserError"));
    assert_eq!(server.user(&["delete", "bob", "--yes"], "").0, 0);
    is(&check(&server, PATH, &late), (401, "MissingUserError"));
    server.dir.sql().execute("UPDATE tickets SET expires = 1", &[]);
    is(&check(&server, PATH, &ada), (401, "InvalidResetToken"));
}

#[test]
fn a_link_that_confirms_an_address_is_checked_without_being_used() {
    const PATH: &str = "/api/finalize/check";
    let server = Server::start(&[&FLAGS[..], &["--registration", "email"]].concat());
    let body = json!({"username": "ada", "password": PASSWORD, "email": "Ada@mail.example"});
    assert_eq!(server.post("/api/registration", &body).status(), 201);
    let token = mailed_to(&server.dir, "Ada@mail.example");
    let expected = json!({"user": "ada", "email": "Ada@mail.example", "registration": true});
    assert_eq!(check(&server, PATH, &token).json(), expected);
    is(&server.login("ada", PASSWORD), (403, "InvalidUserError"));
    let access = server.send_as(&token, "GET", "/api/finalize", "").token();
    is(&check(&server, PATH, &token), (401, "InvalidRegistrationToken"));
    is(&check(&server, PATH, &access), (401, "InvalidRegistrationToken"));
    is(&server.get(PATH), NO_TOKEN);

    let change = json!({"email": "ada@other.example", "password": PASSWORD}).to_string();
    assert_eq!(server.send_as(&access, "PUT", "/api/email", &change).status(), 200);
    let second = mailed_to(&server.dir, "ada@other.example");
    let expected = json!({"user": "ada", "email": "ada@other.example", "registration": false});
    assert_eq!(check(&server, PATH, &second).json(), expected);
    is(&check(&server, "/api/reset_finalize", &second), (401, "MisusedRegistrationToken"));
    assert_eq!(server.send_as(&second, "GET", "/api/finalize", "").status(), 200);
    is(&check(&server, PATH, &second), (401, "InvalidRegistrationToken"));
}
