//! The codes of invitations that are mailed. The outbox holds none: each attempt to send the mail
//! derives the code from the mail's row, so that all attempts have the same one. Knows no store.

use hmac::Mac as _;

use super::derived::{DerivedKey, derive};
use crate::error::Error;
use crate::keys::Keys;
use crate::values::Code;

/// The key is the HMAC of this text under a key of the ring. No token begins with it.
const PURPOSE: &[u8] = b"lictor invitation";

/// Derives codes, with keys that are derived from the ring.
pub struct InvitationKeys(Vec<DerivedKey>);

impl InvitationKeys {
    /// Derives the keys.
    pub fn new(keys: &Keys) -> Result<InvitationKeys, Error> {
        derive(keys, PURPOSE).map(InvitationKeys)
    }

    /// Returns the code of the invitation whose mail has this random `jti`, by the newest key. A ring
    /// is never empty, so there is one.
    pub fn code(&self, jti: &str) -> Option<Code> {
        self.codes(jti).next()
    }

    /// Returns the code with this name, by whichever key it was made; `None` if the ring no longer has
    /// that key.
    #[cfg(any(test, feature = "mail"))]
    pub fn named(&self, jti: &str, name: &str) -> Option<Code> {
        self.codes(jti).find(|code| code.hash().name() == name)
    }

    fn codes(&self, jti: &str) -> impl Iterator<Item = Code> {
        self.0.iter().map(move |key| {
            let mac = key.clone().chain_update(jti).finalize().into_bytes();
            Code::derived(&mac.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Secret;

    #[test]
    fn a_code_is_the_same_at_each_attempt_as_long_as_its_key_is_there() {
        let keys =
            |byte| InvitationKeys::new(&Keys::from(Secret::new([byte; 32]).unwrap())).unwrap();
        let (one, other) = (keys(1), keys(2));
        let code = one.code("jti").unwrap();
        let name = code.hash().name();
        assert_eq!(code.hash(), keys(1).named("jti", &name).unwrap().hash());
        assert_eq!(Code::typed(&code.shown()).unwrap().hash(), code.hash());
        assert!(other.named("jti", &name).is_none(), "another key");
        assert!(one.named("other", &name).is_none(), "another mail");
        let rotated = InvitationKeys([other.0, one.0].concat());
        assert_eq!(rotated.named("jti", &name).unwrap().hash(), code.hash());
        assert_ne!(rotated.code("jti").unwrap().hash(), code.hash());
    }
}
