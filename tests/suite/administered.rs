//! What administrators do to one account, to mails and to invitations.

use serde_json::{Value, json};

use crate::administration::{Administered, column, is};
use crate::support::{PASSWORD, SECRET, assert_without, eventually, now, payload};

const GONE: (u16, &str) = (404, "NotFound");
const BAD: (u16, &str) = (400, "BadRequest");
const NO_MAIL: (u16, &str) = (403, "MailDisabled");
const NEW: &str = "eleven paper boats";

/// A server that puts its mails into a folder of its own.
fn mailing() -> Administered {
    let flags = ["--mail", "dir:mails", "--public-url", "https://login.example"];
    Administered::start(&[&flags[..], &["--registration", "invite"]].concat())
}

/// The mails that were sent, without the line ends of quoted-printable.
fn mails(admin: &Administered) -> Vec<String> {
    let mails = admin.server.dir.mails();
    mails.iter().map(|mail| mail.replace("=\r\n", "")).collect()
}

fn add_bob(admin: &Administered) {
    let added = admin.server.user(&["add", "bob", "--email", "bob@mail.example"], PASSWORD);
    assert_eq!(added.0, 0, "{added:?}");
}

#[test]
fn a_user_who_was_added_sets_the_password_by_the_link() {
    let admin = mailing();
    let reply = admin.send(
        "POST",
        "users",
        r#"{"username":"Ada","email":"a@x.example","roles":["editor"]}"#,
    );
    assert_eq!(reply.status(), 201, "{reply:?}");
    let body = reply.json();
    assert_eq!(
        (&body["user"]["username"], &body["user"]["roles"]),
        (&json!("Ada"), &json!(["editor"]))
    );
    assert_eq!(body["user"]["state"], "active");
    let handed = &body["reset_link"];
    let token = handed["token"].as_str().unwrap();
    assert!(handed["link"].as_str().unwrap().ends_with(token));
    assert_eq!(handed["expires"], payload(token)["exp"]);
    is(&admin.server.login("ada", PASSWORD), (401, "AuthenticationError"));
    let set = json!({"password": NEW}).to_string();
    let reset = || admin.server.send_as(token, "POST", "/api/reset_finalize", &set);
    assert_eq!(reset().status(), 200);
    assert_eq!(reset().status(), 401, "once");
    assert_eq!(admin.server.login("a@x.example", NEW).status(), 200);
    let ada = admin.get("users/2");
    assert!((now() - ada["last_login"].as_i64().unwrap()).abs() < 600, "{ada}");
    assert_eq!(ada["last_login_address"], "127.0.0.1");

    let with_password = json!({"username": "carl", "password": PASSWORD}).to_string();
    let reply = admin.send("POST", "users", &with_password);
    assert_eq!((reply.status(), &reply.json()["reset_link"]), (201, &Value::Null));
    assert_eq!(admin.server.login("carl", PASSWORD).status(), 200);
    for (body, expected) in [
        (json!({"username": "ADA"}), (409, "UsernameTaken")),
        (json!({"username": "eve", "email": "A@x.example"}), BAD),
        (json!({"username": "eve", "email": "x"}), BAD),
        (json!({"username": "eve", "email": 7}), BAD),
        (json!({"username": "eve", "roles": "admin"}), BAD),
        (json!({"username": "eve", "roles": ["a b"]}), BAD),
        (json!({"username": "eve@x.example"}), (400, "InvalidUsername")),
        (json!({"username": "x".repeat(65)}), (400, "InvalidUsername")),
        (json!({"username": null}), BAD),
        (json!({}), BAD),
        (json!({"username": "eve", "password": "short"}), (400, "InvalidPassword")),
        (json!({"username": "eve", "password": ["x"]}), BAD),
    ] {
        is(&admin.send("POST", "users", &body.to_string()), expected);
    }
    assert_eq!(admin.get("users")["total"], 3, "no refused one is there");
}

#[test]
fn one_account_is_changed_and_the_audit_says_so() {
    let admin = mailing();
    add_bob(&admin);
    let bob = admin.server.login("bob", PASSWORD).token();
    let other = admin.server.login("bob", PASSWORD).token();
    let jti = payload(&other)["jti"].as_str().unwrap().to_owned();
    admin.done("DELETE", &format!("users/2/sessions/{jti}"), &json!(null));
    is(&admin.server.protected(&other), (403, "BlacklistedError"));
    assert_eq!(admin.server.protected(&bob).status(), 200);
    for session in [&*jti, "x", "%00", "%FF", &payload(&admin.token)["jti"].to_string()] {
        is(&admin.send("DELETE", &format!("users/2/sessions/{session}"), ""), GONE);
    }
    // Another user's session is not found by this user's id.
    let root = payload(&admin.token)["jti"].as_str().unwrap().to_owned();
    is(&admin.send("DELETE", &format!("users/2/sessions/{root}"), ""), GONE);

    let set = |email: Value| json!({"email": email});
    let changed = admin.done("PUT", "users/2/email", &set(json!("Bob@New.example")));
    assert_eq!(changed["email"], "Bob@New.example");
    assert_eq!(admin.server.login("bob@new.example", PASSWORD).status(), 200);
    assert_eq!(admin.done("PUT", "users/2/email", &set(Value::Null))["email"], Value::Null);
    for (to, words) in [("bob@mail.example", "has changed"), ("Bob@new.example", "was removed")] {
        let told = |mail: &String| mail.contains(&format!("To: {to}")) && mail.contains(words);
        eventually(|| mails(&admin).iter().any(told));
    }
    assert!(!mails(&admin).iter().any(|mail| mail.contains(" go to - ")));
    for body in ["{}", "[]", r#"{"email":7}"#, r#"{"email":"x"}"#, r#"{"email":"a@b\r\nBcc: c@d"}"#]
    {
        is(&admin.send("PUT", "users/2/email", body), BAD);
    }
    is(&admin.send("POST", "users/2/reset-mail", ""), BAD);
    is(&admin.send("DELETE", "users/2/second-factor", ""), GONE);
    let factor =
        "INSERT INTO second_factors (\"user\", secret, created, confirmed) VALUES (2, $1, 1, 1)";
    admin.sql().execute(factor, &[&crate::sql::Bytes(b"x")]);
    assert_eq!(admin.done("DELETE", "users/2/second-factor", &json!(null))["second_factor"], false);
    admin.sql().execute("UPDATE users SET failures = 500 WHERE id = 2", &[]);
    let locked = admin.get("users/2");
    assert_eq!((&locked["locked"], &locked["failures"]), (&json!(true), &json!(500)));
    let unlocked = admin.done("POST", "users/2/unlock", &json!(null));
    assert_eq!((&unlocked["locked"], &unlocked["failures"]), (&json!(false), &json!(0)));

    let entries = admin.get("audit?user=2&limit=1000");
    let rows = entries["entries"].as_array().unwrap();
    let by_admin: Vec<&Value> =
        rows.iter().filter(|row| row["actor_name"] == "Root").map(|row| &row["event"]).collect();
    assert_eq!(
        by_admin,
        ["unlocked", "second-factor-reset", "address-set", "address-set", "session-ended"]
    );
    let named = admin.get("audit?name=BOB&event=address-set&address=127.0.0.1&failed=false");
    assert_eq!(column(&named["entries"], "user"), [2, 2]);
    // What a stranger types is neither kept nor found.
    is(&admin.server.login("hunter2 is my password", NEW), (401, "AuthenticationError"));
    let failed = admin.get(&format!("audit?failed=true&since={}", now() - 600));
    assert_eq!(column(&failed["entries"], "name"), [&Value::Null]);
    assert_without(&admin.server.log(), &["hunter2", PASSWORD, SECRET], &"the log");
}

#[test]
fn a_reset_link_and_an_invitation_are_mailed() {
    let admin = mailing();
    add_bob(&admin);
    admin.done("POST", "users/2/reset-mail", &json!(null));
    eventually(|| mails(&admin).iter().any(|mail| mail.contains("To: bob@mail.example")));
    let note = "Welcome <b>aboard</b>\n& \"see\" you\r\nBcc: eve@x.example";
    let made = json!({"email": "guest@x.example", "note": note, "roles": ["editor"]});
    let made = admin.done("POST", "invitations", &made);
    let code = made["code"].as_str().unwrap();
    eventually(|| mails(&admin).len() == 2);
    let mails = mails(&admin);
    let mail = mails.iter().find(|mail| mail.contains("To: guest@x.example")).unwrap();
    assert!(mail.contains(&format!("https://login.example/register?invitation={code}")), "{mail}");
    assert_without(mail, &["\nBcc:", ">Welcome <b>"], &"the mail");
    assert!(mail.contains("&lt;b&gt;aboard&lt;/b&gt;"), "{mail}");
    // A mail leaves the queue after it was delivered.
    eventually(|| admin.get("mails") == json!({"mails": [], "next": null}));
    assert_without(&admin.server.log(), &[code], &"the log");
    for (body, expected) in [
        (json!({"email": "x"}), BAD),
        (json!({"email": ["a@b.example"]}), BAD),
        (json!({"email": "a@b.example", "note": "x".repeat(501)}), BAD),
        (json!({"email": "a@b.example", "note": "a\u{0}b"}), BAD),
        (json!({"email": "a@b.example", "note": 7}), BAD),
    ] {
        is(&admin.send("POST", "invitations", &body.to_string()), expected);
    }
    assert_eq!(column(&admin.get("invitations")["invitations"], "roles"), [&json!(["editor"])]);
    let body = r#"{"email":"a@b.example"}"#;
    let silent = Administered::start(&["--registration", "invite"]);
    add_bob(&silent);
    is(&silent.send("POST", "invitations", body), NO_MAIL);
    // Where nobody can use an invitation, none is mailed.
    for registration in ["open", "closed", "email"] {
        let flags = ["--mail", "dir:mails", "--public-url", "https://login.example"];
        let other = Administered::start(&[&flags[..], &["--registration", registration]].concat());
        let reply = other.send("POST", "invitations", body);
        is(&reply, BAD);
        assert!(reply.body.contains("--registration invite"), "{reply:?}");
        assert_eq!(other.get("invitations"), json!({"invitations": []}));
    }
    is(&silent.send("POST", "users/2/reset-mail", ""), NO_MAIL);
}

#[test]
fn mails_are_retried_and_dropped() {
    let admin = Administered::start(&[]);
    add_bob(&admin);
    let insert = "INSERT INTO outbox (message, kind, \"user\", email, created, failure, attempts)
                  VALUES ('m', 'guarded', 2, 'bob@mail.example', $1, 'no such mailbox', 3)";
    for _ in 0..2 {
        admin.sql().execute(insert, &[&now()]);
    }
    let list = admin.get("mails?limit=1");
    let row = &list["mails"][0];
    assert_eq!((&row["name"], &row["kind"]), (&json!("bob"), &json!("guarded")));
    assert_eq!((&row["due"], &row["failure"]), (&Value::Null, &json!("no such mailbox")));
    let rest = admin.get(&format!("mails?after={}", list["next"]));
    let (first, last) = (&row["id"], &rest["mails"][0]["id"]);
    admin.done("POST", &format!("mails/{first}/retry"), &json!(null));
    assert!(admin.get("mails")["mails"][0]["due"].is_i64());
    admin.done("DELETE", &format!("mails/{last}"), &json!(null));
    for (method, path) in [
        ("DELETE", format!("mails/{last}")),
        ("POST", "mails/99/retry".into()),
        ("POST", "mails/x/retry".into()),
        ("DELETE", format!("mails/{}", "9".repeat(400))),
    ] {
        is(&admin.send(method, &path, ""), GONE);
    }
    let events = admin.get("audit?user=2&limit=2");
    assert_eq!(column(&events["entries"], "event"), ["mail-dropped", "mail-retried"]);
}

#[test]
fn pages_of_other_origins_and_old_logins_change_nothing() {
    let flags = ["--cors-origin", "https://app.example", "--reauthenticate", "1h"];
    let admin = Administered::start(&flags);
    add_bob(&admin);
    let writes = [
        ("POST", "users", r#"{"username":"new"}"#),
        ("PUT", "users/2/email", r#"{"email":null}"#),
        ("DELETE", "users/2/second-factor", ""),
        ("POST", "users/2/unlock", ""),
        ("DELETE", "users/2/sessions/x", ""),
        ("POST", "users/2/reset-mail", ""),
        ("POST", "mails/1/retry", ""),
        ("DELETE", "mails/1", ""),
    ];
    let bearer = format!("Bearer {}", admin.token);
    let headers = [("Authorization", &*bearer), ("Origin", "https://evil.example")];
    for (method, path, body) in writes {
        let path = format!("/api/admin/{path}");
        is(&admin.server.send(method, &path, &headers, body), (403, "OriginNotAllowed"));
    }
    admin.sql().execute("UPDATE sessions SET created = created - 7200", &[]);
    for (method, path, body) in writes {
        is(&admin.send(method, path, body), (403, "ReauthenticationRequired"));
    }
    assert_eq!(admin.get("users")["total"], 2);
    assert_eq!(admin.get("users/2")["email"], "bob@mail.example");
}
