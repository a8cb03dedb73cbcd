//! A SECRET_KEY that is too short to sign (`--accept-short-secret`): what it is good for, for how long,
//! and what an attacker who has guessed it cannot do.

use std::fs;
use std::time::{Duration, SystemTime};

use jwt_simple::prelude::{HS256Key, MACLike as _};
use serde_json::{Value, json};

use crate::support::{
    Dir, PASSWORD, Server, assert_without, base64url, finish, lictor, now, outcome, part, payload,
};

const SHORT: &str = "my secret key";
const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

/// The date some days from now, as the flag takes it. A test asks once: midnight may come.
fn day(ahead: i64) -> String {
    let time = SystemTime::now();
    let by = Duration::from_secs(ahead.unsigned_abs() * 24 * 3600);
    let time = if ahead < 0 { time - by } else { time + by };
    humantime::format_rfc3339_seconds(time).to_string()[..10].to_owned()
}

/// Starts a server with the short secret, which is accepted until this day.
fn start(dir: Dir, day: &str, flags: &[&str]) -> Server {
    let flags = [&["--adopt-tokens", "--accept-short-secret", day], flags].concat();
    Server::start_with(dir, &flags, &[("SECRET_KEY", SHORT)])
}

/// A token that whoever knows `secret` can make, with claims like Flask's and these.
fn forged(secret: &str, header: &str, claims: &Value) -> String {
    let mut all = json!({
        "iat": now(), "exp": now() + 86_400, "rf_exp": now() + 2_592_000, "id": 1, "rls": "user",
        "jti": format!("{:032x}", rand()),
    });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let signed = format!("{}.{}", base64url(header), base64url(all.to_string()));
    let tag = HS256Key::from_bytes(secret.as_bytes()).authentication_tag(signed.as_bytes());
    format!("{signed}.{}", base64url(tag))
}

fn header_of(token: &str) -> Value {
    serde_json::from_slice(&part(token, 0)).unwrap()
}

fn rand() -> u128 {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    time.as_nanos()
}

/// `command` ends with this code, and says this on standard output or error.
fn says(dir: &Dir, args: &[&str], secret: &str, code: i32, words: &[&str]) -> String {
    let mut command = lictor(&dir.0, args);
    command.env("SECRET_KEY", secret);
    let (found, out, err) = outcome(&finish(command, ""));
    assert_eq!(found, code, "{args:?}: {out}{err}");
    for word in words {
        assert!(out.contains(word) || err.contains(word), "{args:?} {word}: {out}{err}");
    }
    assert_without(&format!("{out}{err}"), &[SHORT], &args);
    out + &err
}

#[test]
fn a_short_secret_is_refused_with_both_ways_out() {
    let dir = Dir::new();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    for args in [&serve[..], &["check"], &["key", "list"]] {
        let words = [
            "13 bytes",
            "(1) unset it",
            "everybody logs in again",
            "(2) start with --accept-short-secret",
        ];
        let text = says(&dir, args, SHORT, 2, &words);
        assert!(text.contains("--accept-short-secret YYYY-MM-DD") && text.lines().count() == 2);
        assert!(text.contains("docs/from-flask.md"));
    }
    let (soon, far) = (day(1), day(92));
    let flag = |day| ["--accept-short-secret", day];
    let adopt = "--adopt-tokens";
    for (flags, secret, words) in [
        (&flag(&soon)[..], SHORT, &["turn on --adopt-tokens"][..]),
        (&[&flag(&far)[..], &[adopt]].concat(), SHORT, &["--accept-short-secret: ", "90 days"]),
        (&[&flag("tomorrow")[..], &[adopt]].concat(), SHORT, &["2026-12-31"]),
        (&[&flag("2026-02-30")[..], &[adopt]].concat(), SHORT, &["2026-12-31"]),
        (&[&flag("")[..], &[adopt]].concat(), SHORT, &["--accept-short-secret"]),
        (&[&flag(&soon)[..], &[adopt]].concat(), "", &["0 bytes", "unset SECRET_KEY"]),
    ] {
        says(&dir, &[&["check"], flags].concat(), secret, 2, words);
        says(&dir, &[&serve[..], flags].concat(), secret, 2, words);
    }
    assert!(!dir.0.join("lictor.db").exists(), "nothing was made");
}

#[test]
fn people_stay_logged_in_until_the_date() {
    let date = day(30);
    let flags = ["--access-lifespan", "50m", "--early-refresh", "60m"];
    let server = start(Dir::new(), &date, &flags);
    server.add_imported("ada");
    let log = server.log();
    assert!(log.contains("WARN") && log.contains("whoever guesses it can log in as anybody"));
    assert!(log.contains(&date) && log.contains("made a new secret key in lictor.key"), "{log}");
    assert_without(&log, &[SHORT], &"the log");

    let old = forged(SHORT, HEADER, &json!({"exp": now() + 3_000}));
    assert_eq!(server.protected(&old).status(), 200);
    let next = server.send("POST", "/api/refresh", &[], &old).token();
    assert_eq!(payload(&next)["jti"], payload(&old)["jti"]);
    assert!(header_of(&next)["kid"].is_string(), "the key file signs, and its tokens name the key");
    assert_eq!(server.protected(&next).status(), 200);
    // What lictor begins itself lasts as ever; what began with the short secret, until its date.
    let own = server.login("ada", PASSWORD).token();
    assert!(payload(&own)["rf_exp"].as_i64().unwrap() >= now() + 2_591_000);
    let forever = json!({"exp": now() + 3_000, "rf_exp": now() + 999_999_999});
    let forever = server.send("POST", "/api/refresh", &[], &forged(SHORT, HEADER, &forever));
    let end = payload(&forever.token())["rf_exp"].as_i64().unwrap();
    assert!((now() + 29 * 86_400..now() + 31 * 86_400).contains(&end), "{end}");
    assert_eq!(server.send_as(&next, "POST", "/api/logout", "").status(), 200);
    assert_eq!(server.protected(&old).status(), 403, "and is not adopted again");

    // The switch-over is over: without the secret, what was exchanged goes on.
    let token = forged(SHORT, HEADER, &json!({"exp": now() + 3_000}));
    let next = server.send("POST", "/api/refresh", &[], &token).token();
    let server = Server::start_with(server.stop("-TERM").1, &[], &[]);
    for (token, status) in [(&next, 200), (&own, 200), (&token, 401)] {
        assert_eq!(server.protected(token).status(), status);
    }
}

#[test]
fn after_the_date_it_verifies_nothing() {
    let (tomorrow, yesterday) = (day(1), day(-1));
    let server = start(Dir::new(), &tomorrow, &[]);
    server.add_imported("ada");
    let token = forged(SHORT, HEADER, &json!({}));
    assert_eq!(server.protected(&token).status(), 200);
    let own = server.login("ada", PASSWORD).token();
    let server = start(server.stop("-TERM").1, &yesterday, &[]);
    assert!(server.log().contains(&format!("{yesterday} is over")), "{}", server.log());
    assert!(server.log().contains("remove it"), "{}", server.log());
    for token in [&token, &forged(SHORT, HEADER, &json!({}))] {
        assert_eq!(server.protected(token).json()["error"], "InvalidTokenHeader");
    }
    assert_eq!(server.protected(&own).status(), 200);
    let flags = ["check", "--accept-short-secret", &yesterday];
    let text = says(&server.dir, &flags, SHORT, 0, &["warning: SECRET_KEY is short", "remove it"]);
    assert!(!text.contains("adopt-tokens"), "not needed any more: {text}");
}

#[test]
fn check_and_key_list_show_it() {
    let dir = Dir::new();
    let date = day(30);
    let flags = ["--accept-short-secret", &date];
    let check = [&["check", "--adopt-tokens"], &flags[..]].concat();
    let shown = format!("lictor.key (will be made); the short SECRET_KEY verifies until {date}");
    let words =
        [&*shown, "signs            HS256 (a key will be made)", "warning: SECRET_KEY is short"];
    says(&dir, &check, SHORT, 0, &words);
    let server = start(dir, &date, &[]);
    let list = [&["key", "list"], &flags[..]].concat();
    let text = says(&server.dir, &list, SHORT, 0, &["signs"]);
    let last = text.lines().last().unwrap();
    let until = format!("verifies tokens to adopt until {date}");
    assert!(last.starts_with("(the short SECRET_KEY)") && last.ends_with(&until), "{text}");
    let rows: Value =
        says(&server.dir, &[&list[..], &["--json"]].concat(), SHORT, 0, &[]).parse().unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!((&rows[1]["kid"], &rows[1]["signs"]), (&Value::Null, &json!(false)));
    assert!(rows[1]["until"].as_i64().unwrap() > now() && rows[0].get("until").is_none());

    // It counts as one of eight keys.
    let line = |n: u8| format!("lictor-key HS256 1 {}\n", format!("{n:02x}").repeat(32));
    fs::write(server.dir.0.join("lictor.key"), (0..8).map(line).collect::<String>()).unwrap();
    says(&server.dir, &check, SHORT, 1, &["more than 8 keys", "lictor key retire"]);
    fs::write(server.dir.0.join("lictor.key"), (0..7).map(line).collect::<String>()).unwrap();
    says(&server.dir, &check, SHORT, 0, &["with the newest such key of 7"]);

    // With a secret that is not short, or none, the flag does nothing and says so.
    let long = "a secret of at least 32 bytes, for tests";
    says(&server.dir, &check, long, 0, &["SECRET_KEY is not short", "remove it"]);
}

// Long: each attack, with each algorithm that signs.
#[test]
fn who_has_guessed_the_secret_can_do_nothing_but_log_in() {
    for algorithm in ["HS256", "EdDSA"] {
        let flags = ["--jwt-algorithm", algorithm, "--registration", "email", "--mail", "log:"];
        let mail = ["--mail-from", "login@example.org", "--public-url", "http://127.0.0.1"];
        let date = day(30);
        let server = start(Dir::new(), &date, &[&flags[..], &mail].concat());
        server.add_imported("ada");
        let (code, _, err) = server.user(&["add", "root", "--role", "admin"], PASSWORD);
        assert_eq!(code, 0, "{err}");

        // Roles are those of the database.
        let token = forged(SHORT, HEADER, &json!({"rls": "admin,user"}));
        assert_eq!(server.protected(&token).status(), 200, "{algorithm}");
        let reply = server.send_as(&token, "GET", "/api/admin/users", "");
        assert_eq!(reply.json()["error"], "MissingRoleError", "{algorithm}");

        // Nothing that was mailed: neither Flask's nor lictor's own kind.
        let body = json!({"password": "another long password"}).to_string();
        for mark in ["is_prt", "is_ert"] {
            for typ in ["JWT", "lictor-reset+jwt", "lictor-registration+jwt"] {
                let header = format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#);
                let token = forged(SHORT, &header, &json!({mark: true}));
                let sent = [
                    server.send_as(&token, "POST", "/api/reset_finalize", &body),
                    server.send_as(&token, "GET", "/api/finalize", ""),
                    server.protected(&token),
                    server.send("POST", "/api/refresh", &[], &token),
                ];
                for reply in sent {
                    assert_eq!(reply.status(), 401, "{algorithm} {mark} {typ}: {reply:?}");
                }
            }
        }
        // A session token is none of these either.
        let token = forged(SHORT, HEADER, &json!({}));
        for reply in [
            server.send_as(&token, "POST", "/api/reset_finalize", &body),
            server.send_as(&token, "GET", "/api/finalize", ""),
        ] {
            assert_eq!(reply.status(), 401, "{algorithm}: {reply:?}");
        }
        server.login("ada", PASSWORD).token();

        // No key id leads to it, and no other algorithm.
        let list = ["key", "list", "--json", "--accept-short-secret", &date];
        let rows: Value = says(&server.dir, &list, SHORT, 0, &[]).parse().unwrap();
        let kid = rows[0]["kid"].as_str().unwrap();
        let tag = HS256Key::from_bytes(SHORT.as_bytes()).authentication_tag(b"lictor key id");
        let own: String = tag[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let mut headers: Vec<String> = [kid, &own, "", "null", "../lictor.key", "SECRET_KEY"]
            .iter()
            .flat_map(|kid| {
                ["HS256", "EdDSA"]
                    .map(|alg| format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"JWT"}}"#))
            })
            .collect();
        headers.extend(
            ["none", "HS384", "HS512", "EdDSA", "hs256"]
                .map(|alg| format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#)),
        );
        headers.push(r#"{"alg":"HS256","kid":null,"typ":"JWT"}"#.into());
        for header in headers {
            let token = forged(SHORT, &header, &json!({}));
            let reply = server.protected(&token);
            assert_eq!(reply.json()["error"], "InvalidTokenHeader", "{algorithm} {header}");
        }
        // Near guesses, and the public key as a secret.
        let set = server.get("/.well-known/jwks.json").json();
        let x = set["keys"][0]["x"].as_str().unwrap_or("none").to_owned();
        assert_eq!(set["keys"].as_array().unwrap().len(), usize::from(algorithm == "EdDSA"));
        for guess in ["", "my secret ke", "my secret key ", "My secret key", &x] {
            let token = forged(guess, HEADER, &json!({}));
            assert_eq!(server.protected(&token).status(), 401, "{algorithm} {guess}");
        }
        // What is signed is not signed with it.
        let token = server.login("ada", PASSWORD).token();
        let (signed, tag) = token.rsplit_once('.').unwrap();
        let short = HS256Key::from_bytes(SHORT.as_bytes()).authentication_tag(signed.as_bytes());
        assert_ne!(base64url(short), tag);
        assert_eq!(header_of(&token)["alg"], algorithm);
        // Nobody logs in as an account that is not there, or not active.
        let gone = forged(SHORT, HEADER, &json!({"id": 99}));
        assert_eq!(server.protected(&gone).json()["error"], "MissingUserError");
        assert_eq!(server.user(&["deactivate", "ada"], "").0, 0);
        let inactive = forged(SHORT, HEADER, &json!({}));
        assert_eq!(server.protected(&inactive).json()["error"], "InvalidUserError");
    }
}

#[test]
fn a_rotation_leaves_a_place_for_the_short_secret() {
    let dir = Dir::new();
    let day = day(30);
    let (_, dir) = start(dir, &day, &[]).stop("-TERM");
    let flag = ["--accept-short-secret", day.as_str()];
    let rotate = ["key", "rotate", flag[0], flag[1]];
    for _ in 2..=7 {
        says(&dir, &rotate, SHORT, 0, &["made the HS256 key"]);
    }
    let words = ["with another and the short SECRET_KEY there would be more than 8 keys", "retire"];
    says(&dir, &rotate, SHORT, 1, &words);
    let (_, dir) = start(dir, &day, &[]).stop("-TERM");
    // An eighth key that was made without the short secret can be seen and retired with it.
    let mut files = fs::read_dir(&dir.0).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|end| end == "key"));
    let file = file.unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}lictor-key HS256 0 {}\n", "ab".repeat(32))).unwrap();
    let list = says(&dir, &["key", "list", flag[0], flag[1]], SHORT, 0, &["signs"]);
    let kid = list.lines().rfind(|line| line.ends_with("  verifies")).unwrap();
    let kid = kid.split(' ').next().unwrap();
    let retire = [&["key", "retire", kid, "--yes"], &flag[..]].concat();
    says(&dir, &retire, SHORT, 0, &["retired"]);
    drop(start(dir, &day, &[]));
}
