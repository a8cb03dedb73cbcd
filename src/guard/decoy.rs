//! Which account's hash stands in for that of a name that nobody has. Hashes of other programs take
//! longer or shorter than ours: so a login with an unknown name takes as long as one to some
//! account, always the same one, and its time does not tell that the name is unknown. Knows no store.

use hmac::Mac as _;

use super::derived::{DerivedKey, derive};
use super::known::canonical;
use crate::error::Error;
use crate::keys::Keys;

/// The key is the HMAC of this text under a key of the ring. No token begins with it.
const PURPOSE: &[u8] = b"lictor decoy of an unknown name";

/// Chooses decoys, with a key that is derived from the newest key of the ring.
pub struct Decoys(DerivedKey);

impl Decoys {
    /// Derives the key.
    pub fn new(keys: &Keys) -> Result<Decoys, Error> {
        let newest = derive(keys, PURPOSE)?.into_iter().next();
        newest.map(Decoys).ok_or_else(|| Error::Internal("the ring has no key".into()))
    }

    /// Returns the number by which the store finds the decoy of a login. All spellings of a login
    /// have the same one; without the key it cannot be told from a random one.
    pub fn number(&self, login: &str) -> u64 {
        let mac = self.0.clone().chain_update(canonical(login)).finalize().into_bytes();
        mac.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Secret;

    #[test]
    fn a_decoy_stays_the_same_for_all_spellings_and_differs_by_key() {
        let ring = |byte| Keys::from(Secret::new([byte; 32]).unwrap());
        let (one, other) = (Decoys::new(&ring(1)).unwrap(), Decoys::new(&ring(2)).unwrap());
        let again = Decoys::new(&ring(1)).unwrap();
        for (login, spelling) in [("ada", "ADA"), ("a@x.example", "a@X.example"), ("a b", "a b")] {
            assert_eq!(one.number(login), again.number(spelling), "{login}");
            assert_ne!(one.number(login), other.number(login), "{login}");
        }
        assert_ne!(one.number("ada"), one.number("bob"));
    }
}
