//! Accounts with hashes that other programs made: the login with the old password, the hash that
//! takes its place, and what the time of a login tells.

use std::fs;

use crate::support::{PASSWORD, Server};

const LETTERS: &str = "pässwörd-пароль-🦀";
/// Of `LETTERS`, made by the real programs; their versions are in `src/guard/foreign/hashes.txt`.
const BCRYPT_2X: &str = "$2x$04$abcdefghijklmnopqrstuuvt0SDUtCmV7P7nS/e3Z1hjqFiRZD7OS";
const BCRYPT: &str = "$2b$04$qQXi8Eaj628tFQi1Qgx.YeqIk0LuV/seASmW/tIHZ107K9HTjy/be";
const WERKZEUG: &str = "scrypt:1024:8:1$H35n3UmGnk87TD9B$38bc15d6ff50fe8e05a9ddd9e3cba0d4e5516289\
                        f1c5d8061acd3c65ab5501dddeb336515e530f06ef0636ef29dc413325bd61bf0796f20a888440\
                        af0f395002";
const ARGON2: &str = "argon2$argon2id$v=19$m=64,t=1,p=1$KsV4z1lLCWFMSal1DoHwvg$8Oj6v1uf6XPY1MFh4BPr\
                      wm2s11SxdMB4wJcT4xLbk1U";
const DJANGO: &str = "pbkdf2_sha256$1000$Salt1234$hbukuGE/34lleSKn5cvCloade2Ysr80J2p7G4+eT84Y=";
/// Of no password: empty; and 4,096 times `x`.
const EMPTY: &str = "$2b$04$EpGP3xHLyNArH2cDgcWpM.OCdWG78wbfpmJ/LNXR4wA/jk9w3wtui";
const LONG: &str = "$5$rounds=1000$1erSvHqic2CiIamw$/3mGhXHRGII2nG5MdyzTSSfPOdAOB3m.xq7eEq1pXXA";

/// A server whose users, by name, have these texts in the place of their hashes.
fn server(users: &[(&str, &str)]) -> Server {
    let server = Server::start(&["--throttle", "off"]);
    for (name, hash) in users {
        server.add(name);
        set_hash(&server, name, hash);
    }
    server
}

fn set_hash(server: &Server, name: &str, hash: &str) {
    let sql = format!("UPDATE users SET password = $1 WHERE name = '{name}'");
    assert_eq!(server.dir.sql().execute(&sql, &[&hash]), 1);
}

fn hash(server: &Server, name: &str) -> String {
    server.dir.sql().text(&format!("SELECT password FROM users WHERE name = '{name}'"))
}

fn replaced(server: &Server) -> Vec<String> {
    let sql = "SELECT name || ' ' || detail FROM audit WHERE event = 'hash-replaced' ORDER BY id";
    server.dir.sql().texts(sql)
}

#[test]
fn the_old_password_logs_in_once_with_the_old_hash_and_then_with_ours() {
    let users = [("ada", BCRYPT), ("bob", WERKZEUG), ("carol", ARGON2), ("dan", DJANGO)];
    let server = server(&users);
    for (name, old) in users {
        assert_eq!(server.login(name, "not it").status(), 401, "{name}");
        assert_eq!(hash(&server, name), old);
        let token = server.login(name, LETTERS).token();
        assert_eq!(server.protected(&token).status(), 200, "{name}");
        let new = hash(&server, name);
        assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{name} {new}");
        server.login(name, LETTERS).token();
        assert_eq!(hash(&server, name), new, "{name}");
        assert_eq!(server.login(name, "not it").status(), 401, "{name}");
    }
    let schemes = ["ada bcrypt", "bob werkzeug_scrypt", "carol argon2", "dan django_pbkdf2_sha256"];
    assert_eq!(replaced(&server), schemes);
    assert!(server.log().contains("hash-replaced user=ada id=1 from="), "{}", server.log());
}

#[test]
fn a_hash_that_more_than_one_password_matches_stays() {
    let server = server(&[("ada", BCRYPT_2X)]);
    for _ in 0..2 {
        server.login("ada", LETTERS).token();
        assert_eq!(hash(&server, "ada"), BCRYPT_2X);
    }
    assert_eq!(server.login("ada", "not it").status(), 401);
    assert_eq!(replaced(&server), [""; 0]);
}

#[test]
fn a_password_that_ours_cannot_be_logs_in_and_its_hash_stays() {
    let server = server(&[("ada", EMPTY), ("bob", LONG)]);
    for (name, password, old) in [("ada", String::new(), EMPTY), ("bob", "x".repeat(4096), LONG)] {
        for _ in 0..2 {
            server.login(name, &password).token();
            assert_eq!(hash(&server, name), old);
        }
    }
    assert_eq!(server.login("bob", &"x".repeat(4095)).status(), 401);
    // It is asked for once more before a change, which ends it.
    let token = server.login("bob", &"x".repeat(4096)).token();
    let body = serde_json::json!({"current": "x".repeat(4096), "new": PASSWORD}).to_string();
    assert_eq!(server.send_as(&token, "PUT", "/api/password", &body).status(), 200);
    server.login("bob", PASSWORD).token();
    assert_eq!(replaced(&server), [""; 0]);
}

#[test]
fn no_password_and_hashes_that_cannot_be_used_let_nobody_in() {
    let costly = format!("$pbkdf2-sha256$2147483648$c2FsdA${}", "A".repeat(43));
    let server = server(&[("ada", "!"), ("bob", &costly), ("carol", "plain text")]);
    for name in ["ada", "bob", "carol"] {
        for password in ["", "!", "plain text", PASSWORD] {
            assert_eq!(server.login(name, password).status(), 401, "{name} {password}");
        }
    }
    let log = server.log();
    assert!(log.contains("the pbkdf2_sha256 hash asks for more than 5000000 rounds"), "{log}");
    assert!(log.contains("the hash is of no known scheme"), "{log}");
    assert!(!log.contains("c2FsdA") && !log.contains("plain text"), "{log}");
    assert_eq!(log.matches("nobody can log in").count(), 8, "{log}");
}

#[test]
fn a_guarded_account_keeps_its_hash_even_if_the_password_is_right() {
    let server = server(&[("ada", DJANGO)]);
    server.dir.sql().execute("UPDATE users SET failures = 1000", &[]);
    let server = Server::start_in(server.stop("-TERM").1, &[]);
    assert_eq!(server.login("ada", LETTERS).status(), 401);
    assert_eq!(hash(&server, "ada"), DJANGO);
}

/// How long processors have worked for the server, in hundredths of a second: unlike the time of a
/// login, that is about the same on a busy machine.
fn worked(server: &Server) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.child.id())).unwrap();
    // Behind the name, which may have spaces: the state, ten numbers, then the times of user and system.
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let fields = rest.split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

#[test]
fn an_unknown_name_took_less_time_than_an_account_with_a_costly_hash() {
    // Some tenths of a second, many times what a hash of ours takes.
    let costly = "$2b$13$abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O";
    let server = server(&[("ada", costly), ("bob", costly)]);
    let took = |name: &str| {
        let before = worked(&server);
        assert_eq!(server.login(name, PASSWORD).status(), 401, "{name}");
        worked(&server) - before
    };
    let known = took("ada").min(took("bob"));
    for unknown in ["nobody", "nobody@x.example", "no name at all"] {
        let unknown = took(unknown);
        assert!(known < unknown * 4, "{known} for a user, {unknown} for nobody");
    }
    // The decoy's own hash decides: once all are ours, nobody takes as long any more.
    for name in ["ada", "bob"] {
        server.user(&["passwd", name], PASSWORD);
    }
    assert!(took("nobody") < known, "{known}");
}
