//! The throttle of the real binary, with clients at different IP addresses: guessing is slowed
//! down, other users are not. Unit tests beside the policy check its numbers.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::attacks::crowd::connect_from;
use crate::start::nothing_is_wrong;
use crate::support::{
    Client, Dir, PASSWORD, Reply, Server, assert_without, lictor, outcome, request, run,
};

const WRONG: &str = "eleven wooden lanterns";

/// Logs in from 127.0.0.`from`, with further header fields.
fn login(server: &Server, from: u8, headers: &[(&str, &str)], name: &str, password: &str) -> Reply {
    let body = json!({"username": name, "password": password}).to_string();
    send(server, from, &request("POST", "/api/login", headers, &body))
}

fn send(server: &Server, from: u8, bytes: &str) -> Reply {
    let stream = connect_from([127, 0, 0, from].into(), server.address, None);
    let mut client = Client::over(stream);
    client.send(bytes);
    client.reply("POST")
}

/// Returns the seconds of the `Retry-After` field if the reply is a 429.
fn refused(reply: &Reply) -> Option<u64> {
    if reply.status() != 429 {
        return None;
    }
    assert_eq!(reply.error(), (429, "TooManyRequests".into()));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let wait = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait), "{reply:?}");
    let message = format!("Too many attempts; try again in {wait} s");
    assert_eq!(reply.json()["message"], message.as_str());
    Some(wait)
}

/// Checks how many attempts were admitted in some time, before the first that was not. A counter
/// has `free` attempts, and forgets one in `decay` seconds.
pub fn assert_admitted(admitted: usize, free: usize, decay: u64, time: Duration) {
    // The server counts whole seconds.
    let seconds = time.as_secs() + 1;
    let (mut most, mut wait) = (free + usize::try_from(seconds / decay).unwrap(), 1);
    let mut left = seconds + 1;
    // On a slow machine the first waits, of 1, 2 and 4 seconds, end between two attempts.
    while wait <= left {
        left -= wait;
        wait = (2 * wait).min(30);
        most += 1;
    }
    assert!((free..=most).contains(&admitted), "{admitted} of {free} to {most} in {time:?}");
}

/// Repeats `once` whenever it is admitted, until the wait is `long` seconds. Returns how many
/// attempts were admitted before the first wait, and how long those took.
///
/// Afterwards the wait may be over sooner than a slow machine makes the next attempt. If that one must
/// wait, try both several times.
fn exhaust(long: u64, mut once: impl FnMut() -> Reply) -> (usize, Duration) {
    let begun = Instant::now();
    let mut before = None;
    for count in 0..200 {
        let reply = once();
        match refused(&reply) {
            Some(wait) => {
                let before = *before.get_or_insert_with(|| (count, begun.elapsed()));
                if wait >= long {
                    return before;
                }
                std::thread::sleep(Duration::from_secs(wait));
            }
            None => assert!([200, 401].contains(&reply.status()), "{reply:?}"),
        }
    }
    panic!("200 attempts, and no wait of {long} s");
}

#[test]
fn a_token_gets_its_cookie_while_others_at_its_address_guess() {
    let server = Server::start(&["--public-url", "https://login.example.org"]);
    server.add("ada");
    let token = login(&server, 9, &[], "ada", PASSWORD).token();
    let exhaust_bob = || exhaust(3, || login(&server, 1, &[], "bob", WRONG));
    exhaust_bob();
    let post = |headers: &[(&str, &str)], body: &str| {
        send(&server, 1, &request("POST", "/api/session", headers, body))
    };
    let bearer = format!("Bearer {token}");
    let here = [("Origin", "https://login.example.org")];
    let reply = post(&[&here[..], &[("Authorization", &bearer)]].concat(), "");
    assert_eq!(reply.status(), 200, "{reply:?}");
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let guess = json!({"username": "bob", "password": WRONG}).to_string();
    assert!((0..4).any(|_| {
        exhaust_bob();
        refused(&post(&here, &guess)).is_some()
    }));
    // A password beside a token counts for nothing.
    let reply = post(&[&here[..], &[("Authorization", &bearer)]].concat(), &body);
    assert_eq!(reply.error(), (400, "BadRequest".into()));
    let reply = post(&[&here[..], &[("Authorization", "Bearer x")]].concat(), "");
    assert_eq!(reply.error(), (401, "InvalidTokenHeader".into()));
}

#[test]
fn wrong_passwords_make_an_account_wait_and_a_login_clears_them() {
    let server = Server::start(&["--log", "debug"]);
    assert_eq!(server.user(&["add", "ada"], PASSWORD).0, 0);
    // Unknown and existing accounts are treated alike.
    for (from, name) in [(2, "nobody"), (3, "ada")] {
        let (free, time) = exhaust(2, || login(&server, from, &[], name, WRONG));
        assert_admitted(free, 5, 120, time);
    }
    // The right password has to wait as well, from any unknown address.
    let (from, wait) = (10..15)
        .find_map(|from| {
            exhaust(4, || login(&server, 3, &[], "ada", WRONG));
            let reply = login(&server, from, &[("Origin", "http://app.example")], "ADA", PASSWORD);
            let wait = refused(&reply)?;
            assert_eq!(reply.header("access-control-expose-headers"), Some("Retry-After"));
            Some((from, wait))
        })
        .unwrap();
    std::thread::sleep(Duration::from_secs(wait));
    login(&server, from, &[], "ada", PASSWORD).token();
    for _ in 0..5 {
        assert_eq!(login(&server, 5, &[], "ada", WRONG).status(), 401);
    }
    let log = server.log();
    assert!(log.contains("many failed logins to one account"), "{log}");
    assert_without(&log, &[PASSWORD, WRONG, "nobody"], &log);
}

#[test]
fn a_stranger_does_not_delay_the_owner() {
    let server = Server::start(&[]);
    server.register("ada", PASSWORD).token();
    assert!((3..8).any(|from| {
        exhaust(4, || login(&server, 2, &[], "ada", WRONG));
        refused(&login(&server, from, &[], "ada", PASSWORD)).is_some()
    }));
    for _ in 0..3 {
        server.login("ada", PASSWORD).token();
        server.login("ada", WRONG).error();
    }
}

#[test]
fn an_administrator_unlocks_an_account_while_the_server_runs() {
    let server = Server::start(&[]);
    assert_eq!(server.user(&["add", "Ada", "--email", "ada@mail.example"], PASSWORD).0, 0);
    for name in ["ada", "ada@mail.example"] {
        exhaust(4, || login(&server, 2, &[], name, WRONG));
    }
    let (code, out, err) = server.user(&["unlock", "ada"], "");
    assert_eq!((code, err.as_str()), (0, ""));
    let done = "Ada may try again at once: forgot the failed logins in";
    assert_eq!(out, format!("{done} {}\n", server.place()));
    login(&server, 3, &[], "ada@mail.example", PASSWORD).token();
    assert_eq!(login(&server, 4, &[], "ada", WRONG).status(), 401);
    login(&server, 4, &[], "ada", PASSWORD).token();
    assert!(outcome(&run(&server.dir.0, &["audit"], "")).1.contains("unlocked"));
    assert_eq!(server.user(&["unlock", "nobody"], "").0, 1);
}

#[test]
fn a_stolen_token_does_not_allow_guessing_the_password() {
    let server = Server::start(&[]);
    let token = server.register("ada", PASSWORD).token();
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    let change = |current: &str| {
        let body = json!({"current": current, "new": "twelve wooden lanterns"}).to_string();
        server.send("PUT", "/api/password", &headers, &body)
    };
    let delete =
        || server.send("DELETE", "/api/me", &headers, &json!({"password": WRONG}).to_string());
    let begun = Instant::now();
    let mut tried = 0;
    let wait = loop {
        // Both endpoints share one counter.
        let reply = if tried % 2 == 0 { change(WRONG) } else { delete() };
        if let Some(wait) = refused(&reply) {
            break wait;
        }
        assert_eq!(reply.error(), (403, "WrongPassword".into()));
        tried += 1;
    };
    assert_admitted(tried, 5, 60, begun.elapsed());
    // It does not delay the owner's login.
    server.login("ada", PASSWORD).token();
    std::thread::sleep(Duration::from_secs(wait));
    assert_eq!(change(PASSWORD).status(), 200);
}

#[test]
fn an_ip_that_has_to_wait_is_refused_before_hashing_unless_the_account_knows_it() {
    let server = Server::start(&["--log", "debug"]);
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    send(&server, 2, &request("POST", "/api/registration", &[], &body)).token();
    let mut number = 0;
    let mut exhaust_ip = |long| {
        exhaust(long, || {
            number += 1;
            login(&server, 2, &[], &format!("user-{number}"), WRONG)
        })
    };
    let (free, time) = exhaust_ip(1);
    assert_admitted(free, 20, 60, time);
    assert!(server.log().contains("many failed logins from 127.0.0.2"));
    // Whoever is admitted because the wait was over is known there from then on.
    let bob = ["bob", "bob-2", "bob-3", "bob-4"].into_iter().find(|bob| {
        server.add(bob);
        exhaust_ip(4);
        refused(&login(&server, 2, &[], bob, PASSWORD)).is_some()
    });
    login(&server, 2, &[], "ada", PASSWORD).token();
    login(&server, 3, &[], bob.unwrap(), PASSWORD).token();
    // Other requests from this address are answered as usual.
    let other = request("GET", "/api/config", &[], "");
    assert_eq!(send(&server, 2, &other).status(), 200);
    // A body that is longer than any login is not parsed before the refusal.
    let long = "x".repeat(60_000);
    assert!((0..4).any(|_| {
        exhaust_ip(4);
        refused(&login(&server, 2, &[], "ada", &long)).is_some()
    }));
}

#[test]
fn parallel_attempts_share_one_counter() {
    let server = Server::start(&[]);
    let begun = Instant::now();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let try_it = |from| {
            let server = &server;
            scope.spawn(move || login(server, from, &[], "ada", WRONG).status())
        };
        let threads: Vec<_> = (2..42).map(try_it).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let admitted = statuses.iter().filter(|status| **status == 401).count();
    assert_admitted(admitted, 5, 120, begun.elapsed());
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 40 - admitted);
}

#[test]
fn registrations_from_one_ip_are_slowed_down() {
    let server = Server::start(&[]);
    let mut number = 0;
    let mut register = |from: u8| {
        number += 1;
        let body = json!({"username": format!("user-{number}"), "password": PASSWORD});
        send(&server, from, &request("POST", "/api/registration", &[], &body.to_string()))
    };
    let (free, time) = exhaust(2, || register(2));
    assert_admitted(free, 30, 300, time);
    register(3).token();
    assert_eq!(login(&server, 2, &[], "user-1", PASSWORD).status(), 200);
}

#[test]
fn x_forwarded_for_counts_only_from_trusted_proxies() {
    let server = Server::start(&["--log", "debug", "--trusted-proxy", "127.0.0.2,127.0.0.64/26"]);
    for (number, (from, forwarded, expected)) in [
        (2, &["192.0.2.7"][..], "192.0.2.7"),
        (2, &["198.51.100.9, 192.0.2.7"], "192.0.2.7"),
        (2, &["198.51.100.9", "192.0.2.7, 127.0.0.70"], "192.0.2.7"),
        (2, &["2001:db8::7"], "2001:db8::7"),
        (2, &["nonsense"], "127.0.0.2"),
        (2, &[], "127.0.0.2"),
        (64, &["192.0.2.7"], "192.0.2.7"),
        (63, &["192.0.2.7"], "127.0.0.63"),
        (3, &["127.0.0.2"], "127.0.0.3"),
    ]
    .into_iter()
    .enumerate()
    {
        let headers: Vec<_> = forwarded.iter().map(|line| ("X-Forwarded-For", *line)).collect();
        let path = format!("/api/case-{number}");
        send(&server, from, &request("GET", &path, &headers, ""));
        let expected = format!("{expected} GET {path} 404");
        assert!(server.log().contains(&expected), "{expected}: {}", server.log());
    }
    let noticed = "127.0.0.63 sends X-Forwarded-For; if it is a proxy, name it";
    assert_eq!(server.log().matches("name it with --trusted-proxy").count(), 1);
    assert!(server.log().contains(noticed), "{}", server.log());
    // The throttle counts the same way: one client behind the proxy does not delay another.
    let via =
        |client: &str, name: &str| login(&server, 2, &[("X-Forwarded-For", client)], name, WRONG);
    let mut number = 0;
    assert!((0..4).any(|_| {
        exhaust(4, || {
            number += 1;
            via("198.51.100.9, 192.0.2.7", &format!("user-{number}"))
        });
        refused(&via("192.0.2.8, 192.0.2.7", "another")).is_some()
    }));
    assert_eq!(via("192.0.2.8", "another").status(), 401);
    // Without the proxy, no client can change its address.
    let mut number = 0;
    exhaust(2, || {
        number += 1;
        let forwarded = format!("192.0.2.{}", number % 200);
        let headers = [("X-Forwarded-For", forwarded.as_str())];
        login(&server, 9, &headers, &format!("person-{number}"), WRONG)
    });
}

#[test]
fn the_throttle_can_be_off_and_a_warning_says_so() {
    let server = Server::start(&["--throttle", "off"]);
    for number in 0..24 {
        assert_eq!(server.login("ada", WRONG).status(), 401, "{number}");
    }
    assert!(server.log().contains("WARN  the throttle is off"), "{}", server.log());
    // There is no limit for wrong passwords in a row either.
    server.add("ada");
    let database = server.dir.sql();
    database.execute("UPDATE users SET failures = 300", &[]);
    let token = server.login("ada", PASSWORD).token();
    database.execute("UPDATE users SET failures = 300", &[]);
    let body = format!(r#"{{"current": "{PASSWORD}", "new": "twelve paper boats"}}"#);
    assert_eq!(server.send_as(&token, "PUT", "/api/password", &body).status(), 200);
    let on = Server::start(&[]);
    assert!(!on.log().contains("throttle"));

    let dir = Dir::new();
    let mut check = lictor(&dir.0, &["check", "--trusted-proxy", "10.0.0.0/8"]);
    check.env("LICTOR_THROTTLE", "off").env("LICTOR_LISTEN", "127.0.0.1:0");
    let (code, out, err) = outcome(&check.output().unwrap());
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("throttle         off\n"), "{out}");
    assert!(out.contains("trusted proxies  10.0.0.0/8\n"), "{out}");
    assert!(nothing_is_wrong(&out), "{out}");
    let missed = ["check", "--listen", "127.0.0.1:0", "--public-url", "https://login.example"];
    let (code, out, _) = outcome(&run(&dir.0, &missed, ""));
    assert_eq!(code, 0);
    assert!(out.contains("warning: ") && out.contains("name it with --trusted-proxy"), "{out}");
    for args in [&["serve", "--throttle", "maybe"][..], &["serve", "--trusted-proxy", "localhost"]]
    {
        let (code, _, err) = outcome(&run(&dir.0, args, ""));
        assert_eq!(code, 2, "{err}");
    }
}

#[test]
fn common_passwords_are_refused_wherever_one_is_chosen() {
    let server = Server::start(&[]);
    let common = "This password is one of the most common, which are tried first";
    for password in ["password1", "QwertyUiop", "123456789"] {
        let reply = server.register("ada", password);
        assert_eq!(reply.error(), (400, "InvalidPassword".into()));
        assert_eq!(reply.json()["message"], common);
        let (code, _, err) = server.user(&["add", "ada"], password);
        assert_eq!(code, 1);
        assert!(err.contains("this password is one of the most common"), "{err}");
    }
    server.register("ada", PASSWORD).token();
    assert_eq!(server.user(&["passwd", "ada"], "password1").0, 1);
    let mail = ["add", "bob", "--email", "Walter.Plinge@mail.example"];
    let (code, _, err) = server.user(&mail, "walter.plinge1");
    assert_eq!(code, 1);
    assert!(err.contains("little more than the e-mail address"), "{err}");
}
