//! Known devices: their secrets grant no access, but an attacker at the same IP address does not
//! delay their logins. Also the limit for wrong passwords in a row, and the notice of a login from
//! a new address.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::attacks::crowd::connect_from;
use crate::support::{
    Client, Dir, PASSWORD, PATIENCE, Reply, Server, eventually, now, outcome, request, run,
};

const WRONG: &str = "eleven wooden lanterns";
const NEW: &str = "twelve paper boats";

fn send(
    server: &Server,
    from: u8,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let mut client = Client::over(connect_from([127, 0, 0, from].into(), server.address, None));
    client.send(request(method, path, headers, body));
    client.reply(method)
}

/// Logs in from 127.0.0.`from`, with a device's secret in the body.
fn login(server: &Server, from: u8, name: &str, password: &str, device: &str) -> Reply {
    let body = json!({"username": name, "password": password, "device": device}).to_string();
    send(server, from, "POST", "/api/login", &[], &body)
}

/// Logs in with the secret in the cookie.
fn login_with_cookie(server: &Server, from: u8, name: &str, password: &str, cookie: &str) -> Reply {
    let body = json!({"username": name, "password": password}).to_string();
    let cookie = format!("theme=dark; lictor_device={cookie}");
    send(server, from, "POST", "/api/login", &[("Cookie", &cookie)], &body)
}

/// Registers from 127.0.0.`from`; returns the device's secret.
fn register(server: &Server, from: u8, name: &str) -> String {
    let body = json!({"username": name, "password": PASSWORD, "device": ""}).to_string();
    device(&send(server, from, "POST", "/api/registration", &[], &body))
}

fn device(reply: &Reply) -> String {
    assert_eq!((reply.status(), reply.header("set-cookie")), (200, None), "{reply:?}");
    reply.json()["device"].as_str().unwrap().to_owned()
}

/// Returns the value and the attributes of the device cookie.
fn cookie(reply: &Reply) -> (String, String) {
    assert_eq!((reply.status(), reply.json().get("device")), (200, None), "{reply:?}");
    let cookie = reply.header("set-cookie").unwrap().strip_prefix("lictor_device=").unwrap();
    let (value, attributes) = cookie.split_once("; ").unwrap();
    (value.to_owned(), attributes.to_owned())
}

/// Fails logins from an IP address until its wait is a few seconds long.
fn exhaust(server: &Server, from: u8) {
    for number in 0.. {
        let reply = login(server, from, &format!("user-{number}"), WRONG, "");
        if reply.status() == 401 {
            continue;
        }
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        if wait >= 3 {
            return;
        }
        std::thread::sleep(Duration::from_secs(wait));
    }
}

/// Whether a login from an IP address has to wait there. The password is wrong: if the wait was over by
/// then, this login has doubled the next one, so it is soon longer than a slow machine needs. A device
/// that the account knows has more attempts than these.
fn has_to_wait(login: impl Fn() -> Reply) -> bool {
    (0..6).any(|_| login().status() == 429)
}

#[test]
fn an_attacker_at_the_owners_ip_locked_the_owner_out() {
    let server = Server::start(&[]);
    let secret = register(&server, 2, "ada");
    let over = AtomicBool::new(false);
    let (compared, slowed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for tried in 0.. {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                match login(&server, 2, "ada", WRONG, "").status() {
                    401 => &compared,
                    429 => &slowed,
                    status => panic!("{status}"),
                }
                .fetch_add(1, Ordering::Relaxed);
                if tried >= 10 {
                    std::thread::sleep(Duration::from_millis(120));
                }
            }
        });
        // Bounded, so that a check that fails ends the attacker, too.
        let wait_for = |requests: usize| {
            let begun = Instant::now();
            while slowed.load(Ordering::Relaxed) < requests && begun.elapsed() < 3 * PATIENCE {
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        wait_for(1);
        let mut secret = secret;
        let mut good = 0;
        for turn in 0..9 {
            let reply = match turn % 2 {
                0 => login(&server, 2, "ada", PASSWORD, &secret),
                _ => login_with_cookie(&server, 2, "ADA", PASSWORD, &secret),
            };
            good += usize::from(reply.status() == 200);
            if reply.status() == 200 && turn % 2 == 0 {
                secret = device(&reply);
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        wait_for(6);
        over.store(true, Ordering::Relaxed);
        assert_eq!(good, 9);
    });
    let (compared, slowed) = (compared.into_inner(), slowed.into_inner());
    // On a slow machine, waits are over while passwords are compared.
    assert!((10..=30).contains(&compared) && slowed > 5, "{compared} {slowed}");
}

#[test]
fn a_known_device_logs_in_from_an_ip_that_has_to_wait() {
    // The key file keeps the secret valid over a restart and a key rotation.
    let server = Server::start_with(Dir::new(), &[], &[]);
    let hers = register(&server, 3, "ada");
    let his = register(&server, 4, "bob");
    let (_, dir) = server.stop("-TERM");
    assert_eq!(outcome(&run(&dir.0, &["key", "rotate"], "")).0, 0);
    let server = Server::start_with(dir, &[], &[]);
    exhaust(&server, 2);
    let forged = format!("{}{}", &hers[..hers.len() - 4], "AAAA");
    for (name, secret, expected) in [
        // A secret of another account, a forged one, nonsense, none.
        ("ada", his.as_str(), 429),
        ("nobody", &his, 429),
        ("ada", &forged, 429),
        ("ada", "x", 429),
        ("ada", "", 429),
        // The next login makes the address known as well.
        ("ada", &hers, 200),
        ("ada", &format!("{his}.{hers}"), 200),
        ("bob", &format!("{his}.{hers}"), 200),
    ] {
        if expected == 429 {
            assert!(has_to_wait(|| login(&server, 2, name, WRONG, secret)), "{name} {secret}");
            let waits = has_to_wait(|| login_with_cookie(&server, 2, name, WRONG, secret));
            assert!(waits, "{name} {secret} in the cookie");
            continue;
        }
        let reply = login(&server, 2, name, PASSWORD, secret);
        assert_eq!(reply.status(), expected, "{name} {secret}");
        let reply = login_with_cookie(&server, 2, name, PASSWORD, secret);
        assert_eq!(reply.status(), expected, "{name} {secret} in the cookie");
    }
    // The secret grants no access.
    assert_eq!(login(&server, 5, "ada", WRONG, &hers).error(), (401, "AuthenticationError".into()));
    assert_eq!(server.protected(&hers).status(), 401);
}

#[test]
fn a_neighbour_with_an_account_kept_a_known_device_out_of_the_queue() {
    let refused = (0..3).find_map(|_| refused_neighbours()).expect("a lock that lasts");
    // An address has 64 places in the queue, and each of its devices four more.
    assert!((20..=36).contains(&refused), "{refused}");
}

/// How many of a hundred logins of the neighbour find no place, while the owner's do; `None` if the one
/// that is under way has given its wait for the database up before all had come.
fn refused_neighbours() -> Option<usize> {
    let server = Server::start(&["--hash-threads", "1"]);
    let hers = register(&server, 2, "ada");
    let mine = register(&server, 2, "mallory");
    let client = |body: String| {
        let mut client = Client::over(connect_from([127, 0, 0, 2].into(), server.address, None));
        client.send(body);
        client
    };
    let post = |body: &Value| request("POST", "/api/login", &[], &body.to_string());
    // The only hashing thread waits with the first of them, which it must count.
    let hold = server.dir.sql().hold();
    let body = json!({"username": "mallory", "password": WRONG, "device": mine});
    let mut clients: Vec<Client> = (0..100).map(|_| client(post(&body))).collect();
    eventually(|| clients.iter().filter(|client| client.has_news()).count() >= 20);
    let right = json!({"username": "ada", "password": PASSWORD, "device": hers});
    let mut alone = client(post(&right));
    // Also after a request that is refused, in the same packet.
    let stranger = json!({"username": "nobody", "password": WRONG});
    let mut both = client(post(&stranger) + &post(&right));
    let refused = both.reply("POST");
    hold.release();
    let replies: Vec<_> = clients.iter_mut().map(|client| client.reply("POST")).collect();
    let given_up = |reply: &Reply| reply.status() == 503 && reply.error().1 == "Unavailable";
    let (first, second) = (alone.reply("POST"), both.reply("POST"));
    if replies.iter().chain([&refused, &first, &second]).any(given_up) {
        return None;
    }
    assert_eq!(refused.error(), (503, "Overloaded".into()));
    assert_eq!((first.status(), second.status()), (200, 200), "{first:?} {second:?}");
    Some(replies.iter().filter(|reply| reply.status() == 503).count())
}

#[test]
fn a_secret_of_another_account_gives_no_more_attempts() {
    let server = Server::start(&[]);
    register(&server, 3, "ada");
    let mine = register(&server, 2, "mallory");
    let tried = |secret: &str| {
        (0..40).take_while(|_| login(&server, 2, "ada", WRONG, secret).status() == 401).count()
    };
    // As many attempts as without a secret, and perhaps some more on a slow machine, which spends the
    // first waits with comparing.
    assert!((5..=12).contains(&tried(&mine)));
    // Another count would admit five.
    assert!(tried("") <= 4 && tried(&mine) <= 4);
}

#[test]
fn a_new_session_sets_the_cookie_or_answers_in_the_field() {
    let server = Server::start(&["--public-url", "https://login.example"]);
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let plain = "Path=/api/; Max-Age=31536000; HttpOnly; SameSite=Lax";
    let secure = format!("{plain}; Secure");
    for (path, headers, expected) in [
        ("/api/registration", &[][..], secure.as_str()),
        ("/api/login", &[], &secure),
        ("/api/login", &[("Origin", "https://login.example")], &secure),
    ] {
        let (value, attributes) = cookie(&send(&server, 2, "POST", path, headers, &body));
        assert_eq!(attributes, expected, "{path} {headers:?}");
        assert_eq!(value.len(), 54, "{value}");
    }
    let server = Server::start(&[]);
    // A proxy passes the host name on; there is no --public-url.
    let origin = [("Origin", "http://test")];
    let (first, attributes) =
        cookie(&send(&server, 2, "POST", "/api/registration", &origin, &body));
    assert_eq!(attributes, plain);
    // The device keeps its number; the user who logged in last comes first.
    let body = json!({"username": "bob", "password": PASSWORD, "device": first}).to_string();
    let both = device(&send(&server, 2, "POST", "/api/registration", &[], &body));
    assert_eq!((both.len(), both.ends_with(&first)), (109, true));
    let again = device(&login(&server, 2, "ada", PASSWORD, &both));
    assert_eq!(again.len(), 109);
    let (of_bob, of_ada) = (&both[..54], &again[..54]);
    assert!(again.ends_with(of_bob), "{both} {again}");
    // Between user and number is the time of the login.
    assert_eq!((&of_ada[..10], &of_ada[16..32]), (&first[..10], &first[16..32]));
    // Only a string is accepted.
    let body = json!({"username": "ada", "password": PASSWORD, "device": 7}).to_string();
    let reply = send(&server, 2, "POST", "/api/login", &[], &body);
    assert_eq!(reply.error(), (400, "BadRequest".into()));
}

/// A browser that keeps the device cookie, and sends it to the paths below the cookie's.
struct Browser<'a> {
    server: &'a Server,
    cookie: Option<(String, String)>,
}

impl Browser<'_> {
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let kept = self.cookie.as_ref().filter(|(below, _)| path.starts_with(below));
        let kept = kept.map(|(_, value)| format!("lictor_device={value}"));
        let mut headers = headers.to_vec();
        headers.extend(kept.as_ref().map(|kept| ("Cookie", kept.as_str())));
        let reply = send(self.server, 2, method, path, &headers, &body.to_string());
        if reply.header("set-cookie").is_some() {
            let (value, attributes) = cookie(&reply);
            let below = attributes.split("; ").find_map(|one| one.strip_prefix("Path="));
            self.cookie = Some((below.unwrap().to_owned(), value));
        }
        reply
    }

    /// Returns the number of users of whom the browser has a secret.
    fn users(&self) -> usize {
        self.cookie.as_ref().map_or(0, |(_, list)| list.split('.').count())
    }
}

#[test]
fn a_browser_forgot_its_users_when_one_of_them_registered_or_changed_the_password() {
    // The operator's links need a key file.
    let server = Server::start_with(Dir::new(), &[], &[]);
    let mut browser = Browser { server: &server, cookie: None };
    let mut token = String::new();
    for (nth, name) in ["ada", "bob", "carol"].into_iter().enumerate() {
        let body = json!({"username": name, "password": PASSWORD});
        token = browser.send("POST", "/api/registration", &[], &body).token();
        assert_eq!(browser.users(), nth + 1);
    }
    let bearer = format!("Bearer {token}");
    let body = json!({"current": PASSWORD, "new": NEW});
    browser.send("PUT", "/api/password", &[("Authorization", &bearer)], &body).token();
    assert_eq!(browser.users(), 3);
    let (_, made, _) = server.user(&["reset-link", "bob"], "");
    let link = made.lines().find_map(|line| line.strip_prefix("token    ")).unwrap();
    let bearer = format!("Bearer {link}");
    let body = json!({"password": NEW});
    browser.send("POST", "/api/reset_finalize", &[("Authorization", &bearer)], &body).token();
    assert_eq!(browser.users(), 3);
    let (_, list) = browser.cookie.unwrap();
    for (name, password) in [("ada", PASSWORD), ("bob", NEW), ("carol", NEW)] {
        let (after, _) = cookie(&login_with_cookie(&server, 2, name, password, &list));
        assert_eq!(after.split('.').count(), 3, "{name}");
    }
}

#[test]
fn a_page_of_another_site_replaced_its_visitors_accounts_by_its_own() {
    let server = Server::start(&["--public-url", "https://login.example/x"]);
    register(&server, 3, "mallory");
    let body = json!({"username": "mallory", "password": PASSWORD}).to_string();
    for (origin, keeps) in [
        (None, true),
        (Some("https://login.example"), true),
        // A foreign name that resolves to this server.
        (Some("http://test"), false),
        (Some("https://evil.example"), false),
        (Some("null"), false),
    ] {
        let mut headers = vec![("Content-Type", "text/plain")];
        headers.extend(origin.map(|origin| ("Origin", origin)));
        let reply = send(&server, 2, "POST", "/api/login", &headers, &body);
        // The call itself is allowed: an app may be served from that origin.
        reply.token();
        assert_eq!(reply.header("set-cookie").is_some(), keeps, "{origin:?}");
        assert_eq!(reply.json().get("device"), None, "{origin:?}");
    }
    // A page of another origin gets the secret if it keeps it itself.
    let origin = [("Origin", "https://app.example")];
    let body = json!({"username": "mallory", "password": PASSWORD, "device": ""}).to_string();
    device(&send(&server, 2, "POST", "/api/login", &origin, &body));
}

#[test]
fn a_new_password_makes_devices_strangers() {
    let server = Server::start_with(Dir::new(), &[], &[]);
    let hers = register(&server, 2, "ada");
    // Times have a resolution of one second.
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(server.user(&["passwd", "ada"], NEW).0, 0);
    exhaust(&server, 3);
    assert!(has_to_wait(|| login(&server, 3, "ada", WRONG, &hers)));
    // The device that sets a new password with a link is known at once.
    let (_, made, _) = server.user(&["reset-link", "ada"], "");
    let token = made.lines().find_map(|line| line.strip_prefix("token    ")).unwrap();
    let bearer = format!("Bearer {token}");
    let body = json!({"password": PASSWORD, "device": hers}).to_string();
    let headers = [("Authorization", bearer.as_str())];
    let after = device(&send(&server, 4, "POST", "/api/reset_finalize", &headers, &body));
    assert!(after.len() == 54 && after != hers);
    exhaust(&server, 3);
    assert!(has_to_wait(|| login(&server, 3, "ada", WRONG, &hers)));
    assert_eq!(login(&server, 3, "ada", PASSWORD, &after).status(), 200);
}

#[test]
fn a_login_with_an_empty_field_gets_a_secret_despite_the_cookie() {
    let server = Server::start(&[]);
    let hers = register(&server, 3, "ada");
    exhaust(&server, 2);
    // The link has set the cookie; the app, which keeps a secret of its own, has none yet.
    let body = json!({"username": "ada", "password": PASSWORD, "device": ""}).to_string();
    let login = |cookie: &str| send(&server, 2, "POST", "/api/login", &[("Cookie", cookie)], &body);
    let wrong = json!({"username": "ada", "password": WRONG, "device": ""}).to_string();
    let cookie = [("Cookie", "lictor_device=x")];
    assert!(has_to_wait(|| send(&server, 2, "POST", "/api/login", &cookie, &wrong)));
    // A cookie of the same name, which a sibling domain can set, does not hide it.
    let hidden = format!("lictor_device=x; theme=dark; lictor_device={hers}");
    assert_eq!(device(&login(&hidden)).len(), 54);
    // The secrets of the cookie stay hidden from scripts: the answer has only ada's.
    let body = json!({"username": "bob", "password": PASSWORD, "device": hers}).to_string();
    let both = device(&send(&server, 4, "POST", "/api/registration", &[], &body));
    assert_eq!(both.len(), 109);
    let answered = device(&login(&format!("lictor_device={both}")));
    assert!(answered.len() == 54 && !both.contains(&answered), "{both} {answered}");
}

#[test]
fn an_ip_known_before_the_password_changed_passed_the_limit_of_strangers() {
    let server = Server::start_with(Dir::new(), &[], &[]);
    register(&server, 2, "ada");
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(server.user(&["passwd", "ada"], NEW).0, 0);
    exhaust(&server, 2);
    let headers = [("User-Agent", "a")];
    let body = json!({"username": "ada", "password": WRONG}).to_string();
    assert!(has_to_wait(|| send(&server, 2, "POST", "/api/login", &headers, &body)));
}

#[test]
fn a_page_of_any_site_could_spend_its_visitors_guesses() {
    let flags = ["--cors-origin", "https://app.example", "--public-url", "https://login.example/x"];
    let server = Server::start(&flags);
    register(&server, 2, "ada");
    let text = ("Content-Type", "text/plain");
    let body = json!({"username": "ada", "password": WRONG}).to_string();
    let host = |host: &str, origin: &str| {
        let bytes = format!(
            "POST /api/login HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut client = Client::over(connect_from([127, 0, 0, 6].into(), server.address, None));
        client.send(bytes);
        client.reply("POST").status()
    };
    for origin in ["https://evil.example", "null", "http://app.example", "https://app.example:444"]
    {
        for (method, path) in [
            ("POST", "/api/login"),
            ("POST", "/api/registration"),
            ("POST", "/api/refresh"),
            ("POST", "/api/reset"),
            ("POST", "/api/reset_finalize"),
            ("PUT", "/api/password"),
            ("DELETE", "/api/me"),
        ] {
            let reply = send(&server, 5, method, path, &[("Origin", origin), text], &body);
            assert_eq!(reply.error(), (403, "OriginNotAllowed".into()), "{origin} {path}");
            assert_eq!(reply.header("access-control-allow-origin"), None);
        }
        // A cheap request is answered; the browser hides the answer from the page.
        let reply = send(&server, 5, "GET", "/api/config", &[("Origin", origin)], "");
        assert_eq!(reply.status(), 200);
    }
    // No attempt was counted.
    let (_, audit, _) = outcome(&run(&server.dir.0, &["audit"], ""));
    assert!(!audit.contains("login-failed"), "{audit}");
    for (name, origin, expected) in [
        ("login.example", "https://login.example", 401),
        ("127.0.0.1:5000", "https://login.example", 401),
        ("127.0.0.1:5000", "http://127.0.0.1:5000", 401),
        ("localhost:5000", "http://localhost:5000", 401),
        ("127.0.0.1:5000", "http://127.0.0.1:3000", 403),
        // A foreign name that resolves to this server (DNS rebinding).
        ("evil.example", "http://evil.example", 403),
    ] {
        assert_eq!(host(name, origin), expected, "{name} {origin}");
    }
    // The log says it once, with the next step.
    let warning = "a page of https://evil.example was refused (OriginNotAllowed)";
    assert_eq!(server.log().matches("was refused (OriginNotAllowed)").count(), 1);
    assert!(server.log().contains(warning), "{}", server.log());
    let reply = send(&server, 6, "POST", "/api/login", &[("Origin", "https://app.example")], &body);
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example"));
    // By default every origin may call.
    let server = Server::start(&[]);
    for origin in ["https://evil.example", "null"] {
        let reply = send(&server, 5, "POST", "/api/login", &[("Origin", origin), text], &body);
        assert_eq!(reply.status(), 401, "{origin}");
    }
    let server = Server::start(&["--cors-origin", "none", "--trusted-proxy", "127.0.0.7"]);
    for (from, forwarded, expected) in [
        (7, "a.example", 401),
        (7, "b.example, a.example", 401),
        (7, "b", 403),
        (5, "a.example", 403),
    ] {
        let headers = [("Origin", "https://a.example"), ("X-Forwarded-Host", forwarded)];
        let reply = send(&server, from, "POST", "/api/login", &headers, &body);
        assert_eq!(reply.status(), expected, "{from} {forwarded}");
    }
    let reply = send(&server, 5, "POST", "/api/login", &[("Origin", "http://test")], &body);
    assert_eq!(reply.status(), 401);
    let reply = send(&server, 5, "POST", "/api/login", &[("Origin", "http://test2")], &body);
    assert_eq!(reply.status(), 403);
}

#[test]
fn a_password_could_be_guessed_for_ever() {
    let dir = Dir::new();
    let mail = ["--mail", "dir:mails", "--public-url", "http://a.example"];
    let server = Server::start_in(dir, &mail);
    let hers = register(&server, 2, "ada");
    assert_eq!(server.user(&["add", "bob", "--email", "bob@mail.example"], PASSWORD).0, 0);
    let (first, second) = (device(&login(&server, 4, "bob", PASSWORD, "")), "bob@mail.example");
    let times = |count: usize, name: &str, secret: &str| {
        (0..count).for_each(|_| assert_eq!(login(&server, 9, name, WRONG, secret).status(), 401));
    };
    // Set the count instead of hashing a hundred passwords.
    let set_failures = |server: &Server, count: u32| {
        // This also clears the waits.
        let sql = "UPDATE users SET failures = $1, unlocked = $2";
        server.dir.sql().execute(sql, &[&count, &now()]);
    };
    set_failures(&server, 96);
    times(3, "bob", "");
    assert_eq!(login(&server, 8, "bob", PASSWORD, "").status(), 200, "99 are not too many");
    set_failures(&server, 96);
    times(4, "bob", "");
    set_failures(&server, 100);
    // The answer is that of a wrong password, for either name; the log has the reason.
    let wrong = login(&server, 9, "bob", WRONG, "");
    for name in ["bob", second] {
        let right = login(&server, 9, name, PASSWORD, "");
        assert_eq!((right.status(), &right.body), (401, &wrong.body));
    }
    assert_eq!(login(&server, 9, "bob", PASSWORD, &hers).status(), 401, "ada's device");
    assert!(server.log().contains("WARN  guarded user=bob id=2"), "{}", server.log());
    // The owner gets one mail.
    let mails = || {
        let mails = server.dir.mails();
        mails.iter().filter(|mail| mail.contains("Many failed logins")).count()
    };
    eventually(|| mails() > 0);
    set_failures(&server, 100);
    times(3, "bob", "");
    // A known device can log in, which resets the count.
    assert_eq!(login(&server, 9, "bob", PASSWORD, &first).status(), 200);
    assert_eq!(login(&server, 9, "bob", PASSWORD, "").status(), 200);
    // The count survives a restart.
    set_failures(&server, 100);
    let (_, dir) = server.stop("-TERM");
    let server = Server::start_in(dir, &mail);
    assert_eq!(login(&server, 6, "bob", PASSWORD, "").status(), 401);
    // An address where sessions began has another hundred attempts.
    assert_eq!(login(&server, 8, "bob", PASSWORD, "").status(), 200);
    set_failures(&server, 200);
    assert_eq!(login(&server, 8, "bob", PASSWORD, "").status(), 401);
    assert_eq!(login(&server, 7, "bob", PASSWORD, &first).status(), 200);
    set_failures(&server, 300);
    assert_eq!(login(&server, 7, "bob", PASSWORD, &first).status(), 401);
    // An administrator can reset the count.
    assert_eq!(server.user(&["unlock", "bob"], "").0, 0);
    assert_eq!(login(&server, 10, "bob", PASSWORD, "").status(), 200);
}

#[test]
fn a_login_from_elsewhere_went_unnoticed() {
    let flags = ["--mail", "dir:mails", "--public-url", "http://a.example"];
    let server = Server::start(&flags);
    assert_eq!(server.user(&["add", "ada", "--email", "ada@mail.example"], PASSWORD).0, 0);
    let hers = device(&login(&server, 2, "ada", PASSWORD, ""));
    device(&login(&server, 3, "ada", PASSWORD, &hers));
    device(&login(&server, 2, "ada", PASSWORD, ""));
    let notices = || server.log().matches("INFO  new-device user=ada id=1").count();
    assert_eq!(notices(), 0);
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let agent = [("User-Agent", "Browser/1.0 (see http://evil.example)")];
    cookie(&send(&server, 4, "POST", "/api/login", &agent, &body));
    assert_eq!(notices(), 1);
    eventually(|| !server.dir.mails().is_empty());
    let mail = &server.dir.mails()[0];
    assert!(mail.contains("Subject: New login to your account"), "{mail}");
    assert!(!mail.contains("evil.example"), "{mail}");
    let (_, audit, _) = outcome(&run(&server.dir.0, &["audit"], ""));
    assert!(audit.contains("Browser/1.0 (see http://evil.example) at 127.0.0.4"), "{audit}");
    // --login-notices off sends none.
    let (_, dir) = server.stop("-TERM");
    let server = Server::start_in(dir, &[&flags[..], &["--login-notices", "off"]].concat());
    device(&login(&server, 5, "ada", PASSWORD, ""));
    assert!(!server.log().contains("id=1 from=127.0.0.5 (") && server.log().contains("127.0.0.5"));
}
