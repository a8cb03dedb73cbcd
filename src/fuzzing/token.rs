//! Tokens: of any bytes, only a token with our signature is accepted, and only if its claims make
//! it valid now.

use std::time::Duration;

use ed25519_compact::{KeyPair, Seed};
use jwt_simple::prelude::{HS256Key, MACLike as _};
use serde_json::{Map, Value};

use super::first_line;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Audiences, Claims, Tokens};
use crate::keys::{Keys, ShortSecret};
use crate::values::{Lifespans, Roles};

const SECRET: &str = "a secret of at least 32 bytes, for fuzzing";
const OLD_SECRET: &str = "an older secret of at least 32 bytes, too";
const SHORT_SECRET: &str = "my secret key";
const SEED: [u8; 32] = [7; 32];
const NOW: Timestamp = Timestamp(1_700_000_000);
/// The last second of the short secret.
const UNTIL: Timestamp = Timestamp(NOW.0 + 500);
const ACCESS: Duration = Duration::from_secs(100);
const REFRESH: Duration = Duration::from_secs(1_000);
/// The longest token in bytes.
const MAX_TOKEN: usize = 4096;
/// The header of a token if the input has none.
const USUAL_HEADER: &[u8] = br#"{"alg":"HS256","typ":"JWT"}"#;

/// A server's tokens and keys; a token may be refreshed `early` seconds before it expires.
struct Reader {
    tokens: Tokens,
    keys: &'static [Signer],
    early: i64,
    audiences: &'static [&'static str],
}

/// A key and the id that lictor gives it.
struct Signer {
    kid: &'static str,
    half: Half,
}

enum Half {
    Shared(&'static str),
    Pair,
    /// A secret that only verifies.
    Short,
}

const CURRENT: Signer = Signer { kid: "7b4a2df69458a06c", half: Half::Shared(SECRET) };
const PAIR: Signer =
    Signer { kid: "--6IM5l0OosLj9yWskISYhUA3n_3CURQkmrYMSha_ck", half: Half::Pair };
const OLD: Signer = Signer { kid: "7eccf5fbf015b45b", half: Half::Shared(OLD_SECRET) };

/// No token can name it.
const SHORT: Signer = Signer { kid: "", half: Half::Short };

/// Makes the signature of the signed part of a token.
type Sign = fn(&[u8]) -> Vec<u8>;

/// The target. `s`, header, line feed, payload: a token signed with the only key of one server.
/// With `0` to `3` instead of `s`: signed with one of the three keys of another server, or with its
/// public key as a secret; with `4`, signed with the short secret of a third server. Any other input is
/// a whole token.
pub fn token(data: &[u8]) {
    let alone = reader(&[CURRENT], 0, &[]);
    let ring = reader(&[CURRENT, PAIR, OLD], 10, &["x", "shop"]);
    let short = reader(&[PAIR, CURRENT, SHORT], 0, &[]);
    let (sign, rest): (Sign, _) = match data.split_first() {
        Some((b's' | b'0', rest)) => (|signed| CURRENT.sign(signed), rest),
        Some((b'1', rest)) => (|signed| PAIR.sign(signed), rest),
        Some((b'2', rest)) => (|signed| OLD.sign(signed), rest),
        Some((b'3', rest)) => (|signed| hmac(&*pair().pk, signed), rest),
        Some((b'4', rest)) => (|signed| SHORT.sign(signed), rest),
        _ => {
            check(&alone, data);
            check(&ring, data);
            check(&short, data);
            return;
        }
    };
    let (header, payload) = first_line(rest);
    let header = if header.is_empty() { USUAL_HEADER } else { header };
    let signed = format!("{}.{}", encode(header), encode(payload));
    let token = format!("{signed}.{}", encode(&sign(signed.as_bytes()))).into_bytes();
    for reader in [&alone, &ring, &short] {
        check(reader, &token);
        let has_short = reader.keys.iter().any(Signer::is_short);
        if data[0] == b'3' || data[0] == b'4' && !has_short {
            refused(&reader.tokens, &token);
        }
        forged(&reader.tokens, token.clone(), payload.len());
    }
}

fn reader(keys: &'static [Signer], early: u64, audiences: &'static [&'static str]) -> Reader {
    let lines: String = keys.iter().map(Signer::line).collect();
    let mut ring = Keys::parse(lines.as_bytes()).unwrap_or_else(|problem| panic!("{problem}"));
    if keys.iter().any(Signer::is_short) {
        let short = ShortSecret::new(SHORT_SECRET, UNTIL, NOW);
        ring = short
            .and_then(|short| ring.with_short(short))
            .unwrap_or_else(|problem| panic!("{problem}"));
    }
    let lifespans =
        Lifespans { access: ACCESS, refresh: REFRESH, early: Duration::from_secs(early) };
    let tokens = Tokens::new(&ring, None, lifespans)
        .unwrap_or_else(|error| panic!("the keys were not taken: {error:?}"));
    let names =
        Audiences::parse(audiences.iter().copied()).unwrap_or_else(|problem| panic!("{problem}"));
    Reader { tokens: tokens.for_audiences(names), keys, early: early.cast_signed(), audiences }
}

impl Signer {
    /// Its line in a key file.
    fn line(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        match self.half {
            Half::Shared(secret) => {
                format!("lictor-key HS256 0 bytes:{}\n", hex(secret.as_bytes()))
            }
            Half::Pair => format!("lictor-key EdDSA 0 {}\n", hex(&SEED)),
            Half::Short => String::new(),
        }
    }

    fn is_short(&self) -> bool {
        matches!(self.half, Half::Short)
    }

    fn algorithm(&self) -> &'static str {
        match self.half {
            Half::Shared(_) | Half::Short => "HS256",
            Half::Pair => "EdDSA",
        }
    }

    /// Signs without noise, so that a text has one signature.
    fn sign(&self, signed: &[u8]) -> Vec<u8> {
        match self.half {
            Half::Shared(secret) => hmac(secret.as_bytes(), signed),
            Half::Pair => pair().sk.sign(signed, None).to_vec(),
            Half::Short => hmac(SHORT_SECRET.as_bytes(), signed),
        }
    }
}

fn pair() -> KeyPair {
    KeyPair::from_seed(Seed::new(SEED))
}

fn hmac(secret: &[u8], signed: &[u8]) -> Vec<u8> {
    HS256Key::from_bytes(secret).authentication_tag(signed)
}

// Long: one assertion for each use of a token.
fn check(reader: &Reader, token: &[u8]) {
    let tokens = &reader.tokens;
    let access = tokens.access(token, NOW);
    let refreshable = tokens.refreshable(token, NOW);
    let mailed = [tokens.registration(token, NOW), tokens.reset(token, NOW)];
    let results = [&access, &refreshable, &mailed[0], &mailed[1]];
    for error in results.into_iter().filter_map(|result| result.as_ref().err()) {
        assert!([401, 425].contains(&error.kind().status), "{error:?}");
        assert!(!error.message().is_empty());
    }
    match &mailed {
        [Ok(_), Ok(_)] => panic!("one token for two purposes"),
        [Ok(claims), _] | [_, Ok(claims)] => {
            assert!(access.is_err() && refreshable.is_err());
            assert!(NOW <= claims.exp);
            accepted(reader, token, claims, true);
        }
        _ => {}
    }
    match (access, refreshable) {
        (Ok(claims), Ok(_)) => {
            assert!(NOW <= claims.exp && claims.exp.0 < NOW.0 + reader.early);
            accepted(reader, token, &claims, false);
            renewed(tokens, &claims);
        }
        (Ok(claims), Err(Error::EarlyRefresh)) => {
            assert!(NOW.0 + reader.early <= claims.exp.0);
            accepted(reader, token, &claims, false);
        }
        (Ok(claims), Err(Error::ExpiredRefresh)) => {
            assert!(reader.early > 0 && claims.rf_exp < NOW);
            accepted(reader, token, &claims, false);
        }
        (Err(Error::ExpiredAccess(_)), Ok(claims)) => {
            assert!(claims.exp < NOW && NOW <= claims.rf_exp);
            accepted(reader, token, &claims, false);
            renewed(tokens, &claims);
        }
        (Err(_), Err(_)) => {}
        (access, refreshable) => panic!("{access:?} and {refreshable:?}"),
    }
}

/// Checks that an accepted token is ours: signs it again with the key that it names, and reads its
/// JSON with a generic reader.
fn accepted(reader: &Reader, token: &[u8], claims: &Claims, mailed: bool) {
    assert!(token.len() <= MAX_TOKEN);
    let text = std::str::from_utf8(token).unwrap_or_else(|_| panic!("it is not even text"));
    let parts: Vec<_> = text.split('.').collect();
    let [header, payload, tag] = parts[..] else { panic!("{} parts", parts.len()) };
    let signed = format!("{header}.{payload}");
    let made_by = |key: &&Signer| encode(&key.sign(signed.as_bytes())) == tag;
    let key = reader.keys.iter().find(made_by).unwrap_or_else(|| panic!("none of our keys"));
    assert!(!(mailed && key.is_short()), "a short secret mails nothing");
    if let Some(header) = object(header) {
        assert!(!(header.contains_key("kid") && key.is_short()), "no token names a short secret");
        let text = |name: &str| header.get(name).map(|value| value.as_str().unwrap_or_default());
        assert_eq!(text("alg"), Some(key.algorithm()));
        match text("kid") {
            Some(kid) => assert_eq!(kid, key.kid),
            None => assert_eq!(key.algorithm(), "HS256"),
        }
        assert!(!header.contains_key("crit"));
        assert!(text("typ").is_none_or(|typ| typ.eq_ignore_ascii_case("JWT")));
    }
    if let Some(payload) = object(payload) {
        let number = |name: &str| payload.get(name).map(Value::as_i64);
        assert_eq!(payload.get("jti").and_then(Value::as_str), Some(claims.jti.as_str()));
        assert_eq!(number("id"), Some(Some(claims.id)));
        let end = |name: &str| {
            number(name)
                .map(|end| end.map(|end| if key.is_short() { end.min(UNTIL.0) } else { end }))
        };
        assert_eq!(end("exp"), Some(Some(claims.exp.0)));
        assert_eq!(end("rf_exp"), Some(Some(claims.rf_exp.0)));
        assert_eq!(number("iat"), claims.iat.map(|at| Some(at.0)));
        for name in ["iat", "nbf"] {
            assert!(number(name).is_none_or(|n| n.is_some_and(|n| n <= NOW.0 + 60)), "{name}");
        }
        for_us(reader, payload.get("aud"));
        let marks = ["is_ert", "is_prt"].into_iter().filter(|mark| payload.contains_key(*mark));
        assert_eq!(marks.count(), usize::from(mailed));
    }
}

/// Checks that the claim `aud` of an accepted token, if it has one, names an audience of the server.
fn for_us(reader: &Reader, aud: Option<&Value>) {
    let Some(aud) = aud else { return };
    let names = aud.as_array().map_or_else(|| vec![aud.clone()], Clone::clone);
    assert!(names.len() <= 16 && names.iter().all(Value::is_string), "{aud}");
    let known = |name: &Value| reader.audiences.iter().any(|known| name == known);
    assert!(names.iter().any(known), "{aud} is for others");
}

/// Checks that the token after a refresh grants access and nothing else.
fn renewed(tokens: &Tokens, claims: &Claims) {
    let token = tokens
        .renew(claims, &Roles::default(), NOW)
        .unwrap_or_else(|error| panic!("not renewed: {error:?}"));
    let exp = Timestamp(claims.rf_exp.0.min(NOW.0 + 100));
    let expected = Claims { exp, iat: Some(NOW), ..claims.clone() };
    match tokens.access(token.as_bytes(), NOW) {
        Ok(read) => assert_eq!(read, expected),
        // A name of several thousand bytes, which lictor never issues.
        Err(_) => assert!(token.len() > MAX_TOKEN),
    }
}

/// Checks that a token with one character changed, missing or added is not accepted.
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

/// The JSON object in a part of a token. `None` if a generic reader fails where a reader of a few
/// claims may succeed, as with deep nesting.
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
