//! A token's claims: what they say, read in one strict pass, and the order in which ours are
//! written.

use std::borrow::Cow;

use jwt_simple::prelude::{JWTClaims, UnixTimeStamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use super::Mailed;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::MAX_AHEAD;
use crate::values::Roles;

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The token's name, an UUID in ours; it stays through refreshes.
    pub jti: String,
    /// The user.
    pub id: i64,
    /// When it was made; ours always say so. May lie a little ahead.
    pub iat: Option<Timestamp>,
    /// The last second in which it grants access.
    pub exp: Timestamp,
    /// The last second in which it can be refreshed.
    pub rf_exp: Timestamp,
}

/// Claims, and the marks of a token that was mailed.
pub(super) struct Marked {
    pub(super) claims: Claims,
    pub(super) registration: bool,
    pub(super) reset: bool,
    /// Whether a key signed it whose public half others have. No mailed token is good then: others
    /// could take it for an access token.
    pub(super) public: bool,
}

/// What a payload may hold, as far as it matters here. A claim that is there with another type,
/// `null` included, or twice, is an error.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(default, deserialize_with = "present")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    exp: Option<i64>,
    #[serde(borrow, default, deserialize_with = "present")]
    jti: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "present")]
    id: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    rf_exp: Option<i64>,
    // Never looked at: roles come from the database. Only that it is not there twice counts.
    #[serde(default, deserialize_with = "present", rename = "rls")]
    _rls: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    aud: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    is_ert: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    is_prt: Option<IgnoredAny>,
}

pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// Reads an object into a struct. serde would take an array of the fields' values as well.
pub(super) fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    json.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(json).ok())?
}

/// The claims of a payload that was signed by us. Its end is for the caller to judge.
pub(super) fn read(payload: &[u8], now: Timestamp) -> Result<Marked, Error> {
    let payload: Payload<'_> = object(payload).ok_or(Error::InvalidToken(
        "the payload is not a JSON object, or a claim has the wrong type or is repeated",
    ))?;
    let latest = now.0.saturating_add(MAX_AHEAD);
    if payload.iat.is_some_and(|iat| iat > latest) {
        return Err(Error::InvalidToken("the token was issued in the future"));
    }
    if payload.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(Error::InvalidToken("the token is not valid yet"));
    }
    if payload.aud.is_some() {
        return Err(Error::InvalidToken("the token is for another audience"));
    }
    let jti = payload.jti.ok_or(Error::MissingClaim("jti"))?;
    let id = payload.id.ok_or(Error::MissingClaim("id"))?;
    let exp = payload.exp.ok_or(Error::MissingClaim("exp"))?;
    let rf_exp = payload.rf_exp.ok_or(Error::MissingClaim("rf_exp"))?;
    Ok(Marked {
        claims: Claims {
            jti: jti.into_owned(),
            id,
            iat: payload.iat.map(Timestamp),
            exp: Timestamp(exp),
            rf_exp: Timestamp(rf_exp),
        },
        registration: payload.is_ert.is_some(),
        reset: payload.is_prt.is_some(),
        public: false,
    })
}

/// The claims of ours that are not registered, in the order in which they are written.
#[derive(Serialize)]
pub(super) struct Ours<'a> {
    id: i64,
    rls: &'a str,
    rf_exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_ert: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_prt: Option<bool>,
}

/// The claims as they are written.
pub(super) fn written<'a>(
    claims: &Claims,
    roles: &'a Roles,
    mailed: Option<Mailed>,
) -> JWTClaims<Ours<'a>> {
    let time = |at: Timestamp| UnixTimeStamp::from_secs(u64::try_from(at.0).unwrap_or(0));
    JWTClaims {
        issued_at: claims.iat.map(time),
        expires_at: Some(time(claims.exp)),
        invalid_before: None,
        issuer: None,
        subject: None,
        audiences: None,
        jwt_id: Some(claims.jti.clone()),
        nonce: None,
        custom: Ours {
            id: claims.id,
            rls: roles.as_str(),
            rf_exp: claims.rf_exp.0,
            is_ert: (mailed == Some(Mailed::Registration)).then_some(true),
            is_prt: (mailed == Some(Mailed::Reset)).then_some(true),
        },
    }
}
