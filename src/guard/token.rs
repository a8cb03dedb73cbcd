//! Tokens: JWTs of one algorithm, with the claims that flask-praetorian gives them.
//!
//! The order of the checks: size, structure, algorithm, signature, claims, times. Nothing in a
//! header but `alg`, `typ` and `crit` has any effect; in particular no key is ever taken from a
//! token (RFC 8725). Knows no store and no clock.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jwt_simple::prelude::{HS256Key, JWTClaims, MACLike as _, UnixTimeStamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::Sha256;

use super::Roles;
use super::password::random;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::secret::Secret;

/// Bytes of a token; ours have about 250.
const MAX_TOKEN: usize = 4096;
/// The header that we and PyJWT write: `{"alg":"HS256","typ":"JWT"}`.
const USUAL_HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The token's name, an UUID in ours; it stays through refreshes.
    pub jti: String,
    /// The user.
    pub id: i64,
    /// When it was issued; always there in ours.
    pub iat: Option<Timestamp>,
    /// The last second in which it grants access.
    pub exp: Timestamp,
    /// The last second in which it can be refreshed.
    pub rf_exp: Timestamp,
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
    #[serde(default, deserialize_with = "present")]
    aud: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    is_ert: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    is_prt: Option<IgnoredAny>,
}

/// What all tokens of one login have in common, and when its first was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// The login's name.
    pub jti: String,
    /// When it begins.
    pub iat: Timestamp,
    /// When its last token can no longer be refreshed.
    pub rf_exp: Timestamp,
}

/// The claims of ours that are not registered, in the order in which they are written.
#[derive(Serialize)]
struct Ours<'a> {
    id: i64,
    rls: &'a str,
    rf_exp: i64,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    typ: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// Mints and reads tokens with one secret.
pub struct Tokens {
    key: HS256Key,
    /// The same key, its schedule worked out: what every request's token is verified with.
    mac: Hmac<Sha256>,
    access: i64,
    refresh: i64,
}

impl Tokens {
    /// Lifespans are cut to whole seconds.
    pub fn new(secret: &Secret, access: Duration, refresh: Duration) -> Result<Tokens, Error> {
        let mac = Hmac::new_from_slice(secret.bytes())
            .map_err(|error| Error::Internal(format!("the secret is no key: {error}")))?;
        let seconds = |lifespan: Duration| i64::try_from(lifespan.as_secs()).unwrap_or(i64::MAX);
        Ok(Tokens {
            key: HS256Key::from_bytes(secret.bytes()),
            mac,
            access: seconds(access),
            refresh: seconds(refresh),
        })
    }

    /// What all tokens of a login have in common that begins now.
    pub fn begin(&self, now: Timestamp) -> Result<Beginning, Error> {
        let rf_exp = Timestamp(now.0.saturating_add(self.refresh));
        Ok(Beginning { jti: uuid()?, iat: now, rf_exp })
    }

    /// The first token of a login.
    pub fn mint(&self, login: &Beginning, id: i64, roles: &Roles) -> Result<String, Error> {
        self.write(&login.jti, id, roles, login.rf_exp, login.iat)
    }

    /// The token that follows on `claims`, issued at `iat`: same name, same user, same end; roles
    /// as they are now.
    pub fn renew(&self, claims: &Claims, roles: &Roles, iat: Timestamp) -> Result<String, Error> {
        self.write(&claims.jti, claims.id, roles, claims.rf_exp, iat)
    }

    fn write(
        &self,
        jti: &str,
        id: i64,
        roles: &Roles,
        rf_exp: Timestamp,
        now: Timestamp,
    ) -> Result<String, Error> {
        let exp = now.0.saturating_add(self.access).min(rf_exp.0);
        let time = |second: i64| UnixTimeStamp::from_secs(u64::try_from(second).unwrap_or(0));
        let claims = JWTClaims {
            issued_at: Some(time(now.0)),
            expires_at: Some(time(exp)),
            invalid_before: None,
            issuer: None,
            subject: None,
            audiences: None,
            jwt_id: Some(jti.to_owned()),
            nonce: None,
            custom: Ours { id, rls: roles.as_str(), rf_exp: rf_exp.0 },
        };
        self.key
            .authenticate(claims)
            .map_err(|error| Error::Internal(format!("a token could not be signed: {error}")))
    }

    /// Reads a token that is to grant access now.
    pub fn access(&self, token: &[u8], now: Timestamp) -> Result<Claims, Error> {
        let claims = self.read(token, now, "access")?;
        if now > claims.exp {
            return Err(Error::ExpiredAccess);
        }
        Ok(claims)
    }

    /// Reads a token that is to be refreshed now: its access has ended, its session has not.
    pub fn refreshable(&self, token: &[u8], now: Timestamp) -> Result<Claims, Error> {
        let claims = self.read(token, now, "refresh")?;
        if now <= claims.exp {
            return Err(Error::EarlyRefresh);
        }
        if now > claims.rf_exp {
            return Err(Error::ExpiredRefresh);
        }
        Ok(claims)
    }

    fn read(&self, token: &[u8], now: Timestamp, purpose: &'static str) -> Result<Claims, Error> {
        let payload = self.authentic(token)?;
        let payload: Payload<'_> = object(&payload).ok_or(Error::InvalidToken(
            "the payload is not a JSON object, or a claim has the wrong type or is repeated",
        ))?;
        if payload.iat.is_some_and(|iat| iat > now.0) {
            return Err(Error::InvalidToken("the token was issued in the future"));
        }
        if payload.nbf.is_some_and(|nbf| nbf > now.0) {
            return Err(Error::InvalidToken("the token is not valid yet"));
        }
        if payload.aud.is_some() {
            return Err(Error::InvalidToken("the token is for another audience"));
        }
        let jti = payload.jti.ok_or(Error::MissingClaim("jti"))?;
        let id = payload.id.ok_or(Error::MissingClaim("id"))?;
        let exp = payload.exp.ok_or(Error::MissingClaim("exp"))?;
        let rf_exp = payload.rf_exp.ok_or(Error::MissingClaim("rf_exp"))?;
        if payload.is_ert.is_some() {
            return Err(Error::MisusedRegistrationToken(purpose));
        }
        if payload.is_prt.is_some() {
            return Err(Error::MisusedResetToken(purpose));
        }
        let (exp, rf_exp) = (Timestamp(exp), Timestamp(rf_exp));
        Ok(Claims { jti: jti.into_owned(), id, iat: payload.iat.map(Timestamp), exp, rf_exp })
    }

    /// The payload's bytes, once the signature has been found good.
    fn authentic(&self, token: &[u8]) -> Result<Vec<u8>, Error> {
        if token.len() > MAX_TOKEN {
            return Err(Error::InvalidToken("the token is too long"));
        }
        let mut parts = token.split(|&b| b == b'.');
        let (Some(header), Some(payload), Some(tag), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::InvalidToken("the token does not have three parts"));
        };
        if header != USUAL_HEADER.as_bytes() {
            check_header(&base64(header)?)?;
        }
        let signed = &token[..header.len() + 1 + payload.len()];
        let mut mac = self.mac.clone();
        mac.update(signed);
        // Compares in constant time.
        mac.verify_slice(&base64(tag)?)
            .map_err(|_| Error::InvalidToken("the signature is wrong"))?;
        base64(payload)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens(access {} s, refresh {} s)", self.access, self.refresh)
    }
}

fn check_header(json: &[u8]) -> Result<(), Error> {
    let header: Header<'_> = object(json).ok_or(Error::InvalidToken("the header is malformed"))?;
    if header.alg != "HS256" {
        return Err(Error::InvalidToken("the algorithm is not the one of this server"));
    }
    if header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(Error::InvalidToken("the token's type is not JWT"));
    }
    if header.crit.is_some() {
        return Err(Error::InvalidToken("the token asks for an extension"));
    }
    Ok(())
}

/// Reads an object into a struct. serde would take an array of the fields' values as well.
fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    json.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(json).ok())?
}

/// Strict base64url: no padding, no white space, no stray bits.
fn base64(text: &[u8]) -> Result<Vec<u8>, Error> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Error::InvalidToken("a part of the token is not base64url"))
}

/// A random UUID (RFC 9562 section 5.4).
fn uuid() -> Result<String, Error> {
    let bits = u128::from_be_bytes(random()?);
    let bits = bits & !(0xf << 76) | 0x4 << 76;
    let bits = bits & !(0b11 << 62) | 0b10 << 62;
    let hex = format!("{bits:032x}");
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000);
    const SECRET: &str = "a secret of at least 32 bytes, for tests";

    fn tokens() -> Tokens {
        let secret = Secret::new(SECRET).unwrap();
        Tokens::new(&secret, Duration::from_secs(100), Duration::from_secs(1000)).unwrap()
    }

    fn minted(tokens: &Tokens, id: i64, roles: &Roles) -> Result<String, Error> {
        tokens.mint(&tokens.begin(NOW).unwrap(), id, roles)
    }

    fn encode(text: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    /// A token with any header and payload and a good signature.
    fn signed(header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(payload));
        let tag = HS256Key::from_bytes(SECRET.as_bytes()).authentication_tag(signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    }

    const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    fn name<T>(result: Result<T, Error>) -> &'static str {
        result.map_or_else(|error| error.kind().name, |_| "ok")
    }

    #[test]
    fn exact_bytes() {
        let token = minted(&tokens(), 7, &Roles::parse("admin,editor").unwrap()).unwrap();
        let parts: Vec<_> = token.split('.').collect();
        assert_eq!(parts[0], USUAL_HEADER);
        let payload = BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let payload = String::from_utf8(payload).unwrap();
        let jti = tokens().access(token.as_bytes(), NOW).unwrap().jti;
        assert_eq!(
            payload,
            format!(
                r#"{{"iat":1700000000,"exp":1700000100,"jti":"{jti}","id":7,"rls":"admin,editor","rf_exp":1700001000}}"#
            )
        );
        assert!(!parts[1].contains(['-', '_']), "the tutorial's client reads it with atob");
    }

    #[test]
    fn another_jwt_library_agrees() {
        use jwt_simple::prelude::{NoCustomClaims, VerificationOptions};
        let token = minted(&tokens(), 7, &Roles::default()).unwrap();
        let at_that_time = VerificationOptions {
            artificial_time: Some(UnixTimeStamp::from_secs(NOW.0.unsigned_abs())),
            ..VerificationOptions::default()
        };
        let read = |secret: &str| {
            HS256Key::from_bytes(secret.as_bytes())
                .verify_token::<NoCustomClaims>(&token, Some(at_that_time.clone()))
        };
        assert_eq!(
            read(SECRET).unwrap().jwt_id,
            Some(tokens().access(token.as_bytes(), NOW).unwrap().jti)
        );
        assert!(read("another secret of at least 32 bytes").is_err());
    }

    #[test]
    fn ids_are_version_4_uuids() {
        for _ in 0..100 {
            let id = uuid().unwrap();
            let shape: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(shape, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
        assert_ne!(uuid().unwrap(), uuid().unwrap());
    }

    #[test]
    fn times_are_inclusive() {
        let tokens = tokens();
        let token = minted(&tokens, 1, &Roles::default()).unwrap();
        for (after, access, refresh) in [
            (-1, "InvalidTokenHeader", "InvalidTokenHeader"),
            (0, "ok", "EarlyRefreshError"),
            (100, "ok", "EarlyRefreshError"),
            (101, "ExpiredAccessError", "ok"),
            (1000, "ExpiredAccessError", "ok"),
            (1001, "ExpiredAccessError", "ExpiredRefreshError"),
        ] {
            let now = Timestamp(NOW.0 + after);
            assert_eq!(name(tokens.access(token.as_bytes(), now)), access, "{after}");
            assert_eq!(name(tokens.refreshable(token.as_bytes(), now)), refresh, "{after}");
        }
    }

    #[test]
    fn a_renewed_token_keeps_its_name_and_end() {
        let tokens = tokens();
        let first = minted(&tokens, 1, &Roles::default()).unwrap();
        let late = Timestamp(NOW.0 + 950);
        let claims = tokens.refreshable(first.as_bytes(), late).unwrap();
        let second = tokens.renew(&claims, &Roles::default(), late).unwrap();
        let renewed = tokens.access(second.as_bytes(), late).unwrap();
        // 950 + 100 would be beyond the end of the session at 1000.
        let expected = Claims { iat: Some(late), exp: Timestamp(NOW.0 + 1000), ..claims };
        assert_eq!(renewed, expected);
    }

    #[test]
    fn payloads() {
        let good = r#""iat":1,"exp":1700000100,"jti":"a","id":1,"rls":"","rf_exp":1700001000"#;
        for (payload, expected) in [
            (format!("{{{good}}}"), "ok"),
            (format!("{{{good},\"extra\":[1]}}"), "ok"),
            (format!("{{{good},\"nbf\":1}}"), "ok"),
            (format!("{{{good},\"nbf\":1700000001}}"), "InvalidTokenHeader"),
            (format!("{{{good},\"aud\":\"x\"}}"), "InvalidTokenHeader"),
            (format!("{{{good},\"id\":1}}"), "InvalidTokenHeader"),
            (format!("{{{good},\"is_ert\":true}}"), "MisusedRegistrationToken"),
            (format!("{{{good},\"is_prt\":true}}"), "MisusedResetToken"),
            (format!("{{{good},\"is_prt\":false}}"), "MisusedResetToken"),
            (good.into(), "InvalidTokenHeader"),
            ("[]".into(), "InvalidTokenHeader"),
            (String::new(), "InvalidTokenHeader"),
            (good.replace("\"iat\":1,", "").replace("\"exp", "{\"exp") + "}", "ok"),
        ] {
            assert_eq!(
                name(tokens().access(signed(HEADER, &payload).as_bytes(), NOW)),
                expected,
                "{payload}"
            );
        }
        for (claim, text) in [
            ("exp", r#""exp":1700000100,"#),
            ("jti", r#""jti":"a","#),
            ("id", r#""id":1,"#),
            ("rf_exp", r#","rf_exp":1700001000"#),
        ] {
            let without = format!("{{{}}}", good.replace(text, ""));
            let result = tokens().access(signed(HEADER, &without).as_bytes(), NOW);
            assert!(matches!(result, Err(Error::MissingClaim(c)) if c == claim), "{without}");
        }
        for value in
            ["null", "\"1\"", "1.0", "1e3", "[1]", "{}", "true", "1e400", "99999999999999999999"]
        {
            for claim in ["iat", "exp", "id", "rf_exp", "nbf"] {
                let payload = format!("{{\"{claim}\":{value}}}");
                let result = tokens().access(signed(HEADER, &payload).as_bytes(), NOW);
                assert_eq!(name(result), "InvalidTokenHeader", "{payload}");
            }
        }
        for value in ["null", "1", "[\"a\"]"] {
            let payload = format!("{{\"jti\":{value}}}");
            assert_eq!(
                name(tokens().access(signed(HEADER, &payload).as_bytes(), NOW)),
                "InvalidTokenHeader"
            );
        }
    }

    #[test]
    fn headers_and_signatures() {
        let payload = r#"{"iat":1,"exp":1700000100,"jti":"a","id":1,"rls":"","rf_exp":1700001000}"#;
        for (header, expected) in [
            (HEADER, "ok"),
            (r#"{"typ":"JWT","alg":"HS256"}"#, "ok"),
            (r#"{"alg":"HS256"}"#, "ok"),
            (r#"{"alg":"HS256","kid":"../../etc/passwd","jku":"http://evil","x5u":"x"}"#, "ok"),
            (r#"{"alg":"none"}"#, "InvalidTokenHeader"),
            (r#"{"alg":"None"}"#, "InvalidTokenHeader"),
            (r#"{"alg":"hs256"}"#, "InvalidTokenHeader"),
            (r#"{"alg":"HS512"}"#, "InvalidTokenHeader"),
            (r#"{"alg":"RS256"}"#, "InvalidTokenHeader"),
            (r#"{"alg":"HS256","alg":"none"}"#, "InvalidTokenHeader"),
            (r#"{"alg":"HS256","typ":"JWE"}"#, "InvalidTokenHeader"),
            (r#"{"alg":"HS256","crit":["b64"]}"#, "InvalidTokenHeader"),
            (r#"{"alg":null}"#, "InvalidTokenHeader"),
            (r#"["HS256"]"#, "InvalidTokenHeader"),
            ("{}", "InvalidTokenHeader"),
            ("", "InvalidTokenHeader"),
        ] {
            assert_eq!(
                name(tokens().access(signed(header, payload).as_bytes(), NOW)),
                expected,
                "{header}"
            );
        }
        let good = signed(HEADER, payload);
        let (unsigned, tag) = good.rsplit_once('.').unwrap();
        let (header, body) = unsigned.split_once('.').unwrap();
        let changed = encode(&payload.replace("\"id\":1", "\"id\":2"));
        for bad in [
            String::new(),
            ".".into(),
            "..".into(),
            "a.b.c".into(),
            unsigned.into(),
            format!("{unsigned}."),
            format!("{unsigned}.{}", &tag[..tag.len() - 2]),
            format!("{unsigned}.{tag}="),
            format!("{unsigned}.{tag}.x"),
            format!("{unsigned}.{}", encode("\0")),
            format!("{header}.{changed}.{tag}"),
            format!("{header}=.{body}.{tag}"),
            format!(" {good}"),
            format!("{good}\n"),
            format!("{unsigned}.{}", "A".repeat(43)),
            format!("{unsigned}.{}", "A".repeat(5000)),
            good.to_uppercase(),
        ] {
            assert_eq!(name(tokens().access(bad.as_bytes(), NOW)), "InvalidTokenHeader", "{bad}");
        }
    }
}
