//! URLs of the pages to which the links in mails lead. They come from the configuration, never from a
//! request: a client could otherwise choose where a token goes.

use crate::error::Problem;

/// The most bytes of a URL: with a token it stays below the limits of mail programs and proxies.
const MAX_URL: usize = 1_024;

/// The URL of a page that takes a token.
///
/// ```
/// use lictor::PageUrl;
/// // lictor appends the token: https://login.example.org/app/finalize?token=a.b.c
/// let page = PageUrl::parse("https://login.example.org/app/finalize")?;
/// // A page of an app that routes behind the `#`, such as with React Router's `HashRouter`.
/// let page = PageUrl::parse("https://login.example.org/#/finalize")?;
/// assert_eq!(page.as_str(), "https://login.example.org/#/finalize");
/// assert!(PageUrl::parse("login.example.org").is_err());
/// # Ok::<(), lictor::Problem>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageUrl(String);

impl PageUrl {
    /// The path of the app's page that confirms an e-mail address.
    pub(crate) const CONFIRMATION: &str = "finalize";
    /// The path of the app's page that logs somebody in.
    pub(crate) const LOGIN: &str = "login";
    /// The path of the app's page that makes the first administrator.
    #[cfg(feature = "cli")]
    pub(crate) const SETUP: &str = "setup";
    /// The path of the app's page that makes an account.
    pub(crate) const REGISTRATION: &str = "register";
    /// The path of the app's page that sets a new password.
    pub(crate) const RESET: &str = "reset-finalize";

    /// Parses an `http` or `https` URL, with or without a fragment.
    pub fn parse(text: &str) -> Result<PageUrl, Problem> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        // RFC 3986 section 2; a URL has at most one `#`.
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
        let host =
            |rest: &str| rest.split(['/', '?', '#']).next().is_some_and(|host| !host.is_empty());
        let fragments = |rest: &str| rest.matches('#').count();
        match rest {
            Some(rest)
                if text.len() <= MAX_URL
                    && host(rest)
                    && fragments(rest) <= 1
                    && rest.bytes().all(allowed) =>
            {
                Ok(PageUrl(text.into()))
            }
            _ => Err(Problem::usage(
                format!("{:?} is not the URL of a page", clipped(text)),
                "write it as browsers do, like https://login.example.org",
            )),
        }
    }

    /// A page below this one.
    pub(crate) fn below(&self, path: &str) -> PageUrl {
        PageUrl(format!("{}/{path}", self.0.trim_end_matches('/')))
    }

    /// The link that brings a token to this page. The token goes to the end, as in
    /// flask-praetorian's template: behind a fragment if there is one, where the app's router reads it
    /// and no server logs it.
    pub(crate) fn with_token(&self, token: &str) -> String {
        self.with("token", token)
    }

    /// The page with a parameter at its end, whose value must be percent-encoded.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let part = self.0.split_once('#').map_or(self.0.as_str(), |(_, fragment)| fragment);
        let joint = if part.contains('?') { '&' } else { '?' };
        format!("{}{joint}{name}={value}", self.0)
    }

    /// The host, without a port; an IPv6 address with its brackets.
    pub(crate) fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        without_port(authority.rsplit('@').next().unwrap_or_default())
    }

    /// The scheme, and the port with its colon; empty if it has none. Apps behind the same proxy are
    /// reached by the same.
    pub(crate) fn scheme_and_port(&self) -> (&str, &str) {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        (scheme, &authority[without_port(authority).len()..])
    }

    /// The URL as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns host and port without the port.
pub(crate) fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        // Within the brackets of an IPv6 address there is no port.
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    }
}

fn clipped(text: &str) -> &str {
    let end = (0..=text.len().min(80)).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_appended_to_a_page() {
        for (url, expected) in [
            ("https://a.example", Some("https://a.example/finalize?token=t")),
            ("https://a.example/", Some("https://a.example/finalize?token=t")),
            ("http://[::1]:5000/x", Some("http://[::1]:5000/x/finalize?token=t")),
            ("https://a.example/x?y=z", Some("https://a.example/x?y=z/finalize&token=t")),
            ("", None),
            ("https://", None),
            ("https:///x", None),
            ("https://?x", None),
            ("ftp://a.example", None),
            ("javascript:alert(1)", None),
            ("http://a.example/#", Some("http://a.example/#/finalize?token=t")),
            ("http://a.example/#/", Some("http://a.example/#/finalize?token=t")),
            ("http://a.example/x?y=z#", Some("http://a.example/x?y=z#/finalize?token=t")),
            ("https://a.example/##", None),
            ("https://#x", None),
            ("https://a example", None),
            ("https://a.example/\r\nX: y", None),
            ("https://ä.example", None),
            ("https://a.example/\"><script>", None),
        ] {
            let link = PageUrl::parse(url).map(|page| page.below("finalize").with_token("t"));
            assert_eq!(link.ok().as_deref(), expected, "{url}");
        }
        assert!(PageUrl::parse(&format!("https://a/{}", "x".repeat(MAX_URL))).is_err());
        let page = PageUrl::parse("https://a.example/p?page=reset").unwrap();
        assert_eq!(page.with_token("t"), "https://a.example/p?page=reset&token=t");
    }

    #[test]
    fn hosts() {
        for (url, expected) in [
            ("https://login.example.org", "login.example.org"),
            ("https://login.example.org:8443/x?y#z", "login.example.org"),
            ("http://a@login.example.org:80?x", "login.example.org"),
            ("http://[::1]:5000/#/x", "[::1]"),
            ("http://[::1]", "[::1]"),
        ] {
            assert_eq!(PageUrl::parse(url).unwrap().host(), expected, "{url}");
        }
    }

    #[test]
    fn schemes_and_ports() {
        for (url, expected) in [
            ("https://login.example.org", ("https", "")),
            ("http://login.example.org:8080/x:1", ("http", ":8080")),
            ("http://[::1]:5000/#/x", ("http", ":5000")),
            ("http://[::1]", ("http", "")),
        ] {
            assert_eq!(PageUrl::parse(url).unwrap().scheme_and_port(), expected, "{url}");
        }
    }

    #[test]
    fn an_app_that_routes_behind_a_fragment_got_no_links() {
        for (url, expected) in [
            ("http://a.example/#/new_password", "http://a.example/#/new_password?token=t"),
            ("http://a.example#/finalize", "http://a.example#/finalize?token=t"),
            ("http://a.example/#/finalize?x=y", "http://a.example/#/finalize?x=y&token=t"),
            ("http://a.example/?x=y#/finalize", "http://a.example/?x=y#/finalize?token=t"),
        ] {
            assert_eq!(PageUrl::parse(url).unwrap().with_token("t"), expected);
        }
    }
}
