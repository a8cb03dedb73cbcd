//! TLS to mail servers and PostgreSQL, and trust in their certificates: the only file that names
//! rustls.
//!
//! The certificate of a mail server must be issued by an authority of the system, or of the file that
//! SSL_CERT_FILE names, for the host in the setting; no setting turns this check off. For a database
//! `sslmode` in the URL of the database says what is checked, as for every client of PostgreSQL.

#[cfg(feature = "postgres")]
mod binding;

use std::io::{self, Read, Write};
#[cfg(feature = "postgres")]
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "postgres")]
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
#[cfg(feature = "postgres")]
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};

use rustls::crypto::ring::cipher_suite::{
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384,
};
use rustls::crypto::ring::kx_group::{SECP256R1, SECP384R1, X25519};
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms,
};
#[cfg(feature = "postgres")]
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
#[cfg(feature = "postgres")]
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::pki_types::{PrivateKeyDer, ServerName};
#[cfg(feature = "postgres")]
use rustls::server::ParsedCertificate;
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
    /// How to trust an authority that this machine does not.
    own_authority: &'static str,
}

/// What is checked of the certificate of a database server.
#[cfg(feature = "postgres")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing: the connection is encrypted, whoever the server is.
    Nothing,
    /// A trusted authority has issued it.
    Authority,
    /// A trusted authority has issued it for the host.
    Host,
}

/// An encrypted connection.
pub(crate) type Encrypted<S> = StreamOwned<ClientConnection, S>;

impl Trust {
    /// Loads the authorities that this machine trusts with mail servers.
    #[cfg(feature = "mail")]
    pub(crate) fn of_the_system(host: &str) -> Result<Trust, Problem> {
        Ok(Trust {
            name: name(host, "mail server")?,
            config: Arc::new(verifying(roots("a mail server")?)?),
            own_authority: "set SSL_CERT_FILE to the certificate of your own authority",
        })
    }

    /// Trust in a database server, by the authorities in the file `authorities`, or else by those of
    /// the system.
    #[cfg(feature = "postgres")]
    pub(crate) fn of_a_database(
        host: &str,
        check: Check,
        authorities: Option<&Path>,
    ) -> Result<Trust, Problem> {
        let name = name(host, "database server")?;
        let roots = || match authorities {
            Some(file) => roots_of(file),
            None => roots("the database server"),
        };
        let mut config = match check {
            Check::Nothing => unnamed(None)?,
            Check::Authority => unnamed(Some(roots()?))?,
            Check::Host => verifying(roots()?)?,
        };
        // Each connection has a handshake of its own: PostgreSQL resumes no session.
        config.resumption = Resumption::disabled();
        let own_authority =
            "name the file with the certificate of your own authority with sslrootcert";
        Ok(Trust { config: Arc::new(config), name, own_authority })
    }

    /// Does the handshake; the error says why it failed.
    pub(crate) fn encrypt<S: Read + Write>(&self, mut socket: S) -> Result<Encrypted<S>, String> {
        let mut session = ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(|error| error.to_string())?;
        while session.is_handshaking() {
            let done = session.complete_io(&mut socket);
            done.map_err(|error| describe_tls(&error, self.own_authority))?;
        }
        Ok(StreamOwned::new(session, socket))
    }
}

/// The hash of the server's certificate that binds a login to this connection (RFC 5929,
/// `tls-server-end-point`); `None` if the certificate has no such hash.
#[cfg(feature = "postgres")]
pub(crate) fn server_end_point<S: Read + Write>(stream: &Encrypted<S>) -> Option<Vec<u8>> {
    binding::server_end_point(stream.conn.peer_certificates()?.first()?)
}

/// The host, as the name in a certificate.
fn name(host: &str, server: &str) -> Result<ServerName<'static>, Problem> {
    ServerName::try_from(host.to_owned()).map_err(|_| {
        Problem::usage(
            format!("a certificate cannot be for {host}"),
            format!("give the host name that the certificate of the {server} has"),
        )
    })
}

/// A client that demands a certificate of one of these authorities for the host.
fn verifying(roots: RootCertStore) -> Result<ClientConfig, Problem> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(no_tls)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// A client that accepts certificates for any host, of one of these authorities if there are some.
#[cfg(feature = "postgres")]
fn unnamed(roots: Option<RootCertStore>) -> Result<ClientConfig, Problem> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(no_tls)?;
    let verifier = Arc::new(AnyHost { roots });
    Ok(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn no_tls(error: rustls::Error) -> Problem {
    Problem::new(format!("cannot set up TLS: {error}"), "this is a bug in lictor")
        .with_source(error)
}

/// Accepts a certificate for any host. The signatures of the handshake are checked in any case: the
/// server has the key of the certificate that it shows.
#[cfg(feature = "postgres")]
#[derive(Debug)]
struct AnyHost {
    /// The authorities, one of which must have issued the certificate; `None`: nobody need have.
    roots: Option<RootCertStore>,
}

#[cfg(feature = "postgres")]
impl ServerCertVerifier for AnyHost {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(certificate)?;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                roots,
                intermediates,
                now,
                SIGNATURES.all,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &SIGNATURES)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &SIGNATURES)
    }

    fn supported_verify_schemes(&self) -> Vec<Scheme> {
        SIGNATURES.supported_schemes()
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

/// The certificates of the authorities of the system, with which `server` is checked.
fn roots(server: &str) -> Result<RootCertStore, Problem> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(Problem::new(
            format!("there are no certificates of authorities to check {server} with{why}"),
            "install the package ca-certificates, or set SSL_CERT_FILE to a file with the \
             certificates of your own authority",
        ));
    }
    Ok(roots)
}

/// The certificates of the authorities in a file.
#[cfg(feature = "postgres")]
fn roots_of(file: &Path) -> Result<RootCertStore, Problem> {
    let found = rustls_native_certs::load_certs_from_paths(Some(file), None);
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(Problem::new(
            format!("there is no certificate of an authority in {}{why}", file.display()),
            "name a file with certificates in PEM form with sslrootcert",
        ));
    }
    Ok(roots)
}

/// The error in words, with a hint where there is one.
fn describe_tls(error: &io::Error, own_authority: &str) -> String {
    use CertificateError as Bad;
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(bad)) = inner else { return describe(error) };
    match bad {
        Bad::UnknownIssuer => format!(
            "its certificate is from an authority that this machine does not trust; {own_authority}"
        ),
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            "its certificate is for another name".into()
        }
        Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired".into(),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            "its certificate is not valid yet; check the clock of this machine".into()
        }
        Bad::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
            "its certificate is that of an authority and not of a server; issue one for the server \
             (with basicConstraints=CA:FALSE)"
                .into()
        }
        Bad::UnsupportedSignatureAlgorithmContext { .. }
        | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its certificate is signed in a way that lictor does not know; RSA and ECDSA with \
             SHA-256 or SHA-384, and Ed25519, will do"
                .into()
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
