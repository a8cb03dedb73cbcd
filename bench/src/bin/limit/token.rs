//! HS256 without a library: the key schedule is computed once and cloned for
//! each token, and only the header that this server itself writes is accepted.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use lictor_bench::claims::Claims;
use serde::Deserialize;
use sha2::Sha256;

/// `{"alg":"HS256","typ":"JWT"}` and the dot after it.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
/// Length of a SHA-256 in unpadded base64.
const SIGNATURE: usize = 43;
pub const PAYLOAD_MAX: usize = 512;

pub struct Key(Hmac<Sha256>);

/// The claims that a token check needs.
#[derive(Deserialize)]
pub struct Checked<'a> {
    exp: i64,
    pub id: i64,
    pub jti: &'a str,
}

impl Key {
    pub fn new(secret: &[u8]) -> Key {
        // HMAC accepts keys of any length.
        Key(Hmac::new_from_slice(secret).expect("a key"))
    }

    pub fn sign(&self, claims: &Claims) -> String {
        // The claims are integers and strings.
        let payload = serde_json::to_vec(claims).expect("JSON");
        let mut token = HEADER.to_owned();
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let mac = self.0.clone().chain_update(&token).finalize();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(mac.into_bytes(), &mut token);
        token
    }

    /// The user and the session of a valid token.
    pub fn verify<'a>(
        &self,
        token: &[u8],
        now: i64,
        json: &'a mut [u8; PAYLOAD_MAX],
    ) -> Option<Checked<'a>> {
        let rest = token.strip_prefix(HEADER.as_bytes())?;
        let (payload, signature) = rest.split_at_checked(rest.len().checked_sub(SIGNATURE)?)?;
        let payload = payload.strip_suffix(b".")?;

        let mut sent = [0; 33];
        let length = URL_SAFE_NO_PAD.decode_slice(signature, &mut sent).ok()?;
        let signed = &token[..HEADER.len() + payload.len()];
        let mac = self.0.clone().chain_update(signed);
        mac.verify_slice(&sent[..length]).ok()?;

        let length = URL_SAFE_NO_PAD.decode_slice(payload, json).ok()?;
        let claims: Checked = serde_json::from_slice(&json[..length]).ok()?;
        (now <= claims.exp).then_some(claims)
    }
}
