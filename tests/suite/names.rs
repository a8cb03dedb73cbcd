//! Names and e-mail addresses that look like those of another user, and the roles of a new user.

use std::fs;

use serde_json::json;

use crate::administration::{Administered, is};
use crate::support::{Dir, PASSWORD, Server, eventually, outcome, payload, run};

/// Starts a server that writes mails into a folder.
fn with_mail(dir: Dir) -> Server {
    fs::create_dir_all(dir.0.join("mails")).unwrap();
    let flags = ["--registration", "email", "--mail", "dir:mails"];
    Server::start_in(dir, &[&flags[..], &["--public-url", "https://app.example"]].concat())
}

/// Waits until the folder has `count` mails, and returns them.
fn mails(server: &Server, count: usize) -> Vec<String> {
    eventually(|| server.dir.mails().len() >= count);
    server.dir.mails()
}

#[test]
fn a_lookalike_letter_took_over_an_account() {
    let dir = Dir::new();
    let args = [
        "user",
        "add",
        "mike",
        "--email",
        "mike@example.org",
        "--create",
        "--database",
        "lictor.db",
    ];
    assert_eq!(outcome(&run(&dir.0, &args, PASSWORD)).0, 0);
    let server = with_mail(dir);
    // The lower case of the KELVIN SIGN is k.
    is(&server.login("mi\u{212a}e@example.org", PASSWORD), (401, "AuthenticationError"));
    assert_eq!(
        server.post("/api/reset", &json!({"email": "mi\u{212a}e@example.org"})).status(),
        200
    );
    assert_eq!(server.post("/api/reset", &json!({"email": "MIKE@Example.org"})).status(), 200);
    let mails = mails(&server, 1);
    assert_eq!(mails.len(), 1);
    assert!(
        mails[0].contains("mike@example.org") || mails[0].contains("MIKE@example.org"),
        "{mails:?}"
    );
}

#[test]
fn one_mailbox_got_a_link_for_each_spelling_of_its_domain() {
    let dir = Dir::new();
    let args = [
        "user",
        "add",
        "ada",
        "--email",
        "ada@b\u{fc}cher.example",
        "--create",
        "--database",
        "lictor.db",
    ];
    assert_eq!(outcome(&run(&dir.0, &args, PASSWORD)).0, 0);
    let server = with_mail(dir);
    for (number, domain) in
        ["xn--bcher-kva.example", "B\u{dc}CHER.example", "\u{ff42}\u{fc}cher.exam\u{ff50}le"]
            .iter()
            .enumerate()
    {
        let email = format!("ada@{domain}");
        server.login(&email, PASSWORD).token();
        let body = json!({"username": format!("u{number}"), "password": PASSWORD, "email": email});
        assert_eq!(server.post("/api/registration", &body).status(), 201);
    }
    // Each mail says that the address is taken; none has a confirmation link.
    for mail in mails(&server, 3) {
        assert!(!mail.contains("token="), "{mail}");
    }
}

#[test]
fn a_name_stood_for_somebodys_address() {
    let server = Server::start(&[]);
    for name in [
        "ada@example.org",
        "ADA@localhost",
        "\u{ff41}da\u{ff20}example.org",
        "a@b\u{fc}cher.example",
        // Mail libraries read these as the address.
        "<ada@example.org>",
        "ada@example.org.",
        "ada(x)@example.org",
        "mailto:ada@example.org",
        "ada@[127.0.0.1]",
    ] {
        let refused = server.register(name, PASSWORD);
        is(&refused, (400, "InvalidUsername"));
        assert!(refused.json()["message"].as_str().unwrap().contains("e-mail address"));
        let (code, _, error) = server.user(&["add", name], PASSWORD);
        assert!(code == 1 && error.contains("the username is an e-mail address"), "{error}");
    }
    server.register("@ada", PASSWORD).token();

    // An existing user with such a name keeps it.
    server.add("old");
    let sql = "UPDATE users SET name = 'Old@example.org', name_key = 'old@example.org' WHERE name = 'old'";
    server.dir.sql().execute(sql, &[]);
    let token = server.login("old@EXAMPLE.org", PASSWORD).token();
    assert!(server.protected(&token).body.contains("Old@example.org"));
    assert_eq!(server.user(&["passwd", "old@example.org"], "another password").0, 0);
    server.login("Old@example.org", "another password").token();
    // An address with a letter that folds to one of the name is another address, and another name.
    is(&server.login("\u{ff4f}ld@example.org", "another password"), (401, "AuthenticationError"));

    let admin = Administered::start(&["--registration", "invite"]);
    let code = admin.done("POST", "invitations", &json!({}))["code"].clone();
    let body = json!({"username": "a@b.example", "password": PASSWORD, "invitation": code});
    is(&admin.server.post("/api/registration", &body), (400, "InvalidUsername"));
}

#[test]
fn a_registered_user_had_no_role() {
    for (flags, expected) in [
        (&[][..], "user"),
        (&["--default-roles", "reader, user"], "reader,user"),
        (&["--default-roles", ""], ""),
    ] {
        let server = Server::start(flags);
        let token = server.register("ada", PASSWORD).token();
        assert_eq!(payload(&token)["rls"], expected, "{flags:?}");
        assert_eq!(payload(&server.login("ada", PASSWORD).token())["rls"], expected, "{flags:?}");
        // A user that an administrator adds has the roles that the administrator gives.
        server.add("bob");
        assert_eq!(payload(&server.login("bob", PASSWORD).token())["rls"], "");
    }
    let admin = Administered::start(&["--registration", "invite"]);
    for (name, roles, expected) in [("bob", json!([]), ""), ("carol", json!(["editor"]), "editor")]
    {
        let code = admin.done("POST", "invitations", &json!({"roles": roles}))["code"].clone();
        let body = json!({"username": name, "password": PASSWORD, "invitation": code});
        let token = admin.server.post("/api/registration", &body).token();
        assert_eq!(payload(&token)["rls"], expected);
    }
    let (code, _, error) = outcome(&run(&Dir::new().0, &["serve", "--default-roles", "a b"], ""));
    assert!(code == 2 && error.contains("--default-roles: roles: a role has"), "{error}");
}

#[test]
fn a_confirmed_account_has_the_default_roles() {
    let server = with_mail(Dir::new());
    let body = json!({"username": "ada", "password": PASSWORD, "email": "ada@example.org"});
    assert_eq!(server.post("/api/registration", &body).status(), 201);
    let (_, shown, _) = server.user(&["show", "ada"], "");
    assert!(shown.contains("roles    user\n"), "{shown}");
}
