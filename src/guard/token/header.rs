//! A token's header: which key it may be verified with. Of all that can stand in it, `alg`, `kid`,
//! `typ` and `crit` count; a key, or where to find one (`jwk`, `jku`, `x5c`, `x5u`), never does.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Mailed;
use super::claims::{object, present};
use super::key::Verifier;
use crate::error::Error;
use crate::keys::Algorithm;

#[derive(Deserialize)]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    kid: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    typ: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

impl Header<'_> {
    pub(super) fn read(json: &[u8]) -> Result<Header<'_>, Error> {
        let header: Header<'_> =
            object(json).ok_or(Error::InvalidToken("the header is malformed"))?;
        if header.typ.as_ref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"))
            && header.mailed().is_none()
        {
            return Err(Error::InvalidToken("the token's type is not JWT"));
        }
        if header.crit.is_some() {
            return Err(Error::InvalidToken("the token asks for an extension"));
        }
        Ok(header)
    }

    /// What the token was mailed for, if its type says so. Only the keys for mailed tokens may
    /// verify it then, and without such a type only the others.
    pub(super) fn mailed(&self) -> Option<Mailed> {
        let typ = self.typ.as_deref()?;
        [Mailed::Registration, Mailed::Reset].into_iter().find(|purpose| purpose.typ() == typ)
    }

    /// Whether this key may be tried. A token that names a key is verified with that one and no
    /// other. One that names none, as flask-praetorian's, is from an HS256 key: our others always
    /// name themselves.
    pub(super) fn fits(&self, key: &Verifier) -> bool {
        let named = match &self.kid {
            Some(kid) => kid == key.kid(),
            None => key.algorithm() == Algorithm::Hs256 && self.mailed().is_none(),
        };
        named && self.alg == key.algorithm().name()
    }
}
