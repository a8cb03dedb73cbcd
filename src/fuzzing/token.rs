//! Tokens: whatever the bytes, only what carries our signature is accepted, and only when its
//! claims say that it is valid now.

use std::time::Duration;

use jwt_simple::prelude::{HS256Key, MACLike as _};
use serde_json::{Map, Value};

use super::first_line;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Claims, Roles, Tokens};
use crate::secret::Secret;

const SECRET: &str = "a secret of at least 32 bytes, for fuzzing";
const NOW: Timestamp = Timestamp(1_700_000_000);
const ACCESS: Duration = Duration::from_secs(100);
const REFRESH: Duration = Duration::from_secs(1_000);
/// Bytes of a token that are read at all.
const MAX_TOKEN: usize = 4096;
/// The header of a token whose input names none.
const USUAL_HEADER: &[u8] = br#"{"alg":"HS256","typ":"JWT"}"#;

/// The target. `s`, header, line feed, payload: signed with the right key. Anything else is a
/// token as it came.
pub fn token(data: &[u8]) {
    let secret = Secret::new(SECRET).unwrap_or_else(|_| unreachable!("it is long enough"));
    let tokens = Tokens::new(&secret, ACCESS, REFRESH)
        .unwrap_or_else(|error| panic!("the key was not taken: {error:?}"));
    match data.split_first() {
        Some((b's', rest)) => {
            let (header, payload) = first_line(rest);
            let header = if header.is_empty() { USUAL_HEADER } else { header };
            let token = sign(header, payload);
            check(&tokens, &token);
            forged(&tokens, token, payload.len());
        }
        _ => check(&tokens, data),
    }
}

fn check(tokens: &Tokens, token: &[u8]) {
    let access = tokens.access(token, NOW);
    let refreshable = tokens.refreshable(token, NOW);
    for error in [access.as_ref().err(), refreshable.as_ref().err()].into_iter().flatten() {
        assert!([401, 425].contains(&error.kind().status), "{error:?}");
        assert!(!error.message().is_empty());
    }
    match (access, refreshable) {
        (Ok(claims), Err(Error::EarlyRefresh)) => {
            assert!(NOW <= claims.exp);
            accepted(token, &claims);
        }
        (Err(Error::ExpiredAccess), Ok(claims)) => {
            assert!(claims.exp < NOW && NOW <= claims.rf_exp);
            accepted(token, &claims);
            renewed(tokens, &claims);
        }
        (Err(_), Err(_)) => {}
        (access, refreshable) => panic!("{access:?} and {refreshable:?}"),
    }
}

/// A token that was accepted is ours, by another HMAC and a generic reading of its JSON.
fn accepted(token: &[u8], claims: &Claims) {
    assert!(token.len() <= MAX_TOKEN);
    let text = std::str::from_utf8(token).unwrap_or_else(|_| panic!("it is not even text"));
    let parts: Vec<_> = text.split('.').collect();
    let [header, payload, tag] = parts[..] else { panic!("{} parts", parts.len()) };
    assert_eq!(tag, signature(format!("{header}.{payload}").as_bytes()));
    if let Some(header) = object(header) {
        assert_eq!(header.get("alg").and_then(Value::as_str), Some("HS256"));
        assert!(!header.contains_key("crit"));
        let typ = header.get("typ").map(|typ| typ.as_str().unwrap_or_default());
        assert!(typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT")), "{typ:?}");
    }
    if let Some(payload) = object(payload) {
        let number = |name: &str| payload.get(name).map(Value::as_i64);
        assert_eq!(payload.get("jti").and_then(Value::as_str), Some(claims.jti.as_str()));
        assert_eq!(number("id"), Some(Some(claims.id)));
        assert_eq!(number("exp"), Some(Some(claims.exp.0)));
        assert_eq!(number("rf_exp"), Some(Some(claims.rf_exp.0)));
        assert_eq!(number("iat").flatten(), claims.iat.map(|iat| iat.0));
        for name in ["iat", "nbf"] {
            assert!(number(name).is_none_or(|n| n.is_some_and(|n| n <= NOW.0)), "{name}");
        }
        for name in ["aud", "is_ert", "is_prt"] {
            assert!(!payload.contains_key(name), "{name}");
        }
    }
}

/// What follows on a token that may be refreshed grants access, and to nothing else.
fn renewed(tokens: &Tokens, claims: &Claims) {
    let token = tokens
        .renew(claims, &Roles::default(), NOW)
        .unwrap_or_else(|error| panic!("not renewed: {error:?}"));
    let exp = Timestamp(claims.rf_exp.0.min(NOW.0 + 100));
    let expected = Claims { iat: Some(NOW), exp, ..claims.clone() };
    match tokens.access(token.as_bytes(), NOW) {
        Ok(read) => assert_eq!(read, expected),
        // A name of several thousand bytes, which we never give.
        Err(_) => assert!(token.len() > MAX_TOKEN),
    }
}

/// A token with one character changed, one left out or one more is never accepted.
fn forged(tokens: &Tokens, mut token: Vec<u8>, seed: usize) {
    let at = seed.wrapping_mul(31) % token.len();
    let was = token[at];
    token[at] = if was == b'A' { b'B' } else { b'A' };
    refused(tokens, &token);
    token[at] = was;
    let last = token.pop();
    refused(tokens, &token);
    token.extend(last);
    token.push(b'A');
    refused(tokens, &token);
}

fn refused(tokens: &Tokens, token: &[u8]) {
    assert!(matches!(tokens.access(token, NOW), Err(Error::InvalidToken(_))));
    assert!(matches!(tokens.refreshable(token, NOW), Err(Error::InvalidToken(_))));
}

fn sign(header: &[u8], payload: &[u8]) -> Vec<u8> {
    let signed = format!("{}.{}", encode(header), encode(payload));
    format!("{signed}.{}", signature(signed.as_bytes())).into_bytes()
}

fn signature(signed: &[u8]) -> String {
    let tag = HS256Key::from_bytes(SECRET.as_bytes()).authentication_tag(signed);
    encode(tag.as_ref())
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64url without padding, bit by bit.
fn encode(bytes: &[u8]) -> String {
    let bits: Vec<u8> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let symbol = |six: &[u8]| {
        let value = six.iter().fold(0, |sum, bit| sum << 1 | bit) << (6 - six.len());
        char::from(ALPHABET[usize::from(value)])
    };
    bits.chunks(6).map(symbol).collect()
}

/// The object in a part of a token. `None` when a generic reader stumbles over something that a
/// reader of some claims may skip: deep nesting, say.
fn object(part: &str) -> Option<Map<String, Value>> {
    let value = |symbol| ALPHABET.iter().position(|&known| known == symbol).unwrap_or_default();
    let bits: Vec<u8> = part
        .bytes()
        .map(value)
        .flat_map(|value| (0..6).rev().map(move |bit| u8::from(value >> bit & 1 == 1)))
        .collect();
    let bytes: Vec<u8> =
        bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit)).collect();
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Some(object),
        Ok(other) => panic!("{other} is not an object"),
        Err(_) => None,
    }
}
