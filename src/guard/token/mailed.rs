//! Mailed tokens, which an administrator may also hand out. Each is valid for one purpose; the
//! store makes sure, by its `jti`, that it is used once.

#[cfg(any(test, feature = "cli"))]
use std::time::Duration;

use super::audience::AudienceSet;
use super::claims::{Claims, ParsedClaims};
use super::later;
use super::purpose::MailPurpose;
use super::{Roles, Tokens};
use crate::clock::Timestamp;
use crate::error::Error;

/// A new mailed token.
#[cfg(any(test, feature = "cli"))]
#[derive(Debug)]
pub struct MailedToken {
    /// Its text.
    pub token: String,
    /// Its claims.
    pub claims: Claims,
}

/// The claims of a mailed token that were fixed when its mail was queued.
#[derive(Debug, Clone, Copy)]
pub struct MailedClaims<'a> {
    /// The `jti` claim.
    pub jti: &'a str,
    /// The user's id.
    pub id: i64,
    /// When the mail was queued.
    pub issued: Timestamp,
    /// The last second in which the token is valid.
    pub expires: Timestamp,
}

/// The order of the checks, and so which error comes first, is that of flask-praetorian.
impl Tokens {
    /// Mints a token that is valid for `lifespan`, to be mailed or handed out.
    #[cfg(any(test, feature = "cli"))]
    pub fn mint_mailed(
        &self,
        purpose: MailPurpose,
        id: i64,
        roles: &Roles,
        lifespan: Duration,
        now: Timestamp,
    ) -> Result<MailedToken, Error> {
        let lifespan = i64::try_from(lifespan.as_secs()).unwrap_or(i64::MAX);
        let claims = self.begin(now)?.claims(id, lifespan);
        Ok(MailedToken { token: self.write(&claims, roles, Some(purpose))?, claims })
    }

    /// Mints the token of a queued mail. It is the same each time, to the byte.
    pub fn mint_queued(
        &self,
        purpose: MailPurpose,
        mailed: &MailedClaims<'_>,
        roles: &Roles,
    ) -> Result<String, Error> {
        let MailedClaims { jti, id, issued, expires } = *mailed;
        let rf_exp = later(issued, self.refresh).max(expires);
        let audiences = AudienceSet::default();
        let claims =
            Claims { jti: jti.into(), id, iat: Some(issued), exp: expires, rf_exp, audiences };
        self.write(&claims, roles, Some(purpose))
    }

    /// Reads a token that was mailed to confirm an e-mail address.
    pub fn registration(&self, token: &[u8], now: Timestamp) -> Result<Claims, Error> {
        let ParsedClaims { claims, registration, reset, mails } = self.read(token, now)?;
        if now > claims.exp {
            return Err(Error::ExpiredAccess("register"));
        }
        match (registration, reset) {
            (false, _) => Err(Error::InvalidRegistrationToken),
            (true, true) => Err(Error::MisusedResetToken("registration")),
            (true, false) if !mails => Err(Error::InvalidRegistrationToken),
            (true, false) => Ok(claims),
        }
    }

    /// Reads a token that was mailed to set a new password.
    pub fn reset(&self, token: &[u8], now: Timestamp) -> Result<Claims, Error> {
        let ParsedClaims { claims, registration, reset, mails } = self.read(token, now)?;
        if registration {
            return Err(Error::MisusedRegistrationToken("reset"));
        }
        if now > claims.exp {
            return Err(Error::ExpiredAccess("reset"));
        }
        if reset && mails { Ok(claims) } else { Err(Error::InvalidResetToken) }
    }
}
