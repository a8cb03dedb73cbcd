//! The header of a token, which selects the keys that may verify it. Only `alg`, `kid`, `typ` and
//! `crit` count; a key in the header, or the place of one (`jwk`, `jku`, `x5c`, `x5u`), never does.

use std::borrow::Cow;

use lictor_engine::jwt::{object, present};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::key::Verifier;
use super::purpose::MailPurpose;
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
    /// Parses a header.
    pub(super) fn parse(json: &[u8]) -> Result<Header<'_>, Error> {
        let header: Header<'_> =
            object(json).ok_or(Error::InvalidToken("the header is malformed"))?;
        if header.typ.as_ref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"))
            && header.purpose().is_none()
        {
            return Err(Error::InvalidToken("the token's type is not JWT"));
        }
        if header.crit.is_some() {
            return Err(Error::InvalidToken("the token asks for an extension"));
        }
        Ok(header)
    }

    /// Returns the purpose of a mailed token, if the type names one. Only the keys for mailed
    /// tokens may verify such a token, and only the keys of the ring any other.
    pub(super) fn purpose(&self) -> Option<MailPurpose> {
        let typ = self.typ.as_deref()?;
        [MailPurpose::Registration, MailPurpose::Reset]
            .into_iter()
            .find(|purpose| purpose.typ() == typ)
    }

    /// Returns whether this key may verify the token. A token that names a key is verified with
    /// that key only. A token without a key id, as flask-praetorian writes it, comes from an HS256
    /// key: tokens of our other keys always have a key id.
    pub(super) fn fits(&self, key: &Verifier) -> bool {
        match &self.kid {
            Some(kid) => kid == key.kid() && self.alg == key.algorithm().name(),
            None => key.algorithm() == Algorithm::Hs256 && self.is_foreign(),
        }
    }

    /// Returns whether another program may have written the token: HS256, no key id, no purpose.
    pub(super) fn is_foreign(&self) -> bool {
        self.kid.is_none() && self.alg == Algorithm::Hs256.name() && self.purpose().is_none()
    }
}
