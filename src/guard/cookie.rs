//! The cookie of a browser session: its value, which names the session and proves that this server
//! has given it out. Knows no request, no store and no clock.
//!
//! A value is `base64url(MAC).jti`; the MAC key is derived from a key of the ring. So it is no JWT,
//! and can neither be a bearer token nor be refreshed. The server keeps no copy: a value is good as
//! long as its session is.

use hmac::Mac as _;
use lictor_engine::jwt::begins_hmac_of;

use super::derived::{DerivedKey, derive};
use super::token::base64url;
use crate::error::Error;
use crate::keys::Keys;

/// The MAC key is the HMAC of this text under a key of the ring. No token begins with it.
const PURPOSE: &[u8] = b"lictor session cookie";

/// Bytes of the MAC: half an HMAC-SHA-256, as RFC 2104 section 5 allows.
const MAC: usize = 16;
/// Characters of the MAC.
const MAC_TEXT: usize = (MAC * 4).div_ceil(3);
/// Maximum length of a session's `jti`, in bytes; ours have 36, adopted ones at most 64.
const MAX_JTI: usize = 64;
/// Maximum number of cookies of one request whose MAC is computed. Pages of sibling domains can set
/// cookies of our name.
const MAX_READ: usize = 8;

/// The session cookies that a request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShownCookie<'r> {
    /// None.
    Missing,
    /// None that this server has made.
    Forged,
    /// One, of the session with this `jti`.
    Of(&'r str),
    /// Two of different sessions, or more than are looked at. Somebody else may have set one of them,
    /// so none counts.
    Several,
}

/// Makes and reads values, with keys that are derived from the ring.
pub struct CookieKeys(Vec<DerivedKey>);

impl CookieKeys {
    /// Derives the keys. The newest key of the ring signs; all of them verify.
    pub fn new(keys: &Keys) -> Result<CookieKeys, Error> {
        derive(keys, PURPOSE).map(CookieKeys)
    }

    /// Returns the value for a session. A ring is never empty, so there is a first key.
    pub fn write(&self, jti: &str) -> Option<String> {
        let mac = self.0.first()?.clone().chain_update(jti).finalize().into_bytes();
        Some(base64url::encode(&mac[..MAC]) + "." + jti)
    }

    /// Returns the `jti` of a value that [`CookieKeys::write`] has made.
    pub fn read<'r>(&self, value: &'r [u8]) -> Option<&'r str> {
        let (mac, jti) = value.split_at_checked(MAC_TEXT)?;
        let jti = std::str::from_utf8(jti.strip_prefix(b".")?).ok()?;
        if !(1..=MAX_JTI).contains(&jti.len()) {
            return None;
        }
        let mac = base64url::Signature::decode(mac).ok()?;
        let verify = |key: &DerivedKey| begins_hmac_of(key, jti.as_bytes(), mac.bytes());
        self.0.iter().any(verify).then_some(jti)
    }

    /// Reads the cookies of a request. Those with a wrong MAC do not hide one with a right one.
    pub(crate) fn read_all<'r>(
        &self,
        mut values: impl Iterator<Item = &'r [u8]>,
    ) -> ShownCookie<'r> {
        let mut shown = ShownCookie::Missing;
        for value in values.by_ref().take(MAX_READ) {
            shown = match (shown, self.read(value)) {
                (ShownCookie::Of(one), Some(other)) if one != other => {
                    return ShownCookie::Several;
                }
                (_, Some(jti)) => ShownCookie::Of(jti),
                (ShownCookie::Missing, None) => ShownCookie::Forged,
                (shown, None) => shown,
            };
        }
        // Any of the rest may be a good one.
        if values.next().is_some() { ShownCookie::Several } else { shown }
    }

    /// Returns the sessions of all good cookies that are looked at, for ending them.
    pub(crate) fn sessions<'r>(&self, values: impl Iterator<Item = &'r [u8]>) -> Vec<&'r str> {
        values.take(MAX_READ).filter_map(|value| self.read(value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::keys::{Algorithm, Secret};

    const JTI: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

    fn ring(byte: u8) -> Keys {
        Keys::from(Secret::new([byte; 32]).unwrap())
    }

    fn keys(byte: u8) -> CookieKeys {
        CookieKeys::new(&ring(byte)).unwrap()
    }

    #[test]
    fn a_value_names_its_session_and_no_other() {
        let ours = keys(1);
        for jti in [JTI, "a", "a.b.c", &"x".repeat(MAX_JTI)] {
            let good = ours.write(jti).unwrap();
            assert_eq!(ours.read(good.as_bytes()), Some(jti));
            assert_eq!(keys(2).read(good.as_bytes()), None);
            for at in 0..good.len() {
                let mut bytes = good.clone().into_bytes();
                bytes[at] ^= 1;
                assert_eq!(ours.read(&bytes), None, "{jti}, byte {at}");
            }
        }
        let good = ours.write(JTI).unwrap();
        let (mac, _) = good.split_once('.').unwrap();
        for bad in [
            "",
            ".",
            JTI,
            mac,
            &format!("{mac}."),
            &format!("{}.{JTI}", &mac[1..]),
            &format!(".{JTI}"),
            &format!("{good}x"),
            &format!("{mac}=.{JTI}"),
            &ours.write(&"x".repeat(MAX_JTI + 1)).unwrap(),
            &ours.write("").unwrap(),
            &"\u{e4}".repeat(40),
        ] {
            assert_eq!(ours.read(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(ours.read(&[0xff; 60]), None);
    }

    #[test]
    fn a_cookie_that_somebody_else_has_set_does_not_count() {
        use ShownCookie::{Forged, Missing, Of, Several};
        let ours = keys(1);
        let [good, other] = [JTI, "other"].map(|jti| ours.write(jti).unwrap());
        let (good, other) = (good.as_str(), other.as_str());
        let check = |values: &[&str], expected: ShownCookie<'_>| {
            let found = ours.read_all(values.iter().map(|value| value.as_bytes()));
            assert_eq!(found, expected, "{values:?}");
        };
        check(&[], Missing);
        check(&["x"], Forged);
        check(&["x", "", "y"], Forged);
        check(&[good], Of(JTI));
        check(&["x", good, "y"], Of(JTI));
        check(&[good, good], Of(JTI));
        check(&[good, other], Several);
        check(&["x", other, "x", good], Several);
        let mut many = vec!["x"; MAX_READ - 1];
        many.push(good);
        check(&many, Of(JTI));
        check(&["x"; MAX_READ], Forged);
        // The one that is not looked at, the other one or none.
        for ninth in [good, other, "x"] {
            check(&[&many[..], &[ninth]].concat(), Several);
        }
        check(&["x"; MAX_READ + 1], Several);

        let sessions = |values: &[&str]| {
            ours.sessions(values.iter().map(|value| value.as_bytes()))
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(sessions(&["x", other, "", good]), ["other", JTI]);
        assert_eq!(sessions(&["x"; 3]), Vec::<String>::new());
        many.push(other);
        assert_eq!(sessions(&many), [JTI]);
    }

    #[test]
    fn a_value_outlives_key_rotations_until_its_key_is_retired() {
        for algorithm in [Algorithm::Hs256, Algorithm::EdDsa] {
            let old = ring(1);
            let key = old.iter().next().unwrap().clone();
            let both = old.clone().with_new(algorithm, Timestamp(1_800_000_000)).unwrap();
            let alone = both.clone().without(&key).unwrap();
            let [old, both, alone] = [old, both, alone].map(|ring| CookieKeys::new(&ring).unwrap());
            let [before, after] = [&old, &both].map(|keys| keys.write(JTI).unwrap());
            assert_eq!(both.read(before.as_bytes()), Some(JTI));
            assert_eq!(alone.read(before.as_bytes()), None);
            assert_eq!(alone.read(after.as_bytes()), Some(JTI));
            assert_eq!(old.read(after.as_bytes()), None);
        }
    }
}
