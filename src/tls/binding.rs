//! What binds a login to a TLS connection: the channel binding `tls-server-end-point` (RFC 5929), the
//! hash of the server's certificate. Knows as much of a certificate's form as is needed to find how
//! it is signed.

use ring::digest::{self, Algorithm};

/// Identifiers of signature and hash algorithms, in DER without tag and length.
const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const ECDSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
const ECDSA_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// Tags of DER.
const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const FIRST_CONTEXT: u8 = 0xa0;

/// The hash of a certificate with the hash of its signature, SHA-256 instead of MD5 and SHA-1;
/// `None` if the signature has none (Ed25519) or one that is not known.
pub(super) fn server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = hash_of_signature(certificate)?;
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, … }`
fn hash_of_signature(certificate: &[u8]) -> Option<&'static Algorithm> {
    let (inner, _) = element(certificate, SEQUENCE)?;
    let (_, rest) = element(inner, SEQUENCE)?;
    let (signature, _) = element(rest, SEQUENCE)?;
    let (identifier, parameters) = element(signature, OBJECT_IDENTIFIER)?;
    let (last, family) = identifier.split_last()?;
    match (family, last) {
        (PKCS1, 4 | 5 | 11) | (ECDSA_SHA2, 2) => Some(&digest::SHA256),
        (PKCS1, 12) | (ECDSA_SHA2, 3) => Some(&digest::SHA384),
        (PKCS1, 13) | (ECDSA_SHA2, 4) => Some(&digest::SHA512),
        (PKCS1, 10) => hash_of_pss(parameters),
        _ if identifier == ECDSA_SHA1 => Some(&digest::SHA256),
        _ => None,
    }
}

/// `RSASSA-PSS-params ::= SEQUENCE { [0] hashAlgorithm DEFAULT sha1, … }`
fn hash_of_pss(parameters: &[u8]) -> Option<&'static Algorithm> {
    let (parameters, _) = element(parameters, SEQUENCE)?;
    let Some((hash, _)) = element(parameters, FIRST_CONTEXT) else { return Some(&digest::SHA256) };
    let (hash, _) = element(hash, SEQUENCE)?;
    let (identifier, _) = element(hash, OBJECT_IDENTIFIER)?;
    let (last, family) = identifier.split_last()?;
    match (family, last) {
        (SHA2, 1) => Some(&digest::SHA256),
        (SHA2, 2) => Some(&digest::SHA384),
        (SHA2, 3) => Some(&digest::SHA512),
        _ if identifier == SHA1 => Some(&digest::SHA256),
        _ => None,
    }
}

/// The content of the element at the beginning, if it has this tag, and what follows it.
fn element(bytes: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (&[tag, short], rest) = bytes.split_first_chunk()?;
    if tag != expected {
        return None;
    }
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        // The length has this many bytes; four are enough for a certificate.
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element of DER.
    fn der(tag: u8, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], &content].concat()
    }

    fn identifier(family: &[u8], last: &[u8]) -> Vec<u8> {
        der(OBJECT_IDENTIFIER, &[family, last])
    }

    /// A certificate with this signature algorithm and nothing else in it.
    fn certificate(algorithm: &[&[u8]]) -> Vec<u8> {
        let body = der(SEQUENCE, &[&[0; 300]]);
        der(SEQUENCE, &[&body, &der(SEQUENCE, algorithm), b"signature"])
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        let pss = |parameters: &[&[u8]]| {
            certificate(&[&identifier(PKCS1, &[10]), &der(SEQUENCE, parameters)])
        };
        let pss_with = |hash: &[u8]| pss(&[&der(FIRST_CONTEXT, &[&der(SEQUENCE, &[hash])])]);
        let cases: [(Vec<u8>, Option<&Algorithm>); 15] = [
            (certificate(&[&identifier(PKCS1, &[4])]), Some(&digest::SHA256)),
            (certificate(&[&identifier(PKCS1, &[5])]), Some(&digest::SHA256)),
            (certificate(&[&identifier(PKCS1, &[11])]), Some(&digest::SHA256)),
            (certificate(&[&identifier(PKCS1, &[12])]), Some(&digest::SHA384)),
            (certificate(&[&identifier(PKCS1, &[13])]), Some(&digest::SHA512)),
            (certificate(&[&identifier(ECDSA_SHA1, &[])]), Some(&digest::SHA256)),
            (certificate(&[&identifier(ECDSA_SHA2, &[2])]), Some(&digest::SHA256)),
            (certificate(&[&identifier(ECDSA_SHA2, &[3])]), Some(&digest::SHA384)),
            (certificate(&[&identifier(ECDSA_SHA2, &[4])]), Some(&digest::SHA512)),
            (pss(&[]), Some(&digest::SHA256)),
            (pss_with(&identifier(SHA1, &[])), Some(&digest::SHA256)),
            (pss_with(&identifier(SHA2, &[2])), Some(&digest::SHA384)),
            (pss_with(&identifier(SHA2, &[4])), None), // SHA-224
            (certificate(&[&identifier(&[0x2b, 0x65], &[0x70])]), None), // Ed25519
            (certificate(&[]), None),
        ];
        for (certificate, expected) in &cases {
            assert_eq!(hash_of_signature(certificate), *expected, "{certificate:02x?}");
        }
    }

    #[test]
    fn a_certificate_that_is_cut_off_has_no_binding() {
        let whole = certificate(&[&identifier(PKCS1, &[11])]);
        assert_eq!(server_end_point(&whole).unwrap().len(), 32);
        for end in 0..whole.len() {
            assert_eq!(server_end_point(&whole[..end]), None, "{end}");
        }
    }
}
