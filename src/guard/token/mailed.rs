//! Tokens that are sent by mail, or handed out by an administrator: good for one thing, once, and
//! for nothing else. That they are used once is for the store to see to, by their `jti`.

use std::time::Duration;

use super::claims::{Claims, Marked};
#[cfg(feature = "mail")]
use super::later;
use super::{Roles, Tokens};
use crate::clock::Timestamp;
use crate::error::Error;

/// What a mailed token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mailed {
    /// To confirm an address (`is_ert`).
    Registration,
    /// To set a new password (`is_prt`).
    Reset,
}

impl Mailed {
    /// The `typ` of such a token where a key of its own signs it (RFC 8725 section 3.11).
    pub(super) fn typ(self) -> &'static str {
        match self {
            Mailed::Registration => "lictor-registration+jwt",
            Mailed::Reset => "lictor-reset+jwt",
        }
    }
}

/// A token that was made just now.
#[derive(Debug)]
pub struct Minted {
    /// Its text.
    pub token: String,
    /// What it says.
    pub claims: Claims,
}

/// What a mailed token says, as far as it was decided when the mail was caused.
#[cfg(feature = "mail")]
#[derive(Debug, Clone, Copy)]
pub struct MailedClaims<'a> {
    /// The `jti` claim.
    pub jti: &'a str,
    /// Whose.
    pub id: i64,
    /// When the mail was caused.
    pub issued: Timestamp,
    /// The last second in which it can be used.
    pub expires: Timestamp,
}

/// Which error comes first is flask-praetorian's choice.
impl Tokens {
    /// A token to be sent by mail, good for `lifespan`.
    pub fn mail(
        &self,
        purpose: Mailed,
        id: i64,
        roles: &Roles,
        lifespan: Duration,
        now: Timestamp,
    ) -> Result<Minted, Error> {
        let lifespan = i64::try_from(lifespan.as_secs()).unwrap_or(i64::MAX);
        let claims = self.begin(now)?.claims(id, lifespan);
        Ok(Minted { token: self.write(&claims, roles, Some(purpose))?, claims })
    }

    /// The token of a mail: the same however often the mail is sent.
    #[cfg(feature = "mail")]
    pub fn mailed(
        &self,
        purpose: Mailed,
        mailed: &MailedClaims<'_>,
        roles: &Roles,
    ) -> Result<String, Error> {
        let MailedClaims { jti, id, issued, expires } = *mailed;
        let rf_exp = later(issued, self.refresh).max(expires);
        let claims = Claims { jti: jti.into(), id, iat: Some(issued), exp: expires, rf_exp };
        self.write(&claims, roles, Some(purpose))
    }

    /// Reads a token that was mailed to confirm an address.
    pub fn registration(&self, token: &[u8], now: Timestamp) -> Result<Claims, Error> {
        let Marked { claims, registration, reset, public } = self.read(token, now)?;
        if now > claims.exp {
            return Err(Error::ExpiredAccess("register"));
        }
        match (registration, reset) {
            (false, _) => Err(Error::InvalidRegistrationToken),
            (true, true) => Err(Error::MisusedResetToken("registration")),
            (true, false) if public => Err(Error::InvalidRegistrationToken),
            (true, false) => Ok(claims),
        }
    }

    /// Reads a token that was mailed to set a new password.
    pub fn reset(&self, token: &[u8], now: Timestamp) -> Result<Claims, Error> {
        let Marked { claims, registration, reset, public } = self.read(token, now)?;
        if registration {
            return Err(Error::MisusedRegistrationToken("reset"));
        }
        if now > claims.exp {
            return Err(Error::ExpiredAccess("reset"));
        }
        if reset && !public { Ok(claims) } else { Err(Error::InvalidResetToken) }
    }
}
