//! The user behind a request: the proof that the token is valid, its session is open, and its user
//! exists and is active.

use lictor_engine::jwt::is_b64token;

use super::{Claims, Tokens};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::Request;
use crate::store::{
    Actor, Authority, ClientInfo, Entry, Event, NewSession, Person, Proof, Standing, Store,
};
use crate::values::{Role, Roles};

/// The role of administrators.
const ADMIN: &str = "admin";

/// Maximum length of the `jti` of a token that is adopted, in bytes.
const MAX_JTI: usize = 64;

/// The user of this request, whose token was checked. Only the guard can make one, so a handler
/// that takes it runs only after the check.
#[derive(Debug, Clone)]
pub struct Identity {
    id: i64,
    name: String,
    roles: Roles,
    session: String,
    began: Timestamp,
    second_factor: Option<bool>,
}

impl Identity {
    /// Returns the user's id. No other user ever gets it, even after deletion.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Returns the user's name, as the user wrote it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the user's roles, as the store has them now. Those in the token do not count.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Returns the id of the token's session: its `jti` claim.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Returns when the session began: the time of the login, or the `iat` of an adopted token.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// Returns whether the user has a confirmed second factor; `None` if the check of the token did
    /// not ask.
    pub(crate) fn second_factor(&self) -> Option<bool> {
        self.second_factor
    }

    /// Returns [`Error::MissingRole`], which is answered 403, unless the user has the role. For
    /// routes of another server; on routes of yours a [`Handler::role`](crate::Handler::role) does
    /// the same.
    pub fn require_role(&self, role: &Role) -> Result<(), Error> {
        self.require(role.as_str())
    }

    /// Returns the user of a valid token whose session the store has found, or the reason why it is
    /// refused. Gives the claims back if the store must be asked further: the session is not known,
    /// or is another user's.
    pub(crate) fn of(
        claims: Claims,
        standing: Option<Standing>,
    ) -> Result<Result<Identity, Error>, Claims> {
        let Some(Standing { person, ended, began, second_factor }) = standing else {
            return Err(claims);
        };
        if person.id != claims.id {
            return Err(claims);
        }
        if ended && person.active {
            return Ok(Err(Error::Revoked));
        }
        let user = Identity::active(person, claims, began);
        Ok(user.map(|user| Identity { second_factor, ..user }))
    }

    fn active(person: Person, claims: Claims, began: Timestamp) -> Result<Identity, Error> {
        let Person { id, name, roles, active } = person;
        match active {
            true => {
                Ok(Identity { id, name, roles, session: claims.jti, began, second_factor: None })
            }
            false => Err(Error::InactiveUser),
        }
    }

    fn require(&self, role: &str) -> Result<(), Error> {
        match self.roles.iter().any(|one| one == role) {
            true => Ok(()),
            false => Err(Error::MissingRole(role.into())),
        }
    }

    /// Returns the user's authority over the own account, for the transaction that writes. `proof`
    /// is what the user has shown besides the token.
    pub(crate) fn authority<'a>(&'a self, proof: Option<Proof<'a>>) -> Authority<'a> {
        let since = Timestamp(i64::MIN);
        Authority::User { id: self.id, session: &self.session, since, proof }
    }

    /// Returns the same without a proof, for a change that needs a login at `since` or later.
    pub(crate) fn recent_authority(&self, since: Timestamp) -> Authority<'_> {
        Authority::User { id: self.id, session: &self.session, since, proof: None }
    }
}

/// An administrator, by the roles that the store has now.
#[derive(Debug, Clone)]
pub struct Admin(Identity);

impl Admin {
    /// Returns an error unless the user has the role `admin`.
    pub(crate) fn of(identity: Identity) -> Result<Admin, Error> {
        identity.require(ADMIN)?;
        Ok(Admin(identity))
    }

    /// Returns whether a user with these roles is an administrator.
    pub(crate) fn is_role_of(roles: &Roles) -> bool {
        roles.iter().any(|role| role == ADMIN)
    }

    /// Returns the administrator as a user.
    pub fn identity(&self) -> &Identity {
        &self.0
    }

    /// Returns the administrator's authority, for the transaction that writes. It needs a login at
    /// `since` or later.
    pub(crate) fn authority(&self, since: Timestamp) -> Authority<'_> {
        Authority::Admin { id: self.0.id, session: &self.0.session, since }
    }
}

/// Checks a token with its session and its user.
pub(crate) struct TokenCheck<'a> {
    pub(crate) tokens: &'a Tokens,
    pub(crate) store: &'a Store,
    /// If present, tokens of another program with the same secret are adopted, with this client.
    pub(crate) adopt: Option<ClientInfo<'a>>,
    pub(crate) now: Timestamp,
}

impl TokenCheck<'_> {
    /// Checks the token of a request that needs access; returns its user.
    pub(crate) fn identity(&self, request: &Request<'_>) -> Result<Identity, Error> {
        self.identify(self.tokens.access_of(request, self.now)?)
    }

    /// Checks the session and the user of a valid token; returns the user.
    pub(crate) fn identify(&self, claims: Claims) -> Result<Identity, Error> {
        let standing = self.store.standing(&claims.jti)?;
        let known = standing.is_some();
        match Identity::of(claims, standing) {
            Ok(checked) => checked,
            Err(claims) => {
                let (person, began) = self.adopt(&claims, known)?;
                Identity::active(person, claims, began)
            }
        }
    }

    /// Begins the session of a token that another program with the same secret has issued; returns
    /// its user and its beginning. Returns the error for any other token without an open session.
    /// `known` tells whether the token's session is in the store.
    fn adopt(&self, claims: &Claims, known: bool) -> Result<(Person, Timestamp), Error> {
        let person = self.store.person(claims.id)?.ok_or(Error::MissingUser)?;
        if !person.active {
            return Err(Error::InactiveUser);
        }
        let origin = self.adopt.filter(|_| !known && is_session_id(&claims.jti));
        let Some(origin) = origin else { return Err(Error::Revoked) };
        let issued = claims.iat.ok_or(Error::MissingClaim("iat"))?;
        // The session is kept until the token's end, so that an ended one is not adopted again.
        let expires = claims.rf_exp.max(claims.exp);
        let session = NewSession { jti: &claims.jti, issued, expires, origin, notice: false };
        let actor = Actor::User(origin.ip);
        let adopted = Entry::new(Event::TokenAdopted, person.id, &person.name, actor);
        if self.store.adopt(person.id, &session, &adopted, self.now)? {
            return Ok((person, issued));
        }
        // Another request with the same token may have adopted it in the meantime.
        match self.store.standing(&claims.jti)? {
            Some(Standing { person, ended: false, began, .. }) if person.id == claims.id => {
                Ok((person, began))
            }
            _ => Err(Error::Revoked),
        }
    }
}

impl Tokens {
    /// Reads the token of a request that needs access now.
    pub(crate) fn access_of(&self, request: &Request<'_>, now: Timestamp) -> Result<Claims, Error> {
        self.access(token(request)?, now)
    }
}

/// Returns whether a `jti` can be a session's id in a URL. Those of flask-praetorian are UUIDs.
fn is_session_id(jti: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (1..=MAX_JTI).contains(&jti.len()) && jti.bytes().all(fine)
}

/// Returns the token of the `Authorization` header, or that of the cookie if the request changes
/// nothing: a browser may send the cookie with a request of another site's page.
fn token<'a>(request: &Request<'a>) -> Result<&'a [u8], Error> {
    match bearer(request)? {
        Some(token) => Ok(token),
        None if matches!(request.method, "GET" | "HEAD") => {
            request.cookie("access_token").ok_or(Error::MissingToken)
        }
        None => Err(Error::MissingBearer),
    }
}

/// Returns the token of the `Authorization` header, which must be `Bearer <token>` (RFC 6750
/// section 2.1); `None` if there is no such header.
pub fn bearer<'a>(request: &Request<'a>) -> Result<Option<&'a [u8]>, Error> {
    let header = match request.single_header("authorization") {
        Ok(Some(header)) => header,
        Ok(None) => return Ok(None),
        Err(_) => return Err(Error::InvalidTokenHeader),
    };
    match header.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"Bearer ") => {
            let token = token.trim_ascii();
            if is_b64token(token) { Ok(Some(token)) } else { Err(Error::InvalidTokenHeader) }
        }
        _ => Err(Error::InvalidTokenHeader),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Header;

    #[test]
    fn authorization_headers_are_read_or_refused() {
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
