//! What every request reads of a token: its three parts, and the claims in its payload (RFC 7519, in the
//! compact form of RFC 7515). Knows no key and no rule: the caller verifies the signature first, and
//! decides what the claims mean.
//!
//! The functions are not inlined: a caller that is built for size would make slow code of them.

use std::borrow::Cow;
use std::fmt;
use std::slice;

use hmac::{Hmac, Mac as _};
use memchr::memchr_iter;
use serde::de::{self, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};

/// The most audiences that a token may name.
pub const MAX_AUDIENCES: usize = 16;

/// The most bytes of an audience.
pub const MAX_AUDIENCE: usize = 255;

/// A token in the compact form, its parts still encoded.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The header.
    pub header: &'a [u8],
    /// The payload.
    pub payload: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
    /// What the signature is over: header and payload.
    pub signed: &'a [u8],
}

impl Parts<'_> {
    /// Splits a token at its dots; `None` unless there are two.
    #[inline(never)]
    pub fn of(token: &[u8]) -> Option<Parts<'_>> {
        let mut dots = memchr_iter(b'.', token);
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return None;
        };
        Some(Parts {
            header: &token[..first],
            payload: &token[first + 1..second],
            signature: &token[second + 1..],
            signed: &token[..second],
        })
    }
}

/// The claims that count in a payload. A claim of another type (`null` included), or a repeated
/// one, is an error.
#[derive(Debug, Deserialize)]
pub struct Payload<'a> {
    /// When the token was issued.
    #[serde(default, deserialize_with = "present")]
    pub iat: Option<i64>,
    /// From when on it is valid.
    #[serde(default, deserialize_with = "present")]
    pub nbf: Option<i64>,
    /// The last second in which it grants access.
    #[serde(default, deserialize_with = "present")]
    pub exp: Option<i64>,
    /// Its id.
    #[serde(borrow, default, deserialize_with = "present")]
    pub jti: Option<Cow<'a, str>>,
    /// The user's id.
    #[serde(default, deserialize_with = "present")]
    pub id: Option<i64>,
    /// The last second in which it can be refreshed.
    #[serde(default, deserialize_with = "present")]
    pub rf_exp: Option<i64>,
    // Not read: roles come from the database. Parsed only to refuse a repeated claim.
    #[serde(default, deserialize_with = "present", rename = "rls")]
    _rls: Option<IgnoredAny>,
    /// Whom it is for.
    #[serde(borrow, default, deserialize_with = "present")]
    pub aud: Option<Audience<'a>>,
    /// Whether it confirms a registration.
    #[serde(default, deserialize_with = "present")]
    pub is_ert: Option<IgnoredAny>,
    /// Whether it resets a password.
    #[serde(default, deserialize_with = "present")]
    pub is_prt: Option<IgnoredAny>,
}

impl Payload<'_> {
    /// Parses the JSON of a payload; `None` if it is not an object with such claims.
    #[inline(never)]
    pub fn parse(json: &[u8]) -> Option<Payload<'_>> {
        object(json)
    }
}

/// Whom a token is for (RFC 7519 section 4.1.3): a string, or an array of at most [`MAX_AUDIENCES`]; each
/// has at most [`MAX_AUDIENCE`] bytes.
#[derive(Debug)]
pub enum Audience<'a> {
    /// A string.
    One(Cow<'a, str>),
    /// An array, which may be empty.
    Several(Vec<Cow<'a, str>>),
}

impl<'a> Audience<'a> {
    /// Returns the names.
    pub fn names(&self) -> &[Cow<'a, str>] {
        match self {
            Audience::One(name) => slice::from_ref(name),
            Audience::Several(names) => names,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Audience<'a> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Audience<'a>, D::Error> {
        value.deserialize_any(AudienceVisitor)
    }
}

struct AudienceVisitor;

impl<'de> Visitor<'de> for AudienceVisitor {
    type Value = Audience<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an audience")
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Audience<'de>, E> {
        fitting(Cow::Borrowed(name)).map(Audience::One)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Audience<'de>, E> {
        fitting(Cow::Owned(name.to_owned())).map(Audience::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Audience<'de>, A::Error> {
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
        let mut names = Vec::new();
        while let Some(Name(name)) = values.next_element()? {
            if names.len() == MAX_AUDIENCES {
                return Err(de::Error::custom("too many audiences"));
            }
            names.push(fitting(name)?);
        }
        Ok(Audience::Several(names))
    }
}

fn fitting<E: de::Error>(name: Cow<'_, str>) -> Result<Cow<'_, str>, E> {
    match name.len() {
        ..=MAX_AUDIENCE => Ok(name),
        _ => Err(E::custom("the audience is too long")),
    }
}

/// Whether `signature` is the HMAC of `signed` (RFC 7518 section 3.2); `mac` is keyed and empty. Compares
/// in constant time.
#[inline(never)]
pub fn is_hmac_of(mac: &Hmac<Sha256>, signed: &[u8], signature: &[u8]) -> bool {
    signature.len() == Sha256::output_size() && begins_hmac_of(mac, signed, signature)
}

/// Whether the HMAC of `signed` begins with `start`; `mac` is keyed and empty. Compares in constant time.
#[inline(never)]
pub fn begins_hmac_of(mac: &Hmac<Sha256>, signed: &[u8], start: &[u8]) -> bool {
    mac.clone().chain_update(signed).verify_truncated_left(start).is_ok()
}

/// Deserializes a field that is present; `null` is an error.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// Parses a JSON object into a struct. serde alone would accept an array of the fields' values as
/// well.
pub fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    json.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(json).ok())?
}

/// Whether a token in a header has only characters that it may have there (RFC 6750 section 2.1,
/// `b64token`), and at least one.
#[inline(never)]
pub fn is_b64token(token: &[u8]) -> bool {
    // Looks at every character without a branch for each: half as many instructions.
    !token.is_empty() && token.iter().fold(true, |fine, &b| fine & B64TOKEN[usize::from(b)])
}

const B64TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        let char = byte as u8;
        table[byte] = char.is_ascii_alphanumeric()
            || matches!(char, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_three_parts() {
        for (token, expected) in [
            ("a.b.c", Some(("a", "b", "c", "a.b"))),
            ("..", Some(("", "", "", "."))),
            ("a.b.", Some(("a", "b", "", "a.b"))),
            ("", None),
            ("abc", None),
            ("a.b", None),
            ("a.b.c.d", None),
            ("...", None),
        ] {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let found = Parts::of(token.as_bytes()).map(|parts| {
                let Parts { header, payload, signature, signed } = parts;
                (text(header), text(payload), text(signature), text(signed))
            });
            let expected = expected.map(|(a, b, c, d)| (a.into(), b.into(), c.into(), d.into()));
            assert_eq!(found, expected, "{token:?}");
        }
    }

    #[test]
    fn a_payload_is_an_object_without_repeated_claims() {
        for (json, fine) in [
            (r#"{}"#, true),
            (r#"{"jti":"a","id":1,"exp":2,"rf_exp":3,"rls":"x","more":[null]}"#, true),
            (r#" {"id":1}"#, true),
            (r#"{"id":null}"#, false),
            (r#"{"id":"1"}"#, false),
            (r#"{"id":1.0}"#, false),
            (r#"{"id":1,"id":1}"#, false),
            (r#"{"rls":"a","rls":"b"}"#, false),
            (r#"[1,2,3,"a",4,5,"x",null,null,null]"#, false),
            ("", false),
        ] {
            assert_eq!(Payload::parse(json.as_bytes()).is_some(), fine, "{json}");
        }
    }

    #[test]
    fn an_audience_is_a_string_or_an_array_of_strings() {
        let long = format!("\"{}\"", "a".repeat(255));
        let longer = format!("\"{}\"", "a".repeat(256));
        let many = |count: usize| format!("[{}]", vec!["\"a\""; count].join(","));
        let name = &long[1..256];
        for (json, expected) in [
            (r#""shop""#, Some(&["shop"][..])),
            ("\"\"", Some(&[""])),
            (r#""sh\u006fp""#, Some(&["shop"])),
            (r#"["shop"]"#, Some(&["shop"])),
            (r#"["shop","sh\u006fp","wiki"]"#, Some(&["shop", "shop", "wiki"])),
            ("[]", Some(&[])),
            (&many(16), Some(&["a"; 16])),
            (&many(17), None),
            (&long, Some(&[name])),
            (&format!("[{long}]"), Some(&[name])),
            (&longer, None),
            (&format!("[{longer}]"), None),
            ("null", None),
            ("1", None),
            ("true", None),
            (r#"{"a":"b"}"#, None),
            (r#"["a",1]"#, None),
            (r#"["a",null]"#, None),
            (r#"[["a"]]"#, None),
            (r#"["a",]"#, None),
            (r#""\ud800""#, None),
        ] {
            let json = format!(r#"{{"aud":{json}}}"#);
            let payload = Payload::parse(json.as_bytes());
            let names: Option<Vec<&str>> = payload.as_ref().map(|payload| {
                payload.aud.as_ref().unwrap().names().iter().map(|name| &**name).collect()
            });
            assert_eq!(names.as_deref(), expected, "{json}");
        }
        assert!(Payload::parse(br#"{"aud":"a","aud":"a"}"#).is_none());
    }

    #[test]
    fn characters_of_a_token_in_a_header() {
        for (token, fine) in
            [("a.b-c_d~e+f/g=", true), ("", false), ("a b", false), ("é", false), ("!", false)]
        {
            assert_eq!(is_b64token(token.as_bytes()), fine, "{token:?}");
        }
    }
}
