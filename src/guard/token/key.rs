//! One key at work: signing, verifying, its name, what others may know of it. A key is for one
//! algorithm, whatever a token says. The only file that knows Ed25519, and the HMAC of tokens.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jwt_simple::prelude::{HS256Key, JWTClaims, MACLike as _};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Mailed, base64url};
use crate::error::Error;
use crate::keys::{Algorithm, Key, Material, Seed};

/// What an HS256 key's name is a signature of. Nothing that a token begins with.
const NAMING: &[u8] = b"lictor key id";

/// What the secret of mailed tokens is derived for: the label and the counter of HKDF-Expand
/// (RFC 5869 section 2.3), of which one block is enough.
const MAILING: &[u8] = b"lictor mailed tokens\x01";

/// The name of a key in tokens (`kid`), the same at every start.
///
/// That of an HS256 key is 8 bytes of an HMAC made with it: like any token that it signed, but
/// shorter, and so no help in finding the key. That of an Ed25519 key is the thumbprint of its
/// public half (RFC 7638).
#[cfg(any(test, feature = "cli"))]
pub(crate) fn key_id(key: &Key) -> Result<String, Error> {
    Verifier::new(key).map(|verifier| verifier.kid)
}

/// Verifies with one key.
pub(super) struct Verifier {
    kid: String,
    half: Half,
}

enum Half {
    /// Its schedule worked out: a request then costs one pass over its token.
    Hs256(Hmac<Sha256>),
    EdDsa(PublicKey),
}

/// Of Ed25519.
type PublicKey = [u8; 32];

/// A public key as others read it (RFC 7517, RFC 8037).
#[derive(Serialize)]
pub(super) struct Jwk<'a> {
    kty: &'static str,
    crv: &'static str,
    x: String,
    kid: &'a str,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: &'static str,
}

impl Verifier {
    pub(super) fn new(key: &Key) -> Result<Verifier, Error> {
        match key.material() {
            Material::Hs256(secret) => {
                let shared = Shared::new(secret.bytes())?;
                Ok(Verifier { kid: shared.kid, half: Half::Hs256(shared.mac) })
            }
            Material::EdDsa(seed) => {
                let public = PublicKey::try_from(pair(seed)?.public_key().as_ref());
                let public = public.map_err(no_key)?;
                Ok(Verifier { kid: thumbprint(&public), half: Half::EdDsa(public) })
            }
        }
    }

    /// Verifies the mailed tokens of an Ed25519 key. `None` for an HS256 key, which signs them
    /// itself.
    pub(super) fn of_mailed(key: &Key) -> Result<Option<Verifier>, Error> {
        let Material::EdDsa(seed) = key.material() else { return Ok(None) };
        let Shared { kid, mac } = Shared::for_mail(seed)?;
        Ok(Some(Verifier { kid, half: Half::Hs256(mac) }))
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self.half {
            Half::Hs256(_) => Algorithm::Hs256,
            Half::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    pub(super) fn verifies(&self, signed: &[u8], tag: &[u8]) -> bool {
        match &self.half {
            // Compares in constant time.
            Half::Hs256(mac) => mac.clone().chain_update(signed).verify_slice(tag).is_ok(),
            Half::EdDsa(public) => {
                UnparsedPublicKey::new(&ED25519, public).verify(signed, tag).is_ok()
            }
        }
    }

    /// Nothing of an HS256 key: it has no public half.
    pub(super) fn jwk(&self) -> Option<Jwk<'_>> {
        let Half::EdDsa(public) = &self.half else { return None };
        Some(Jwk {
            kty: "OKP",
            crv: "Ed25519",
            x: base64url::encode(public),
            kid: &self.kid,
            purpose: "sig",
            alg: Algorithm::EdDsa.name(),
        })
    }
}

/// An HMAC key with its name.
pub(super) struct Shared {
    kid: String,
    mac: Hmac<Sha256>,
}

impl Shared {
    fn new(secret: &[u8]) -> Result<Shared, Error> {
        let mac = Hmac::<Sha256>::new_from_slice(secret).map_err(no_key)?;
        let name = mac.clone().chain_update(NAMING).finalize().into_bytes();
        let kid = name[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Shared { kid, mac })
    }

    /// The key of the tokens that are mailed while an Ed25519 key signs.
    ///
    /// They are for this server alone, so nobody else needs a key for them, and a service that
    /// verifies with the public keys must not be able to take one for an access token. An HMAC
    /// under a secret that is derived from the seed has no public half that could be published,
    /// and needs no line in the key file.
    fn for_mail(seed: &Seed) -> Result<Shared, Error> {
        let seed = Hmac::<Sha256>::new_from_slice(seed.bytes()).map_err(no_key)?;
        let secret: [u8; 32] = seed.chain_update(MAILING).finalize().into_bytes().into();
        Shared::new(&*Zeroizing::new(secret))
    }
}

/// Signs with one key.
pub(super) enum Signer {
    Hs256(HS256Key),
    EdDsa { pair: Box<Ed25519KeyPair>, kid: Option<String>, mail: Box<Shared> },
}

/// The header of a token while an Ed25519 key signs. jwt-simple would do it, but with another
/// implementation of Ed25519 than the one that TLS brings: a quarter of a megabyte more.
#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    typ: &'static str,
}

impl Header<'_> {
    fn sign(
        &self,
        claims: &impl Serialize,
        tag: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Result<String, serde_json::Error> {
        let mut token = base64url::encode(serde_json::to_vec(self)?);
        token.push('.');
        token.push_str(&base64url::encode(serde_json::to_vec(claims)?));
        let tag = tag(token.as_bytes());
        token.push('.');
        token.push_str(&base64url::encode(tag));
        Ok(token)
    }
}

impl Signer {
    /// With a name, which then stands in every token.
    pub(super) fn new(key: &Key, kid: Option<&str>) -> Result<Signer, Error> {
        match key.material() {
            Material::Hs256(secret) => {
                let mut key = HS256Key::from_bytes(secret.bytes());
                if let Some(kid) = kid {
                    key = key.with_key_id(kid);
                }
                Ok(Signer::Hs256(key))
            }
            Material::EdDsa(seed) => Ok(Signer::EdDsa {
                pair: Box::new(pair(seed)?),
                kid: kid.map(str::to_owned),
                mail: Box::new(Shared::for_mail(seed)?),
            }),
        }
    }

    /// A mailed token is what flask-praetorian reads, if the key is the secret that is shared with
    /// it. Otherwise it has a type and a key of its own.
    pub(super) fn sign(
        &self,
        claims: JWTClaims<impl Serialize>,
        mailed: Option<Mailed>,
    ) -> Result<String, Error> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::Internal(format!("a token could not be signed: {error}").into())
        };
        match self {
            Signer::Hs256(key) => key.authenticate(claims).map_err(|error| failed(&error)),
            Signer::EdDsa { pair, kid, mail } => {
                let signed = match mailed {
                    None => {
                        let alg = Algorithm::EdDsa.name();
                        Header { alg, kid: kid.as_deref(), typ: "JWT" }
                            .sign(&claims, |text| pair.sign(text).as_ref().to_vec())
                    }
                    Some(purpose) => {
                        let alg = Algorithm::Hs256.name();
                        Header { alg, kid: Some(&mail.kid), typ: purpose.typ() }.sign(
                            &claims,
                            |text| {
                                mail.mac.clone().chain_update(text).finalize().into_bytes().to_vec()
                            },
                        )
                    }
                };
                signed.map_err(|error| failed(&error))
            }
        }
    }
}

fn pair(seed: &Seed) -> Result<Ed25519KeyPair, Error> {
    Ed25519KeyPair::from_seed_unchecked(seed.bytes()).map_err(no_key)
}

/// The members of the key in the order of their names, without white space (RFC 7638 section 3).
fn thumbprint(public: &PublicKey) -> String {
    let x = base64url::encode(public);
    base64url::encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

/// The key file and the environment are read strictly, so this would be a mistake of ours.
fn no_key(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("a key of the ring cannot be used: {error}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Keys, Secret};

    /// The key of RFC 8037 appendix A, and what the RFC says of it.
    fn example() -> Key {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let ring = Keys::parse(format!("lictor-key EdDSA 0 {seed}\n").as_bytes()).unwrap();
        ring.current(None).unwrap().clone()
    }

    #[test]
    fn the_examples_of_rfc_8037() {
        let key = Verifier::new(&example()).unwrap();
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(
            serde_json::to_string(&key.jwk().unwrap()).unwrap(),
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","use":"sig","alg":"EdDSA"}"#
        );
        let signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let tag = base64url::decode(
            b"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        )
        .unwrap();
        assert!(key.verifies(signed, &tag));
        assert!(!key.verifies(&signed[1..], &tag));
        assert!(!key.verifies(signed, &tag[..63]) && !key.verifies(signed, b""));
        // S + L verifies as well where nobody looks whether S is below the group's order L
        // (RFC 8032 section 5.1.7).
        let order = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut other = tag;
        let mut carry = 0;
        for (byte, more) in other[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + more + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        assert!(!key.verifies(signed, &other));
    }

    #[test]
    fn another_implementation_signs_the_same_and_reads_ours() {
        for n in 0..64u8 {
            let seed = [n + 1; 32];
            let text: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
            let ring = Keys::parse(format!("lictor-key EdDSA 0 {text}\n").as_bytes()).unwrap();
            let key = ring.current(None).unwrap();
            let other = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new(seed));
            let message = vec![n; usize::from(n) * 7];
            let ours = pair(match key.material() {
                Material::EdDsa(seed) => seed,
                Material::Hs256(_) => panic!("another key"),
            })
            .unwrap()
            .sign(&message);
            assert_eq!(ours.as_ref(), &*other.sk.sign(&message, None), "{n}");
            let verifier = Verifier::new(key).unwrap();
            assert_eq!(verifier.jwk().unwrap().x, base64url::encode(*other.pk));
            assert!(verifier.verifies(&message, ours.as_ref()));
            for flipped in 0..512 {
                let mut tag = ours.as_ref().to_vec();
                tag[flipped / 8] ^= 1 << (flipped % 8);
                assert!(!verifier.verifies(&message, &tag), "{n} {flipped}");
            }
        }
    }

    #[test]
    fn the_signature_of_another_algorithm_is_none() {
        let shared = Keys::from(Secret::new([7; 64]).unwrap());
        let shared = Verifier::new(shared.current(None).unwrap()).unwrap();
        let pair = Verifier::new(&example()).unwrap();
        for tag in [&[0; 32][..], &[0; 64], &[1; 64], &[0xff; 64], b""] {
            assert!(!shared.verifies(b"x", tag) && !pair.verifies(b"x", tag));
        }
        assert!(shared.jwk().is_none());
    }

    #[test]
    fn names_stay_and_differ() {
        let kid = |text: &str| {
            let keys = Keys::from(Secret::new(text).unwrap());
            key_id(keys.current(None).unwrap()).unwrap()
        };
        let one = kid("a secret of at least 32 bytes, for tests");
        assert_eq!(one, kid("a secret of at least 32 bytes, for tests"));
        assert_ne!(one, kid("a secret of at least 32 bytes, for testS"));
        assert!(one.len() == 16 && one.bytes().all(|b| b.is_ascii_hexdigit()), "{one}");
    }
}
