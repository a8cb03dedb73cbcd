//! `GET /api/verify`: forward-auth. A proxy asks it about every request for an app that has no
//! login of its own (`auth_request` of nginx, `forward_auth` of Caddy, `forwardAuth` of Traefik).
//!
//! The proxy passes on the header fields of the request in question; the answer is the identity
//! that the app may believe, or a refusal. All proxies are answered alike, and nothing that a
//! client says of its request (`X-Forwarded-Method`, `X-Original-URI`) counts. When in doubt the
//! answer is a refusal, since the proxy lets a request through that is answered 2xx.

use std::fmt::Write as _;

use super::query::percent_decoded;
use crate::app::Call;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::{HeaderValue, Request, Response};
use crate::values::{Role, Roles};

/// The name, percent-encoded; the id; the roles, joined by commas.
const FIELDS: [&str; 3] = ["X-Auth-User", "X-Auth-Id", "X-Auth-Roles"];

/// The answer always has all three fields, so that the proxy replaces what the client may have sent.
pub(super) fn get(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    not_forged(call.request)?;
    let required = roles(call.request.query)?;
    if !required.iter().all(|role| identity.roles().contains(role)) {
        let required: Vec<&str> = required.iter().map(Role::as_str).collect();
        return Err(Error::MissingRole(required.join(", ")));
    }
    let values = [
        percent_encoded(identity.name()),
        identity.id().to_string(),
        identity.roles().as_str().to_owned(),
    ];
    let response = Response::empty(200).with("Cache-Control", "no-store");
    FIELDS.into_iter().zip(values).try_fold(response, |response, (name, value)| {
        // All values are ASCII; if one were not, nobody would be let through.
        let value = HeaderValue::new(value)
            .ok_or_else(|| Error::Internal(format!("{name} cannot be sent").into()))?;
        Ok(response.with_value(name, value))
    })
}

/// Refuses a request in which the client says who it is. A proxy overwrites these fields or takes
/// them away before it asks; one that does neither must not carry them to the app. Many apps read
/// `X_Auth_User` and `X.Auth.User` as the same field (CGI, WSGI and PHP make one variable of
/// them), which hardly any proxy does.
fn not_forged(request: &Request<'_>) -> Result<(), Error> {
    let forged = request.names().find(|name| FIELDS.iter().any(|field| passes_for(name, field)));
    match forged {
        Some(_) => Err(Error::BadRequest(format!(
            "{} come from this server only; the request must not bring any",
            FIELDS.join(", ")
        ))),
        None => Ok(()),
    }
}

/// Whether two names are the same but for case and for characters that are no letter or digit.
fn passes_for(name: &str, field: &str) -> bool {
    let folded =
        |byte: u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    name.len() == field.len() && name.bytes().map(folded).eq(field.bytes().map(folded))
}

/// Returns the roles that the query asks for: `role=ROLE`, several joined by `&`, all of which the
/// user must have. So each addition makes a query stricter. Anything else in it is refused: a
/// condition that is misspelt must not be ignored.
fn roles(query: Option<&str>) -> Result<Vec<Role>, Error> {
    let malformed = || {
        Error::BadRequest(format!(
            "The query may hold nothing but role=ROLE, at most {} times",
            Roles::MAX
        ))
    };
    let Some(query) = query else { return Ok(Vec::new()) };
    // Nobody has more roles than that.
    if query.split('&').count() > Roles::MAX {
        return Err(malformed());
    }
    query.split('&').map(role).collect::<Option<_>>().ok_or_else(malformed)
}

fn role(pair: &str) -> Option<Role> {
    // A plus sign is no space here.
    Role::parse(&percent_decoded(pair.strip_prefix("role=")?)?).ok()
}

/// Returns a name for a header field: UTF-8, everything but letters, digits and `-._~@`
/// percent-encoded. An app decodes it as part of a URL. The plus sign is encoded too, and a name
/// holds no space, so it does not matter whether the app takes `+` for a space.
fn percent_encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Header;

    #[test]
    fn queries() {
        let check = |query: &str, expected: Option<&[&str]>| {
            let target = format!("/api/verify{query}");
            let found = roles(Request::new("GET", &target, &[]).query);
            let found = found.as_ref().ok();
            let found = found.map(|roles| roles.iter().map(Role::as_str).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expected, "{query:?}");
        };
        let many = |n: usize| vec!["role=a"; n].join("&");
        check("", Some(&[]));
        check("?role=admin", Some(&["admin"]));
        check("?role=a&role=b", Some(&["a", "b"]));
        check("?role=a&role=a", Some(&["a", "a"]));
        check("?role=%61dmin", Some(&["admin"]));
        check("?role=team:x_y.z-0", Some(&["team:x_y.z-0"]));
        check("?role=team%3ax%2Dy", Some(&["team:x-y"]));
        check(&format!("?{}", many(16)), Some(&["a"; 16]));
        check(&format!("?role={}", "x".repeat(64)), Some(&["x".repeat(64).as_str()]));
        for bad in [
            "?",
            "?&",
            "?role",
            "?role=",
            "?=admin",
            "?admin",
            "?roles=admin",
            "?Role=admin",
            "?ROLE=admin",
            "?r%6Fle=admin",
            "?role%3Dadmin",
            "?role[]=admin",
            "?role=admin&",
            "?&role=admin",
            "?role=a&&role=b",
            "?role=a&other=b",
            "?other=b&role=a",
            "?role=a;role=b",
            "?role=a,b",
            "?role=a%2Cb",
            "?role=a%26role=b",
            "?role=a=b",
            "?role=a?role=b",
            "?role=a b",
            "?role=a+b",
            "?role=+admin",
            "?role=%20admin",
            "?role=admin%0A",
            "?role=admin%00",
            "?role=%E9",
            "?role=%C3%A9",
            "?role=%",
            "?role=admin%",
            "?role=admin%6",
            "?role=%+1dmin",
            "?role=%-1dmin",
            "?role=%gg",
            "?role=%2561dmin",
            "?role=*",
            "?role=\"admin\"",
            &format!("?{}", many(17)),
            &format!("?role={}", "x".repeat(65)),
            &format!("?{}", "&".repeat(8000)),
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn names_in_a_header_field() {
        for (name, expected) in [
            ("ada", "ada"),
            ("Ada.L-o_v~e@example.org", "Ada.L-o_v~e@example.org"),
            ("Jürgen", "J%C3%BCrgen"),
            ("阿達", "%E9%98%BF%E9%81%94"),
            ("a+b", "a%2Bb"),
            ("100%", "100%25"),
            ("a%2Bb", "a%252Bb"),
            ("a,b;c=\"d\"", "a%2Cb%3Bc%3D%22d%22"),
            ("a\r\nX-Auth-Roles: admin", "a%0D%0AX-Auth-Roles%3A%20admin"),
        ] {
            assert_eq!(percent_encoded(name), expected);
            assert!(HeaderValue::new(percent_encoded(name)).is_some(), "{name:?}");
        }
    }

    #[test]
    fn requests_that_bring_an_identity_are_refused() {
        let check = |name: &str, forged: bool| {
            let headers = [
                Header { name: "Authorization", value: b"Bearer x" },
                Header { name, value: b"root" },
            ];
            let request = Request::new("GET", "/api/verify", &headers);
            assert_eq!(not_forged(&request).is_err(), forged, "{name:?}");
        };
        for name in [
            "X-Auth-User",
            "x-auth-id",
            "X-AUTH-ROLES",
            "X_Auth_User",
            "X-Auth_User",
            "X.Auth.Id",
            "X~Auth!Roles",
        ] {
            check(name, true);
        }
        for name in ["X-Auth-Token", "X-Auth-Users", "XAuth-User", "X-Auth--Id", "Auth-User", "X"] {
            check(name, false);
        }
    }
}
