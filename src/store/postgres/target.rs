//! Which PostgreSQL server, database and user: a URL, the environment, a password file.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::error::Problem;

/// A database of a PostgreSQL server, and how to get in.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// The servers, in the order in which they are tried.
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    /// The name of the database.
    pub(super) name: String,
    pub(super) tls: TlsMode,
    /// The file with the certificates of the authorities to trust; those of the system if `None`.
    pub(super) root_certificates: Option<PathBuf>,
    /// Only a server that takes writes will do (`target_session_attrs=read-write` or `primary`).
    pub(super) writable: bool,
    /// How many connections this process opens, at most.
    pub(super) connections: usize,
}

/// One server.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) address: Address,
    pub(super) port: u16,
    /// The password for it; of the URL, the environment or the password file.
    pub(super) password: Option<Zeroizing<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A host name or an IP address.
    Tcp(String),
    /// The folder of the Unix socket.
    Unix(PathBuf),
}

/// What TLS must do (libpq's `sslmode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// No TLS.
    Disable,
    /// TLS, whoever the server is.
    Require,
    /// TLS; the certificate is of a trusted authority.
    VerifyCa,
    /// TLS; the certificate is of a trusted authority and for this host.
    VerifyFull,
}

impl Target {
    /// Reads a URL, with what the environment adds.
    pub(in crate::store) fn parse(url: &str) -> Result<Target, Problem> {
        let _ = url;
        Err(Problem::usage("not built yet", "wait"))
    }
}

/// The URL without a password.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://{}@/{}", self.user, self.name)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
