//! `GET /api/verify`: forward-auth. A proxy asks it about every request for an app that has no
//! login of its own (`auth_request` of nginx, which takes 200, 401 and 403 for an answer).
//!
//! The proxy passes on the header fields of the request in question; the answer is the identity
//! that the app may believe, or a refusal ([`admission`](super::admission)).

use std::borrow::Cow;

use lictor_engine::http::percent::encoded;

use super::admission::{Refused, admit};
use crate::app::{Call, IDENTITY, Wanted};
use crate::error::Error;
use crate::guard::Identity;
use crate::http::{HeaderFields, Response};
use crate::login;

/// What tells programs such as CalDAV clients and git to send a name and an app password.
const BASIC: &str = "Basic realm=\"lictor\", charset=\"UTF-8\"";

/// The bytes of a name that are not percent-encoded, besides letters and digits. An app decodes it as part
/// of a URL. The plus sign is encoded, and a name holds no space, so it does not matter whether the app
/// takes `+` for a space.
const KEPT: &[u8] = b"-._~@";

pub(super) fn get(call: &Call<'_>, who: Result<Identity, Error>) -> Result<Response, Error> {
    let answered = call.wanted().map_err(Refused::from);
    let answered = answered.and_then(|wanted| answer(call, &wanted, who));
    answered.or_else(|refused| challenge(call, refused.error))
}

/// Returns the answer to a request that is let through. It always has all fields, so that the proxy
/// replaces what the client may have sent.
pub(super) fn answer(
    call: &Call<'_>,
    wanted: &Wanted<'_>,
    who: Result<Identity, Error>,
) -> Result<Response, Refused> {
    let user = admit(call, wanted, who)?;
    let fields = match &user {
        Some(user) => identity(user),
        None => HeaderFields::new(&IDENTITY, &[""; IDENTITY.len()]),
    };
    // All values are ASCII; if one were not, nobody would be let through.
    let fields = fields.ok_or_else(|| Error::Internal("the identity cannot be sent".into()))?;
    Ok(Response::empty(200).with("Cache-Control", "no-store").with_fields(fields))
}

/// Returns the fields with a user's identity.
fn identity(user: &Identity) -> Option<HeaderFields> {
    let name = &*encoded(user.name(), KEPT);
    let roles = user.roles().as_str();
    let email = user.email().unwrap_or_default();
    // An address with a percent sign is encoded as well, or it could be read as another one's code.
    let plain = email.is_ascii() && !email.contains('%');
    let email = if plain { Cow::Borrowed(email) } else { encoded(email, KEPT) };
    let id = user.id().to_string();
    HeaderFields::new(&IDENTITY, &[name, &id, roles, name, name, &email, roles, name])
}

/// Returns the answer to a request that is refused. A program is told that it may send a name and an app
/// password; a browser would ask the person for them.
pub(super) fn challenge(call: &Call<'_>, error: Error) -> Result<Response, Error> {
    let request = call.request;
    let browser = request.header("sec-fetch-mode").is_some() || call.takes_page();
    if error.kind().status != 401 || browser {
        return Err(error);
    }
    let response = Response::from(&error).with("WWW-Authenticate", BASIC);
    Ok(match error {
        Error::SessionEnded => login::cookie::taken_back(call, response),
        _ => response,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HeaderValue;

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
            assert_eq!(encoded(name, KEPT), expected);
            assert!(HeaderValue::new(expected).is_some(), "{name:?}");
        }
    }
}
