//! TLS to mail servers and PostgreSQL, and trust in their certificates: the only file that names rustls. A
//! certificate must be issued by an authority of the system, or of the file that SSL_CERT_FILE names,
//! for the host in the setting. No setting turns this check off.

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

use crate::error::Problem;

/// AES-GCM, which every server supports (RFC 9325 section 4.2, RFC 8446 section 9.1). ChaCha20 would
/// enlarge the binary without reaching one more server.
const CIPHER_SUITES: &[SupportedCipherSuite] = &[
    TLS13_AES_256_GCM_SHA384,
    TLS13_AES_128_GCM_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

/// The signature algorithms of certificates and handshakes.
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
    // TLS 1.2 does not bind a scheme to a curve, so some schemes have two algorithms.
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

/// The trusted authorities, and the host that the certificate must name.
#[derive(Clone)]
pub(crate) struct Trust {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// An encrypted connection.
pub(crate) type Encrypted<S> = StreamOwned<ClientConnection, S>;

impl Trust {
    /// Loads the authorities that this machine trusts.
    pub(crate) fn of_the_system(host: &str) -> Result<Trust, Problem> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            Problem::usage(
                format!("a certificate cannot be for {host}"),
                "give the host name that the certificate of the mail server has",
            )
        })?;
        let config = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| {
                Problem::new(format!("cannot set up TLS: {error}"), "this is a bug in lictor")
                    .with_source(error)
            })?
            .with_root_certificates(roots()?)
            .with_no_client_auth();
        Ok(Trust { config: Arc::new(config), name })
    }

    /// Does the handshake; the error says why it failed.
    pub(crate) fn encrypt<S: Read + Write>(&self, mut socket: S) -> Result<Encrypted<S>, String> {
        let mut session = ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(|error| error.to_string())?;
        while session.is_handshaking() {
            session.complete_io(&mut socket).map_err(|error| describe_tls(&error))?;
        }
        Ok(StreamOwned::new(session, socket))
    }
}

/// The cryptography of ring, reduced to what a client without a certificate needs: the complete
/// provider of rustls makes the binary 0.1 MB larger.
fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: CIPHER_SUITES.to_vec(),
        kx_groups: vec![X25519, SECP256R1, SECP384R1],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &SystemRandom,
        key_provider: &NoKeys,
    }
}

/// Random bytes from the kernel.
#[derive(Debug)]
struct SystemRandom;

impl SecureRandom for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        getrandom::fill(bytes).map_err(|_| GetRandomFailed)
    }
}

/// Loads no private key, because lictor presents no client certificate.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("client certificates are not supported".into()))
    }
}

/// The certificates of the trusted authorities.
fn roots() -> Result<RootCertStore, Problem> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(Problem::new(
            format!("there are no certificates of authorities to check a mail server with{why}"),
            "install the package ca-certificates, or set SSL_CERT_FILE to a file with the \
             certificates of your own authority",
        ));
    }
    Ok(roots)
}

/// The error in words, with a hint where there is one.
fn describe_tls(error: &io::Error) -> String {
    use CertificateError as Bad;
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(bad)) = inner else { return describe(error) };
    match bad {
        Bad::UnknownIssuer => {
            "its certificate is from an authority that this machine does not trust; \
             set SSL_CERT_FILE to the certificate of your own authority"
                .into()
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            "its certificate is for another name".into()
        }
        Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired".into(),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            "its certificate is not valid yet; check the clock of this machine".into()
        }
        Bad::Other(other) => format!("its certificate is not accepted: {other}"),
        other => format!("its certificate is not accepted: {other}"),
    }
}

/// The error of a socket in words. The kinds that a socket with a time limit returns have words of
/// their own.
pub(crate) fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "the server took too long".into(),
        io::ErrorKind::UnexpectedEof => "the server closed the connection".into(),
        _ => error.to_string(),
    }
}
