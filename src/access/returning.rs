//! The URLs to which people may be sent back after a login: pages of this server, and of the hosts that
//! share its cookie. Everything else would make the login page a way to lead people anywhere (an open
//! redirect). What browsers read in more than one way is refused, not repaired.

use super::{AccessRules, Path, host_of, is_within};
use crate::link::PageUrl;

/// Maximum length of a URL, in bytes.
const MAX_URL: usize = 2_048;

/// The settings that decide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Returning<'a> {
    /// Where people reach this server.
    pub(crate) public_url: Option<&'a PageUrl>,
    /// The domain of the cookie; `None` if it is for this server's host alone.
    pub(crate) cookie_domain: Option<&'a str>,
    pub(crate) rules: Option<&'a AccessRules>,
}

/// A page to which people may be sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page<'u> {
    /// The host as the URL has it, without port; `None` for a page of this server.
    pub(crate) host: Option<&'u str>,
    /// Path and query, as rules read them.
    pub(crate) path: Path<'u>,
}

impl Returning<'_> {
    /// Returns the page of a URL, or of a path of this server; `None` if nobody may be sent there.
    pub(crate) fn page<'u>(&self, url: &'u str) -> Option<Page<'u>> {
        // Browsers leave out tabs and line ends, and take `\` for a slash.
        let fine = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if url.len() > MAX_URL || !url.bytes().all(fine) {
            return None;
        }
        if url.starts_with('/') {
            let path = Path::of(url.split('#').next()?.as_bytes());
            return (!url.starts_with("//")).then_some(Page { host: None, path });
        }
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let target = target.split('#').next()?;
        let target = if target.starts_with('/') { target } else { "/" };
        let host = authority.split(':').next().filter(|_| !authority.starts_with('['));
        let host = host.unwrap_or(authority.get(..authority.find(']').map_or(0, |at| at + 1))?);
        // A final dot makes another host of it for cookies.
        let same = host_of(authority).is_some_and(|found| found.eq_ignore_ascii_case(host));
        let page = Page { host: Some(host), path: Path::of(target.as_bytes()) };
        (same && self.takes_scheme(scheme) && self.takes_host(host)).then_some(page)
    }

    /// A page without TLS is for servers without TLS.
    fn takes_scheme(&self, scheme: &str) -> bool {
        let plain = self.public_url.is_some_and(|url| url.as_str().starts_with("http://"));
        scheme == "https" || scheme == "http" && plain
    }

    fn takes_host(&self, host: &str) -> bool {
        let own = self.public_url.is_some_and(|url| url.host().eq_ignore_ascii_case(host));
        let gets_cookie = self.cookie_domain.is_some_and(|domain| is_within(host, domain));
        own || gets_cookie && self.rules.is_none_or(|rules| rules.knows(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(url: &str) -> PageUrl {
        PageUrl::parse(url).unwrap()
    }

    fn check(returning: Returning<'_>, url: &str, expected: Option<&str>) {
        let found = returning.page(url).map(|page| page.host.unwrap_or("here"));
        assert_eq!(found, expected, "{url:?}");
    }

    #[test]
    fn where_people_may_be_sent_back_to() {
        let own = page("https://login.example.org/app");
        let returning =
            Returning { public_url: Some(&own), cookie_domain: Some("example.org"), rules: None };
        for (url, expected) in [
            ("/", Some("here")),
            ("/account?x=https://evil.example#y", Some("here")),
            ("/.//evil.example", Some("here")),
            ("https://login.example.org", Some("login.example.org")),
            ("https://wiki.example.org/a/b?c=d#e", Some("wiki.example.org")),
            ("https://WIKI.Example.ORG/", Some("WIKI.Example.ORG")),
            ("https://wiki.example.org:8443/x", Some("wiki.example.org")),
            ("https://wiki.example.org?x", Some("wiki.example.org")),
            ("https://wiki.example.org#x", Some("wiki.example.org")),
            ("https://a.b.example.org/", Some("a.b.example.org")),
            ("https://example.org/", Some("example.org")),
            ("https://wiki.example.org/@evil.example", Some("wiki.example.org")),
        ] {
            check(returning, url, expected);
        }
        for bad in [
            "",
            "account",
            "?x",
            "#x",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " /x",
            " https://wiki.example.org",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "https://",
            "https:///",
            "https://:443/",
            "https://evil.example/",
            "https://evil.example/login.example.org",
            "https://evil.example?.example.org",
            "https://evil.example#.example.org",
            "https://evil.example\\.example.org",
            "https://evil.example%2f.example.org",
            "https://evil.example%23.example.org",
            "https://evil.example;.example.org",
            "https://evilexample.org/",
            "https://example.org.evil.example/",
            "https://example.organic/",
            "https://org/",
            "https://login.example.org@evil.example/",
            "https://login.example.org:x@evil.example/",
            "https://ada@wiki.example.org/",
            "https://ada:pw@wiki.example.org/",
            "https://wiki.example.org:80:80/",
            "https://wiki.example.org:99999/",
            "https://wiki.example.org:443@evil.example/",
            "https://wiki.example.org./",
            "https://wiki..example.org/",
            "https://wiki.example.org,evil.example/",
            "https://ex%61mple.org/",
            "https://wiki。example.org/",
            "https://ｗiki.example.org/",
            "https://wíki.example.org/",
            "https://wiki.example.org/\u{202e}",
            "https://wiki.example.org/a b",
            "https://wiki.example.org/\0",
            "https://wiki.example.org/a\\b",
            "https://[::1]/",
            "https://[::1].example.org/",
            "https://127.0.0.1/",
            "http://wiki.example.org/",
            "HTTPS://wiki.example.org/",
            "ftp://wiki.example.org/",
            "javascript://wiki.example.org/%0aalert(1)",
            "javascript:alert(1)",
            "data:text/html,x",
            "blob:https://wiki.example.org/x",
            "view-source:https://wiki.example.org/",
        ] {
            check(returning, bad, None);
        }
        let long = |length: usize| format!("https://wiki.example.org/{}", "x".repeat(length - 25));
        check(returning, &long(2_048), Some("wiki.example.org"));
        check(returning, &long(2_049), None);
    }

    #[test]
    fn settings_narrow_it() {
        let rules =
            AccessRules::parse("*.apps.example.org users\nwiki.example.org nobody").unwrap();
        let (own, ip) = (page("https://login.example.org"), page("http://[::1]:5000"));
        let with = |public_url, cookie_domain| Returning { public_url, cookie_domain, rules: None };
        let nowhere = with(None, None);
        check(nowhere, "/x", Some("here"));
        check(nowhere, "https://login.example.org/", None);
        let alone = with(Some(&own), None);
        check(alone, "https://login.example.org/x", Some("login.example.org"));
        check(alone, "https://login.example.org:444/x", Some("login.example.org"));
        check(alone, "https://wiki.example.org/x", None);
        check(alone, "https://a.login.example.org/x", None);
        let plain = with(Some(&ip), None);
        check(plain, "http://[::1]:8080/x", Some("[::1]"));
        check(plain, "https://[::1]/", Some("[::1]"));
        check(plain, "http://[::2]/", None);
        check(plain, "http://[::1]x/", None);
        let ruled = Returning { rules: Some(&rules), ..with(Some(&own), Some("example.org")) };
        for (host, known) in [
            ("login.example.org", true),
            ("wiki.example.org", true),
            ("a.apps.example.org", true),
            ("apps.example.org", false),
            ("cal.example.org", false),
        ] {
            check(ruled, &format!("https://{host}/"), known.then_some(host));
        }
    }

    #[test]
    fn the_path_is_what_rules_judge() {
        let own = page("https://login.example.org");
        let returning = Returning { public_url: Some(&own), cookie_domain: None, rules: None };
        for (url, path) in [
            ("https://login.example.org/a/b?c#d", "/a/b"),
            ("https://login.example.org/a#?b", "/a"),
            ("https://login.example.org?a", "/"),
            ("/a?b", "/a"),
        ] {
            assert_eq!(returning.page(url).unwrap().path, Path::of(path.as_bytes()), "{url}");
        }
    }
}
