//! A host as rules compare it: without port and final dot, whatever its case.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// Maximum length of a host, in bytes (RFC 1035).
const MAX_HOST: usize = 253;

/// Returns the host of `HOST` or `HOST:PORT`; `None` if it is malformed. An IPv6 address keeps its
/// brackets, and has its shortest form. Names keep their case.
pub(crate) fn host_of(authority: &str) -> Option<Cow<'_, str>> {
    let end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(end)?;
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return None;
    }
    if let Some(ip) = host.strip_prefix('[') {
        let ip: Ipv6Addr = ip.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{ip}]").into());
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    is_name(host).then_some(host.into())
}

/// Whether a host is this domain or below it.
pub(crate) fn is_within(host: &str, domain: &str) -> bool {
    let Some(at) = host.len().checked_sub(domain.len()) else { return false };
    host.split_at_checked(at).is_some_and(|(before, end)| {
        let is_below = before.len() > 1 && before.ends_with('.');
        (before.is_empty() || is_below) && end.eq_ignore_ascii_case(domain)
    })
}

/// Browsers leave out the default port; an empty one is valid (RFC 3986 section 3.2.3).
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.is_empty() || text.len() <= 5 && text.parse::<u16>().is_ok())
}

/// Whether the text is a name in ASCII, or an IPv4 address.
fn is_name(host: &str) -> bool {
    // One pass: this runs for each picture of a page.
    let mut before = b'.';
    for byte in host.bytes() {
        let fine = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !fine && (byte != b'.' || before == b'.') {
            return false;
        }
        before = byte;
    }
    before != b'.' && host.len() <= MAX_HOST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_without_their_ports() {
        for (authority, expected) in [
            ("wiki.example.org", Some("wiki.example.org")),
            ("WIKI.example.org:8443", Some("WIKI.example.org")),
            ("wiki.example.org.", Some("wiki.example.org")),
            ("wiki.example.org.:443", Some("wiki.example.org")),
            ("wiki.example.org:", Some("wiki.example.org")),
            ("localhost:5000", Some("localhost")),
            ("xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("a_b.example", Some("a_b.example")),
            ("192.0.2.1:80", Some("192.0.2.1")),
            ("[2001:DB8:0::1]:443", Some("[2001:db8::1]")),
            ("[::1]", Some("[::1]")),
            ("", None),
            (":80", None),
            (".", None),
            (".example.org", None),
            ("example..org", None),
            ("example.org..", None),
            ("example.org:80:80", None),
            ("example.org:65536", None),
            ("example.org:+80", None),
            ("example.org:000080", None),
            ("example.org:80a", None),
            ("example.org, other.example", None),
            ("example.org other.example", None),
            ("ada@example.org", None),
            ("example.org/x", None),
            ("example.org\\x", None),
            ("ex%61mple.org", None),
            ("bücher.example", None),
            ("ｅxample.org", None),
            ("example.org\0", None),
            ("::1", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[::1]80", None),
            ("[fe80::1%25eth0]", None),
            ("[192.0.2.1]", None),
            ("[]", None),
        ] {
            assert_eq!(host_of(authority).as_deref(), expected, "{authority:?}");
        }
        assert_eq!(host_of(&"a".repeat(254)), None);
    }

    #[test]
    fn hosts_below_a_domain() {
        for (host, domain, expected) in [
            ("example.org", "example.org", true),
            ("Wiki.Example.org", "example.org", true),
            ("a.b.example.org", "example.org", true),
            ("evilexample.org", "example.org", false),
            (".example.org", "example.org", false),
            ("example.org.evil", "example.org", false),
            ("org", "example.org", false),
            ("", "example.org", false),
            ("éexample.org", "example.org", false),
        ] {
            assert_eq!(is_within(host, domain), expected, "{host}");
        }
    }
}
