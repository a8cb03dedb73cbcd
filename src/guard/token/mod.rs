//! Tokens: JWTs signed with a key of the ring, with the claims that flask-praetorian gives them.
//!
//! | file | owns |
//! |---|---|
//! | `header` | which key a token may be verified with |
//! | `key` | one key at work: HMAC, Ed25519, its name |
//! | `claims` | the claims, read and written |
//! | `mailed` | tokens that are sent or handed out, each good for one thing |
//! | `base64url` | the spelling of a token's parts |
//!
//! The order of the checks: size, structure, algorithm and key, signature, claims, times. No key
//! is ever taken from a token (RFC 8725). Knows no store and no clock.

pub(super) mod base64url;
mod claims;
mod header;
mod key;
mod mailed;

use std::time::Duration;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::keys::{Algorithm, Keys};
use crate::values::{Lifespans, Roles, unique};

use base64url::Tag;
use claims::Marked;
use header::Header;
use key::{Jwk, Signer, Verifier};

pub use claims::Claims;
#[cfg(any(test, feature = "cli"))]
pub(crate) use key::key_id;
pub use mailed::Mailed;
#[cfg(feature = "mail")]
pub use mailed::MailedClaims;
#[cfg(feature = "cli")]
pub use mailed::Minted;

/// Bytes of a token; ours have about 250.
const MAX_TOKEN: usize = 4096;

/// What all tokens of one login have in common, and when its first was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionClaims {
    /// The login's name.
    pub jti: String,
    /// When it begins.
    pub iat: Timestamp,
    /// When its last token can no longer be refreshed.
    pub rf_exp: Timestamp,
}

impl SessionClaims {
    /// The claims of a token that is good for so many seconds, but not beyond the last refresh.
    fn claims(&self, id: i64, lifespan: i64) -> Claims {
        let SessionClaims { jti, iat, rf_exp } = self.clone();
        Claims { jti, id, iat: Some(iat), exp: later(iat, lifespan).min(rf_exp), rf_exp }
    }
}

/// Mints and reads tokens with one ring of keys.
pub struct Tokens {
    ring: Vec<Verifier>,
    /// The keys of tokens that were mailed while an Ed25519 key signed, one for each such key.
    mail: Vec<Verifier>,
    /// Where in the ring the key is that signs.
    current: usize,
    signer: Signer,
    /// The first part of every token that we write. Such a token is verified with that key,
    /// without a look into its header.
    header: Box<[u8]>,
    jwks: String,
    access: i64,
    refresh: i64,
    early: i64,
}

impl Tokens {
    /// The newest key for `algorithm` signs, or else the newest of all.
    pub fn new(
        keys: &Keys,
        algorithm: Option<Algorithm>,
        lifespans: Lifespans,
    ) -> Result<Tokens, Error> {
        let no_key = || Error::Internal("no key of the ring is for this algorithm".into());
        let key = keys.current(algorithm).ok_or_else(no_key)?;
        let current = keys.iter().position(|one| one == key).ok_or_else(no_key)?;
        let ring = keys.iter().map(Verifier::new).collect::<Result<Vec<_>, _>>()?;
        let mail = keys.iter().map(Verifier::of_mailed).filter_map(Result::transpose);
        let mail = mail.collect::<Result<Vec<_>, _>>()?;
        // A single shared secret needs no name, and tokens are to the letter what Flask's are.
        let named = ring.len() > 1 || key.algorithm() != Algorithm::Hs256;
        let signer = Signer::new(key, named.then(|| ring[current].kid()))?;
        let seconds = |lifespan: Duration| i64::try_from(lifespan.as_secs()).unwrap_or(i64::MAX);
        let mut tokens = Tokens {
            jwks: jwks(&ring)?,
            ring,
            mail,
            current,
            signer,
            header: Box::default(),
            access: seconds(lifespans.access),
            refresh: seconds(lifespans.refresh),
            early: seconds(lifespans.early),
        };
        let sample = tokens.mint(&tokens.begin(Timestamp(0))?, 0, &Roles::default())?;
        tokens.header = sample.split('.').next().unwrap_or_default().as_bytes().into();
        Ok(tokens)
    }

    /// What all tokens of a login have in common that begins now.
    pub fn begin(&self, now: Timestamp) -> Result<SessionClaims, Error> {
        Ok(SessionClaims { jti: unique()?, iat: now, rf_exp: later(now, self.refresh) })
    }

    /// The first token of a login.
    pub fn mint(&self, login: &SessionClaims, id: i64, roles: &Roles) -> Result<String, Error> {
        self.write(&login.claims(id, self.access), roles, None)
    }

    /// The token that follows on `claims`, issued at `iat`: same name, same user, same end; roles
    /// as they are now.
    pub fn renew(&self, claims: &Claims, roles: &Roles, iat: Timestamp) -> Result<String, Error> {
        let exp = later(iat, self.access).min(claims.rf_exp);
        self.write(&Claims { iat: Some(iat), exp, ..claims.clone() }, roles, None)
    }

    fn write(
        &self,
        claims: &Claims,
        roles: &Roles,
        mailed: Option<Mailed>,
    ) -> Result<String, Error> {
        self.signer.sign(claims::written(claims, roles, mailed), mailed)
    }

    /// Reads a token that is to grant access now.
    pub fn access(&self, token: &[u8], now: Timestamp) -> Result<Claims, Error> {
        let claims = unmailed(self.read(token, now)?, "access")?;
        if now > claims.exp {
            return Err(Error::ExpiredAccess("access"));
        }
        Ok(claims)
    }

    /// Reads a token that is to be refreshed now: its access has ended or is about to, its session
    /// has not.
    pub fn refreshable(&self, token: &[u8], now: Timestamp) -> Result<Claims, Error> {
        let claims = unmailed(self.read(token, now)?, "refresh")?;
        if now.0 <= claims.exp.0.saturating_sub(self.early) {
            return Err(Error::EarlyRefresh);
        }
        if now > claims.rf_exp {
            return Err(Error::ExpiredRefresh);
        }
        Ok(claims)
    }

    /// The public keys of the ring, as JSON (RFC 7517 section 5).
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    fn read(&self, token: &[u8], now: Timestamp) -> Result<Marked, Error> {
        let (payload, seal) = self.authentic(token)?;
        let marked = claims::read(&payload, now)?;
        let marks = (marked.registration, marked.reset);
        match seal {
            Seal::Mailed(purpose)
                if marks != (purpose == Mailed::Registration, purpose == Mailed::Reset) =>
            {
                Err(Error::InvalidToken("the token's type is not what its claims say"))
            }
            _ => Ok(Marked { public: seal == Seal::Public, ..marked }),
        }
    }

    /// The payload's bytes, once the signature has been found good, and what signed it.
    fn authentic(&self, token: &[u8]) -> Result<(Vec<u8>, Seal), Error> {
        if token.len() > MAX_TOKEN {
            return Err(Error::InvalidToken("the token is too long"));
        }
        let mut parts = token.split(|&b| b == b'.');
        let (Some(header), Some(payload), Some(tag), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::InvalidToken("the token does not have three parts"));
        };
        let signed = &token[..header.len() + 1 + payload.len()];
        let seal = if *header == *self.header {
            let current = &self.ring[self.current];
            let good = current.verifies(signed, Tag::decode(tag)?.bytes());
            good.then(|| Seal::of(current))
        } else {
            self.any_verifies(header, signed, tag)?
        };
        let seal = seal.ok_or(Error::InvalidToken("the signature is wrong"))?;
        Ok((base64url::decode(payload)?, seal))
    }

    /// What signed the token, if a key that the header fits verifies the signature.
    fn any_verifies(
        &self,
        header: &[u8],
        signed: &[u8],
        tag: &[u8],
    ) -> Result<Option<Seal>, Error> {
        let json = base64url::decode(header)?;
        let header = Header::read(&json)?;
        let mailed = header.mailed();
        let keys = if mailed.is_some() { &self.mail } else { &self.ring };
        let mut fitting = keys.iter().filter(|key| header.fits(key)).peekable();
        if fitting.peek().is_none() {
            return Err(Error::InvalidToken("no key of this server is for this header"));
        }
        let tag = Tag::decode(tag)?;
        let key = fitting.find(|key| key.verifies(signed, tag.bytes()));
        Ok(key.map(|key| mailed.map_or_else(|| Seal::of(key), Seal::Mailed)))
    }
}

/// What a token was signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seal {
    /// A secret, which a Flask app may share: only the claims tell what the token is for.
    Shared,
    /// A key whose public half others have.
    Public,
    /// A key for mailed tokens, and what the token's type says.
    Mailed(Mailed),
}

impl Seal {
    /// That of a key of the ring.
    fn of(key: &Verifier) -> Seal {
        match key.algorithm() {
            Algorithm::Hs256 => Seal::Shared,
            Algorithm::EdDsa => Seal::Public,
        }
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Tokens({} keys, access {} s, refresh {} s)",
            self.ring.len(),
            self.access,
            self.refresh
        )
    }
}

/// The claims of a token that was not mailed.
fn unmailed(marked: Marked, purpose: &'static str) -> Result<Claims, Error> {
    if marked.registration {
        return Err(Error::MisusedRegistrationToken(purpose));
    }
    if marked.reset {
        return Err(Error::MisusedResetToken(purpose));
    }
    Ok(marked.claims)
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    Timestamp(now.0.saturating_add(seconds))
}

fn jwks(ring: &[Verifier]) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Set<'a> {
        keys: Vec<Jwk<'a>>,
    }
    let set = Set { keys: ring.iter().filter_map(Verifier::jwk).collect() };
    serde_json::to_string(&set).map_err(|error| {
        Error::Internal(format!("the public keys cannot be written: {error}").into())
    })
}

#[cfg(test)]
mod tests;
