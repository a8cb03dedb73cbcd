//! What each example needs: the state of the server, and what stands in the request instead of what the
//! document cannot know.

use serde_json::{Value, json};

use super::cases::{Case, cases};
use super::world::{ADA, BOB, Bob, World};
use crate::support::payload;

/// What is sent with an example, and instead of what stands in it.
#[derive(Default)]
pub struct Sent {
    /// The token, if another one than Bob's, or the administrator's for administration.
    pub token: Option<String>,
    /// In place of the parameters in the path.
    pub parameters: Vec<String>,
    pub query: &'static str,
    /// Fields of the body that replace those of the example.
    pub fields: Vec<(&'static str, String)>,
    /// The body as a whole.
    pub body: Option<Value>,
}

/// Brings the server into the state for an example.
// Long: a line or two for each example that needs more than Bob.
pub fn prepare(world: &World, bob: &Bob, text: &Value, case: &Case) -> Sent {
    let of_bob = || vec![bob.id.to_string()];
    let jti = || string(&payload(&bob.token)["jti"]);
    let example = |label: &str| {
        let case = cases(text).into_iter().find(|case| case.label == label);
        case.unwrap().request.unwrap().value
    };
    let field = |name, value| Sent { fields: vec![(name, value)], ..Sent::default() };
    let otp = |code: String| field("otp", code);
    let with_token = |token| Sent { token: Some(token), ..Sent::default() };
    let parameters = |parameters| Sent { parameters, ..Sent::default() };
    let reset_token = || {
        let path = format!("/api/admin/users/{}/reset-link", bob.id);
        Some(string(&world.done("POST", &path, &Value::Null)["token"]))
    };
    let app_password = || {
        let body = example("addAppPassword Phone");
        string(&world.done_as(&bob.token, "POST", "/api/app-passwords", &body)["id"])
    };
    let invite = || world.done("POST", "/api/admin/invitations", &json!({"roles": ["editor"]}));
    match case.label.as_str() {
        "login SecondFactor" => otp(world.set_factor(&world.ada, ADA).code(1)),
        "refresh" | "refresh text/plain" => {
            Sent { body: Some(bob.token.as_str().into()), ..Sent::default() }
        }
        "register Open" | "register Email" => {
            world.remove_others();
            Sent::default()
        }
        "register Invitation" => {
            world.remove_others();
            field("invitation", string(&invite()["code"]))
        }
        "setUp" => field("token", world.setup_token()),
        "finishRegistration Registration" | "checkRegistrationLink" => {
            with_token(world.register(&example("register Email")))
        }
        "finishRegistration NewEmail" => {
            with_token(world.change_email(bob, &example("changeEmail")))
        }
        "checkResetLink" | "resetPassword Password" => {
            Sent { token: reset_token(), ..Sent::default() }
        }
        "resetPassword SecondFactor" => {
            let app = world.set_factor(&bob.token, BOB);
            Sent { token: reset_token(), ..otp(app.code(1)) }
        }
        "getBrowserSession LoggedIn" => Sent {
            query: "?return=https%3A%2F%2Fwiki.example.org%2Fstart",
            ..with_token(bob.token.clone())
        },
        "getBrowserSession NoSuchPlace" => Sent {
            query: "?return=https%3A%2F%2Felsewhere.example%2F",
            ..with_token(bob.token.clone())
        },
        "closeBrowserSession" | "openBrowserSession Exchange" | "verify" | "forwardAuth" => {
            with_token(bob.token.clone())
        }
        "endSession" => parameters(vec![jti()]),
        "confirmSecondFactor" => otp(world.begin_factor(&bob.token, BOB).code(0)),
        "removeSecondFactor" | "replaceRecoveryCodes" => {
            otp(world.set_factor(&bob.token, BOB).code(1))
        }
        "adminRemoveSecondFactor" => {
            world.set_factor(&bob.token, BOB);
            parameters(of_bob())
        }
        "changePassword KeepAppPasswords" | "listAppPasswords" => {
            app_password();
            Sent::default()
        }
        "deleteAppPassword" => parameters(vec![app_password()]),
        "adminListUsers" => Sent { query: "?search=bob&role=user&limit=50", ..Sent::default() },
        "adminListInvitations" => {
            invite();
            Sent::default()
        }
        "adminRevokeInvitation" => parameters(vec![string(&invite()["id"])]),
        "adminListMails" => {
            world.waiting_mail();
            Sent::default()
        }
        "adminRetryMail" | "adminDeleteMail" => parameters(vec![world.waiting_mail()]),
        "adminGetTestMail Sent" => parameters(vec![world.test_mail("sent")]),
        "adminGetTestMail Waits" => parameters(vec![world.test_mail("waits")]),
        "adminListAudit" => {
            let path = format!("/api/admin/users/{}/roles", bob.id);
            world.done("PUT", &path, &example("adminSetRoles"));
            Sent { query: "?name=bob", ..Sent::default() }
        }
        "adminEndUserSession" => parameters(vec![bob.id.to_string(), jti()]),
        _ if case.operation.path.starts_with("/api/admin/users/{id}") => parameters(of_bob()),
        _ => Sent::default(),
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
