//! The IP of a client, with or without proxies in between. Knows no request: the peer and the lines
//! of the header are passed in.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Problem;

pub(crate) use lictor_engine::grouping::grouped;

/// How often the log may say that a proxy should be named: any client nearby can send the header.
const WARN_AGAIN: Duration = Duration::from_secs(600);

/// The most entries of `X-Forwarded-For` that are read, the nearest first: more than any chain of
/// proxies has.
const MAX_HOPS: usize = 16;

/// A range of IPs: one IP, or all that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    ip: IpAddr,
    bits: u8,
}

impl Network {
    /// Parses an IP, or an IP and the number of bits that count.
    ///
    /// ```
    /// use lictor::Network;
    /// assert!(Network::parse("10.0.0.0/8")?.contains("10.1.2.3".parse()?));
    /// assert!(!Network::parse("::1")?.contains("::2".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse(text: &str) -> Result<Network, Problem> {
        let network = || {
            let (ip, bits) = match text.split_once('/') {
                Some((ip, bits)) => (ip, Some(bits)),
                None => (text, None),
            };
            let ip = ip.parse::<IpAddr>().ok()?.to_canonical();
            let width = if ip.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Some(width), |bits| bits.parse().ok())?;
            (bits <= width).then_some(Network { ip, bits })
        };
        network().ok_or_else(|| {
            Problem::usage(
                format!("{text:?} is neither an IP nor a network"),
                "write it like 10.0.0.1, 10.0.0.0/8, ::1 or 2001:db8::/32",
            )
        })
    }

    /// Whether the IP lies in the range.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let same = match (self.ip, ip.to_canonical()) {
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
        write!(f, "{}/{}", self.ip, self.bits)
    }
}

/// The sender of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) ip: IpAddr,
    /// The IP seems to be that of a proxy that no setting names: different clients may share it.
    pub(crate) unnamed: bool,
}

impl Client {
    /// The IP, if it tells this client from others.
    pub(crate) fn own(&self) -> Option<IpAddr> {
        (!self.unnamed).then_some(self.ip)
    }
}

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Debug)]
pub(crate) struct Proxies {
    trusted: Vec<Network>,
    /// The time of the last warning that a proxy should be named.
    warned: Mutex<Option<Instant>>,
}

impl Proxies {
    pub(crate) fn new(trusted: Vec<Network>) -> Proxies {
        Proxies { trusted, warned: Mutex::new(None) }
    }

    /// The sender of a request: the peer, or, if that is a trusted proxy, the hop before it in
    /// `X-Forwarded-For`, and so on. An entry that is no IP ends the search at the proxy that wrote
    /// it. `forwarded` are the lines of the header in their order.
    pub(crate) fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Client {
        let mut ip = peer.to_canonical();
        let mut hops = forwarded.rev().flat_map(|line| line.rsplit(|&b| b == b',')).take(MAX_HOPS);
        while self.trusts(ip) {
            match hops.next().and_then(hop) {
                Some(before) => ip = before,
                None => return Client { ip, unnamed: false },
            }
        }
        let unnamed = is_near(ip) && hops.next().is_some();
        if unnamed {
            self.warn(ip, Instant::now());
        }
        Client { ip, unnamed }
    }

    /// Whether the IP is that of a trusted proxy.
    pub(crate) fn trusts(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(ip))
    }

    /// Logs that a proxy should be named; false if the log said so recently.
    fn warn(&self, peer: IpAddr, now: Instant) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_some_and(|at| now.saturating_duration_since(at) < WARN_AGAIN) {
            return false;
        }
        *warned = Some(now);
        drop(warned);
        log::warn!(
            "{peer} sends X-Forwarded-For; if it is a proxy, name it with the setting `trusted_proxies`: \
             until then all clients behind it count as one"
        );
        true
    }
}

/// Whether an IP is of this machine or of a private network, as those of proxies are.
pub(crate) fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            // Between providers and their customers, and overlay networks (RFC 6598).
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Parses an IP as proxies write it: some append a port and put brackets around IPv6.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim_matches([' ', '\t']);
    let bare = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse().or_else(|_| text.parse().map(|socket: SocketAddr| socket.ip()));
    ip.ok().map(|ip: IpAddr| ip.to_canonical())
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
    fn a_network_contains_ips_with_the_same_first_bits() {
        let check = |network: &str, text: &str, expected: Option<bool>| {
            let found = Network::parse(network).ok().map(|network| network.contains(ip(text)));
            assert_eq!(found, expected, "{network} {text}");
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
    fn the_last_untrusted_hop_is_the_client() {
        let proxies = proxies(&["127.0.0.1", "10.0.0.0/8", "fd00::/8"]);
        let check = |peer: &str, lines: &[&str], expected: &str| {
            let lines = lines.iter().map(|line| line.as_bytes());
            let found = proxies.client(ip(peer), lines.clone()).ip;
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
        // Not an IP: the last good hop.
        for bad in ["", ",", "unknown", "_hidden", "192.0.2.1,", "192.0.2.300", "[192.0.2.1", "1"] {
            check("127.0.0.1", &[bad], "127.0.0.1");
            check("127.0.0.1", &[bad, "10.0.0.2"], "10.0.0.2");
        }
        let found = proxies.client(ip("127.0.0.1"), [&b"\xff\xfe"[..]].into_iter());
        assert_eq!(found.ip, ip("127.0.0.1"));
    }

    #[test]
    fn at_most_16_hops_are_read() {
        let line = format!("192.0.2.1, {}", vec!["10.0.0.1"; 5_000].join(", "));
        let found = proxies(&["10.0.0.0/8"]).client(ip("10.0.0.2"), [line.as_bytes()].into_iter());
        assert_eq!(found.ip, ip("10.0.0.1"));
    }

    #[test]
    fn a_proxy_that_no_setting_names_is_noticed() {
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
            let warned = proxies.warned.into_inner().unwrap();
            assert_eq!(warned.is_some(), expected, "{peer} {lines:?}");
        }
        let (proxies, now) = (proxies(&[]), Instant::now());
        for (seconds, expected) in [(0, true), (1, false), (599, false), (600, true), (601, false)]
        {
            let at = now + Duration::from_secs(seconds);
            assert_eq!(proxies.warn(ip("127.0.0.1"), at), expected, "{seconds}");
        }
    }
}
