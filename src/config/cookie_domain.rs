//! The domain whose hosts share the cookie of a browser session.

use std::net::IpAddr;

use crate::access::is_within;
use crate::error::Problem;
use crate::values::domain;

/// The domain that login server and apps are below.
///
/// ```
/// use lictor::CookieDomain;
/// assert_eq!(CookieDomain::parse("Example.org")?.as_str(), "example.org");
/// assert!(CookieDomain::parse("org").is_err());
/// assert!(CookieDomain::parse("192.0.2.1").is_err());
/// # Ok::<(), lictor::Problem>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieDomain(String);

impl CookieDomain {
    /// Parses a domain of at least two labels, or `localhost`.
    pub fn parse(text: &str) -> Result<CookieDomain, Problem> {
        // Browsers refuse a cookie for a whole top-level domain, and one with a domain for an IP.
        let good = |ascii: &String| ascii == "localhost" || ascii.contains('.');
        let found = domain::ascii(text).filter(good);
        match found.filter(|ascii| ascii.parse::<IpAddr>().is_err()) {
            Some(ascii) => Ok(CookieDomain(ascii)),
            None => Err(Problem::usage(
                format!("{text:?} is no domain that hosts can share a cookie of"),
                "give the domain that the login and the apps are below, like example.org",
            )),
        }
    }

    /// The domain in lower-case ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether browsers send the cookie to this host: the domain itself, or one below it. A port
    /// does not belong to a host.
    pub(crate) fn covers(&self, host: &str) -> bool {
        is_within(host, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains() {
        for (text, expected) in [
            ("example.org", Some("example.org")),
            ("Home.Example.ORG", Some("home.example.org")),
            ("b\u{fc}cher.example", Some("xn--bcher-kva.example")),
            ("localhost", Some("localhost")),
            ("org", None),
            ("", None),
            (".example.org", None),
            ("example.org.", None),
            ("*.example.org", None),
            ("https://example.org", None),
            ("example.org:443", None),
            ("example.org/x", None),
            ("192.0.2.1", None),
            ("[::1]", None),
            ("::1", None),
            ("a b.example", None),
            ("a;b.example", None),
        ] {
            let found = CookieDomain::parse(text).ok();
            assert_eq!(found.as_ref().map(CookieDomain::as_str), expected, "{text}");
        }
    }

    #[test]
    fn hosts_that_get_the_cookie() {
        let domain = CookieDomain::parse("example.org").unwrap();
        for (host, expected) in [
            ("example.org", true),
            ("wiki.example.org", true),
            ("a.b.Example.ORG", true),
            ("evil-example.org", false),
            ("example.org.evil", false),
            (".example.org", false),
            ("org", false),
            ("", false),
            ("\u{e4}example.org", false),
            ("example.or\u{e4}", false),
        ] {
            assert_eq!(domain.covers(host), expected, "{host}");
        }
    }
}
