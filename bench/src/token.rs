//! HS256 tokens with `jsonwebtoken`; no other algorithm is accepted.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};

use crate::claims::Claims;

pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Tokens {
    pub fn new(secret: &[u8]) -> Tokens {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        Tokens {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
        }
    }

    pub fn issue(&self, claims: &Claims) -> String {
        // The claims are integers and strings, and the key fits the algorithm.
        encode(&Header::new(Algorithm::HS256), claims, &self.encoding).expect("a token")
    }

    /// The claims of the token in an `Authorization` header, if it is valid.
    pub fn bearer(&self, authorization: &[u8]) -> Option<Claims> {
        let token = authorization.strip_prefix(b"Bearer ")?;
        let data = decode::<Claims>(token, &self.decoding, &self.validation).ok()?;
        Some(data.claims)
    }
}
