//! Registration by invitation: a code registers one user, once, with its roles.

use serde_json::{Value, json};

use crate::administration::{Administered, column, is};
use crate::sql::{Bytes, Literal as _};
use crate::support::{PASSWORD, Reply, Server, assert_without, now, outcome, run};

const BAD: (u16, &str) = (400, "BadRequest");
const REFUSED: (u16, &str) = (403, "InvalidInvitation");

fn by_invitation() -> Administered {
    Administered::start(&["--registration", "invite"])
}

fn register(server: &Server, name: &str, invitation: impl Into<Value>) -> Reply {
    let invitation = invitation.into();
    let body = json!({"username": name, "password": PASSWORD, "invitation": invitation});
    server.post("/api/registration", &body)
}

/// Makes an invitation; returns its code and its id.
fn invite(admin: &Administered, body: &Value) -> (String, String) {
    let made = admin.done("POST", "invitations", body);
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("code"), text("id"))
}

#[test]
fn an_invitation_registers_one_user_with_its_roles() {
    let admin = by_invitation();
    let server = &admin.server;
    let begun = now();
    let made = admin.done("POST", "invitations", &json!({"roles": ["editor", "author"]}));
    let (code, id) = (made["code"].as_str().unwrap(), made["id"].as_str().unwrap());
    let groups: Vec<&str> = code.split('-').collect();
    assert!(groups.len() == 6 && groups.iter().all(|group| group.len() == 4), "{code}");
    let digits = code.bytes().all(|b| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ-".contains(&b));
    assert!(digits, "{code}");
    let created = made["expires"].as_i64().unwrap() - 7 * 24 * 3600;
    assert!((begun..=now()).contains(&created), "{made}");

    let list = admin.get("invitations");
    assert_eq!(
        list["invitations"][0],
        json!({
            "id": id, "roles": ["editor", "author"], "creator": 1, "expires": made["expires"],
            "created": created,
        })
    );
    assert_without(&list.to_string(), &[code, "code"], &list);

    // As a person may type it.
    let typed = format!(" {}\n", code.replace('-', " ").replace('0', "o").to_lowercase());
    let token = register(server, "bob", typed).token();
    let me = server.send_as(&token, "GET", "/api/me", "").json();
    assert_eq!(me["roles"], json!(["editor", "author"]));
    server.login("bob", PASSWORD).token();
    is(&register(server, "carol", code), REFUSED);
    assert_eq!(admin.get("invitations"), json!({"invitations": []}));

    let entries = &admin.get("audit")["entries"];
    let row = |event: &str| {
        let rows = entries.as_array().unwrap();
        rows.iter().find(|row| row["event"] == event).unwrap_or_else(|| panic!("{entries}"))
    };
    let invited = row("invited");
    assert_eq!((&invited["actor"], &invited["user"]), (&json!(1), &Value::Null));
    assert_eq!(invited["detail"], format!("{id} editor,author"));
    assert_eq!(row("registration")["detail"], format!("invitation {id}"));
    let log = server.log();
    assert!(log.contains(&format!("registration user=bob id=2 from=127.0.0.1 (invitation {id})")));
    let dump = admin.sql().texts("SELECT detail FROM audit").join(",");
    // The last group alone could be in the log by chance, as a year or a port.
    for text in [&log, &dump] {
        assert_without(text, &[code, &code.replace('-', ""), &code[20..]], &"log and audit");
    }
}

#[test]
fn wrong_used_revoked_and_expired_codes_are_refused() {
    let admin = by_invitation();
    let server = &admin.server;
    let (code, id) = invite(&admin, &json!({}));
    let other = if code.starts_with('0') { "1" } else { "0" };
    let other = format!("{other}{}", &code[1..]);
    for (invitation, expected) in [
        (json!(null), BAD),
        (json!(7), BAD),
        (json!([code]), BAD),
        (json!(""), REFUSED),
        (json!(" "), REFUSED),
        (json!(id), REFUSED),
        (json!(other), REFUSED),
        (json!(&code[..28]), REFUSED),
        (json!(format!("{code}0")), REFUSED),
        (json!(format!("{code}{}", " ".repeat(100))), REFUSED),
        (json!("x".repeat(10_000)), REFUSED),
        (json!(format!("{code}\0")), REFUSED),
        (json!("0000-0000-0000-0000-0000-0000"), REFUSED),
        (json!("' OR 1=1 --"), REFUSED),
        (json!("%"), REFUSED),
    ] {
        let reply = register(server, "bob", invitation);
        is(&reply, expected);
        assert_without(&reply.body, &[&code], &reply);
    }
    let missing = server.register("bob", PASSWORD);
    is(&missing, BAD);
    assert_eq!(missing.json()["message"], "invitation: is missing");
    // A failed registration does not use up the code.
    is(&register(server, "ROOT", code.clone()), (409, "UsernameTaken"));
    is(&register(server, "a b", code.clone()), (400, "InvalidUsername"));
    let body = json!({"username": "bob", "password": "short", "invitation": code});
    is(&server.post("/api/registration", &body), (400, "InvalidPassword"));
    register(server, "bob", code).token();

    let (code, id) = invite(&admin, &json!({"roles": []}));
    admin.done("DELETE", &format!("invitations/{id}"), &json!(null));
    is(&register(server, "carol", code), REFUSED);
    is(&admin.send("DELETE", &format!("invitations/{id}"), ""), (404, "NotFound"));

    let (code, _) = invite(&admin, &json!({"expires_in": 100}));
    admin.sql().execute("UPDATE invitations SET expires = expires - 101", &[]);
    is(&register(server, "carol", code), REFUSED);
    assert_eq!(admin.get("invitations"), json!({"invitations": []}));
    let names = column(&admin.get("users")["users"], "username").len();
    assert_eq!(names, 2);
}

#[test]
fn of_four_concurrent_registrations_with_one_code_one_succeeds() {
    let admin = by_invitation();
    for round in 0..5 {
        let (code, _) = invite(&admin, &json!({"roles": ["guest"]}));
        let replies: Vec<Reply> = std::thread::scope(|scope| {
            let register =
                |number| register(&admin.server, &format!("r{round}-{number}"), code.clone());
            let threads: Vec<_> =
                (0..4).map(|number| scope.spawn(move || register(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (good, bad): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status() == 200);
        assert_eq!((good.len(), bad.len()), (1, 3), "{replies:?}");
        bad.iter().for_each(|reply| is(reply, REFUSED));
        let found = admin.get(&format!("users?search=r{round}-"));
        assert_eq!(column(&found["users"], "roles"), [&json!(["guest"])], "{round}");
    }
}

#[test]
fn invalid_invitations_and_unknown_ids_are_refused() {
    let admin = by_invitation();
    for (body, field) in [
        ("", "The body"),
        ("[]", "The body"),
        (r#"{"roles":"admin"}"#, "roles"),
        (r#"{"roles":[1]}"#, "roles"),
        (r#"{"roles":["a,b"]}"#, "roles"),
        (r#"{"expires_in":0}"#, "expires_in"),
        (r#"{"expires_in":-5}"#, "expires_in"),
        (r#"{"expires_in":31622401}"#, "expires_in"),
        (r#"{"expires_in":99999999999999999999}"#, "expires_in"),
        (r#"{"expires_in":1.5}"#, "expires_in"),
        (r#"{"expires_in":"7d"}"#, "expires_in"),
    ] {
        let reply = admin.send("POST", "invitations", body);
        is(&reply, BAD);
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(field), "{body}: {message}");
    }
    assert_eq!(admin.get("invitations"), json!({"invitations": []}));
    let (_, id) = invite(&admin, &json!({"expires_in": 31_622_400, "roles": null}));
    for bad in ["", "x", &id[1..], "*", "%25", "0", &"a".repeat(4000), &id.to_uppercase()] {
        // An id of digits only is the same in capitals.
        if bad != id {
            is(&admin.send("DELETE", &format!("invitations/{bad}"), ""), (404, "NotFound"));
        }
    }
    assert_eq!(column(&admin.get("invitations")["invitations"], "id"), [id.as_str()]);
    // At most a thousand can be open.
    let row = |number: u32| {
        format!("('n{number}', {}, 1, 4000000000)", Bytes(&number.to_be_bytes()).literal())
    };
    let rows: Vec<_> = (1..=999).map(row).collect();
    let insert = "INSERT INTO invitations (id, hash, created, expires) VALUES ";
    assert_eq!(admin.sql().execute(&(insert.to_owned() + &rows.join(", ")), &[]), 999);
    is(&admin.send("POST", "invitations", "{}"), (409, "TooManyInvitations"));
    assert_eq!(admin.get("invitations")["invitations"].as_array().unwrap().len(), 1000);
    admin.done("DELETE", "invitations/n1", &json!(null));
    invite(&admin, &json!({}));
}

#[test]
fn other_modes_of_registration_ignore_invitations() {
    let admin = Administered::start(&[]);
    let (code, _) = invite(&admin, &json!({"roles": ["editor"]}));
    let token = register(&admin.server, "bob", code).token();
    assert_eq!(admin.server.send_as(&token, "GET", "/api/me", "").json()["roles"], json!(["user"]));
    assert_eq!(admin.get("invitations")["invitations"].as_array().unwrap().len(), 1);
    let closed = Administered::start(&["--registration", "closed"]);
    let (code, _) = invite(&closed, &json!({}));
    is(&register(&closed.server, "bob", code), (403, "RegistrationClosed"));
}

#[test]
fn an_invitation_by_a_former_administrator_is_refused() {
    let admin = by_invitation();
    let server = &admin.server;
    assert_eq!(server.user(&["add", "two", "--role", "admin"], PASSWORD).0, 0);
    let token = server.login("two", PASSWORD).token();
    let body = r#"{"roles":["admin"]}"#;
    let made = server.send_as(&token, "POST", "/api/admin/invitations", body).json();
    admin.done("PUT", "users/2/roles", &json!({"roles": []}));
    is(&register(server, "three", made["code"].clone()), REFUSED);
}

#[test]
fn the_command_line_makes_lists_and_revokes_invitations() {
    let admin = by_invitation();
    let server = &admin.server;
    let invite = |args: &[&str]| {
        let args = [&["invite"], args, &["--database", "lictor.db"]].concat();
        outcome(&run(&server.dir.0, &args, ""))
    };
    let added = invite(&["add", "--role", "editor", "--role", "author", "--expires", "2d"]);
    assert_eq!((added.0, added.2.as_str()), (0, ""), "{added:?}");
    let lines: Vec<Vec<&str>> =
        added.1.lines().map(|line| line.split_whitespace().collect()).collect();
    let [code, id] = [lines[0][1], lines[1][1]];
    assert_eq!([lines[0][0], lines[1][0], lines[2][0]], ["code", "id", "expires"]);
    let list = invite(&["list"]).1;
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["id", "created", "expires", "by", "roles"]);
    assert_eq!((rows[1][0], &rows[1][3..]), (id, &["the", "command", "line", "editor,author"][..]));
    assert_without(&list, &[code], &list);
    let shown = &admin.get("invitations")["invitations"][0];
    assert_eq!((&shown["id"], &shown["creator"]), (&json!(id), &Value::Null));
    let lifespan = shown["expires"].as_i64().unwrap() - shown["created"].as_i64().unwrap();
    assert_eq!(lifespan, 2 * 24 * 3600);
    register(server, "bob", code).token();
    assert_eq!(invite(&["list"]).1.lines().count(), 1);

    let second = invite(&["add"]).1;
    let id = second.lines().nth(1).unwrap().split_whitespace().nth(1).unwrap().to_owned();
    let revoked = invite(&["revoke", &id]);
    assert_eq!(
        (revoked.0, revoked.1),
        (0, format!("invitation {id} was revoked in {}\n", admin.server.place()))
    );
    for (args, code, what, next) in [
        (&["revoke", &id][..], 1, "there is no invitation", "lictor invite list"),
        (&["add", "--role", "a b"], 2, "a role has", "admin,editor"),
        (&["add", "--expires", "2y"], 2, "--expires cannot be", "a year at most"),
        (&["add", "--expires", "0"], 2, "--expires cannot be", "at least one second"),
    ] {
        let (found, out, error) = invite(args);
        assert_eq!((found, out.as_str()), (code, ""), "{args:?}: {error}");
        assert!(error.contains(what) && error.contains(next), "{args:?}: {error}");
    }
    let entries = admin.get("audit?limit=3");
    let events = column(&entries["entries"], "event");
    assert_eq!(events, ["invitation-revoked", "invited", "registration"]);
    assert_eq!(entries["entries"][0]["address"], Value::Null);
}
