//! Compares the origin of a page with the host that a request was sent to, and with the public URL.
//! Knows no request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::ip::is_near;
use crate::link::without_port;

/// Whether a page of `origin` was loaded from `host`, the `Host` field of a request. The scheme does
/// not count: a proxy with TLS may be in front.
pub(crate) fn is_at(origin: &[u8], host: &[u8]) -> bool {
    let Some((port, authority)) = parts(origin) else { return false };
    authority.eq_ignore_ascii_case(without(host, port))
}

/// Whether a `Host` field holds an IP address or `localhost`, and so no name that an attacker could
/// let point here (DNS rebinding).
pub(crate) fn is_no_name(host: &[u8]) -> bool {
    let name = without_port(std::str::from_utf8(host).unwrap_or_default());
    name.eq_ignore_ascii_case("localhost") || ip(name).is_some()
}

/// Whether a `Host` field holds `localhost`, or an IP address of this machine or of a private
/// network.
pub(crate) fn is_local(host: &[u8]) -> bool {
    let name = without_port(std::str::from_utf8(host).unwrap_or_default());
    name.eq_ignore_ascii_case("localhost") || ip(name).is_some_and(is_near)
}

fn ip(name: &str) -> Option<IpAddr> {
    let bare = name.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => name.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

/// Whether `url` has this origin.
pub(crate) fn is_of(origin: &[u8], url: &[u8]) -> bool {
    let (Some(origin), Some(url)) = (parts(origin), parts(origin_of(url))) else { return false };
    origin.0 == url.0 && origin.1.eq_ignore_ascii_case(url.1)
}

/// Whether the host of `url` is a name. A public URL without one, such as the default of a server
/// that listens on this machine alone, does not tell how people reach it through a proxy.
pub(crate) fn has_name(url: &[u8]) -> bool {
    parts(origin_of(url)).is_some_and(|(_, authority)| !is_no_name(authority))
}

/// Returns a URL without path, query and fragment.
fn origin_of(url: &[u8]) -> &[u8] {
    let end = url.iter().enumerate().filter(|(_, b)| b"/?#".contains(b)).map(|(at, _)| at).nth(2);
    &url[..end.unwrap_or(url.len())]
}

/// Returns the port that an origin's scheme implies, and host and port without that port.
fn parts(origin: &[u8]) -> Option<(&'static [u8], &[u8])> {
    let http = origin.strip_prefix(b"http://").map(|rest| (&b":80"[..], rest));
    let https = || origin.strip_prefix(b"https://").map(|rest| (&b":443"[..], rest));
    let (port, authority) = http.or_else(https)?;
    let authority = without(authority, port);
    (!authority.is_empty()).then_some((port, authority))
}

fn without<'a>(authority: &'a [u8], port: &[u8]) -> &'a [u8] {
    authority.strip_suffix(port).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_whose_host_is_a_name() {
        for (url, expected) in [
            ("https://login.example", true),
            ("https://login.example:8443/x?y#z", true),
            ("http://127.0.0.1:5000", false),
            ("http://localhost:5000/", false),
            ("http://[::1]:5000/#/x", false),
            ("http://192.0.2.1", false),
            ("", false),
        ] {
            assert_eq!(has_name(url.as_bytes()), expected, "{url}");
        }
    }

    #[test]
    fn pages_of_the_host_that_the_request_was_sent_to() {
        for (origin, host, expected) in [
            ("http://a.example", "a.example", true),
            ("https://a.example", "a.example", true),
            ("https://a.example", "A.Example:443", true),
            ("http://a.example:80", "a.example", true),
            ("http://a.example:5000", "a.example:5000", true),
            ("http://[::1]:5000", "[::1]:5000", true),
            ("http://[fe80::80]", "[fe80::80]:80", true),
            ("http://a.example", "a.example:443", false),
            ("http://a.example:443", "a.example", false),
            ("http://a.example", "a.example:5000", false),
            ("http://a.example:3000", "a.example:5000", false),
            ("http://b.example", "a.example", false),
            ("http://a.example.evil", "a.example", false),
            ("http://evil-a.example", "a.example", false),
            ("http://a.example/", "a.example", false),
            ("null", "null", false),
            ("null", "", false),
            ("http://", "", false),
            ("http://:80", "", false),
            ("", "", false),
            ("ftp://a.example", "a.example", false),
            ("a.example", "a.example", false),
        ] {
            assert_eq!(is_at(origin.as_bytes(), host.as_bytes()), expected, "{origin} {host}");
        }
    }

    #[test]
    fn a_host_name_that_points_here_is_not_ours() {
        for (host, expected) in [
            ("localhost", true),
            ("LocalHost:5000", true),
            ("127.0.0.1", true),
            ("192.0.2.1:80", true),
            ("[::1]", true),
            ("[2001:db8::1]:5000", true),
            ("evil.example", false),
            ("evil.example:5000", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("127.1", false),
            ("::1", false),
            ("[evil]", false),
            ("", false),
        ] {
            assert_eq!(is_no_name(host.as_bytes()), expected, "{host}");
        }
    }

    #[test]
    fn hosts_of_this_machine_and_of_private_networks() {
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST:5000", true),
            ("127.0.0.1:5000", true),
            ("192.168.1.5", true),
            ("10.0.0.1:80", true),
            ("[::1]:5000", true),
            ("[fd00::1]", true),
            ("192.0.2.1", false),
            ("[2001:db8::1]", false),
            ("login.lan", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
            ("0.0.0.0", false),
            ("::1", false),
            ("", false),
        ] {
            assert_eq!(is_local(host.as_bytes()), expected, "{host}");
        }
    }

    #[test]
    fn pages_of_the_public_url() {
        for (origin, url, expected) in [
            ("https://a.example", "https://a.example", true),
            ("https://a.example", "https://A.example:443/app/#/x", true),
            ("http://a.example:5000", "http://a.example:5000/?x", true),
            ("http://a.example", "https://a.example", false),
            ("https://a.example", "https://a.example:444", false),
            ("https://evil.example", "https://a.example/https://evil.example", false),
            ("null", "https://a.example", false),
        ] {
            assert_eq!(is_of(origin.as_bytes(), url.as_bytes()), expected, "{origin} {url}");
        }
    }
}
