//! A service that checks lictor's tokens with its public keys.

use std::env;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

/// lictor's public keys.
static KEYS: RwLock<Option<JwkSet>> = RwLock::new(None);
/// The time before which they are not fetched again. Locked during a fetch, for which only unknown ids wait,
/// and none of them holds a thread.
static NEXT: Mutex<Option<Instant>> = Mutex::const_new(None);

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.into())
}

/// Seconds between two fetches.
fn pause() -> u64 {
    setting("JWKS_PAUSE", "30").parse().unwrap_or(30)
}

/// Returns the key of this id. An unknown one has the keys fetched again, since a new key signs at once;
/// but at most once in a while, since anybody can send unknown ids. An error if there are no keys at all.
async fn key(kid: &str) -> Result<Option<DecodingKey>, Refusal> {
    if let Ok(Some(key)) = known(kid) {
        return Ok(Some(key));
    }
    let mut next = NEXT.lock().await;
    // Another request may have fetched it meanwhile.
    let found = known(kid);
    let early = next.is_some_and(|next| Instant::now() < next);
    if early || matches!(found, Ok(Some(_))) {
        return found;
    }
    *next = Some(Instant::now() + Duration::from_secs(pause()));
    // Goes on if the client does not wait for it.
    let _ = spawn_blocking(fetch).await;
    known(kid)
}

/// Returns the key of this id, of those that were fetched last. An error if there are none at all.
fn known(kid: &str) -> Result<Option<DecodingKey>, Refusal> {
    let guard = KEYS.read().unwrap_or_else(PoisonError::into_inner);
    let keys = guard.as_ref().ok_or(Refusal::NoKeys)?;
    Ok(keys.find(kid).and_then(|jwk| DecodingKey::from_jwk(jwk).ok()))
}

fn fetch() {
    match asked() {
        Ok(found) => *KEYS.write().unwrap_or_else(PoisonError::into_inner) = Some(found),
        Err(error) => eprintln!("the keys cannot be had: {error}"),
    }
}

fn asked() -> Result<JwkSet, ureq::Error> {
    let url = setting("LICTOR", "http://127.0.0.1:5000") + "/.well-known/jwks.json";
    let request = ureq::get(url).config().timeout_global(Some(Duration::from_secs(5))).build();
    request.call()?.body_mut().with_config().limit(65_536).read_json()
}

/// Whom a valid access token names.
struct User {
    id: i64,
    roles: Vec<String>,
}

enum Refusal {
    Token,
    NoKeys,
}

async fn verified(token: &str) -> Result<User, Refusal> {
    let header = decode_header(token).map_err(|_| Refusal::Token)?;
    if header.typ.as_deref() != Some("JWT") || header.crit.is_some() {
        return Err(Refusal::Token);
    }
    let key = key(header.kid.as_deref().unwrap_or_default()).await?.ok_or(Refusal::Token)?;
    // Never the algorithm that the token names.
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.leeway = 0;
    validation.validate_nbf = true;
    // One of lictor's --audience. Without one, a token that names any is refused.
    let audience = setting("AUDIENCE", "");
    if !audience.is_empty() {
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "aud"]);
    }
    let token = decode::<Map<String, Value>>(token, &key, &validation);
    let claims = token.map_err(|_| Refusal::Token)?.claims;
    let mailed = claims.contains_key("is_ert") || claims.contains_key("is_prt");
    let id = claims.get("id").and_then(Value::as_i64);
    let (Some(id), true, false) = (id, claims.contains_key("jti"), mailed) else {
        return Err(Refusal::Token);
    };
    let roles = claims.get("rls").and_then(Value::as_str).unwrap_or_default();
    let roles = roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect();
    Ok(User { id, roles })
}

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<User, Refusal> {
        let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) = shown.and_then(|text| text.split_once(' ')).unwrap_or_default();
        verified(if scheme.eq_ignore_ascii_case("Bearer") { token } else { "" }).await
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Token => {
                (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response()
            }
            Refusal::NoKeys => {
                let pause = pause().to_string();
                (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, pause)]).into_response()
            }
        }
    }
}

async fn whoami(user: User) -> Json<Value> {
    Json(json!({ "id": user.id, "roles": user.roles }))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = format!("127.0.0.1:{}", setting("PORT", "8004"));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, Router::new().route("/whoami", get(whoami))).await
}
