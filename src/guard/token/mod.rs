//! Tokens: JWTs that a key of the ring signs, with the claims of flask-praetorian.
//!
//! | file | owns |
//! |---|---|
//! | `header` | which key may verify a token |
//! | `key` | a key in use: HMAC, Ed25519, its id |
//! | `claims` | what claims mean, and writing them |
//! | `audience` | whom a token is for |
//! | `mailed` | tokens that are mailed or handed out, each for one purpose |
//! | `purpose` | the purposes of mailed tokens |
//! | `base64url` | the encoding of a token's parts |
//!
//! The order of the checks: size, structure, algorithm and key, signature, claims, times. No key
//! ever comes from a token (RFC 8725). Knows no store and no clock.

mod audience;
pub(super) mod base64url;
mod claims;
mod header;
mod key;
mod mailed;
mod purpose;

use std::time::Duration;

use lictor_engine::jwt::Parts;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::keys::{Algorithm, Keys};
use crate::values::{Lifespans, Roles, unique};

use base64url::Signature;
use claims::ParsedClaims;
use header::Header;
use key::{Jwk, ShortVerifier, Signer, Verifier};

pub use audience::{AudienceSet, Audiences};
pub use claims::Claims;
#[cfg(any(test, feature = "cli"))]
pub(crate) use key::key_id;
pub use mailed::MailedClaims;
#[cfg(feature = "cli")]
pub use mailed::MailedToken;
pub use purpose::MailPurpose;

/// Maximum length of a token, in bytes; ours have about 250.
const MAX_TOKEN: usize = 4096;

/// The claims that all tokens of a session share, and the time of the first token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionClaims {
    /// The id of the session and of its tokens.
    pub jti: String,
    /// When the session begins.
    pub iat: Timestamp,
    /// The last second in which the session can be refreshed.
    pub rf_exp: Timestamp,
    /// Whom its tokens are for.
    pub audiences: AudienceSet,
}

impl SessionClaims {
    /// Returns the claims of a token with a lifespan in seconds, at most until `rf_exp`.
    fn claims(&self, id: i64, lifespan: i64) -> Claims {
        let SessionClaims { jti, iat, rf_exp, audiences } = self.clone();
        let exp = later(iat, lifespan).min(rf_exp);
        Claims { jti, id, iat: Some(iat), exp, rf_exp, audiences }
    }

    /// Returns the same for tokens that are for these audiences alone, if there are any.
    pub(crate) fn only(self, audiences: Option<AudienceSet>) -> SessionClaims {
        SessionClaims { audiences: audiences.unwrap_or(self.audiences), ..self }
    }
}

/// Mints and reads tokens with the keys of a ring.
pub struct Tokens {
    ring: Vec<Verifier>,
    /// The keys of the tokens that are mailed while an Ed25519 key signs, one for each such key.
    mail_keys: Vec<Verifier>,
    /// Verifies session tokens of another program for a time.
    short: Option<ShortVerifier>,
    /// Index in `ring` of the key that signs.
    current: usize,
    signer: Signer,
    /// The encoded header of every access token that we sign. A token with these bytes is verified
    /// with the current key, and its header is not parsed.
    header: Box<[u8]>,
    jwks: String,
    access: i64,
    refresh: i64,
    early: i64,
    audiences: Audiences,
}

impl Tokens {
    /// Prepares the keys. The newest key for `algorithm` signs; without one, the newest of all.
    pub fn new(
        keys: &Keys,
        algorithm: Option<Algorithm>,
        lifespans: Lifespans,
    ) -> Result<Tokens, Error> {
        let no_key = || Error::Internal("no key of the ring is for this algorithm".into());
        let key = keys.current(algorithm).ok_or_else(no_key)?;
        let current = keys.iter().position(|one| one == key).ok_or_else(no_key)?;
        let ring = keys.iter().map(Verifier::new).collect::<Result<Vec<_>, _>>()?;
        let mail_keys = keys.iter().map(Verifier::for_mail).filter_map(Result::transpose);
        let mail_keys = mail_keys.collect::<Result<Vec<_>, _>>()?;
        let short = keys.short().map(ShortVerifier::new).transpose()?;
        // With a single shared secret, tokens have no key id, exactly as those of Flask. Beside a
        // short secret they have one: a token without it may then be of the other program.
        let with_kid = ring.len() > 1 || short.is_some() || key.algorithm() != Algorithm::Hs256;
        let signer = Signer::new(key, with_kid.then(|| ring[current].kid()))?;
        let seconds = |lifespan: Duration| i64::try_from(lifespan.as_secs()).unwrap_or(i64::MAX);
        let mut tokens = Tokens {
            jwks: jwks(&ring)?,
            ring,
            mail_keys,
            short,
            current,
            signer,
            header: Box::default(),
            access: seconds(lifespans.access),
            refresh: seconds(lifespans.refresh),
            early: seconds(lifespans.early),
            audiences: Audiences::default(),
        };
        let sample = tokens.mint(&tokens.begin(Timestamp(0))?, 0, &Roles::default())?;
        tokens.header = sample.split('.').next().unwrap_or_default().as_bytes().into();
        Ok(tokens)
    }

    /// Mints tokens for these audiences, and takes those of no other.
    pub fn for_audiences(self, audiences: Audiences) -> Tokens {
        Tokens { audiences, ..self }
    }

    /// Returns the audiences of a token that asks for this one alone; `None` if the server has none such.
    pub(crate) fn audience(&self, name: &str) -> Option<AudienceSet> {
        self.audiences.one(name)
    }

    /// Returns [`Error::AudienceNotAllowed`] unless a token for these is for all audiences: one for a single
    /// app must not give what is good at others, or outlasts it.
    pub(crate) fn require_all(&self, audiences: AudienceSet) -> Result<(), Error> {
        if audiences == self.audiences.all() { Ok(()) } else { Err(Error::AudienceNotAllowed) }
    }

    /// Returns the claims of a session that begins now, whose tokens are for all audiences.
    pub fn begin(&self, now: Timestamp) -> Result<SessionClaims, Error> {
        let (rf_exp, audiences) = (later(now, self.refresh), self.audiences.all());
        Ok(SessionClaims { jti: unique()?, iat: now, rf_exp, audiences })
    }

    /// Mints the first token of a session.
    pub fn mint(&self, session: &SessionClaims, id: i64, roles: &Roles) -> Result<String, Error> {
        self.write(&session.claims(id, self.access), roles, None)
    }

    /// Mints the token that follows one with these claims, issued at `iat`: the same session, user
    /// and end, and for nobody else; `roles` are those of the user now.
    pub fn renew(&self, claims: &Claims, roles: &Roles, iat: Timestamp) -> Result<String, Error> {
        let exp = later(iat, self.access).min(claims.rf_exp);
        self.write(&Claims { iat: Some(iat), exp, ..claims.clone() }, roles, None)
    }

    fn write(
        &self,
        claims: &Claims,
        roles: &Roles,
        purpose: Option<MailPurpose>,
    ) -> Result<String, Error> {
        self.signer.sign(claims::to_jwt(claims, roles, &self.audiences, purpose), purpose)
    }

    /// Reads a token that grants access now.
    pub fn access(&self, token: &[u8], now: Timestamp) -> Result<Claims, Error> {
        let claims = not_mailed(self.read(token, now)?, "access")?;
        if now > claims.exp {
            return Err(Error::ExpiredAccess("access"));
        }
        Ok(claims)
    }

    /// Reads a token that can be refreshed now: its access has ended, or is about to, and its
    /// session has not.
    pub fn refreshable(&self, token: &[u8], now: Timestamp) -> Result<Claims, Error> {
        let claims = not_mailed(self.read(token, now)?, "refresh")?;
        if now.0 <= claims.exp.0.saturating_sub(self.early) {
            return Err(Error::EarlyRefresh);
        }
        if now > claims.rf_exp {
            return Err(Error::ExpiredRefresh);
        }
        Ok(claims)
    }

    /// Returns the public keys of the ring as a JWK set, in JSON (RFC 7517 section 5).
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// Reads a token of any purpose. The caller checks its purpose and its end.
    fn read(&self, token: &[u8], now: Timestamp) -> Result<ParsedClaims, Error> {
        let (payload, key) = self.verified(token, now)?;
        let parsed = claims::parse(&payload, now, &self.audiences)?;
        let marks = (parsed.registration, parsed.reset);
        match key {
            KeyKind::Mail(purpose)
                if marks
                    != (purpose == MailPurpose::Registration, purpose == MailPurpose::Reset) =>
            {
                Err(Error::InvalidToken("the token's type is not what its claims say"))
            }
            // Services that have the public key could take a mailed token for an access token.
            KeyKind::Public => Ok(ParsedClaims { mails: false, ..parsed }),
            KeyKind::Short(until) => Ok(parsed.of_short(until)),
            KeyKind::Mail(_) | KeyKind::Shared => Ok(parsed),
        }
    }

    /// Verifies the signature; returns the payload's bytes, and the kind of the key that signed.
    fn verified(&self, token: &[u8], now: Timestamp) -> Result<(Vec<u8>, KeyKind), Error> {
        if token.len() > MAX_TOKEN {
            return Err(Error::InvalidToken("the token is too long"));
        }
        let Parts { header, payload, signature, signed } =
            Parts::of(token).ok_or(Error::InvalidToken("the token does not have three parts"))?;
        let key = if *header == *self.header {
            let current = &self.ring[self.current];
            let right = current.verifies(signed, Signature::decode(signature)?.bytes());
            right.then(|| KeyKind::of(current))
        } else {
            self.verify_by_header(header, signed, signature, now)?
        };
        let key = key.ok_or(Error::InvalidToken("the signature is wrong"))?;
        Ok((base64url::decode(payload)?, key))
    }

    /// Verifies the signature with the keys that the header selects; returns the kind of the key
    /// that signed, if one of them did.
    fn verify_by_header(
        &self,
        header: &[u8],
        signed: &[u8],
        signature: &[u8],
        now: Timestamp,
    ) -> Result<Option<KeyKind>, Error> {
        let json = base64url::decode(header)?;
        let header = Header::parse(&json)?;
        let purpose = header.purpose();
        let keys = if purpose.is_some() { &self.mail_keys } else { &self.ring };
        let mut fitting = keys.iter().filter(|key| header.fits(key)).peekable();
        let short = self.short.as_ref().filter(|one| now <= one.until() && header.is_foreign());
        if fitting.peek().is_none() && short.is_none() {
            return Err(Error::InvalidToken("no key of this server is for this header"));
        }
        let signature = Signature::decode(signature)?;
        if let Some(key) = fitting.find(|key| key.verifies(signed, signature.bytes())) {
            return Ok(Some(purpose.map_or_else(|| KeyKind::of(key), KeyKind::Mail)));
        }
        let short = short.filter(|one| one.verifies(signed, signature.bytes()));
        Ok(short.map(|one| KeyKind::Short(one.until())))
    }
}

/// The kind of the key that signed a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    /// A secret, which a Flask app may share: only the claims tell the purpose of the token.
    Shared,
    /// A key with a public half.
    Public,
    /// A short secret, with its last second. Many can guess it: its tokens reset and confirm nothing.
    Short(Timestamp),
    /// A key for mailed tokens; with the purpose that the token's type names.
    Mail(MailPurpose),
}

impl KeyKind {
    /// Returns the kind of a key of the ring.
    fn of(key: &Verifier) -> KeyKind {
        match key.algorithm() {
            Algorithm::Hs256 => KeyKind::Shared,
            Algorithm::EdDsa => KeyKind::Public,
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

/// Refuses a mailed token; returns the claims of any other.
fn not_mailed(parsed: ParsedClaims, purpose: &'static str) -> Result<Claims, Error> {
    if parsed.registration {
        return Err(Error::MisusedRegistrationToken(purpose));
    }
    if parsed.reset {
        return Err(Error::MisusedResetToken(purpose));
    }
    Ok(parsed.claims)
}

/// Returns the time some seconds after `now`.
fn later(now: Timestamp, seconds: i64) -> Timestamp {
    Timestamp(now.0.saturating_add(seconds))
}

/// Returns the JWK set of a ring.
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
