//! The first administrator: the link that a start shows, what it is good for, and when it is void; the
//! checklist and the test mail that come after it.

use std::fs;
use std::process::Stdio;
use std::time::Instant;

use serde_json::{Value, json};

use crate::administration::{Administered, is};
use crate::sql;
use crate::support::{
    Dir, PASSWORD, Reply, SECRET, Server, assert_without, eventually, lictor, outcome, payload, run,
};
use crate::throttle::assert_admitted;

const WRONG: (u16, &str) = (403, "InvalidSetupToken");
const DONE: (u16, &str) = (410, "SetupDone");

/// The token in the link of this start; `None` if it shows none.
fn token(server: &Server) -> Option<String> {
    let log = server.log();
    let start = log.rsplit(" listens on ").next().unwrap_or_default();
    let start = if start.contains("no administrator yet") { start } else { &log };
    let after = start.rsplit("/setup#").next().filter(|_| start.contains("/setup#"))?;
    Some(after.split(' ').next().unwrap().to_owned())
}

fn set_up(server: &Server, token: &str, name: &str) -> Reply {
    let body = json!({"token": token, "username": name, "password": PASSWORD});
    server.post("/api/setup", &body)
}

fn config(server: &Server) -> Value {
    server.get("/api/config").json()
}

#[test]
fn a_start_without_an_administrator_shows_a_link_that_makes_one() {
    let server = Server::start(&["--registration", "closed", "--log", "debug"]);
    eventually(|| token(&server).is_some());
    let link = token(&server).unwrap();
    let log = server.log();
    assert_eq!(log.matches(&link).count(), 1, "{log}");
    assert!(log.contains("lictor user add NAME --role admin"), "{log}");
    assert!(log.contains("lictor user roles NAME --add admin"), "{log}");
    assert_eq!(config(&server)["setup"], true);

    let reply = set_up(&server, &link, "Ada");
    assert_eq!(
        (reply.status(), reply.header("cache-control")),
        (201, Some("no-store")),
        "{reply:?}"
    );
    let access = reply.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(payload(&access)["rls"], "admin,user");
    assert_eq!(server.send_as(&access, "GET", "/api/admin/users", "").status(), 200);
    assert_eq!(config(&server)["setup"], false);
    is(&set_up(&server, &link, "eve"), DONE);
    is(&set_up(&server, "x", "eve"), DONE);
    server.login("ada", PASSWORD).token();
    let log = server.log();
    assert!(
        log.contains("registration user=Ada id=1 from=127.0.0.1 (first administrator)"),
        "{log}"
    );
    assert_eq!(log.matches(&link).count(), 1, "{log}");
    assert_without(
        &server.dir.sql().texts("SELECT detail FROM audit").join(","),
        &[&link],
        &"audit",
    );

    // No later start shows one.
    let (code, dir) = server.stop("-TERM");
    assert_eq!(code, Some(0));
    fs::remove_file(dir.0.join("log")).unwrap();
    let server = Server::start_in(dir, &[]);
    eventually(|| server.log().contains("password hashes are computed"));
    assert_eq!((token(&server), config(&server)["setup"].clone()), (None, json!(false)));
    assert!(!server.log().contains("administrator"), "{}", server.log());
    is(&set_up(&server, &link, "eve"), DONE);
}

#[test]
fn only_the_link_of_this_start_is_good() {
    let server = Server::start(&[]);
    eventually(|| token(&server).is_some());
    let first = token(&server).unwrap();
    let (_, dir) = server.stop("-TERM");
    fs::remove_file(dir.0.join("log")).unwrap();
    let server = Server::start_in(dir, &[]);
    eventually(|| token(&server).is_some());
    let link = token(&server).unwrap();
    assert_ne!(first, link);
    let flipped = format!("{}{}", if link.starts_with('0') { "1" } else { "0" }, &link[1..]);
    for wrong in [&first, &flipped, "", " ", &link[..28], &"0".repeat(10_000), "\0", "0000-0000"] {
        let reply = set_up(&server, wrong, "ada");
        is(&reply, WRONG);
        assert_without(&reply.body, &[&link], &reply);
    }
    for body in [
        json!({"username": "ada", "password": PASSWORD}),
        json!({"token": null, "username": "ada", "password": PASSWORD}),
        json!({"token": [link], "username": "ada", "password": PASSWORD}),
        json!({"token": link, "password": PASSWORD}),
        json!({"token": link, "username": 7, "password": PASSWORD}),
        json!([link]),
    ] {
        is(&server.post("/api/setup", &body), (400, "BadRequest"));
    }
    // What is refused for another reason does not use it up. An account without the role may be there.
    server.add("bob");
    let weak = json!({"token": link, "username": "ada", "password": "short"});
    is(&server.post("/api/setup", &weak), (400, "InvalidPassword"));
    is(&set_up(&server, &link, "a b"), (400, "InvalidUsername"));
    is(&set_up(&server, &link, "BOB"), (409, "UsernameTaken"));
    assert_eq!(config(&server)["setup"], true);
    // As somebody may type it from a screen.
    let typed = link.replace('-', " ").to_lowercase();
    assert_eq!(set_up(&server, &typed, "ada").status(), 201);
    assert_eq!(server.get("/api/setup").status(), 405);
}

#[test]
fn guesses_have_to_wait() {
    let server = Server::start(&["--throttle", "on"]);
    eventually(|| token(&server).is_some());
    // The first 30 are free. On a slow machine the first waits end between two guesses.
    let begun = Instant::now();
    let guess = || set_up(&server, "0000", "ada").status();
    let admitted = (0..100).position(|_| guess() == 429).unwrap();
    assert_admitted(admitted, 30, 300, begun.elapsed());
    assert!((0..100).filter(|_| guess() == 429).nth(4).is_some());
    // Those of strangers at the same address delay nobody who has the link.
    let link = token(&server).unwrap();
    assert_eq!(set_up(&server, &link, "ada").status(), 201);
}

#[test]
fn an_administrator_made_in_another_way_voids_the_link() {
    let server = Server::start(&[]);
    eventually(|| token(&server).is_some());
    let link = token(&server).unwrap();
    server.register("bob", PASSWORD).token();
    assert_eq!(config(&server)["setup"], true);
    assert_eq!(server.user(&["roles", "bob", "--add", "admin"], "").0, 0);
    is(&set_up(&server, &link, "ada"), DONE);
    assert_eq!(config(&server)["setup"], false);
}

#[test]
fn one_of_many_who_use_the_link_becomes_the_administrator() {
    let server = Server::start(&["--throttle", "off"]);
    eventually(|| token(&server).is_some());
    let link = token(&server).unwrap();
    let replies: Vec<u16> = std::thread::scope(|scope| {
        let (server, link) = (&server, &link);
        let start =
            |number| scope.spawn(move || set_up(server, link, &format!("u{number}")).status());
        let running: Vec<_> = (0..6).map(start).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(replies.iter().filter(|status| **status == 201).count(), 1, "{replies:?}");
    assert!(replies.iter().all(|status| [201, 410].contains(status)), "{replies:?}");
}

#[test]
fn where_the_link_stands() {
    // With --public-url, and as a line of JSON; without pages there is only the command.
    for (flags, expected) in [
        (
            &["--public-url", "https://login.example.org/"][..],
            Some("https://login.example.org/setup#"),
        ),
        (&["--public-url", "https://x.example/#/"], Some("http://127.0.0.1:")),
        (&["--log-format", "json"], Some("http://127.0.0.1:")),
        (&["--web", "off"], None),
    ] {
        let server = Server::start(flags);
        eventually(|| server.log().contains("no administrator yet"));
        let log = server.log();
        assert!(log.contains("lictor user add NAME --role admin"), "{log}");
        match expected {
            Some(start) => assert!(log.contains(start) && token(&server).is_some(), "{log}"),
            None => assert!(!log.contains("setup#"), "{log}"),
        }
    }
    // On a terminal, where both are one file, it stands there once.
    let dir = Dir::new();
    let both = fs::File::create(dir.0.join("both")).unwrap();
    let mut command = lictor(&dir.0, &["serve", "--listen", "127.0.0.1:0"]);
    command.env("SECRET_KEY", SECRET).stdout(both.try_clone().unwrap()).stderr(both);
    let mut child = command.stdin(Stdio::null()).spawn().unwrap();
    let read = || fs::read_to_string(dir.0.join("both")).unwrap();
    eventually(|| read().contains("user roles NAME"));
    let text = read();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(text.matches("setup#").count(), 1, "{text}");
}

#[test]
fn the_link_is_shown_whatever_the_level_of_the_log() {
    for level in ["warn", "error", "off"] {
        let dir = Dir::new();
        let log = fs::File::create(dir.0.join("log")).unwrap();
        let flags = ["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--log", level];
        let mut command = lictor(&dir.0, &flags);
        command.env("SECRET_KEY", SECRET).stdout(Stdio::null()).stderr(log);
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        let read = || fs::read_to_string(dir.0.join("log")).unwrap();
        eventually(|| read().contains("no administrator yet"));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines: Vec<Value> =
            read().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let shown = lines.iter().filter(|line| line["message"].to_string().contains("/setup#"));
        assert_eq!(shown.count(), 1, "{level}: {lines:?}");
    }
}

#[test]
fn the_command_that_is_shown_works() {
    let server = Server::start(&[]);
    eventually(|| server.log().contains("user roles NAME"));
    let log = server.log();
    if sql::argument(&server.dir.0) != "lictor.db" {
        // No command shows the URL of a database.
        assert!(log.contains("lictor user add NAME --role admin, with the "), "{log}");
        return;
    }
    let shown = log.split("lictor user add NAME").nth(1).unwrap().lines().next().unwrap();
    let words: Vec<&str> =
        ["user", "add", "root"].into_iter().chain(shown.split_whitespace()).collect();
    let elsewhere = Dir::new();
    let (code, out, err) = outcome(&run(&elsewhere.0, &words, PASSWORD));
    assert_eq!(code, 0, "{words:?}: {out}{err}");
    assert_eq!(config(&server)["setup"], false);
}

#[test]
fn home_is_what_the_setting_says() {
    let server = Server::start(&["--home-url", "https://start.example.org/#/x"]);
    assert_eq!(config(&server)["home_url"], "https://start.example.org/#/x");
    assert_eq!(config(&Server::start(&[]))["home_url"], Value::Null);
}

#[test]
fn apps_are_those_that_the_rules_open() {
    let dir = Dir::new();
    let rules = "wiki.example.org role family\nwiki.example.org/public everyone\n\
                 photos.example.org users\nold.example.org nobody\n*.example.org users\n\
                 login.example.org everyone\nmine.example.org user ada\n";
    fs::write(dir.0.join("rules"), rules).unwrap();
    let flags = ["--access", "rules", "--public-url", "http://login.example.org:8080"];
    let server = Server::start_in(dir, &flags);
    let apps = |name: &str| {
        let token = server.login(name, PASSWORD).token();
        let reply = server.send_as(&token, "GET", "/api/apps", "");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        reply.json()["apps"].clone()
    };
    let app = |host: &str| json!({"host": host, "url": format!("http://{host}:8080/")});
    for (name, roles, expected) in [
        ("ada", "user", json!([app("mine.example.org"), app("photos.example.org")])),
        ("bob", "family", json!([app("photos.example.org"), app("wiki.example.org")])),
        ("eve", "other", json!([app("photos.example.org")])),
    ] {
        assert_eq!(server.user(&["add", name, "--role", roles], PASSWORD).0, 0);
        assert_eq!(apps(name), expected, "{name}");
    }
    is(&server.get("/api/apps"), (401, "MissingToken"));
    // Without rules no host is known.
    let other = Server::start(&[]);
    let token = other.register("ada", PASSWORD).token();
    assert_eq!(other.send_as(&token, "GET", "/api/apps", "").json(), json!({"apps": []}));
}

#[test]
fn the_checklist_says_what_is_open() {
    let admin = Administered::start(&["--registration", "invite", "--issuer", "Photos"]);
    let shared = sql::argument(&admin.server.dir.0) != "lictor.db";
    assert_eq!(
        admin.get("checklist"),
        json!({
            "issuer": "Photos", "default_issuer": false, "registration": "invite", "mail": false,
            "public_url": null, "email": null, "second_factor": false,
            "database": if shared { "postgres" } else { "sqlite" },
        })
    );
    let admin = Administered::start(&["--mail", "dir:.", "--public-url", "http://a.example"]);
    let list = admin.get("checklist");
    assert_eq!((&list["default_issuer"], &list["mail"]), (&json!(true), &json!(true)));
    assert_eq!(list["public_url"], "http://a.example");
}

#[test]
fn a_test_mail_is_sent_and_its_state_is_shown() {
    let admin = Administered::start(&[]);
    is(&admin.send("POST", "test-mail", "{}"), (403, "MailDisabled"));
    drop(admin);

    let dir = Dir::new();
    fs::create_dir(dir.0.join("mails")).unwrap();
    let flags = ["--mail", "dir:mails", "--public-url", "http://a.example", "--throttle", "on"];
    let server = Server::start_in(dir, &flags);
    assert_eq!(server.user(&["add", "root", "--role", "admin"], PASSWORD).0, 0);
    let token = server.login("root", PASSWORD).token();
    let admin = Administered { server, token };
    let body = json!({"email": "Ada@Example.org"});
    let made = admin.done("POST", "test-mail", &body);
    assert_eq!(made["email"], "Ada@Example.org");
    let state = || admin.get(&format!("test-mail/{}", made["id"]));
    eventually(|| state()["state"] == "sent");
    let mails = admin.server.dir.mails();
    assert_eq!(mails.iter().filter(|mail| mail.contains("Test mail from lictor")).count(), 1);
    let entries = &admin.get("audit")["entries"];
    let tests = entries.as_array().unwrap().iter().filter(|entry| entry["event"] == "test-mail");
    let details: Vec<&Value> = tests.map(|entry| &entry["detail"]).collect();
    assert_eq!(details, [&json!(format!("mail {} was sent", made["id"])), &made["email"]]);

    for (body, expected) in [
        ("{}", (400, "BadRequest")),
        (r#"{"email":7}"#, (400, "BadRequest")),
        (r#"{"email":"no address"}"#, (400, "BadRequest")),
        (r#"{"email":"a@b.example\nBcc: c@d.example"}"#, (400, "BadRequest")),
    ] {
        is(&admin.send("POST", "test-mail", body), expected);
    }
    for bad in ["x", "-1", "99999999999999999999", "999999"] {
        is(&admin.send("GET", &format!("test-mail/{bad}"), ""), (404, "NotFound"));
    }
    // One mailbox gets no flood.
    let flood = || admin.send("POST", "test-mail", &body.to_string()).status();
    assert!((0..8).any(|_| flood() == 429));
}

#[test]
fn a_test_mail_that_fails_says_why() {
    let dir = Dir::new();
    let flags = ["--mail", "sendmail:/bin/false", "--mail-from", "a@b.example"];
    let flags = [&flags[..], &["--public-url", "http://a.example"]].concat();
    let server = Server::start_in(dir, &flags);
    assert_eq!(
        server.user(&["add", "root", "--role", "admin", "--email", "r@b.example"], PASSWORD).0,
        0
    );
    let token = server.login("root", PASSWORD).token();
    let admin = Administered { server, token };
    let made = admin.done("POST", "test-mail", &json!({}));
    assert_eq!(made["email"], "r@b.example");
    let state = || admin.get(&format!("test-mail/{}", made["id"]));
    eventually(|| state()["failure"] != "");
    let found = state();
    let waits = found["state"] == "waits" && found["due"].is_i64();
    assert!(waits || found["state"] == "failed" && found["due"].is_null(), "{found}");
}
