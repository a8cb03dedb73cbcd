//! Which PostgreSQL server, database and user, and how to get in. Neither `Display` nor `Debug` shows
//! a password.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::url;

pub(super) const DEFAULT_PORT: u16 = 5432;

/// A database of a PostgreSQL server, and how to get in.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// The servers, in the order in which they are tried.
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    /// The name of the database.
    pub(super) name: String,
    /// What TLS must do for TCP; a Unix socket never has TLS.
    pub(super) tls: TlsMode,
    /// The file with the certificates of the authorities to trust; those of the system if `None`.
    pub(super) root_certificates: Option<PathBuf>,
    /// Only a login that is bound to the TLS connection will do (`channel_binding=require`).
    pub(super) must_bind: bool,
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
    /// A host name, or an IP address without brackets.
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
    /// The settings of the connection, in words.
    #[cfg(any(test, feature = "cli"))]
    pub(in crate::store) fn describe(&self) -> Vec<(&'static str, String)> {
        let roots = match &self.root_certificates {
            Some(file) => format!("the authorities in {}", file.display()),
            None => "the authorities of the system".to_owned(),
        };
        let tls = match self.tls {
            TlsMode::Disable => "none".to_owned(),
            TlsMode::Require => "require: encrypted, whoever the server is".to_owned(),
            TlsMode::VerifyCa => format!("verify-ca: any certificate of {roots}"),
            TlsMode::VerifyFull => format!("verify-full: the host's certificate, of {roots}"),
        };
        vec![("database TLS", tls), ("database pool", format!("{} connections", self.connections))]
    }

    /// What is allowed, but lets the network between read or change what passes.
    #[cfg(any(test, feature = "cli"))]
    pub(in crate::store) fn warning(&self) -> Option<&'static str> {
        let across = self.hosts.iter().any(|host| !host.address.is_local());
        match self.tls {
            TlsMode::Disable if across => Some(
                "the connection to the database is not encrypted (sslmode=disable): who can read \
                 the network between can read hashes and take over sessions; use \
                 sslmode=verify-full",
            ),
            TlsMode::Require if across => Some(
                "sslmode=require does not check who the database server is; name the authority of \
                 its certificate with sslrootcert and use sslmode=verify-full",
            ),
            _ => None,
        }
    }
}

impl Address {
    /// Whether the way to it stays on this machine.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Address::Unix(_) => true,
            Address::Tcp(host) => match host.parse::<IpAddr>() {
                Ok(ip) => ip.to_canonical().is_loopback(),
                Err(_) => host.eq_ignore_ascii_case("localhost"),
            },
        }
    }
}

/// The URL without a password.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, name) = (url::encode(&self.user), url::encode(&self.name));
        write!(f, "postgres://{user}@")?;
        if let [Host { address: Address::Unix(folder), port, .. }] = &self.hosts[..] {
            let folder = url::encode(&folder.to_string_lossy()).replace("%2F", "/");
            write!(f, "/{name}?host={folder}")?;
            return if *port == DEFAULT_PORT { Ok(()) } else { write!(f, "&port={port}") };
        }
        for (at, Host { address, port, .. }) in self.hosts.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match address {
                Address::Tcp(host) if host.contains(':') => write!(f, "{comma}[{host}]:{port}")?,
                Address::Tcp(host) => write!(f, "{comma}{host}:{port}")?,
                Address::Unix(folder) => {
                    write!(f, "{comma}{}:{port}", url::encode(&folder.to_string_lossy()))?;
                }
            }
        }
        write!(f, "/{name}")
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
