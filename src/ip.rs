//! Whose address a request comes from when there may be proxies in between, and which addresses
//! count as one. Knows no request: the peer and the header's lines are passed in.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Problem;

/// How often the log says that a proxy should be named: anybody near can send the header.
const TELL_AGAIN: Duration = Duration::from_secs(600);

/// Hops that are read of `X-Forwarded-For`, the nearest first. Nobody has more proxies than that.
const MAX_HOPS: usize = 16;

/// A range of addresses: one address, or all that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// ```
    /// use lictor::Network;
    /// assert!(Network::parse("10.0.0.0/8")?.contains("10.1.2.3".parse()?));
    /// assert!(!Network::parse("::1")?.contains("::2".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse(text: &str) -> Result<Network, Problem> {
        let network = || {
            let (address, bits) = match text.split_once('/') {
                Some((address, bits)) => (address, Some(bits)),
                None => (text, None),
            };
            let address = address.parse::<IpAddr>().ok()?.to_canonical();
            let width = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Some(width), |bits| bits.parse().ok())?;
            (bits <= width).then_some(Network { address, bits })
        };
        network().ok_or_else(|| {
            Problem::usage(
                format!("{text:?} is neither an address nor a network"),
                "write it like 10.0.0.1, 10.0.0.0/8, ::1 or 2001:db8::/32",
            )
        })
    }

    /// Whether the address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let same = match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                (ours.to_bits() ^ theirs.to_bits()).leading_zeros()
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                (ours.to_bits() ^ theirs.to_bits()).leading_zeros()
            }
            _ => return false,
        };
        same >= u32::from(self.bits)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// Who sends a request, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// That seems to be a proxy which nobody named, with anybody behind it.
    pub(crate) unnamed: bool,
}

impl Client {
    /// The address that tells this client from others, if it does.
    pub(crate) fn own(&self) -> Option<IpAddr> {
        (!self.unnamed).then_some(self.address)
    }
}

/// The proxies that are believed about whom a request comes from.
#[derive(Debug)]
pub(crate) struct Proxies {
    trusted: Vec<Network>,
    /// When the log last said that one should be named.
    told: Mutex<Option<Instant>>,
}

impl Proxies {
    pub(crate) fn new(trusted: Vec<Network>) -> Proxies {
        Proxies { trusted, told: Mutex::new(None) }
    }

    /// Who sends a request: the peer; or, if that is a trusted proxy, whom it names as the one
    /// before it in `X-Forwarded-For`, and so on. Where something stands that is no address,
    /// whoever said so is the last that is known. `forwarded` are the header's lines in the order
    /// in which they came.
    pub(crate) fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Client {
        let mut address = peer.to_canonical();
        let mut hops = forwarded.rev().flat_map(|line| line.rsplit(|&b| b == b',')).take(MAX_HOPS);
        while self.trusts(address) {
            match hops.next().and_then(hop) {
                Some(before) => address = before,
                None => return Client { address, unnamed: false },
            }
        }
        let unnamed = is_near(address) && hops.next().is_some();
        if unnamed {
            self.tell(address, Instant::now());
        }
        Client { address, unnamed }
    }

    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// Says whether it was said.
    fn tell(&self, peer: IpAddr, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|told| now.saturating_duration_since(told) < TELL_AGAIN) {
            return false;
        }
        *told = Some(now);
        drop(told);
        log::warn!(
            "{peer} sends X-Forwarded-For; if it is a proxy, name it with --trusted-proxy: \
             until then all behind it count as one"
        );
        true
    }
}

/// Whether an address is on this machine or in a private network, as proxies are.
pub(crate) fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            // Between providers and their customers, and overlay networks (RFC 6598).
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// An address as proxies write it: some put a port behind it, and brackets around IPv6.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim_matches([' ', '\t']);
    let bare = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|socket: SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// An address as far as limits are concerned: an IPv6 /64 is one, since one client has it all.
pub(crate) fn grouped(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn proxies(trusted: &[&str]) -> Proxies {
        Proxies::new(trusted.iter().map(|network| Network::parse(network).unwrap()).collect())
    }

    #[test]
    fn networks() {
        let check = |network: &str, address: &str, expected: Option<bool>| {
            let found = Network::parse(network).ok().map(|network| network.contains(ip(address)));
            assert_eq!(found, expected, "{network} {address}");
        };
        check("10.0.0.1", "10.0.0.1", Some(true));
        check("10.0.0.1", "10.0.0.2", Some(false));
        check("10.0.0.1", "::ffff:10.0.0.1", Some(true));
        check("::ffff:10.0.0.1", "10.0.0.1", Some(true));
        check("10.0.0.0/8", "10.255.255.255", Some(true));
        check("10.0.0.0/8", "11.0.0.0", Some(false));
        // Bits behind the prefix do not matter.
        check("10.9.9.9/8", "10.1.1.1", Some(true));
        check("192.0.2.128/25", "192.0.2.127", Some(false));
        check("192.0.2.128/25", "192.0.2.128", Some(true));
        check("192.0.2.1/32", "192.0.2.1", Some(true));
        check("0.0.0.0/0", "255.1.2.3", Some(true));
        check("0.0.0.0/0", "::1", Some(false));
        check("::/0", "2001:db8::1", Some(true));
        check("::/0", "10.0.0.1", Some(false));
        check("::1", "::1", Some(true));
        check("2001:db8::/33", "2001:db8:7fff::1", Some(true));
        check("2001:db8::/33", "2001:db8:8000::1", Some(false));
        for bad in [
            "",
            "/",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/255",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "10.0.0.0 /8",
            "10.0.0",
            "::/129",
            "::1/255",
            "localhost",
            "10.0.0.1:80",
        ] {
            check(bad, "10.0.0.1", None);
        }
    }

    #[test]
    fn clients_behind_proxies() {
        let proxies = proxies(&["127.0.0.1", "10.0.0.0/8", "fd00::/8"]);
        let check = |peer: &str, lines: &[&str], expected: &str| {
            let lines = lines.iter().map(|line| line.as_bytes());
            let found = proxies.client(ip(peer), lines.clone()).address;
            assert_eq!(found, ip(expected), "{peer} {lines:?}");
        };
        check("127.0.0.1", &[], "127.0.0.1");
        check("::ffff:127.0.0.1", &["192.0.2.1"], "192.0.2.1");
        check("127.0.0.1", &["192.0.2.1"], "192.0.2.1");
        // A stranger can say what it likes.
        check("192.0.2.9", &["192.0.2.1"], "192.0.2.9");
        check("192.0.2.9", &["127.0.0.1"], "192.0.2.9");
        // What the client itself sent stands to the left of what the proxies added.
        check("127.0.0.1", &["198.51.100.7, 192.0.2.1"], "192.0.2.1");
        check("127.0.0.1", &["198.51.100.7", "192.0.2.1"], "192.0.2.1");
        check("127.0.0.1", &["198.51.100.7, 192.0.2.1, 10.0.0.2", "10.0.0.3"], "192.0.2.1");
        check("fd00::1", &["192.0.2.1,10.0.0.2"], "192.0.2.1");
        // All of them trusted: the one furthest away.
        check("127.0.0.1", &["10.0.0.4, 10.0.0.5"], "10.0.0.4");
        // Forms that proxies write.
        for form in [
            "2001:db8::1",
            "[2001:db8::1]",
            "[2001:db8::1]:443",
            "\t2001:DB8::1 ",
            "2001:db8:0:0::1",
        ] {
            check("127.0.0.1", &[form], "2001:db8::1");
        }
        check("127.0.0.1", &["192.0.2.1:443"], "192.0.2.1");
        check("127.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1");
        // Not an address: the last good hop.
        for bad in ["", ",", "unknown", "_hidden", "192.0.2.1,", "192.0.2.300", "[192.0.2.1", "1"] {
            check("127.0.0.1", &[bad], "127.0.0.1");
            check("127.0.0.1", &[bad, "10.0.0.2"], "10.0.0.2");
        }
        let found = proxies.client(ip("127.0.0.1"), [&b"\xff\xfe"[..]].into_iter());
        assert_eq!(found.address, ip("127.0.0.1"));
    }

    #[test]
    fn no_more_hops_than_anybody_has() {
        let line = format!("192.0.2.1, {}", vec!["10.0.0.1"; 5_000].join(", "));
        let found = proxies(&["10.0.0.0/8"]).client(ip("10.0.0.2"), [line.as_bytes()].into_iter());
        assert_eq!(found.address, ip("10.0.0.1"));
    }

    #[test]
    fn a_proxy_that_nobody_named_is_noticed() {
        for (peer, lines, expected) in [
            ("127.0.0.1", &["192.0.2.1"][..], true),
            ("::ffff:172.16.0.1", &["x"], true),
            ("fd00::1", &["192.0.2.1"], true),
            ("100.64.0.1", &["192.0.2.1"], true),
            ("100.127.255.255", &["192.0.2.1"], true),
            ("100.128.0.1", &["192.0.2.1"], false),
            ("169.254.1.1", &["192.0.2.1"], true),
            ("fe80::1", &["192.0.2.1"], true),
            ("127.0.0.1", &[], false),
            ("10.0.0.1", &["192.0.2.1"], false),
            // Another one behind the one that was named.
            ("10.0.0.1", &["192.0.2.1, 172.16.0.1"], true),
            ("10.0.0.1", &["172.16.0.1"], false),
            ("198.51.100.1", &["192.0.2.1"], false),
            ("2001:db8::1", &["192.0.2.1"], false),
        ] {
            let proxies = proxies(&["10.0.0.0/8"]);
            let found = proxies.client(ip(peer), lines.iter().map(|line| line.as_bytes()));
            assert_eq!(found.own().is_none(), expected, "{peer} {lines:?}");
            let told = proxies.told.into_inner().unwrap();
            assert_eq!(told.is_some(), expected, "{peer} {lines:?}");
        }
        let (proxies, now) = (proxies(&[]), Instant::now());
        for (seconds, expected) in [(0, true), (1, false), (599, false), (600, true), (601, false)]
        {
            let at = now + Duration::from_secs(seconds);
            assert_eq!(proxies.tell(ip("127.0.0.1"), at), expected, "{seconds}");
        }
    }

    #[test]
    fn groups() {
        for (address, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
            ("2001:db8:1:3::", "2001:db8:1:3::"),
        ] {
            assert_eq!(grouped(ip(address)), ip(expected), "{address}");
        }
    }
}
