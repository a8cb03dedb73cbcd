//! Who is behind a request: the proof that a token was good and its user is there and active.

use super::{Claims, Roles, Tokens};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::Request;
use crate::store::{Person, Store};

/// Somebody whose token was checked for this request. Only the guard can make one, so a handler
/// that takes it cannot be reached without.
#[derive(Debug, Clone)]
pub struct Identity {
    id: i64,
    name: String,
    roles: Roles,
}

impl Identity {
    /// The user's id; never given to anybody else, even after deletion.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The user's name, as the user wrote it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user's roles, as the store has them now; what the token says of them does not count.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Checks the request's token, then its user.
    pub(crate) fn of(
        request: &Request<'_>,
        tokens: &Tokens,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Identity, Error> {
        let claims = tokens.access(token(request)?, now)?;
        Identity::behind(&claims, store)
    }

    /// The user that a token's claims name.
    pub(crate) fn behind(claims: &Claims, store: &dyn Store) -> Result<Identity, Error> {
        let Person { id, name, roles, active } =
            store.person(claims.id)?.ok_or(Error::MissingUser)?;
        if !active {
            return Err(Error::InactiveUser);
        }
        Ok(Identity { id, name, roles })
    }
}

/// The token in the `Authorization` header, or else in the cookie.
fn token<'a>(request: &Request<'a>) -> Result<&'a [u8], Error> {
    match bearer(request)? {
        Some(token) => Ok(token),
        None => request.cookie("access_token").ok_or(Error::MissingToken),
    }
}

/// The token in the one `Authorization` header, which must be `Bearer <token>` (RFC 6750 section
/// 2.1); `None` without such a header.
pub fn bearer<'a>(request: &Request<'a>) -> Result<Option<&'a [u8]>, Error> {
    let mut headers = request.headers("authorization");
    let header = match (headers.next(), headers.next()) {
        (None, _) => return Ok(None),
        (Some(header), None) => header,
        (Some(_), Some(_)) => return Err(Error::InvalidTokenHeader),
    };
    match header.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"Bearer ") => {
            let token = token.trim_ascii();
            let good = !token.is_empty() && token.iter().all(|&b| B64TOKEN[usize::from(b)]);
            if good { Ok(Some(token)) } else { Err(Error::InvalidTokenHeader) }
        }
        _ => Err(Error::InvalidTokenHeader),
    }
}

/// The characters of the token in the header (RFC 6750 section 2.1, `b64token`).
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
    use crate::http::Header;

    #[test]
    fn authorization_headers() {
        let check = |lines: &[&str], expected: Result<Option<&str>, ()>| {
            let header =
                |line: &&'static str| Header { name: "Authorization", value: line.as_bytes() };
            let lines: Vec<&'static str> = lines.iter().map(|l| &*l.to_string().leak()).collect();
            let headers: Vec<_> = lines.iter().map(header).collect();
            let found = bearer(&Request::new("GET", "/", &headers)).map_err(drop);
            assert_eq!(found, expected.map(|token| token.map(str::as_bytes)), "{lines:?}");
        };
        check(&[], Ok(None));
        check(&["Bearer a.b-c_d"], Ok(Some("a.b-c_d")));
        check(&["bearer a"], Ok(Some("a")));
        check(&["Bearer  a"], Ok(Some("a")));
        for bad in [
            "Bearer",
            "Bearer ",
            "Bearera",
            "Basic YTpi",
            "Bearer a b",
            "Bearer é",
            "Bearer !?",
            "",
        ] {
            check(&[bad], Err(()));
        }
        check(&["Bearer a", "Bearer a"], Err(()));
    }
}
