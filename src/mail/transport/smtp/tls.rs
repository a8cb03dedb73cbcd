//! Which servers are believed to be who they say: the only file that names rustls. Certificates
//! of the system's authorities count, or those of the file that SSL_CERT_FILE names, and the name
//! must be the one in the setting. There is no way to turn that off.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::wire::in_words;
use crate::error::Problem;

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
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
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
