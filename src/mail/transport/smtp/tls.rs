//! Which servers are believed to be who they say: the only file that names rustls. Certificates
//! of the system's authorities count, or those of the file that SSL_CERT_FILE names, and the name
//! must be the one in the setting. There is no way to turn that off.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::crypto::ring::cipher_suite::{
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384,
};
use rustls::crypto::ring::kx_group::{SECP256R1, SECP384R1, X25519};
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms,
};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::sign::SigningKey;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, RootCertStore, SignatureScheme as Scheme,
    StreamOwned, SupportedCipherSuite,
};
use webpki::ring as with;

use super::wire::in_words;
use crate::error::Problem;

/// AES in GCM, which every server has (RFC 9325 section 4.2, RFC 8446 section 9.1). With ChaCha20
/// beside it the binary would be larger, and no other server be reached.
const CIPHER_SUITES: &[SupportedCipherSuite] = &[
    TLS13_AES_256_GCM_SHA384,
    TLS13_AES_128_GCM_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

/// What certificates and servers sign with.
const SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        with::ECDSA_P256_SHA256,
        with::ECDSA_P256_SHA384,
        with::ECDSA_P384_SHA256,
        with::ECDSA_P384_SHA384,
        with::ED25519,
        with::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        with::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        with::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        with::RSA_PKCS1_2048_8192_SHA256,
        with::RSA_PKCS1_2048_8192_SHA384,
        with::RSA_PKCS1_2048_8192_SHA512,
    ],
    // Version 1.2 of TLS leaves the curve open, so there is more than one for a scheme.
    mapping: &[
        (Scheme::ECDSA_NISTP384_SHA384, &[with::ECDSA_P384_SHA384, with::ECDSA_P256_SHA384]),
        (Scheme::ECDSA_NISTP256_SHA256, &[with::ECDSA_P256_SHA256, with::ECDSA_P384_SHA256]),
        (Scheme::ED25519, &[with::ED25519]),
        (Scheme::RSA_PSS_SHA512, &[with::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
        (Scheme::RSA_PSS_SHA384, &[with::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
        (Scheme::RSA_PSS_SHA256, &[with::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
        (Scheme::RSA_PKCS1_SHA512, &[with::RSA_PKCS1_2048_8192_SHA512]),
        (Scheme::RSA_PKCS1_SHA384, &[with::RSA_PKCS1_2048_8192_SHA384]),
        (Scheme::RSA_PKCS1_SHA256, &[with::RSA_PKCS1_2048_8192_SHA256]),
    ],
};

/// Whom a server has to be.
#[derive(Clone)]
pub(super) struct Trust {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// A connection that is encrypted.
pub(super) type Encrypted<S> = StreamOwned<ClientConnection, S>;

impl Trust {
    /// Reads the certificates that this machine trusts.
    pub(super) fn of_the_system(host: &str) -> Result<Trust, Problem> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            Problem::usage(
                format!("{host} cannot be the name in a certificate"),
                "give the mail server's name as it stands in its certificate",
            )
        })?;
        let config = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Problem::new(format!("no TLS: {error}"), "this is a bug in lictor"))?
            .with_root_certificates(roots()?)
            .with_no_client_auth();
        Ok(Trust { config: Arc::new(config), name })
    }

    /// Goes on encrypted, or says in words why not.
    pub(super) fn encrypt<S: Read + Write>(&self, mut socket: S) -> Result<Encrypted<S>, String> {
        let mut session = ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(|error| error.to_string())?;
        while session.is_handshaking() {
            session.complete_io(&mut socket).map_err(|error| words(&error))?;
        }
        Ok(StreamOwned::new(session, socket))
    }
}

/// rustls with ring, but for what a client without certificates does not need: rustls's own
/// choice is 0.1 MB larger.
fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: CIPHER_SUITES.to_vec(),
        kx_groups: vec![X25519, SECP256R1, SECP384R1],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &System,
        key_provider: &NoKeys,
    }
}

/// Randomness from the system.
#[derive(Debug)]
struct System;

impl SecureRandom for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        getrandom::fill(bytes).map_err(|_| GetRandomFailed)
    }
}

/// No certificate of our own is ever shown, so no key has to be read.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("there are no client certificates here".into()))
    }
}

fn roots() -> Result<RootCertStore, Problem> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(Problem::new(
            format!("there are no certificates that a mail server could be checked with{why}"),
            "install the package ca-certificates, or name a file of your own authority's \
             certificates with SSL_CERT_FILE",
        ));
    }
    Ok(roots)
}

fn words(error: &io::Error) -> String {
    use CertificateError as Bad;
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(bad)) = inner else { return in_words(error) };
    match bad {
        Bad::UnknownIssuer => "its certificate is from nobody whom this machine trusts; \
             SSL_CERT_FILE can name the certificate of your own authority"
            .into(),
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            "its certificate is for another name".into()
        }
        Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired".into(),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            "its certificate is not valid yet; is this machine's clock right?".into()
        }
        Bad::Other(other) => format!("its certificate is not accepted: {other}"),
        other => format!("its certificate is not accepted: {other}"),
    }
}
