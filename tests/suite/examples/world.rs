//! The server of the examples, and the people on it: ada, who administers, and bob.

use std::fs;

use serde_json::{Value, json};

use crate::second_factor::Authenticator;
use crate::support::{Dir, Reply, Server, eventually, payload};

pub const URL: &str = "https://login.example.org";
const HOST: &str = "login.example.org";
pub const ADA: &str = "lantern-harbour-7";
pub const BOB: &str = "wombat-umbrella-42";

pub struct World {
    server: Server,
    /// The administrator's token; empty if there is none.
    pub ada: String,
}

/// Bob as he is before each request.
pub struct Bob {
    pub id: i64,
    pub token: String,
}

impl World {
    pub fn start(flags: &[&str]) -> World {
        let mut world = World::without_administrator(flags);
        let ada = ["add", "ada", "--email", "ada@example.org", "--role", "admin"];
        let added = world.server.user(&ada, ADA);
        assert_eq!(added.0, 0, "{added:?}");
        world.ada = world.log_in("ada", ADA);
        world
    }

    pub fn without_administrator(flags: &[&str]) -> World {
        let dir = Dir::new();
        fs::create_dir(dir.0.join("mails")).unwrap();
        fs::write(dir.0.join("rules"), "wiki.example.org users\n").unwrap();
        // With a key file instead of a secret: there is no public key without.
        World { server: Server::start_with(dir, flags, &[]), ada: String::new() }
    }

    fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Reply {
        self.ask_with("application/json", method, path, token, body)
    }

    /// Sends a request with a body of this type as a page of the server does, in Firefox.
    pub fn ask_with(
        &self,
        media: &str,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> Reply {
        let content = match body {
            "" => String::new(),
            _ => format!("Content-Type: {media}\r\n"),
        };
        let bearer =
            token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let mut client = self.server.connect();
        client.send(format!(
            "{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: {URL}\r\nUser-Agent: Firefox\r\n\
             {bearer}{content}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        client.reply(method)
    }

    /// Does something that works, and returns the answer's body.
    pub fn done_as(&self, token: &str, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = self.ask(method, path, Some(token), &body);
        assert!(reply.status() < 300, "{method} {path}: {reply:?}");
        reply.json()
    }

    /// Does something as the administrator.
    pub fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        self.done_as(&self.ada, method, path, body)
    }

    fn log_in(&self, name: &str, password: &str) -> String {
        let body = json!({"username": name, "password": password}).to_string();
        self.ask("POST", "/api/login", None, &body).token()
    }

    /// Deletes everybody but the administrator.
    pub fn remove_others(&self) {
        if self.ada.is_empty() {
            return;
        }
        let users = self.done("GET", "/api/admin/users", &Value::Null);
        for user in users["users"].as_array().unwrap() {
            if user["username"] != "ada" {
                self.done("DELETE", &format!("/api/admin/users/{}", user["id"]), &Value::Null);
            }
        }
    }

    /// Makes a new Bob, and nobody else.
    pub fn fresh(&self) -> Bob {
        self.remove_others();
        if self.ada.is_empty() {
            return Bob { id: 0, token: String::new() };
        }
        let bob = json!({
            "username": "bob", "email": "bob@example.org", "roles": ["user"], "password": BOB,
        });
        let made = self.done("POST", "/api/admin/users", &bob);
        Bob { id: made["user"]["id"].as_i64().unwrap(), token: self.log_in("bob", BOB) }
    }

    /// The token with which the first administrator is made.
    pub fn setup_token(&self) -> String {
        eventually(|| self.server.log().contains("/setup#"));
        let log = self.server.log();
        log.split("/setup#").nth(1).unwrap().split(' ').next().unwrap().to_owned()
    }

    /// Registers Bob by e-mail instead of the one who is there; returns the token of the mail.
    pub fn register(&self, body: &Value) -> String {
        self.remove_others();
        let reply = self.ask("POST", "/api/registration", None, &body.to_string());
        assert_eq!(reply.status(), 201, "{reply:?}");
        let users = self.done("GET", "/api/admin/users?search=bob", &Value::Null);
        self.awaited(&users["users"][0]["id"])
    }

    /// Asks for another e-mail address of Bob's; returns the token of the mail.
    pub fn change_email(&self, bob: &Bob, body: &Value) -> String {
        self.done_as(&bob.token, "PUT", "/api/email", body);
        self.awaited(&bob.id.into())
    }

    /// The token in the mail for this user, which arrives soon.
    fn awaited(&self, id: &Value) -> String {
        eventually(|| self.mailed(id).is_some());
        self.mailed(id).unwrap()
    }

    /// The token in a mail for this user.
    fn mailed(&self, id: &Value) -> Option<String> {
        let files = fs::read_dir(self.server.dir.0.join("mails")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let mails = files.filter(|path| path.extension().is_some_and(|end| end == "eml"));
        let tokens = mails.filter_map(|path| {
            let mail = fs::read_to_string(path).unwrap();
            let after = mail.split("?token=").nth(1)?;
            Some(after.split_whitespace().next()?.to_owned())
        });
        tokens.into_iter().find(|token| payload(token)["id"] == *id)
    }

    /// Begins a second factor for the user with this token and this password.
    pub fn begin_factor(&self, token: &str, password: &str) -> Authenticator {
        let body = json!({"password": password});
        let begun = self.done_as(token, "POST", "/api/second-factor", &body);
        Authenticator::with(begun["secret"].as_str().unwrap())
    }

    /// Gives a second factor to the user with this token and this password.
    pub fn set_factor(&self, token: &str, password: &str) -> Authenticator {
        let app = self.begin_factor(token, password);
        self.done_as(token, "PUT", "/api/second-factor", &json!({"otp": app.code(0)}));
        app
    }

    /// The id of a mail to Carol that a server of mails has refused once.
    pub fn waiting_mail(&self) -> String {
        let carol = json!({"username": "carol", "email": "carol@example.org", "password": BOB});
        let reply = self.ask("POST", "/api/registration", None, &carol.to_string());
        assert_eq!(reply.status(), 201, "{reply:?}");
        let failed = || {
            let mails = self.done("GET", "/api/admin/mails", &Value::Null)["mails"].clone();
            let mut mails = mails.as_array().unwrap().clone().into_iter();
            mails.find(|mail| mail["name"] == "carol" && mail["attempts"] != 0)
        };
        eventually(|| failed().is_some());
        failed().unwrap()["id"].to_string()
    }

    /// The id of a test mail that was sent, or that waits after an attempt that failed.
    pub fn test_mail(&self, state: &str) -> String {
        let id = self.done("POST", "/api/admin/test-mail", &json!({}))["id"].to_string();
        let path = format!("/api/admin/test-mail/{id}");
        eventually(|| {
            let found = self.done("GET", &path, &Value::Null);
            found["state"] == state && (state == "sent" || found["failure"] != "")
        });
        id
    }
}
