//! The claims of a token, which are those of flask-praetorian, and the JSON of
//! requests and answers.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::database::Account;

const ACCESS_LIFESPAN: i64 = 24 * 60 * 60;
const REFRESH_LIFESPAN: i64 = 30 * ACCESS_LIFESPAN;

#[derive(Serialize, Deserialize)]
pub struct Claims {
    pub iat: i64,
    pub exp: i64,
    pub jti: String,
    pub id: i64,
    pub rls: String,
    pub rf_exp: i64,
}

impl Claims {
    pub fn new(account: &Account, now: i64) -> Claims {
        Claims {
            iat: now,
            exp: now + ACCESS_LIFESPAN,
            jti: Uuid::new_v4().to_string(),
            id: account.id,
            rls: account.roles.clone(),
            rf_exp: now + REFRESH_LIFESPAN,
        }
    }
}

#[derive(Deserialize)]
pub struct Login {
    pub username: String,
    pub password: String,
}

#[derive(Serialize)]
pub struct Hello {
    #[serde(rename = "Hello")]
    pub hello: &'static str,
}

pub const HELLO: Hello = Hello { hello: "World" };

#[derive(Serialize)]
pub struct AccessToken {
    pub access_token: String,
}

#[derive(Serialize)]
pub struct Message {
    pub message: String,
}

impl Message {
    pub fn allowed(name: &str) -> Message {
        Message { message: format!("protected endpoint (allowed usr {name})") }
    }
}

/// The time in seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs() as i64)
}
