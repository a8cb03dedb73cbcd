//! Where the server listens: `--listen`, or `PORT`, which hosts such as Heroku set.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr};

use crate::error::Problem;

/// The address that nothing names.
const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

/// Where to listen.
#[derive(Debug, PartialEq)]
pub(super) struct Listen {
    pub(super) address: SocketAddr,
    /// Whether `PORT` named it.
    pub(super) from_port: bool,
}

impl Listen {
    /// Chooses between the flag, or its variable, and the value of PORT. A host that sets PORT sends
    /// requests from other machines, so all addresses are listened on.
    pub(super) fn choose(
        typed: Option<SocketAddr>,
        port: Option<&OsStr>,
    ) -> Result<Listen, Problem> {
        let port = port.filter(|port| !port.is_empty());
        match (typed, port) {
            (Some(address), _) => Ok(Listen { address, from_port: false }),
            (None, None) => Ok(Listen { address: DEFAULT, from_port: false }),
            (None, Some(port)) => {
                let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, number(port)?));
                Ok(Listen { address, from_port: true })
            }
        }
    }
}

/// Returns the port: digits alone, as hosts write it. Never shows the value: another program's PORT
/// may be anything.
fn number(port: &OsStr) -> Result<u16, Problem> {
    let digits = port.to_str().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok()).filter(|port| *port != 0);
    number.ok_or_else(|| {
        Problem::usage(
            "the variable PORT is not a port: it must be a number from 1 to 65535",
            "unset it, or say where to listen with --listen or LICTOR_LISTEN, such as 0.0.0.0:5000",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_port() {
        let flag = Some(SocketAddr::from(([127, 0, 0, 1], 80)));
        for (typed, port, expected, from_port) in [
            (None, None, "127.0.0.1:5000", false),
            (None, Some(""), "127.0.0.1:5000", false),
            (None, Some("8080"), "0.0.0.0:8080", true),
            (None, Some("65535"), "0.0.0.0:65535", true),
            (flag, None, "127.0.0.1:80", false),
            (flag, Some("8080"), "127.0.0.1:80", false),
            (flag, Some("nonsense"), "127.0.0.1:80", false),
        ] {
            let address = expected.parse().unwrap();
            let found = Listen::choose(typed, port.map(OsStr::new)).unwrap();
            assert_eq!(found, Listen { address, from_port }, "{port:?}");
        }
        for bad in ["0", "65536", "-1", "+80", "80 ", " 80", "0x50", "tcp://10.0.0.1:80", "http"] {
            let refused = Listen::choose(None, Some(OsStr::new(bad))).unwrap_err();
            assert!(refused.usage && refused.what.contains("PORT"), "{bad}: {refused}");
            assert!(bad.len() < 5 || !refused.to_string().contains(bad), "{refused}");
        }
    }
}
