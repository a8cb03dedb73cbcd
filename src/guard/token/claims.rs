//! The claims of a token: what they mean, and writing them in a fixed order.

use jwt_simple::prelude::{JWTClaims, UnixTimeStamp};
use lictor_engine::jwt::Payload;
use serde::Serialize;

use super::audience::{AudienceSet, Audiences, Claim};
use super::purpose::MailPurpose;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{MAX_AHEAD, Roles};

/// The claims of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The token's id, which a refresh keeps. A UUID in our tokens.
    pub jti: String,
    /// The user's id.
    pub id: i64,
    /// When it was issued; our tokens always have it. May lie a little in the future.
    pub iat: Option<Timestamp>,
    /// The last second in which it grants access.
    pub exp: Timestamp,
    /// The last second in which it can be refreshed.
    pub rf_exp: Timestamp,
    /// The audiences of this server for which it is good; all, if it names none. A mailed token of ours
    /// has none.
    pub audiences: AudienceSet,
}

/// The claims of a token of any purpose, and the marks of a mailed one.
pub(super) struct ParsedClaims {
    pub(super) claims: Claims,
    /// Whether `is_ert` is present.
    pub(super) registration: bool,
    /// Whether `is_prt` is present.
    pub(super) reset: bool,
    /// Whether the key that signed it may sign mailed tokens.
    pub(super) mails: bool,
}

impl ParsedClaims {
    /// Returns the claims of a token that a short secret verifies. Nothing that begins with it lasts
    /// longer than the secret is accepted, whatever the token says.
    pub(super) fn of_short(self, until: Timestamp) -> ParsedClaims {
        let Claims { exp, rf_exp, .. } = self.claims;
        let claims = Claims { exp: exp.min(until), rf_exp: rf_exp.min(until), ..self.claims };
        ParsedClaims { claims, mails: false, ..self }
    }
}

/// Parses a payload whose signature is valid. The caller checks `exp` and `rf_exp`.
pub(super) fn parse(
    payload: &[u8],
    now: Timestamp,
    known: &Audiences,
) -> Result<ParsedClaims, Error> {
    let payload = Payload::parse(payload).ok_or(Error::InvalidToken(
        "the payload is not a JSON object, or a claim has the wrong type, is repeated, or names too \
         many audiences or too long a one",
    ))?;
    let latest = now.0.saturating_add(MAX_AHEAD);
    if payload.iat.is_some_and(|iat| iat > latest) {
        return Err(Error::InvalidToken("the token was issued in the future"));
    }
    if payload.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(Error::InvalidToken("the token is not valid yet"));
    }
    let audiences = known.of_claim(payload.aud.as_ref());
    let audiences = audiences.ok_or(Error::InvalidToken("the token is for another audience"))?;
    let jti = payload.jti.ok_or(Error::MissingClaim("jti"))?;
    let id = payload.id.ok_or(Error::MissingClaim("id"))?;
    let exp = payload.exp.ok_or(Error::MissingClaim("exp"))?;
    let rf_exp = payload.rf_exp.ok_or(Error::MissingClaim("rf_exp"))?;
    Ok(ParsedClaims {
        claims: Claims {
            jti: jti.into_owned(),
            id,
            iat: payload.iat.map(Timestamp),
            exp: Timestamp(exp),
            rf_exp: Timestamp(rf_exp),
            audiences,
        },
        registration: payload.is_ert.is_some(),
        reset: payload.is_prt.is_some(),
        mails: true,
    })
}

/// Our private claims (RFC 7519 section 4.3) and the audience, in the order in which they are written.
#[derive(Serialize)]
pub(super) struct PrivateClaims<'a> {
    id: i64,
    rls: &'a str,
    rf_exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Claim<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_ert: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_prt: Option<bool>,
}

/// Returns the claims in the form in which they are written.
pub(super) fn to_jwt<'a>(
    claims: &Claims,
    roles: &'a Roles,
    known: &'a Audiences,
    purpose: Option<MailPurpose>,
) -> JWTClaims<PrivateClaims<'a>> {
    let time = |at: Timestamp| UnixTimeStamp::from_secs(u64::try_from(at.0).unwrap_or(0));
    JWTClaims {
        issued_at: claims.iat.map(time),
        expires_at: Some(time(claims.exp)),
        invalid_before: None,
        issuer: None,
        subject: None,
        // Among the private claims: jwt-simple has a set, whose order changes.
        audiences: None,
        jwt_id: Some(claims.jti.clone()),
        nonce: None,
        custom: PrivateClaims {
            id: claims.id,
            rls: roles.as_str(),
            rf_exp: claims.rf_exp.0,
            // A mailed token is for this server alone. A service that wants to be named in `aud` refuses
            // it even if it does not know the claims that mark it.
            aud: if purpose.is_none() { known.claim(claims.audiences) } else { None },
            is_ert: (purpose == Some(MailPurpose::Registration)).then_some(true),
            is_prt: (purpose == Some(MailPurpose::Reset)).then_some(true),
        },
    }
}
