//! The second factor over HTTP, with an authenticator app of the tests' own.

use std::time::Instant;

use hmac_sha1_compact::HMAC;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Reply, SECRET, Server, assert_without, now, outcome, run};
use crate::throttle::assert_admitted;

const REQUIRED: (u16, &str) = (401, "SecondFactorRequired");
const REFUSED: (u16, &str) = (401, "AuthenticationError");
const WRONG: (u16, &str) = (403, "WrongOtp");
const ON: (u16, &str) = (409, "SecondFactorAlreadyOn");
const OFF: (u16, &str) = (409, "SecondFactorNotOn");

/// An authenticator app.
pub struct Authenticator {
    typed: String,
    secret: Vec<u8>,
}

impl Authenticator {
    /// Makes an app with a secret that was typed into it.
    pub fn with(typed: &str) -> Authenticator {
        let bits = typed.bytes().flat_map(|char| {
            let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|c| *c == char);
            let value = value.expect("a base 32 digit");
            (0..5).rev().map(move |bit| (value >> bit) as u8 & 1)
        });
        let bits: Vec<u8> = bits.collect();
        let secret =
            bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |all, bit| all << 1 | bit));
        Authenticator { typed: typed.into(), secret: secret.collect() }
    }

    /// Returns the code that the app shows some periods from now (RFC 6238).
    pub fn code(&self, periods: i64) -> String {
        let step = (now() / 30 + periods) as u64;
        let mac = HMAC::mac(&step.to_be_bytes(), &self.secret);
        let offset = (mac[19] & 15) as usize;
        let word = u32::from_be_bytes(mac[offset..offset + 4].try_into().unwrap());
        format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
    }

    /// Returns a code that is wrong now, in the period before and in the one after.
    pub fn wrong(&self) -> String {
        let good: Vec<_> = (-3..=3).map(|periods| self.code(periods)).collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !good.contains(code)).unwrap()
    }
}

fn is(reply: &Reply, expected: (u16, &str)) {
    let (status, name) = reply.error();
    assert_eq!((status, name.as_str()), expected, "{reply:?}");
    assert_eq!(reply.header("www-authenticate"), (status == 401).then_some("Bearer"));
}

fn login(server: &Server, otp: impl Into<Value>) -> Reply {
    let body = json!({"username": "ada", "password": PASSWORD, "otp": otp.into()});
    server.post("/api/login", &body)
}

fn call(server: &Server, token: &str, method: &str, body: &Value) -> Reply {
    server.send_as(token, method, "/api/second-factor", &body.to_string())
}

pub fn enrol(server: &Server, token: &str) -> Authenticator {
    let reply = call(server, token, "POST", &json!({"password": PASSWORD}));
    assert_eq!((reply.status(), reply.header("cache-control")), (200, Some("no-store")));
    Authenticator::with(reply.json()["secret"].as_str().unwrap())
}

pub fn codes(reply: &Reply) -> Vec<String> {
    assert_eq!(
        (reply.status(), reply.header("cache-control")),
        (200, Some("no-store")),
        "{reply:?}"
    );
    let codes = reply.json()["recovery_codes"].as_array().unwrap().clone();
    codes.into_iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

/// Gives ada a second factor; returns her token, app and recovery codes.
pub fn with_factor(server: &Server) -> (String, Authenticator, Vec<String>) {
    let token = server.register("ada", PASSWORD).token();
    let app = enrol(server, &token);
    let confirmed = call(server, &token, "PUT", &json!({"otp": app.code(0)}));
    (token, app, codes(&confirmed))
}

fn me(server: &Server, token: &str) -> (bool, u64) {
    let me = server.send_as(token, "GET", "/api/me", "").json();
    (me["second_factor"].as_bool().unwrap(), me["recovery_codes"].as_u64().unwrap())
}

/// Makes the server forget the codes that were used.
pub fn forget_steps(server: &Server) {
    server.dir.sql().execute("UPDATE second_factors SET last_step = 0", &[]);
}

/// Returns the names of the audit events, in order.
fn events(server: &Server) -> Vec<String> {
    let args = ["audit", "--json", "--database", "lictor.db"];
    let (code, out, err) = outcome(&run(&server.dir.0, &args, ""));
    assert_eq!((code, err.as_str()), (0, ""));
    let event = |line: &str| -> String {
        let entry: Value = serde_json::from_str(line).unwrap();
        entry["event"].as_str().unwrap().to_owned()
    };
    out.lines().rev().map(event).collect()
}

#[test]
fn a_factor_is_turned_on_used_and_turned_off_and_no_secret_is_logged() {
    let server = Server::start(&["--log", "debug", "--throttle", "off"]);
    let token = server.register("ada", PASSWORD).token();
    assert_eq!(me(&server, &token), (false, 0));
    is(&call(&server, &token, "PUT", &json!({"otp": "123456"})), OFF);
    is(&call(&server, &token, "POST", &json!({"password": "wrong"})), (403, "WrongPassword"));

    let first = enrol(&server, &token);
    let app = enrol(&server, &token);
    assert_ne!(first.secret, app.secret);
    assert_eq!(me(&server, &token), (false, 0), "it does not count yet");
    login(&server, Value::Null).token();
    is(&call(&server, &token, "PUT", &json!({"otp": first.code(0)})), WRONG);
    is(&call(&server, &token, "PUT", &json!({"otp": app.wrong()})), WRONG);
    let confirming = app.code(0);
    let codes = codes(&call(&server, &token, "PUT", &json!({"otp": confirming})));
    assert_eq!(me(&server, &token), (true, 10));
    is(&call(&server, &token, "PUT", &json!({"otp": app.code(1)})), ON);
    is(&call(&server, &token, "POST", &json!({"password": PASSWORD})), ON);

    is(&server.login("ada", PASSWORD), REQUIRED);
    is(&login(&server, ""), REQUIRED);
    is(&login(&server, " "), REQUIRED);
    is(&login(&server, app.wrong()), REFUSED);
    is(&login(&server, confirming.as_str()), REFUSED);
    is(&login(&server, "nonsense"), REFUSED);
    let next = app.code(1);
    let wrong = json!({"username": "ada", "password": "wrong", "otp": next});
    is(&server.post("/api/login", &wrong), REFUSED);
    let spaced = format!("{} {}", &next[..3], &next[3..]);
    let in_session = login(&server, spaced.as_str()).token();
    assert_eq!(server.protected(&in_session).status(), 200);
    is(&login(&server, next.as_str()), REFUSED);
    login(&server, codes[0].as_str()).token();
    is(&login(&server, codes[0].as_str()), REFUSED);
    login(&server, codes[1].to_lowercase().replace('-', " ")).token();
    assert_eq!(me(&server, &token), (true, 8));

    let off = |otp: &str, password: &str| {
        call(&server, &token, "DELETE", &json!({"password": password, "otp": otp}))
    };
    is(&off(&codes[2], "wrong"), (403, "WrongPassword"));
    is(&off(&codes[0], PASSWORD), WRONG);
    is(&off(&next, PASSWORD), WRONG);
    let reply = off(&codes[2], PASSWORD);
    assert_eq!(
        (reply.status(), reply.json()["message"].as_str()),
        (200, Some("second factor turned off"))
    );
    assert_eq!(me(&server, &token), (false, 0));
    is(&off(&codes[3], PASSWORD), OFF);
    server.login("ada", PASSWORD).token();
    // Without a second factor, a code in the request is ignored.
    login(&server, "nonsense").token();

    let expected = "registration, login-failed, second-factor-enrolled, second-factor-enrolled, \
        login, login-failed, login-failed, second-factor-on, second-factor-asked, \
        second-factor-asked, second-factor-asked, login-failed, login-failed, login-failed, \
        login-failed, login, login-failed, recovery-code-used, login, login-failed, \
        recovery-code-used, login, login-failed, login-failed, login-failed, \
        recovery-code-used, second-factor-off, login, login";
    assert_eq!(events(&server).join(", "), expected);
    let log = server.log();
    for line in [
        "second-factor-enrolled user=ada id=1 from=127.0.0.1",
        "second-factor-on user=ada id=1 from=127.0.0.1",
        "second-factor-asked user=ada id=1 from=127.0.0.1",
        "login-failed user=ada id=1 from=127.0.0.1 (second factor)",
        "login-failed user=ada id=1 from=127.0.0.1 (second factor, while logged in)",
        "recovery-code-used user=ada id=1 from=127.0.0.1",
        "second-factor-off user=ada id=1 from=127.0.0.1",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    // How long a request took and waited may have the digits of a code.
    let is_time = |word: &&str| word.starts_with("time=") || word.starts_with("wait=");
    let log = log.split(' ').filter(|word| !is_time(word)).collect::<Vec<_>>().join(" ");
    let bare: Vec<String> = codes.iter().map(|code| code.replace('-', "")).collect();
    for secret in [&codes, &bare].into_iter().flatten().chain([&app.typed, &next, &confirming]) {
        assert_without(&log, &[secret, PASSWORD, SECRET, "otpauth"], &"the log");
    }
}

#[test]
fn the_uri_has_the_secret_issuer_and_account() {
    let server = Server::start(&["--issuer", "Ada's Photos"]);
    let token = server.register("Adá+1", PASSWORD).token();
    let reply = call(&server, &token, "POST", &json!({"password": PASSWORD}));
    let json = reply.json();
    let secret = json["secret"].as_str().unwrap();
    assert_eq!(Authenticator::with(secret).secret.len(), 20);
    assert_eq!(
        json["uri"].as_str().unwrap(),
        format!(
            "otpauth://totp/Ada%27s%20Photos:Ad%C3%A1%2B1?secret={secret}\
             &issuer=Ada%27s%20Photos&algorithm=SHA1&digits=6&period=30"
        )
    );
    let svg = json["qr"].as_str().unwrap();
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>"), "{svg}");
    assert_eq!(json.as_object().unwrap().len(), 3);
    assert_without(&reply.body, &[PASSWORD, SECRET], &reply);
}

#[test]
fn a_code_is_accepted_one_period_early_or_late() {
    let server = Server::start(&[]);
    let (_, app, _) = with_factor(&server);
    for (periods, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
        let reply = loop {
            forget_steps(&server);
            let period = now() / 30;
            let reply = login(&server, app.code(periods));
            // Otherwise the server may have checked the code in the next period.
            if now() / 30 == period {
                break reply;
            }
        };
        match good {
            true => drop(reply.token()),
            false => is(&reply, REFUSED),
        }
    }
    // A code is invalid after a later one has been used.
    forget_steps(&server);
    let (earlier, later) = (app.code(0), app.code(1));
    login(&server, later).token();
    is(&login(&server, earlier), REFUSED);
}

#[test]
fn one_code_sent_at_the_same_time_logs_in_once() {
    let server = Server::start(&["--hash-threads", "4"]);
    let (_, app, codes) = with_factor(&server);
    for otp in [app.code(1), codes[0].clone()] {
        let replies: Vec<Reply> = std::thread::scope(|scope| {
            let logins: Vec<_> =
                (0..4).map(|_| scope.spawn(|| login(&server, otp.as_str()))).collect();
            logins.into_iter().map(|login| login.join().unwrap()).collect()
        });
        let (good, bad): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status() == 200);
        assert_eq!(good.len(), 1, "{replies:?}");
        bad.into_iter().for_each(|reply| is(reply, REFUSED));
    }
}

#[test]
fn wrong_codes_make_the_account_wait() {
    let server = Server::start(&[]);
    let (token, app, codes) = with_factor(&server);
    let off =
        |otp: &str| call(&server, &token, "DELETE", &json!({"password": PASSWORD, "otp": otp}));
    // Login and settings share one counter.
    let guess = |number: usize| match number % 2 {
        0 => login(&server, app.wrong()),
        _ => off(&app.wrong()),
    };
    let begun = Instant::now();
    let refused = (0..20).position(|number| guess(number).status() == 429).unwrap();
    assert_admitted(refused, 5, 3_600, begun.elapsed());
    // A login with the password alone changes no counter.
    is(&login(&server, ""), REQUIRED);
    is(&call(&server, &token, "POST", &json!({"password": PASSWORD})), ON);
    // The wait may be over by now; the next ones are longer.
    assert!((0..4).any(|number| guess(number).status() == 429));
    // A recovery code, which cannot be guessed, has a counter of its own; an administrator can
    // unlock.
    login(&server, codes[0].as_str()).token();
    assert_eq!(server.user(&["unlock", "ada"], "").0, 0);
    login(&server, app.code(1)).token();
    // A right code clears the counter.
    forget_steps(&server);
    for _ in 0..2 {
        for _ in 0..3 {
            is(&login(&server, app.wrong()), REFUSED);
        }
        login(&server, app.code(0)).token();
        forget_steps(&server);
    }
}

#[test]
fn recovery_codes_are_replaced_with_a_second_factor_only() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let replace = |body: &Value| {
        server.send_as(&token, "POST", "/api/second-factor/recovery-codes", &body.to_string())
    };
    is(&replace(&json!({"password": PASSWORD, "otp": "123456"})), OFF);
    let app = enrol(&server, &token);
    is(&replace(&json!({"password": PASSWORD, "otp": app.code(0)})), OFF);
    let old = codes(&call(&server, &token, "PUT", &json!({"otp": app.code(0)})));
    is(&replace(&json!({"password": "wrong", "otp": app.code(1)})), (403, "WrongPassword"));
    is(&replace(&json!({"password": PASSWORD, "otp": app.wrong()})), WRONG);
    is(&replace(&json!({"password": PASSWORD})), (400, "BadRequest"));
    let new = codes(&replace(&json!({"password": PASSWORD, "otp": app.code(1)})));
    assert_eq!((old.len(), new.len()), (10, 10));
    assert!(new.iter().all(|code| !old.contains(code)));
    is(&login(&server, old[0].as_str()), REFUSED);
    login(&server, new[0].as_str()).token();
    // Without the app, one recovery code gives new ones.
    let newest = codes(&replace(&json!({"password": PASSWORD, "otp": new[1]})));
    is(&login(&server, new[2].as_str()), REFUSED);
    login(&server, newest[0].as_str()).token();
    // The database holds only hashes.
    let dump = server.dir.sql().dump();
    for code in old.iter().chain(&new).chain(&newest) {
        for code in [code.clone(), code.replace('-', "")] {
            assert!(!dump.windows(code.len()).any(|part| part == code.as_bytes()));
        }
    }
}

#[test]
fn only_an_administrator_can_remove_a_factor_without_a_code() {
    let server = Server::start(&[]);
    let (token, app, codes) = with_factor(&server);
    // A new password does not remove it.
    let body = json!({"current": PASSWORD, "new": "another password", "otp": app.code(1)});
    let body = body.to_string();
    assert_eq!(server.send_as(&token, "PUT", "/api/password", &body).status(), 200);
    is(&server.login("ada", "another password"), REQUIRED);
    assert_eq!(server.user(&["passwd", "ada"], PASSWORD).0, 0);
    is(&server.login("ada", PASSWORD), REQUIRED);

    let shown = server.user(&["show", "ada"], "").1;
    assert!(shown.contains("otp      on, 10 recovery codes left\n"), "{shown}");
    assert_without(&shown, &[&app.typed], &"user show");
    let reset = || server.user(&["reset-second-factor", "ADA"], "");
    let done = |text: &str| (0, format!("{text} in {}\n", server.place()), String::new());
    assert_eq!(reset(), done("ada has no second factor any more"));
    assert_eq!(reset(), done("ada had no second factor"));
    assert!(server.user(&["show", "ada"], "").1.contains("otp      off\n"));
    let token = server.login("ada", PASSWORD).token();
    let happened = events(&server);
    assert_eq!(happened.iter().filter(|event| *event == "second-factor-reset").count(), 1);
    let (code, _, err) = server.user(&["reset-second-factor", "nobody"], "");
    assert!(code == 1 && err.contains("there is no user nobody"), "{err}");

    // Turned on again, it has another secret and other recovery codes.
    let again = enrol(&server, &token);
    assert_ne!(again.secret, app.secret);
    call(&server, &token, "PUT", &json!({"otp": again.code(0)}));
    is(&login(&server, app.code(1)), REFUSED);
    is(&login(&server, codes[0].as_str()), REFUSED);
    login(&server, again.code(1)).token();
}

/// Repeats `once` until a reply is a 429; returns the number of replies before it.
fn tried_until_429(mut once: impl FnMut() -> Reply) -> usize {
    (0..100).find(|_| once().status() == 429).expect("100 guesses, and none has to wait")
}

#[test]
fn the_password_or_a_token_does_not_allow_guessing_codes() {
    let server = Server::start(&[]);
    let (token, app, _) = with_factor(&server);
    // A login without a code does not count as a failure.
    for _ in 0..12 {
        is(&login(&server, Value::Null), REQUIRED);
    }
    let begun = Instant::now();
    let tried = tried_until_429(|| login(&server, app.wrong()));
    assert_admitted(tried, 5, 3_600, begun.elapsed());
    // The counter is the same while logged in, and a right password does not clear it.
    let more = tried_until_429(|| {
        call(&server, &token, "POST", &json!({"password": PASSWORD}));
        call(&server, &token, "DELETE", &json!({"password": PASSWORD, "otp": app.wrong()}))
    });
    assert_admitted(tried + more, 5, 3_600, begun.elapsed());
    let bob = server.register("bob", PASSWORD).token();
    let app = enrol(&server, &bob);
    let begun = Instant::now();
    let tried = tried_until_429(|| call(&server, &bob, "PUT", &json!({"otp": app.wrong()})));
    assert_admitted(tried, 5, 3_600, begun.elapsed());
}

#[test]
fn text_that_cannot_be_a_code_is_neither_counted_nor_recorded() {
    // Such a request costs no hash and is not throttled, so its audit entries would be unlimited.
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let app = enrol(&server, &token);
    let failed = || events(&server).iter().filter(|event| *event == "login-failed").count();
    for otp in ["", "nonsense", "12345", "0123-4567-89AB-CDEF-GHJK-MNPQ"] {
        for _ in 0..10 {
            is(&call(&server, &token, "PUT", &json!({"otp": otp})), WRONG);
        }
    }
    assert_eq!(failed(), 0);
    is(&call(&server, &token, "PUT", &json!({"otp": app.wrong()})), WRONG);
    assert_eq!(failed(), 1, "this might have been right");
    codes(&call(&server, &token, "PUT", &json!({"otp": app.code(0)})));
    // The same with the right password, for a change of the account.
    for (method, path, body) in [
        ("PUT", "/api/email", json!({"email": "a@b.example", "password": PASSWORD, "otp": "x"})),
        (
            "PUT",
            "/api/password",
            json!({"current": PASSWORD, "new": "a b c d e f", "otp": "12345"}),
        ),
        ("DELETE", "/api/me", json!({"password": PASSWORD, "otp": "nonsense"})),
        ("DELETE", "/api/second-factor", json!({"password": PASSWORD, "otp": "nonsense"})),
    ] {
        let reply = server.send_as(&token, method, path, &body.to_string());
        assert!([403, 404].contains(&reply.status()), "{method} {path} {reply:?}");
    }
    assert_eq!(failed(), 1);

    std::fs::write(server.dir.0.join("key"), SECRET).unwrap();
    let (code, out, _) = server.user(&["reset-link", "ada", "--secret-key-file", "key"], "");
    assert_eq!(code, 0, "{out}");
    let reset = out.lines().find_map(|line| line.strip_prefix("token    ")).unwrap();
    for otp in ["nonsense", "12345"] {
        for _ in 0..10 {
            let body = json!({"password": "another password", "otp": otp}).to_string();
            is(&server.send_as(reset, "POST", "/api/reset_finalize", &body), WRONG);
        }
    }
    assert_eq!(failed(), 1);
}

#[test]
fn an_old_secret_cannot_be_confirmed() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let app = enrol(&server, &token);
    let created = |ago: i64| {
        let sql = "UPDATE second_factors SET created = $1";
        server.dir.sql().execute(sql, &[&(now() - ago)]);
    };
    created(15 * 60 + 5);
    is(&call(&server, &token, "PUT", &json!({"otp": app.code(0)})), OFF);
    created(14 * 60);
    assert_eq!(codes(&call(&server, &token, "PUT", &json!({"otp": app.code(0)}))).len(), 10);
}

#[test]
fn inactive_and_logged_out_users_are_refused() {
    let server = Server::start(&[]);
    let (token, app, codes) = with_factor(&server);
    for (method, path) in [
        ("POST", "/api/second-factor"),
        ("PUT", "/api/second-factor"),
        ("DELETE", "/api/second-factor"),
        ("POST", "/api/second-factor/recovery-codes"),
    ] {
        let body = json!({"password": PASSWORD, "otp": codes[0]}).to_string();
        is(&server.send(method, path, &[], &body), (401, "MissingToken"));
    }
    assert_eq!(server.user(&["deactivate", "ada"], "").0, 0);
    is(&login(&server, app.code(1)), (403, "InvalidUserError"));
    is(&login(&server, Value::Null), (403, "InvalidUserError"));
    let body = json!({"password": PASSWORD, "otp": codes[0]});
    is(&call(&server, &token, "DELETE", &body), (403, "InvalidUserError"));
    assert_eq!(server.user(&["activate", "ada"], "").0, 0);
    login(&server, app.code(1)).token();
    login(&server, codes[0].as_str()).token();
}

#[test]
fn malformed_bodies_are_refused() {
    let server = Server::start(&[]);
    let (token, _, _) = with_factor(&server);
    for otp in [json!(123_456), json!(["123456"]), json!({"a": 1}), json!(true)] {
        is(&login(&server, otp), (400, "BadRequest"));
    }
    for otp in ["1".repeat(60_000), "\u{660}".repeat(6), "' OR 1=1 --".into()] {
        is(&login(&server, otp), REFUSED);
    }
    for (method, path, body) in [
        ("POST", "/api/second-factor", json!({})),
        ("PUT", "/api/second-factor", json!({"otp": null})),
        ("PUT", "/api/second-factor", json!({"otp": 123_456})),
        ("DELETE", "/api/second-factor", json!({"password": PASSWORD})),
        ("DELETE", "/api/second-factor", json!({"otp": "123456"})),
        ("POST", "/api/second-factor/recovery-codes", json!({"otp": "123456"})),
        ("PUT", "/api/second-factor", json!([])),
    ] {
        is(&server.send_as(&token, method, path, &body.to_string()), (400, "BadRequest"));
    }
    let reply = server.send("OPTIONS", "/api/second-factor", &[], "");
    assert_eq!(reply.header("allow"), Some("POST, PUT, DELETE, OPTIONS"));
    for (flag, what) in [("", "issuer"), ("a:b", "issuer"), ("a\tb", "issuer")] {
        let (code, _, err) = outcome(&run(&server.dir.0, &["check", "--issuer", flag], ""));
        assert!(code == 2 && err.contains(what), "{err}");
    }
}

#[test]
fn a_reset_token_does_not_bypass_the_second_factor() {
    let server = Server::start(&[]);
    let before = server.register("ada", PASSWORD).token();
    let app = enrol(&server, &before);
    let confirming = app.code(0);
    let codes = codes(&call(&server, &before, "PUT", &json!({"otp": confirming})));
    assert_eq!(server.user(&["add", "root", "--role", "admin"], PASSWORD).0, 0);
    let root = server.login("root", PASSWORD).token();
    let link = || {
        let made = server.send_as(&root, "POST", "/api/admin/users/1/reset-link", "").json();
        made["token"].as_str().unwrap().to_owned()
    };
    let reset = |token: &str, otp: &Value| {
        let body = json!({"password": "another password", "otp": otp}).to_string();
        server.send_as(token, "POST", "/api/reset_finalize", &body)
    };
    let token = link();
    is(&reset(&token, &Value::Null), REQUIRED);
    is(&reset(&token, &json!(" ")), REQUIRED);
    is(&reset(&token, &json!(7)), (400, "BadRequest"));
    is(&reset(&token, &json!(app.wrong())), WRONG);
    is(&reset(&token, &json!("0000-0000-0000-0000-0000-0000")), WRONG);
    // The code that turned the factor on is used up.
    is(&reset(&token, &json!(confirming)), WRONG);
    assert_eq!(server.protected(&before).status(), 200);
    login(&server, codes[0].as_str()).token();

    let new = reset(&token, &json!(app.code(1))).token();
    assert_eq!(me(&server, &new), (true, 9));
    is(&server.protected(&before), (403, "BlacklistedError"));
    is(&server.login("ada", "another password"), REQUIRED);
    reset(&link(), &json!(codes[1])).token();
    is(&reset(&link(), &json!(codes[1])), WRONG);
    let happened = events(&server);
    let last = "second-factor-asked, reset-link, recovery-code-used, password-reset, reset-link, \
        login-failed";
    assert_eq!(happened[happened.len() - 6..].join(", "), last);
    // Wrong codes make the client wait.
    let guesses = link();
    tried_until_429(|| reset(&guesses, &json!(app.wrong())));
    // With a recovery code the owner still gets in.
    reset(&guesses, &json!(codes[2])).token();
    let log = server.log();
    let line = "login-failed user=ada id=1 from=127.0.0.1 (second factor, to reset the password)";
    assert!(log.contains(line), "{log}");
    assert_without(&log, &["another password", &codes[1], &codes[2]], &"the log");
}

#[test]
fn simultaneous_resets_use_one_token_and_one_code() {
    let server = Server::start(&["--hash-threads", "4"]);
    let (_, _, codes) = with_factor(&server);
    assert_eq!(server.user(&["add", "root", "--role", "admin"], PASSWORD).0, 0);
    let root = server.login("root", PASSWORD).token();
    let made = server.send_as(&root, "POST", "/api/admin/users/1/reset-link", "").json();
    let token = made["token"].as_str().unwrap();
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let reset = |code: &str| {
            let body = json!({"password": "another password", "otp": code}).to_string();
            server.send_as(token, "POST", "/api/reset_finalize", &body)
        };
        let resets: Vec<_> =
            codes[..4].iter().map(|code| scope.spawn(move || reset(code))).collect();
        resets.into_iter().map(|reset| reset.join().unwrap()).collect()
    });
    let (good, bad): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status() == 200);
    assert_eq!(good.len(), 1, "{replies:?}");
    bad.into_iter().for_each(|reply| is(reply, (401, "InvalidResetToken")));
    // The requests that came later have used up no code.
    assert_eq!(me(&server, &good[0].token()), (true, 9));
}

#[test]
fn after_too_many_wrong_passwords_a_code_still_logs_in() {
    let server = Server::start(&[]);
    let (_, app, codes) = with_factor(&server);
    server.dir.sql().execute("UPDATE users SET failures = 300", &[]);
    is(&login(&server, Value::Null), (401, "SecondFactorRequired"));
    is(&login(&server, app.wrong()), (401, "AuthenticationError"));
    login(&server, codes[0].as_str()).token();
    assert_eq!(server.dir.sql().number("SELECT failures FROM users"), 0);
}

#[test]
fn a_stolen_token_could_guess_the_password_for_ever() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let enrol = |password: &str| call(&server, &token, "POST", &json!({"password": password}));
    let count = |count: u32| {
        server.dir.sql().execute("UPDATE users SET failures = $1", &[&count]);
    };
    count(299);
    is(&enrol("eleven wooden lanterns"), (403, "WrongPassword"));
    is(&enrol(PASSWORD), (403, "WrongPassword"));
    count(299);
    assert_eq!(enrol(PASSWORD).status(), 200);
}
