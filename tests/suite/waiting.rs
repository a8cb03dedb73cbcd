//! A registration that waits for its mail: sent again, to a corrected address too, with the same
//! password alone; and the name, which is free after an hour.

use std::fs;

use serde_json::{Value, json};

use crate::administration::is;
use crate::support::{Dir, PASSWORD, Reply, Server, eventually};

const TAKEN: (u16, &str) = (409, "UsernameTaken");

fn start(flags: &[&str]) -> Server {
    let dir = Dir::new();
    fs::create_dir(dir.0.join("mails")).unwrap();
    let mail = ["--registration", "email", "--mail", "dir:mails"];
    let mail = [&mail[..], &["--public-url", "https://app.example"], flags].concat();
    Server::start_in(dir, &mail)
}

fn register(server: &Server, name: &str, password: &str, email: &str) -> Reply {
    let body = json!({"username": name, "password": password, "email": email});
    server.post("/api/registration", &body)
}

/// Waits until no mail to an address like this one is in the outbox. A mail's row is deleted after its
/// file is there.
fn outbox_is_empty(server: &Server, like: &str) {
    let waits = format!("SELECT count(*) FROM outbox WHERE email LIKE '{like}'");
    eventually(|| server.dir.sql().number(&waits) == 0);
}

/// The tokens of the mails to an address, once there are `count`.
fn tokens(server: &Server, to: &str, count: usize) -> Vec<String> {
    let read = || -> Vec<String> {
        let mails = server.dir.mails().into_iter();
        let mails = mails.filter(|mail| mail.contains(&format!("To: {to}\r\n")));
        // The text is quoted-printable.
        let plain = mails.map(|mail| mail.replace("=\r\n", "").replace("=3D", "="));
        let found = plain.filter_map(|mail| {
            let token = mail.split("finalize?token=").nth(1)?;
            Some(token.split(|c: char| c.is_whitespace() || c == '"').next()?.to_owned())
        });
        found.collect()
    };
    eventually(|| read().len() >= count);
    read()
}

fn finalize(server: &Server, token: &str) -> Reply {
    server.send_as(token, "GET", "/api/finalize", "")
}

#[test]
fn the_mail_is_sent_again_to_the_address_that_is_given_now() {
    let server = start(&[]);
    let first = register(&server, "Ada", PASSWORD, "typo@mail.example");
    assert_eq!(first.status(), 201, "{first:?}");
    let old = tokens(&server, "typo@mail.example", 1).remove(0);
    let again = register(&server, "ada", PASSWORD, "ada@mail.example");
    assert_eq!(again.status(), 201, "{again:?}");
    assert_eq!(again.body.replace("ada", "Ada"), first.body);
    let new = tokens(&server, "ada@mail.example", 1).remove(0);
    is(&finalize(&server, &old), (401, "InvalidRegistrationToken"));
    let done = finalize(&server, &new);
    assert_eq!(done.json()["user"], "Ada", "{done:?}");
    server.login("ada@mail.example", PASSWORD).token();
    // From now on it is a name that is taken, whatever the password.
    is(&register(&server, "ada", PASSWORD, "ada@mail.example"), TAKEN);
    assert_eq!(server.dir.sql().number("SELECT count(*) FROM users"), 1);
}

#[test]
fn another_password_is_told_what_any_taken_name_is_told() {
    let server = start(&[]);
    server.add("bob");
    assert_eq!(register(&server, "ada", PASSWORD, "ada@mail.example").status(), 201);
    tokens(&server, "ada@mail.example", 1);
    let waiting = register(&server, "ada", "eleven paper boats", "eve@mail.example");
    is(&waiting, TAKEN);
    assert_eq!(waiting.body, register(&server, "bob", PASSWORD, "eve@mail.example").body);
    outbox_is_empty(&server, "%");
    assert_eq!(server.dir.mails().len(), 1);
    // Nor does the login tell more than before.
    is(&server.login("ada", "eleven paper boats"), (401, "AuthenticationError"));
    is(&server.login("ada", PASSWORD), (403, "InvalidUserError"));
}

#[test]
fn guesses_at_the_password_delay_who_guesses_and_nobody_else() {
    // Whether a wait is just over depends on how long hashing takes here; not thrice.
    assert!((0..3).any(|_| even_the_right_password_has_to_wait()));
}

/// Whether it was refused after many guesses; what holds in any case is asserted.
fn even_the_right_password_has_to_wait() -> bool {
    let server = start(&["--trusted-proxy", "127.0.0.1"]);
    server.add("bob");
    assert_eq!(register(&server, "ada", PASSWORD, "ada@mail.example").status(), 201);
    let send = |from: &str, path: &str, body: Value| {
        server.send("POST", path, &[("X-Forwarded-For", from)], &body.to_string())
    };
    let register = |from: &str, name: &str, password: &str, email: &str| {
        let body = json!({"username": name, "password": password, "email": email});
        send(from, "/api/registration", body)
    };
    let (eve, ada, other) = ("192.0.2.1", "192.0.2.2", "192.0.2.3");
    // Where hashing takes seconds, the first waits are over before the next guess; later ones are not.
    for number in 0..14 {
        for name in ["ada", "bob"] {
            let email = format!("eve{number}@{name}.example");
            is(&register(eve, name, &format!("guess number {number}"), &email), TAKEN);
        }
    }
    // Now even the right one has to wait there, and does not show it.
    let right = register(eve, "ada", PASSWORD, "eve@mail.example");
    if right.status() == 201 {
        return false;
    }
    is(&right, TAKEN);
    assert_eq!(server.dir.sql().number("SELECT count(*) FROM tickets"), 1);
    // The login knows nothing of it.
    for (from, name) in [(eve, "ada"), (eve, "bob"), (other, "ada"), (other, "bob")] {
        let body = json!({"username": name, "password": "eleven paper boats"});
        is(&send(from, "/api/login", body), (401, "AuthenticationError"));
    }
    assert_eq!(register(ada, "ada", PASSWORD, "ada@mail.example").status(), 201);
    true
}

#[test]
fn a_stranger_has_nobody_confirm_the_account_of_a_stranger() {
    let server = start(&[]);
    assert_eq!(register(&server, "tina", PASSWORD, "tina@mail.example").status(), 201);
    let old = tokens(&server, "tina@mail.example", 1).remove(0);
    let an_hour_later = || {
        server.dir.sql().execute("UPDATE users SET created = created - 3601", &[]);
    };
    let other = "eleven paper boats";
    an_hour_later();
    is(&register(&server, "tina", other, "Tina@Mail.example"), TAKEN);
    // Her own password still sends it again.
    assert_eq!(register(&server, "tina", PASSWORD, "tina@mail.example").status(), 201);
    let new = tokens(&server, "tina@mail.example", 2).into_iter().find(|new| *new != old).unwrap();
    // Nor by taking the name first.
    assert_eq!(register(&server, "tina", other, "eve@mail.example").status(), 201);
    is(&register(&server, "tina", other, "tina@mail.example"), TAKEN);
    an_hour_later();
    is(&register(&server, "tina", "thirteen clay pots", "tina@mail.example"), TAKEN);
    for token in [&old, &new] {
        assert_eq!(finalize(&server, token).status(), 401);
    }
    outbox_is_empty(&server, "tina%");
    assert_eq!(tokens(&server, "tina@mail.example", 2).len(), 2);
}

#[test]
fn the_name_is_free_after_an_hour() {
    let server = start(&[]);
    assert_eq!(register(&server, "ada", PASSWORD, "ada@mail.example").status(), 201);
    let old = tokens(&server, "ada@mail.example", 1).remove(0);
    let other = "eleven paper boats";
    is(&register(&server, "Ada", other, "eve@mail.example"), TAKEN);
    server.dir.sql().execute("UPDATE users SET created = created - 3601", &[]);
    assert_eq!(register(&server, "Ada", other, "eve@mail.example").status(), 201);
    let new = tokens(&server, "eve@mail.example", 1).remove(0);
    assert_eq!(finalize(&server, &old).status(), 401);
    assert_eq!(finalize(&server, &new).json()["user"], "Ada");
    server.login("ada", other).token();
}

/// The time that the threads of a server have run, in nanoseconds. Other programs do not add to it.
fn cpu_time(server: &Server) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.child.id())).unwrap();
    let times = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    times.sum()
}

#[test]
fn all_refusals_take_the_same_time() {
    let server = start(&["--throttle", "off"]);
    server.add("bob");
    assert_eq!(register(&server, "ada", PASSWORD, "ada@mail.example").status(), 201);
    // The name is free, but not with this address.
    assert_eq!(register(&server, "tina", PASSWORD, "eve@mail.example").status(), 201);
    // The threads that send mail have ended: their time would be missing in what is measured.
    outbox_is_empty(&server, "%");
    let earlier = "UPDATE users SET created = created - 3601 WHERE name = 'tina'";
    server.dir.sql().execute(earlier, &[]);
    let measure = || {
        let mut least = [u64::MAX; 3];
        for _ in 0..10 {
            for (name, least) in ["bob", "ada", "tina"].into_iter().zip(&mut least) {
                let begun = cpu_time(&server);
                is(&register(&server, name, "eleven paper boats", "eve@mail.example"), TAKEN);
                *least = cpu_time(&server).saturating_sub(begun).min(*least);
            }
        }
        least.map(|least| least as f64)
    };
    // What shares the processor's caches makes one of them slower now and then. A hash that is missing
    // is missing each time.
    let mut measured = Vec::new();
    let same = (0..3).any(|_| {
        let [active, waiting, late] = measure();
        measured.push([active, waiting, late]);
        [waiting, late].iter().all(|waiting| (0.8..1.25).contains(&(waiting / active)))
    });
    assert!(same, "{measured:?} ns");
}
