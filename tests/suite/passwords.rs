//! The rules for new passwords, at every endpoint and command that sets one.

use std::fs;

use serde_json::json;
use sha1_of::sha1;

use crate::administration::{Administered, is};
use crate::support::{Dir, PASSWORD, Reply, SECRET, Server, finish, lictor, outcome, run};

mod sha1_of {
    /// In hexadecimal.
    pub fn sha1(text: &str) -> String {
        hmac_sha1_compact::Hash::hash(text.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect()
    }
}

const WEAK: (u16, &str) = (400, "InvalidPassword");

fn message(reply: &Reply) -> String {
    reply.json()["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_password_in_letters_of_today_was_refused() {
    let server = Server::start(&[]);
    for (number, password) in
        ["zażółć-🦀-пароль", "12345678 ₽ ₾", "❤\u{fe0f}👩\u{200d}🚀 and more", "𞤀𞤁𞤂𞤃𞤄𞤅𞤆𞤇"]
            .iter()
            .enumerate()
    {
        let name = format!("user{number}");
        server.register(&name, password).token();
        server.login(&name, password).token();
    }
    // Typed on a keyboard with decomposed letters, and with another kind of space.
    server.register("ada", "z\u{307}o\u{301}łc\u{301}\u{a0}🦀🦀🦀").token();
    server.login("ada", "\u{17c}\u{f3}ł\u{107} 🦀🦀🦀").token();
}

#[test]
fn the_name_of_the_service_was_a_password() {
    let server = Server::start(&["--issuer", "Bob's Photos"]);
    for password in ["Photos12", "bobsphotos1", "BOB'S PHOTOS", "sotohP-2026"] {
        let refused = server.register("ada", password);
        is(&refused, WEAK);
        assert!(message(&refused).contains("the name of this service"), "{refused:?}");
    }
    server.register("ada", "photos of lanterns").token();
    let mut add = lictor(&server.dir.0, &["user", "add", "eve", "--database", "lictor.db"]);
    add.env("LICTOR_ISSUER", "Photos");
    let (code, _, error) = outcome(&finish(add, "Photos12"));
    assert!(code == 1 && error.contains("the name of this service"), "{error}");
}

#[test]
fn the_minimum_length_counts_wherever_a_password_is_chosen() {
    let short = "fourteen chars";
    let good = "fifteen chars !";
    let admin = Administered::start(&["--min-password-length", "15"]);
    let server = &admin.server;
    let told = |reply: &Reply| {
        is(reply, WEAK);
        assert_eq!(message(reply), "The password is shorter than 15 characters");
    };
    told(&server.register("bob", short));
    let token = server.register("bob", good).token();
    let change = |new: &str| {
        let body = json!({"current": good, "new": new}).to_string();
        server.send_as(&token, "PUT", "/api/password", &body)
    };
    told(&change(short));
    assert_eq!(change("another fifteen").status(), 200);
    let link = admin.done("POST", "users/2/reset-link", &json!(null))["token"].clone();
    let reset = |password: &str| {
        let body = json!({"password": password}).to_string();
        server.send_as(link.as_str().unwrap(), "POST", "/api/reset_finalize", &body)
    };
    told(&reset(short));
    assert_eq!(reset(good).status(), 200);
    assert_eq!(server.get("/api/config").json()["min_password_length"], 15);

    for args in [&["add", "eve"][..], &["passwd", "bob"]] {
        let args = [&["user"], args, &["--database", "lictor.db"]].concat();
        let mut command = lictor(&server.dir.0, &args);
        command.env("LICTOR_MIN_PASSWORD_LENGTH", "15");
        let (code, _, error) = outcome(&finish(command, short));
        assert!(code == 1 && error.contains("shorter than 15 characters"), "{error}");
    }
    for length in ["7", "65", "x"] {
        let (code, _, _) =
            outcome(&run(&Dir::new().0, &["check", "--min-password-length", length], ""));
        assert_eq!(code, 2, "{length}");
    }
}

#[test]
fn passwords_from_breaches_could_be_chosen() {
    let dir = Dir::new();
    let breached = ["Leaked-2019-vault", "zwölf gäste im park", "seven dry lanterns"];
    let mut hashes: Vec<String> = (0..5_000).map(|n| sha1(&format!("password {n}"))).collect();
    hashes.extend(breached.iter().map(|password| sha1(password)));
    hashes.sort_unstable();
    let lines: String = hashes.iter().map(|hash| format!("{hash}:12\r\n")).collect();
    fs::write(dir.0.join("hashes"), lines).unwrap();
    fs::write(dir.0.join("list"), breached.join("\n").to_uppercase()).unwrap();
    for (file, described) in [("hashes", "hashes (SHA-1 hashes, "), ("list", "list (3 passwords)")]
    {
        let dir = {
            let copy = Dir::new();
            fs::copy(dir.0.join(file), copy.0.join(file)).unwrap();
            copy
        };
        let checked = ["check", "--listen", "127.0.0.1:0", "--password-blocklist", file];
        let mut check = lictor(&dir.0, &checked);
        check.env("SECRET_KEY", SECRET);
        let (code, out, error) = outcome(&finish(check, ""));
        assert!(code == 0 && out.contains(described), "{out}{error}");

        let server = Server::start_in(dir, &["--password-blocklist", file]);
        for password in breached {
            let refused = server.register("ada", password);
            is(&refused, WEAK);
            assert!(message(&refused).contains("one of the most common"), "{refused:?}");
            let args = ["user", "add", "eve", "--database", "lictor.db"];
            let mut add = lictor(&server.dir.0, &args);
            add.env("LICTOR_PASSWORD_BLOCKLIST", file);
            let (code, _, error) = outcome(&finish(add, password));
            assert!(code == 1 && error.contains("one of the most common"), "{error}");
        }
        server.register("ada", PASSWORD).token();
        // The built-in list counts as well.
        is(&server.register("bob", "password1"), WEAK);
        // If the list is cut while the server runs, a new password is refused rather than accepted.
        if file == "hashes" {
            fs::write(server.dir.0.join(file), "").unwrap();
            is(&server.register("carol", PASSWORD), (503, "Unavailable"));
            server.login("ada", PASSWORD).token();
        }
    }
}

#[test]
fn an_invalid_blocklist_stops_the_start_and_leaves_no_file() {
    let dir = Dir::new();
    fs::write(dir.0.join("binary"), b"\x7fELF\0\0").unwrap();
    fs::write(dir.0.join("unsorted"), format!("{}\n{}\n", sha1("b"), "0".repeat(40))).unwrap();
    for (file, expected) in [
        ("absent", "cannot read the password blocklist absent"),
        ("binary", "neither a text file of passwords nor"),
        ("unsorted", "not a sorted list of hashes"),
        (".", "is not a file"),
    ] {
        for command in ["serve", "check"] {
            let args = [command, "--listen", "127.0.0.1:0", "--password-blocklist", file];
            let (code, _, error) = outcome(&run(&dir.0, &args, ""));
            assert!(code == 1 && error.contains(expected), "{command} {file}: {error}");
            assert_eq!(error.lines().count(), 2, "{error}");
        }
    }
    assert!(!dir.file().exists() && !dir.0.join("lictor.key").exists());
}
