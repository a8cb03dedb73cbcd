//! Who is behind a request: the proof that a token was good, its session is open and its user is
//! there and active.

use super::{Claims, Tokens};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::Request;
use crate::store::{
    Actor, Authority, ClientInfo, Entry, Event, NewSession, Person, Proof, Standing, Store,
};
use crate::values::Roles;

/// The role that may administrate.
const ADMIN: &str = "admin";

/// Bytes of the name of a session that is adopted.
const MAX_JTI: usize = 64;

/// Somebody whose token was checked for this request. Only the guard can make one, so a handler
/// that takes it cannot be reached without.
#[derive(Debug, Clone)]
pub struct Identity {
    id: i64,
    name: String,
    roles: Roles,
    session: String,
    began: Timestamp,
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

    /// The session that the token belongs to: its `jti` claim.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// When the session began: the login, or the `iat` of a token that was adopted.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// Their authority over their own account, for the transaction that writes; `proof` is what
    /// they have shown besides the token.
    pub(crate) fn authority<'a>(&'a self, proof: Option<Proof<'a>>) -> Authority<'a> {
        let since = Timestamp(i64::MIN);
        Authority::User { id: self.id, session: &self.session, since, proof }
    }

    /// The same without a proof, for what wants a login that is not older than `since`.
    pub(crate) fn recent_authority(&self, since: Timestamp) -> Authority<'_> {
        Authority::User { id: self.id, session: &self.session, since, proof: None }
    }
}

/// Somebody who may administrate, by the roles that the store has now.
#[derive(Debug, Clone)]
pub struct Admin(Identity);

impl Admin {
    pub(crate) fn of(identity: Identity) -> Result<Admin, Error> {
        if Admin::is_role_of(&identity.roles) {
            Ok(Admin(identity))
        } else {
            Err(Error::MissingRole(ADMIN.into()))
        }
    }

    /// Whether somebody with these roles may administrate.
    pub(crate) fn is_role_of(roles: &Roles) -> bool {
        roles.iter().any(|role| role == ADMIN)
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.0
    }

    /// Their authority, for the transaction that writes. The login must not be older than `since`.
    pub(crate) fn authority(&self, since: Timestamp) -> Authority<'_> {
        Authority::Admin { id: self.0.id, session: &self.0.session, since }
    }
}

/// What tokens and sessions are checked with.
pub(crate) struct TokenCheck<'a> {
    pub(crate) tokens: &'a Tokens,
    pub(crate) store: &'a Store,
    /// Tokens of another program with the same secret are taken, as coming from there.
    pub(crate) adopt: Option<ClientInfo<'a>>,
    pub(crate) now: Timestamp,
}

impl TokenCheck<'_> {
    /// Checks the request's token, its session and its user.
    pub(crate) fn identity(&self, request: &Request<'_>) -> Result<Identity, Error> {
        self.behind(self.tokens.access(token(request)?, self.now)?)
    }

    /// The user that a token's claims name, if their session is open.
    pub(crate) fn behind(&self, claims: Claims) -> Result<Identity, Error> {
        let standing = self.store.standing(&claims.jti)?;
        let known = standing.is_some();
        let (Person { id, name, roles, active }, began) = match standing {
            Some(Standing { person, ended: false, began }) if person.id == claims.id => {
                (person, began)
            }
            _ => self.stranger(&claims, known)?,
        };
        if !active {
            return Err(Error::InactiveUser);
        }
        Ok(Identity { id, name, roles, session: claims.jti, began })
    }

    /// The user of a token without an open session, if the token is one of another program that is
    /// taken, and when it was issued; else the error that says what is wrong.
    fn stranger(&self, claims: &Claims, known: bool) -> Result<(Person, Timestamp), Error> {
        let person = self.store.person(claims.id)?.ok_or(Error::MissingUser)?;
        if !person.active {
            return Err(Error::InactiveUser);
        }
        let adopt = self.adopt.filter(|_| !known && can_name_a_session(&claims.jti));
        let Some(origin) = adopt else { return Err(Error::Revoked) };
        let issued = claims.iat.ok_or(Error::MissingClaim("iat"))?;
        // As long as the token could come back, it must be known when it has ended.
        let expires = claims.rf_exp.max(claims.exp);
        let opening = NewSession { jti: &claims.jti, issued, expires, origin, notice: false };
        let actor = Actor::User(origin.ip);
        let adopted = Entry::new(Event::TokenAdopted, person.id, &person.name, actor);
        if self.store.adopt(person.id, &opening, &adopted, self.now)? {
            return Ok((person, issued));
        }
        // Another request with the same token may have been faster.
        match self.store.standing(&claims.jti)? {
            Some(Standing { person, ended: false, began }) if person.id == claims.id => {
                Ok((person, began))
            }
            _ => Err(Error::Revoked),
        }
    }
}

/// Whether a session can be called so in a URL. flask-praetorian's are UUIDs.
fn can_name_a_session(jti: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (1..=MAX_JTI).contains(&jti.len()) && jti.bytes().all(fine)
}

/// The token in the `Authorization` header, or else in the cookie where nothing is changed: a
/// browser may send it along with what a page of another site asks for.
fn token<'a>(request: &Request<'a>) -> Result<&'a [u8], Error> {
    match bearer(request)? {
        Some(token) => Ok(token),
        None if matches!(request.method, "GET" | "HEAD") => {
            request.cookie("access_token").ok_or(Error::MissingToken)
        }
        None => Err(Error::MissingBearer),
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
