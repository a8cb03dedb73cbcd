//! A key in use: signing, verifying, its id, and its public half. A key is for one algorithm,
//! whatever a token says. The only file that knows Ed25519, and the HMAC of tokens.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jwt_simple::prelude::{HS256Key, JWTClaims, MACLike as _};
use lictor_engine::jwt::is_hmac_of;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::base64url;
use super::purpose::MailPurpose;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::keys::{Algorithm, Key, Material, Seed, ShortSecret};

/// The text whose HMAC under an HS256 key is the key's id. No token begins with it.
const KEY_ID_INFO: &[u8] = b"lictor key id";

/// The input of HKDF-Expand (RFC 5869 section 2.3) for the secret of mailed tokens: the info, and
/// the counter of the only block.
const MAIL_KEY_INFO: &[u8] = b"lictor mailed tokens\x01";

/// Returns the id of a key (`kid`), which is the same at every start.
///
/// The id of an HS256 key is 8 bytes of an HMAC under it. It says less about the key than any
/// signature of a token does. The id of an Ed25519 key is the thumbprint of its public half (RFC
/// 7638).
#[cfg(any(test, feature = "cli"))]
pub(crate) fn key_id(key: &Key) -> Result<String, Error> {
    Verifier::new(key).map(|verifier| verifier.kid)
}

/// Verifies signatures with one key.
pub(super) struct Verifier {
    kid: String,
    key: VerifyingKey,
}

enum VerifyingKey {
    /// Keyed once, at the start: each request then costs one pass over its token.
    Hs256(Hmac<Sha256>),
    EdDsa(PublicKey),
}

/// A public key of Ed25519.
type PublicKey = [u8; 32];

/// A public key in a JWK set (RFC 7517, RFC 8037).
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
                let HmacKey { kid, mac } = HmacKey::new(secret.bytes())?;
                Ok(Verifier { kid, key: VerifyingKey::Hs256(mac) })
            }
            Material::EdDsa(seed) => {
                let public = PublicKey::try_from(pair(seed)?.public_key().as_ref());
                let public = public.map_err(unusable)?;
                Ok(Verifier { kid: thumbprint(&public), key: VerifyingKey::EdDsa(public) })
            }
        }
    }

    /// Makes the verifier of the tokens that are mailed while an Ed25519 key signs. `None` for an
    /// HS256 key, which signs mailed tokens itself.
    pub(super) fn for_mail(key: &Key) -> Result<Option<Verifier>, Error> {
        let Material::EdDsa(seed) = key.material() else { return Ok(None) };
        let HmacKey { kid, mac } = HmacKey::for_mail(seed)?;
        Ok(Some(Verifier { kid, key: VerifyingKey::Hs256(mac) }))
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self.key {
            VerifyingKey::Hs256(_) => Algorithm::Hs256,
            VerifyingKey::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    /// Returns whether the key made this signature of `signed`.
    pub(super) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            VerifyingKey::Hs256(mac) => is_hmac_of(mac, signed, signature),
            VerifyingKey::EdDsa(public) => {
                UnparsedPublicKey::new(&ED25519, public).verify(signed, signature).is_ok()
            }
        }
    }

    /// Returns the public half; `None` for an HS256 key, which has none.
    pub(super) fn jwk(&self) -> Option<Jwk<'_>> {
        let VerifyingKey::EdDsa(public) = &self.key else { return None };
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

/// Verifies signatures with a short secret, until its last second. It has no key id: only a token
/// that names no key can be of another program.
pub(super) struct ShortVerifier {
    mac: Hmac<Sha256>,
    until: Timestamp,
}

impl ShortVerifier {
    pub(super) fn new(secret: &ShortSecret) -> Result<ShortVerifier, Error> {
        let mac = Hmac::<Sha256>::new_from_slice(secret.bytes()).map_err(unusable)?;
        Ok(ShortVerifier { mac, until: secret.until() })
    }

    /// Returns whether the secret made this signature of `signed`.
    pub(super) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        // Compares in constant time.
        self.mac.clone().chain_update(signed).verify_slice(signature).is_ok()
    }

    /// Returns the last second in which it may verify.
    pub(super) fn until(&self) -> Timestamp {
        self.until
    }
}

/// An HMAC key with its id.
pub(super) struct HmacKey {
    kid: String,
    mac: Hmac<Sha256>,
}

impl HmacKey {
    fn new(secret: &[u8]) -> Result<HmacKey, Error> {
        let mac = Hmac::<Sha256>::new_from_slice(secret).map_err(unusable)?;
        let id = mac.clone().chain_update(KEY_ID_INFO).finalize().into_bytes();
        let kid = id[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(HmacKey { kid, mac })
    }

    /// Derives the key of the tokens that are mailed while an Ed25519 key signs.
    ///
    /// Only this server reads mailed tokens. A service that verifies with the public keys must not
    /// take one for an access token. An HMAC under a secret that is derived from the seed has no
    /// public half to publish, and needs no line in the key file.
    fn for_mail(seed: &Seed) -> Result<HmacKey, Error> {
        let seed = Hmac::<Sha256>::new_from_slice(seed.bytes()).map_err(unusable)?;
        let secret: [u8; 32] = seed.chain_update(MAIL_KEY_INFO).finalize().into_bytes().into();
        HmacKey::new(&*Zeroizing::new(secret))
    }
}

/// Signs tokens with one key.
pub(super) enum Signer {
    Hs256(HS256Key),
    EdDsa { pair: Box<Ed25519KeyPair>, kid: Option<String>, mail: Box<HmacKey> },
}

/// The header of a token while an Ed25519 key signs. jwt-simple could write such a token, but
/// brings an Ed25519 of its own beside the one of TLS, which would add a quarter of a megabyte.
#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    typ: &'static str,
}

impl Header<'_> {
    /// Returns a token with this header and these claims.
    fn sign(
        &self,
        claims: &impl Serialize,
        signature: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Result<String, serde_json::Error> {
        let mut token = base64url::encode(serde_json::to_vec(self)?);
        token.push('.');
        token.push_str(&base64url::encode(serde_json::to_vec(claims)?));
        let signature = signature(token.as_bytes());
        token.push('.');
        token.push_str(&base64url::encode(signature));
        Ok(token)
    }
}

impl Signer {
    /// Makes the signer of a key. `kid` is written into every token.
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
                mail: Box::new(HmacKey::for_mail(seed)?),
            }),
        }
    }

    /// Signs a token; a mailed one if it has a purpose. An HS256 key, which a Flask app may share,
    /// signs mailed tokens as flask-praetorian does. While an Ed25519 key signs, a mailed token has
    /// a type and a key of its own.
    pub(super) fn sign(
        &self,
        claims: JWTClaims<impl Serialize>,
        purpose: Option<MailPurpose>,
    ) -> Result<String, Error> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::Internal(format!("a token could not be signed: {error}").into())
        };
        match self {
            Signer::Hs256(key) => key.authenticate(claims).map_err(|error| failed(&error)),
            Signer::EdDsa { pair, kid, mail } => {
                let signed = match purpose {
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
    Ed25519KeyPair::from_seed_unchecked(seed.bytes()).map_err(unusable)
}

/// Returns the thumbprint of a public key: the hash of its members in the order of their names,
/// without white space (RFC 7638 section 3).
fn thumbprint(public: &PublicKey) -> String {
    let x = base64url::encode(public);
    base64url::encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

/// A bug: the key file and the environment are read strictly, so every key of the ring is usable.
fn unusable(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("a key of the ring cannot be used: {error}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Keys, Secret};

    /// The key of RFC 8037 appendix A.
    fn example() -> Key {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let ring = Keys::parse(format!("lictor-key EdDSA 0 {seed}\n").as_bytes()).unwrap();
        ring.current(None).unwrap().clone()
    }

    #[test]
    fn rfc_8037_appendix_a() {
        let key = Verifier::new(&example()).unwrap();
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(
            serde_json::to_string(&key.jwk().unwrap()).unwrap(),
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","use":"sig","alg":"EdDSA"}"#
        );
        let signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = base64url::decode(
            b"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        )
        .unwrap();
        assert!(key.verifies(signed, &signature));
        assert!(!key.verifies(&signed[1..], &signature));
        assert!(!key.verifies(signed, &signature[..63]) && !key.verifies(signed, b""));
        // S + L verifies as well unless the verifier checks that S is below the group's order L
        // (RFC 8032 section 5.1.7).
        let order = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut other = signature;
        let mut carry = 0;
        for (byte, more) in other[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + more + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        assert!(!key.verifies(signed, &other));
    }

    #[test]
    fn another_implementation_makes_the_same_signatures() {
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
                let mut signature = ours.as_ref().to_vec();
                signature[flipped / 8] ^= 1 << (flipped % 8);
                assert!(!verifier.verifies(&message, &signature), "{n} {flipped}");
            }
        }
    }

    #[test]
    fn a_signature_of_another_algorithm_does_not_verify() {
        let shared = Keys::from(Secret::new([7; 64]).unwrap());
        let shared = Verifier::new(shared.current(None).unwrap()).unwrap();
        let pair = Verifier::new(&example()).unwrap();
        for signature in [&[0; 32][..], &[0; 64], &[1; 64], &[0xff; 64], b""] {
            assert!(!shared.verifies(b"x", signature) && !pair.verifies(b"x", signature));
        }
        assert!(shared.jwk().is_none());
    }

    #[test]
    fn key_ids_are_stable_and_different() {
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
