//! The request target and the host in it (RFC 9112 section 3.2, RFC 3986 section 3.2).

use std::net::Ipv6Addr;

use super::super::limits::MAX_TARGET;
use super::super::refusal::{self, Refusal, malformed};

/// Returns the path and query of a target of any form (RFC 9112 section 3.2).
pub(super) fn origin_form<'a>(method: &str, target: &'a str) -> Result<&'a str, Refusal> {
    if target.len() > MAX_TARGET {
        return Err(refusal::TARGET_TOO_LONG);
    }
    if !target.bytes().all(|b| (b'!'..=b'~').contains(&b)) || target.contains('#') {
        return Err(malformed("The request target holds a forbidden character"));
    }
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        return Ok(target);
    }
    let scheme = target.get(..7).unwrap_or_default();
    let rest = match scheme.eq_ignore_ascii_case("http://") {
        true => &target[7..],
        false => return Err(malformed("The request target is neither a path nor an http URI")),
    };
    let authority = rest.find(['/', '?']).unwrap_or(rest.len());
    if !is_authority(&rest.as_bytes()[..authority]) {
        return Err(malformed("The host in the request target is malformed"));
    }
    match &rest[authority..] {
        "" => Ok("/"),
        path_and_query => Ok(path_and_query),
    }
}

/// Whether this is a host with an optional port, as in an http URI: no user information, and a host
/// that is not empty (RFC 3986 section 3.2, RFC 9110 section 4.2.1).
pub(super) fn is_authority(bytes: &[u8]) -> bool {
    let host_end = match bytes.first() {
        Some(b'[') => bytes.iter().position(|&b| b == b']').map_or(0, |end| end + 1),
        _ => bytes.iter().position(|&b| b == b':').unwrap_or(bytes.len()),
    };
    let (host, port) = bytes.split_at(host_end);
    is_host(host) && is_port(port)
}

/// Whether this is a name, an IPv4 address, or an IPv6 address in brackets. The grammar also has
/// future versions of addresses, which do not exist.
fn is_host(host: &[u8]) -> bool {
    if let [b'[', ip @ .., b']'] = host {
        return std::str::from_utf8(ip).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    }
    let mut rest = host;
    while let [first, behind @ ..] = rest {
        rest = match (first, behind) {
            (b'%', [high, low, behind @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                behind
            }
            (&b, _) if is_name_character(b) => behind,
            _ => return false,
        };
    }
    !host.is_empty()
}

/// Whether a name may hold this character (RFC 3986, `unreserved` and `sub-delims`).
fn is_name_character(b: u8) -> bool {
    // Patterns become bit tests; every request has a Host.
    b.is_ascii_alphanumeric()
        || matches!(b, b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')')
        || matches!(b, b'*' | b'+' | b',' | b';' | b'=')
}

/// Whether this is empty, or a colon and a port, which may be empty.
fn is_port(port: &[u8]) -> bool {
    let [b':', digits @ ..] = port else { return port.is_empty() };
    let number = digits.iter().try_fold(0u32, |sum, digit| {
        let sum = sum * 10 + u32::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        (sum <= u32::from(u16::MAX)).then_some(sum)
    });
    number.is_some()
}
