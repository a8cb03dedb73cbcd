//! Keys for single purposes, derived from the keys of the ring: so they need no place of their own,
//! and are the same after a restart and on every instance.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::error::Error;
use crate::keys::{Keys, Material};

/// An HMAC with a derived key.
pub(super) type DerivedKey = Hmac<Sha256>;

/// Derives one key for a purpose from each key of the ring, newest first: the HMAC of `purpose`
/// under that key. No token may begin with the text of a purpose.
pub(super) fn derive(keys: &Keys, purpose: &[u8]) -> Result<Vec<DerivedKey>, Error> {
    let derived = keys.iter().map(|key| match key.material() {
        Material::Hs256(secret) => derive_from(secret.bytes(), purpose),
        Material::EdDsa(seed) => derive_from(seed.bytes(), purpose),
    });
    derived.collect()
}

fn derive_from(secret: &[u8], purpose: &[u8]) -> Result<DerivedKey, Error> {
    let broken = |_| Error::Internal("no key can be derived from a key of the ring".into());
    let derived = DerivedKey::new_from_slice(secret).map_err(broken)?.chain_update(purpose);
    DerivedKey::new_from_slice(&derived.finalize().into_bytes()).map_err(broken)
}
