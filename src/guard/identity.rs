//! Who is behind a request: the proof that a token was good and its user is there and active.

use super::{Claims, Roles, Tokens, bearer};
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
    let mut headers = request.headers("authorization");
    match (headers.next(), headers.next()) {
        (None, _) => request.cookie("access_token").ok_or(Error::MissingToken),
        (Some(header), None) => bearer(header),
        (Some(_), Some(_)) => Err(Error::InvalidTokenHeader),
    }
}
