//! The administrators' API: who may call it, what it shows and changes, and what it never shows.

use serde_json::{Value, json};

use crate::sql::{Bytes, Sql};
use crate::support::{PASSWORD, Reply, SECRET, Server, assert_without, now, payload, signed};

const GONE: (u16, &str) = (404, "NotFound");
const BAD: (u16, &str) = (400, "BadRequest");
const REVOKED: (u16, &str) = (403, "BlacklistedError");
const NO_ADMIN: (u16, &str) = (403, "MissingRoleError");
const LAST: (u16, &str) = (409, "LastAdmin");

/// Every route for administrators, with a body that is good.
const ROUTES: [(&str, &str, &str); 24] = [
    ("GET", "/api/admin/users", ""),
    ("POST", "/api/admin/users", r#"{"username":"new"}"#),
    ("GET", "/api/admin/users/2", ""),
    ("DELETE", "/api/admin/users/2", ""),
    ("PUT", "/api/admin/users/2/active", r#"{"active":false}"#),
    ("PUT", "/api/admin/users/2/roles", r#"{"roles":["admin"]}"#),
    ("PUT", "/api/admin/users/2/email", r#"{"email":"new@mail.example"}"#),
    ("DELETE", "/api/admin/users/2/second-factor", ""),
    ("POST", "/api/admin/users/2/unlock", ""),
    ("GET", "/api/admin/users/2/sessions", ""),
    ("DELETE", "/api/admin/users/2/sessions", ""),
    ("DELETE", "/api/admin/users/2/sessions/jti-2", ""),
    ("POST", "/api/admin/users/2/reset-link", ""),
    ("POST", "/api/admin/users/2/reset-mail", ""),
    ("GET", "/api/admin/invitations", ""),
    ("POST", "/api/admin/invitations", "{}"),
    ("DELETE", "/api/admin/invitations/0123456789ab", ""),
    ("GET", "/api/admin/mails", ""),
    ("POST", "/api/admin/mails/1/retry", ""),
    ("DELETE", "/api/admin/mails/1", ""),
    ("GET", "/api/admin/audit", ""),
    ("GET", "/api/admin/checklist", ""),
    ("POST", "/api/admin/test-mail", "{}"),
    ("GET", "/api/admin/test-mail/1", ""),
];

pub fn is(reply: &Reply, expected: (u16, &str)) {
    let (status, name) = reply.error();
    assert_eq!((status, name.as_str()), expected, "{reply:?}");
    assert_eq!(reply.header("www-authenticate"), (status == 401).then_some("Bearer"));
}

/// A server, and an administrator (id 1) who is logged in.
pub struct Administered {
    pub server: Server,
    pub token: String,
}

impl Administered {
    pub fn start(flags: &[&str]) -> Administered {
        let server = Server::start(flags);
        assert_eq!(server.user(&["add", "Root", "--role", "admin"], PASSWORD).0, 0);
        let token = server.login("root", PASSWORD).token();
        Administered { server, token }
    }

    /// Returns the answer to the administrator; checks that nothing secret is in it.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Reply {
        let reply = self.server.send_as(&self.token, method, &format!("/api/admin/{path}"), body);
        assert_without(&reply.body, &[PASSWORD, SECRET, "$argon2", "hash", "secret\""], &reply);
        let kept = (reply.status() < 300).then_some("no-store");
        assert_eq!(reply.header("cache-control"), kept, "{reply:?}");
        reply
    }

    pub fn get(&self, path: &str) -> Value {
        let reply = self.send("GET", path, "");
        assert_eq!(reply.status(), 200, "{path}: {reply:?}");
        reply.json()
    }

    /// Does something that works, and returns the answer's body.
    pub fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let reply = self.send(method, path, &body.to_string());
        assert_eq!(reply.status(), 200, "{method} {path}: {reply:?}");
        reply.json()
    }

    pub fn sql(&self) -> Sql {
        self.server.dir.sql()
    }
}

/// Returns the values of one field in a list of objects.
pub fn column<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    list.as_array().unwrap().iter().map(|row| &row[field]).collect()
}

#[test]
fn only_administrators_get_in() {
    let table = include_str!("../../src/api/routes.rs");
    let routes = table.lines().filter(|line| line.contains(", \"/api/admin/")).count();
    assert_eq!(routes, ROUTES.len(), "a route is missing in the table above");

    let admin = Administered::start(&["--adopt-tokens"]);
    let server = &admin.server;
    server.add("bob");
    let user = server.login("bob", PASSWORD).token();
    let former = |name: &str, command: &[&str]| {
        assert_eq!(server.user(&["add", name, "--role", "admin"], PASSWORD).0, 0);
        let token = server.login(name, PASSWORD).token();
        let reply = server.send_as(&token, "GET", "/api/admin/users/1", "");
        assert_eq!(reply.status(), 200, "{reply:?}");
        assert_eq!(server.user(command, "").0, 0);
        token
    };
    server.take_older_tokens();
    // Their tokens still say that they are administrators.
    let demoted = former("demoted", &["roles", "demoted", "--set", "editor,admins"]);
    let inactive = former("inactive", &["deactivate", "inactive"]);
    let deleted = former("deleted", &["delete", "deleted", "--yes"]);
    let logged_out = server.login("root", PASSWORD).token();
    assert_eq!(server.send_as(&logged_out, "POST", "/api/logout", "").status(), 200);
    let boasting = |id: i64, more: Value| {
        let mut claims = json!({
            "iat": now(), "exp": now() + 100, "jti": format!("jti-{id}"), "id": id,
            "rls": "admin", "rf_exp": now() + 1000,
        });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        signed(&claims)
    };
    let forged = format!("{}x", admin.token);
    for (method, path, body) in ROUTES {
        is(&server.send(method, path, &[], body), (401, "MissingToken"));
        for (token, expected) in [
            (&user, NO_ADMIN),
            (&demoted, NO_ADMIN),
            (&boasting(2, json!({})), NO_ADMIN),
            (&inactive, (403, "InvalidUserError")),
            (&deleted, (401, "MissingUserError")),
            (&logged_out, REVOKED),
            (&forged, (401, "InvalidTokenHeader")),
            (&boasting(1, json!({"is_prt": true})), (401, "MisusedResetToken")),
            (&boasting(1, json!({"is_ert": true})), (401, "MisusedRegistrationToken")),
            (&boasting(1, json!({"exp": now() - 1})), (401, "ExpiredAccessError")),
        ] {
            is(&server.send_as(token, method, path, body), expected);
        }
    }
    // No refused request has changed anything.
    let bob = admin.get("users/2");
    assert_eq!((&bob["active"], &bob["roles"]), (&json!(true), &json!([])));
    assert_eq!(server.protected(&user).status(), 200);
    assert_eq!(admin.get("invitations"), json!({"invitations": []}));
    for (method, path, _) in ROUTES {
        let allow = server.send("TRACE", path, &[], "").header("allow").unwrap().to_owned();
        assert!(allow.split(", ").any(|allowed| allowed == method), "{method} {path}: {allow}");
    }
}

#[test]
fn accounts_are_shown_without_their_secrets() {
    let admin = Administered::start(&[]);
    let added = admin.server.user(&["add", "Ada", "--email", "Ada@Mail.example"], PASSWORD);
    assert_eq!(added.0, 0, "{added:?}");
    let row = json!({
        "id": 2, "username": "Ada", "email": "Ada@Mail.example", "pending_email": null, "roles": [],
        "active": true, "state": "active", "second_factor": false, "last_login": null,
        "last_login_address": null, "locked": false, "failures": 0,
    });
    let without_time = |mut row: Value| {
        let created = row.as_object_mut().unwrap().remove("created").unwrap();
        assert!((now() - created.as_i64().unwrap()).abs() < 600);
        row
    };
    assert_eq!(without_time(admin.get("users/2")), row);
    let list = admin.get("users?after=1");
    assert_eq!(list["next"], Value::Null);
    assert_eq!(without_time(list["users"][0].clone()), row);
    // A second factor counts once it is confirmed.
    let insert = "INSERT INTO second_factors (\"user\", secret, created) VALUES (2, $1, 1)";
    admin.sql().execute(insert, &[&Bytes(b"x")]);
    assert_eq!(admin.get("users/2")["second_factor"], false);
    admin.sql().execute("UPDATE second_factors SET confirmed = 1", &[]);
    assert_eq!(admin.get("users/2")["second_factor"], true);
    assert_eq!(column(&admin.get("users")["users"], "second_factor"), [false, true]);
}

#[test]
fn accounts_page_by_page() {
    let admin = Administered::start(&[]);
    let rows: Vec<_> =
        (2..=120).map(|number| format!("('user-{number}', 'user-{number}', '', 1)")).collect();
    let insert = "INSERT INTO users (name, name_key, password, created) VALUES ";
    admin.sql().execute(&(insert.to_owned() + &rows.join(", ")), &[]);
    admin.sql().execute("DELETE FROM users WHERE id IN (50, 51, 120)", &[]);
    let pages = |query: &str| -> Vec<Vec<i64>> {
        let mut pages = Vec::new();
        let mut next = json!(0);
        while !next.is_null() {
            let page = admin.get(&format!("users?after={next}{query}"));
            pages
                .push(column(&page["users"], "id").iter().map(|id| id.as_i64().unwrap()).collect());
            next = page["next"].clone();
        }
        pages
    };
    let all: Vec<i64> = (1..120).filter(|id| ![50, 51].contains(id)).collect();
    let lengths = |pages: &[Vec<i64>]| pages.iter().map(Vec::len).collect::<Vec<_>>();
    for (query, expected) in [
        ("", vec![50, 50, 17]),
        ("&limit=117", vec![117]),
        ("&limit=116", vec![116, 1]),
        ("&limit=200", vec![117]),
        ("&limit=39", vec![39, 39, 39]),
    ] {
        let pages = pages(query);
        assert_eq!(lengths(&pages), expected, "{query}");
        assert_eq!(pages.concat(), all, "{query}");
    }
    assert_eq!(pages("&limit=1").len(), 117);
    let found = pages("&search=User-11&limit=3");
    assert_eq!(found.concat(), [vec![11], (110..120).collect()].concat());
    assert_eq!(lengths(&found), [3, 3, 3, 2]);
    let behind = admin.get("users?after=119");
    assert_eq!((&behind["users"], &behind["next"]), (&json!([]), &Value::Null));
    assert_eq!(admin.get(&format!("users?after={}", i64::MAX))["users"], json!([]));
}

#[test]
fn accounts_are_found_by_a_part_of_name_or_email() {
    let admin = Administered::start(&[]);
    for (name, email) in [
        ("Jürgen", "juergen@mail.example"),
        ("100%", "a_b@mail.example"),
        ("under_score", "x%y@other.example"),
        ("ΣΟΦΟΣ", "Ωmega@bücher.example"),
        ("back\\slash'quote\"", ""),
    ] {
        let email: &[&str] = if email.is_empty() { &[] } else { &["--email", email] };
        let added = admin.server.user(&[&["add", name], email].concat(), PASSWORD);
        assert_eq!(added.0, 0, "{added:?}");
    }
    let everybody = ["Root", "Jürgen", "100%", "under_score", "ΣΟΦΟΣ", "back\\slash'quote\""];
    for (search, expected) in [
        ("", &everybody[..]),
        ("roo", &everybody[..1]),
        ("oot", &everybody[..1]),
        ("ROOT", &everybody[..1]),
        ("rot", &[]),
        ("j%C3%BCr", &everybody[1..2]),
        ("J%C3%9CRGEN", &everybody[1..2]),
        // Decomposed.
        ("ju%CC%88r", &everybody[1..2]),
        ("JUERGEN%40", &everybody[1..2]),
        ("mail.example", &everybody[1..3]),
        (".EXAMPLE", &everybody[1..5]),
        // A whole label of a domain, a part of a label, and its ASCII form.
        ("B%C3%9CCHER.", &everybody[4..5]),
        ("b%C3%BCch", &everybody[4..5]),
        ("xn--bcher", &everybody[4..5]),
        ("%CF%83%CE%BF%CF%86", &everybody[4..5]),
        ("%CF%89mega", &everybody[4..5]),
        ("B%C3%9CCHER", &everybody[4..5]),
        // The wildcards of LIKE stand for themselves.
        ("%25", &everybody[2..4]),
        ("0%25", &everybody[2..3]),
        ("_", &everybody[2..4]),
        ("r_s", &everybody[3..4]),
        ("u%25e", &[]),
        ("r__t", &[]),
        ("%5C", &everybody[5..]),
        ("%27", &everybody[5..]),
        ("%22", &everybody[5..]),
        ("'+OR+1=1--", &[]),
        ("root%00", &[]),
        ("root%20", &[]),
        ("root+", &[]),
        ("argon2", &[]),
    ] {
        let found = admin.get(&format!("users?search={search}"));
        assert_eq!(column(&found["users"], "username"), expected, "{search}");
    }
}

#[test]
fn unknown_and_malformed_query_parameters_are_refused() {
    let admin = Administered::start(&[]);
    let long = format!("users?search={}", "x".repeat(255));
    for (path, parameter) in [
        ("users?limit=0", "limit"),
        ("users?limit=201", "limit"),
        ("users?limit=-1", "limit"),
        ("users?limit=", "limit"),
        ("users?limit=ten", "limit"),
        ("users?limit=99999999999999999999", "limit"),
        ("users?after=-1", "after"),
        ("users?after=x", "after"),
        ("users?after=9223372036854775808", "after"),
        ("users?search=%FF", "search"),
        ("users?search=%", "search"),
        ("users?search=a&search=b", "search"),
        (&long, "search"),
        ("users?q=a", "q"),
        ("users?Search=a", "Search"),
        ("audit?user=ada", "user"),
        ("audit?since=yesterday", "since"),
        ("audit?since=-1", "since"),
        ("audit?before=1.5", "before"),
        ("audit?limit=1001", "limit"),
        ("audit?failed=1", "failed"),
        ("audit?event=x", "event"),
        ("audit?until=x", "until"),
        ("audit?actor=1", "actor"),
        ("users?state=gone", "state"),
        ("users?second_factor=yes", "second_factor"),
        ("users?sort=email", "sort"),
        ("users?order=up", "order"),
        ("users?sort=last_login&after=5", "after"),
        ("users?sort=last_login&before=5-x", "before"),
        ("users?sort=name&after=a&before=b", "before"),
        ("users?before=-1", "before"),
        ("mails?limit=201", "limit"),
        ("mails?after=x", "after"),
        ("mails?kind=reset", "kind"),
    ] {
        let reply = admin.send("GET", path, "");
        is(&reply, BAD);
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(&format!("{parameter}: ")), "{path}: {message}");
    }
    // A name is refused as elsewhere, also beside an id, which counts.
    for path in ["audit?name=", "audit?user=1&name="] {
        is(&admin.send("GET", path, ""), (400, "InvalidUsername"));
    }
}

#[test]
fn the_last_to_log_in_comes_first() {
    let admin = Administered::start(&[]);
    assert_eq!(admin.server.user(&["add", "bob"], PASSWORD).0, 0);
    for (path, expected) in [
        ("users?sort=last_login", [1, 2]),
        ("users?sort=last_login&order=desc", [1, 2]),
        ("users?sort=last_login&order=asc", [2, 1]),
        ("users?sort=name", [2, 1]),
        ("users?sort=created", [1, 2]),
        ("users", [1, 2]),
    ] {
        assert_eq!(column(&admin.get(path)["users"], "id"), expected, "{path}");
    }
}

#[test]
fn malformed_ids_and_bodies_are_refused() {
    let admin = Administered::start(&[]);
    admin.server.register("gone", PASSWORD).token();
    admin.done("DELETE", "users/2", &json!(null));
    admin.server.register("bob", PASSWORD).token();
    let huge = "9".repeat(4000);
    for id in [
        "2",
        "0",
        "-1",
        "4",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999",
        &huge,
        "bob",
        "%33",
        "+3",
        "3.0",
        "3e0",
        "0x3",
        "3%20",
        "%00",
        "'",
        "*",
    ] {
        for (method, rest, body) in [
            ("GET", "", ""),
            ("DELETE", "", ""),
            ("PUT", "/active", r#"{"active":false}"#),
            ("PUT", "/roles", r#"{"roles":[]}"#),
            ("GET", "/sessions", ""),
            ("DELETE", "/sessions", ""),
            ("POST", "/reset-link", ""),
            ("PUT", "/email", r#"{"email":null}"#),
            ("DELETE", "/second-factor", ""),
            ("POST", "/unlock", ""),
            ("DELETE", "/sessions/x", ""),
        ] {
            is(&admin.send(method, &format!("users/{id}{rest}"), body), GONE);
        }
    }
    for path in ["", "users/", "users//active", "users/3/", "users/3/active/", "users/3/password"] {
        is(&admin.send("GET", path, ""), GONE);
    }
    for (path, body, field) in [
        ("active", "", "The body"),
        ("active", "[]", "The body"),
        ("active", "{}", "active"),
        ("active", r#"{"active":null}"#, "active"),
        ("active", r#"{"active":0}"#, "active"),
        ("active", r#"{"active":"false"}"#, "active"),
        ("active", r#"{"Active":false}"#, "active"),
        ("roles", "null", "The body"),
        ("roles", "{}", "roles"),
        ("roles", r#"{"roles":null}"#, "roles"),
        ("roles", r#"{"roles":"admin"}"#, "roles"),
        ("roles", r#"{"roles":{"0":"admin"}}"#, "roles"),
        ("roles", r#"{"roles":["a",7]}"#, "roles"),
        ("roles", r#"{"roles":[["a"]]}"#, "roles"),
        ("roles", r#"{"roles":["a,b"]}"#, "roles"),
        ("roles", r#"{"roles":["a b"]}"#, "roles"),
        ("roles", r#"{"roles":[" a"]}"#, "roles"),
        ("roles", r#"{"roles":[""]}"#, "roles"),
        ("roles", r#"{"roles":["é"]}"#, "roles"),
        ("roles", &json!({"roles": ["x".repeat(65)]}).to_string(), "roles"),
        (
            "roles",
            &json!({"roles": (0..17).map(|n| n.to_string()).collect::<Vec<_>>()}).to_string(),
            "roles",
        ),
        (
            "roles",
            &json!({"roles": (0..8000).map(|n| n.to_string()).collect::<Vec<_>>()}).to_string(),
            "roles",
        ),
    ] {
        let reply = admin.send("PUT", &format!("users/3/{path}"), body);
        is(&reply, BAD);
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(field), "{body}: {message}");
    }
    let bob = admin.get("users/3");
    assert_eq!((&bob["active"], &bob["roles"]), (&json!(true), &json!(["user"])));
}

#[test]
fn changes_count_at_once_and_are_in_the_audit() {
    let admin = Administered::start(&[]);
    let server = &admin.server;
    let bob = server.register("Bob", PASSWORD).token();
    let verify =
        |role: &str| server.send_as(&bob, "GET", &format!("/api/verify?role={role}"), "").status();
    assert_eq!(verify("editor"), 403);
    let changed =
        admin.done("PUT", "users/2/roles", &json!({"roles": ["editor", "author", "editor"]}));
    assert_eq!((&changed["id"], &changed["roles"]), (&json!(2), &json!(["editor", "author"])));
    assert_eq!((verify("editor"), verify("author"), verify("admin")), (200, 200, 403));
    assert_eq!(admin.done("PUT", "users/2/roles", &json!({"roles": []}))["roles"], json!([]));
    assert_eq!(verify("editor"), 403);

    assert_eq!(admin.done("PUT", "users/2/active", &json!({"active": false}))["active"], false);
    is(&server.protected(&bob), (403, "InvalidUserError"));
    is(&server.login("bob", PASSWORD), (403, "InvalidUserError"));
    assert_eq!(admin.done("PUT", "users/2/active", &json!({"active": true}))["active"], true);
    // The sessions from before have ended all the same.
    is(&server.protected(&bob), REVOKED);

    let tokens = [0, 1].map(|_| server.login("bob", PASSWORD).token());
    let sessions = admin.get("users/2/sessions");
    assert_eq!(column(&sessions["sessions"], "current"), [false, false]);
    assert_eq!(column(&sessions["sessions"], "address"), ["127.0.0.1", "127.0.0.1"]);
    let mut ids: Vec<&Value> = column(&sessions["sessions"], "id");
    ids.sort_by_key(|id| id.to_string());
    let mut expected = tokens.clone().map(|token| payload(&token)["jti"].clone());
    expected.sort_by_key(Value::to_string);
    assert_eq!(ids, expected.iter().collect::<Vec<_>>());
    assert_eq!(column(&admin.get("users/1/sessions")["sessions"], "current"), [true]);
    admin.done("DELETE", "users/2/sessions", &json!(null));
    for token in &tokens {
        is(&server.protected(token), REVOKED);
    }
    assert_eq!(admin.get("users/2/sessions"), json!({"sessions": []}));
    // No session is left to end, so there is no audit entry.
    admin.done("DELETE", "users/2/sessions", &json!(null));

    let token = server.login("bob", PASSWORD).token();
    admin.done("DELETE", "users/2", &json!(null));
    is(&server.protected(&token), (401, "MissingUserError"));
    is(&admin.send("GET", "users/2", ""), GONE);
    is(&server.login("bob", PASSWORD), (401, "AuthenticationError"));

    let entries = admin.get("audit?user=2&limit=100");
    let by_admin: Vec<Value> = entries["entries"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .filter(|entry| !entry["actor"].is_null())
        .map(|entry| {
            assert_eq!((&entry["user"], &entry["name"]), (&json!(2), &json!("Bob")));
            assert_eq!((&entry["actor"], &entry["address"]), (&json!(1), &json!("127.0.0.1")));
            json!([entry["event"], entry["detail"]])
        })
        .collect();
    assert_eq!(
        by_admin,
        [
            json!(["roles-changed", "editor,author"]),
            json!(["roles-changed", ""]),
            json!(["deactivated", ""]),
            json!(["activated", ""]),
            json!(["logout-everywhere", ""]),
            json!(["user-deleted", ""]),
        ]
    );
    let log = server.log();
    let line = "roles-changed user=Bob id=2 by=1 from=127.0.0.1 (editor,author)";
    assert!(log.contains(line), "{log}");
    assert_without(&log, &[PASSWORD, SECRET, "$argon2"], &"the log");
}

#[test]
fn the_last_administrator_stays() {
    let admin = Administered::start(&[]);
    let server = &admin.server;
    server.register("bob", PASSWORD).token();
    let try_all = |id: i64, expected: Option<(u16, &str)>| {
        for (method, path, body) in [
            ("PUT", format!("users/{id}/roles"), r#"{"roles":["admins"]}"#),
            ("PUT", format!("users/{id}/active"), r#"{"active":false}"#),
            ("DELETE", format!("users/{id}"), ""),
        ] {
            let reply = admin.send(method, &path, body);
            match expected {
                Some(expected) => is(&reply, expected),
                None => assert_eq!(reply.status(), 200, "{reply:?}"),
            }
        }
    };
    try_all(1, Some(LAST));
    // An inactive administrator does not count.
    admin.done("PUT", "users/2/roles", &json!({"roles": ["admin"]}));
    admin.done("PUT", "users/2/active", &json!({"active": false}));
    try_all(1, Some(LAST));
    // Nor does one who has never set a password.
    let ghost = json!({"username": "ghost", "roles": ["admin"]}).to_string();
    assert_eq!(admin.send("POST", "users", &ghost).status(), 201);
    try_all(1, Some(LAST));
    assert_eq!(admin.get("users/1")["roles"], json!(["admin"]));
    try_all(2, None);
    // The audit has no entry of what was refused.
    let entries = admin.get("audit?user=1");
    assert_eq!(column(&entries["entries"], "event"), ["login", "user-added"]);
    // With another administrator, the first may go.
    assert_eq!(server.user(&["add", "carol", "--role", "admin"], PASSWORD).0, 0);
    admin.done("PUT", "users/1/roles", &json!({"roles": []}));
    is(&admin.send("GET", "users", ""), NO_ADMIN);
}

#[test]
fn of_two_administrators_who_demote_each_other_one_stays() {
    let admin = Administered::start(&[]);
    let server = &admin.server;
    assert_eq!(server.user(&["add", "two", "--role", "admin"], PASSWORD).0, 0);
    let two = server.login("two", PASSWORD).token();
    for round in 0..10 {
        let demote = |token: &str, id: i64| {
            let path = format!("/api/admin/users/{id}/roles");
            server.send_as(token, "PUT", &path, r#"{"roles":[]}"#).status()
        };
        let statuses = std::thread::scope(|scope| {
            let one = scope.spawn(|| demote(&admin.token, 2));
            let two = scope.spawn(|| demote(&two, 1));
            [one.join().unwrap(), two.join().unwrap()]
        });
        let done = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(done, 1, "{round}: {statuses:?}");
        assert!(statuses.iter().all(|status| [200, 403, 409].contains(status)), "{statuses:?}");
        let count = "SELECT count(*) FROM users WHERE roles = 'admin'";
        assert_eq!(admin.sql().number(count), 1, "{round}");
        assert_eq!(server.user(&["roles", "root", "--set", "admin"], "").0, 0);
        assert_eq!(server.user(&["roles", "two", "--set", "admin"], "").0, 0);
    }
}

#[test]
fn the_audit_page_by_page() {
    let admin = Administered::start(&[]);
    let rows: Vec<_> = (0..120)
        .map(|number| format!("({}, 'login', {}, 'x', '-')", 1000 + number, 7 + number % 2))
        .collect();
    let insert = "INSERT INTO audit (at, event, \"user\", name, address) VALUES ";
    admin.sql().execute(&(insert.to_owned() + &rows.join(", ")), &[]);
    let pages = |query: &str| -> Vec<usize> {
        let (mut pages, mut next) = (Vec::new(), json!(i64::MAX));
        let mut last = i64::MAX;
        while !next.is_null() {
            let page = admin.get(&format!("audit?before={next}{query}"));
            let ids = column(&page["entries"], "id");
            for id in &ids {
                assert!(id.as_i64().unwrap() < last, "the newest come first");
                last = id.as_i64().unwrap();
            }
            pages.push(ids.len());
            next = page["next"].clone();
        }
        pages
    };
    // Including the administrator who was added and logged in.
    assert_eq!(pages(""), [50, 50, 22]);
    assert_eq!(pages("&user=7"), [50, 10]);
    assert_eq!(pages("&user=7&since=1060&limit=30"), [30]);
    assert_eq!(pages("&since=1119"), [3]);
    assert_eq!(pages("&user=0"), [0]);
    assert_eq!(admin.get("audit?limit=1")["entries"][0]["id"], 122);
    let entry = &admin.get("audit?before=2")["entries"][0];
    assert_eq!(
        (&entry["event"], &entry["name"], &entry["address"], &entry["actor"], &entry["detail"]),
        (&json!("user-added"), &json!("Root"), &Value::Null, &Value::Null, &json!("admin"))
    );
}
