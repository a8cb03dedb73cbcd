//! The request that a proxy asks about, as the proxy describes it: `X-Forwarded-Method`, `-Proto`,
//! `-Host` and `-Uri`, or `X-Original-Method` and `X-Original-URL`. Only a trusted proxy is believed,
//! and only what is said once. A proxy that sends fields of one kind may let a client send those of the
//! other, so both must describe the same request.

use std::borrow::Cow;

use lictor_engine::http::names;

use super::call::takes_page;
use super::refused_fields::RefusedFields;
use super::{Call, origin};
use crate::access::{Path, host_of};
use crate::error::Error;
use crate::http::Request;

/// The request that a proxy asks about; what is not known is `None`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    method: Option<&'a str>,
    https: Option<bool>,
    /// Host and port as the client has sent them.
    authority: Option<&'a str>,
    /// The host as rules compare it.
    host: Option<Cow<'a, str>>,
    /// Path and query.
    target: Option<&'a str>,
    /// The field `Destination` of the client.
    destination: Option<&'a [u8]>,
    /// Whether an app may take another method from a field of the client.
    overrides_method: bool,
}

/// What a browser sends by itself, whoever has made it ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ambient {
    /// A cookie.
    Cookie,
    /// A name and a password that the browser remembers.
    Basic,
}

/// The fields of the proxy.
const NAMES: [&str; 6] = [
    "X-Forwarded-Method",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Uri",
    "X-Original-Method",
    "X-Original-URL",
];

/// Fields in which a client may name a method; many apps use it in the place of POST, some in that of any.
const METHODS: [&str; 3] = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];

/// What the fields of a request say.
#[derive(Debug, Default)]
struct Fields<'a> {
    /// What the proxy says, by its place in [`NAMES`].
    said: [Option<&'a str>; NAMES.len()],
    destination: Option<&'a [u8]>,
    overrides_method: bool,
}

impl<'a> Call<'a> {
    /// Returns the request that a trusted proxy asks about; all of it is unknown if nobody else than
    /// the client describes it. An error if the description cannot be relied on, or the request has
    /// a field that must not reach an app.
    pub(crate) fn wanted(&self) -> Result<Wanted<'a>, Error> {
        Wanted::of(self.request, self.is_from_proxy())
    }
}

impl<'a> Wanted<'a> {
    fn of(request: &Request<'a>, from_proxy: bool) -> Result<Wanted<'a>, Error> {
        let Fields { said, destination, overrides_method } = fields(request, from_proxy)?;
        let [method, proto, authority, target, other_method, url] = said;
        let forwarded = Wanted::new(method, proto, authority, target)?;
        let forwarded = Wanted { destination, overrides_method, ..forwarded };
        if (other_method, url) == (None, None) {
            return Ok(forwarded);
        }
        let [proto, authority, target] = url.map(split).transpose()?.unwrap_or_default();
        let original = Wanted::new(other_method, proto, authority, target)?;
        Ok(Wanted {
            method: same(forwarded.method, original.method)?,
            https: same(forwarded.https, original.https)?,
            host: same(forwarded.host, original.host)?,
            target: same(forwarded.target, original.target)?,
            // One of them may leave out the port.
            authority: forwarded.authority.or(original.authority),
            destination,
            overrides_method,
        })
    }

    fn new(
        method: Option<&'a str>,
        proto: Option<&'a str>,
        authority: Option<&'a str>,
        target: Option<&'a str>,
    ) -> Result<Wanted<'a>, Error> {
        let is_one_of = |proto: &str, names: [&str; 2]| {
            names.iter().any(|name| proto.eq_ignore_ascii_case(name))
        };
        // Some proxies name the protocol of a WebSocket.
        let https = proto.and_then(|proto| match is_one_of(proto, ["https", "wss"]) {
            false => is_one_of(proto, ["http", "ws"]).then_some(false),
            true => Some(true),
        });
        let malformed = || denied("X-Forwarded-Host or X-Original-URL has no valid host name");
        let host = authority.map(|text| host_of(text).ok_or_else(malformed)).transpose()?;
        Ok(Wanted { method, https, authority, host, target, ..Wanted::default() })
    }

    /// The host without its port.
    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The path. What is not known may be any path.
    pub(crate) fn path(&self) -> Path<'a> {
        Path::of(self.target.unwrap_or_default().as_bytes())
    }

    /// Returns the second path of a request, to which WebDAV's COPY and MOVE write (RFC 4918 section 10.3);
    /// `None` if it has none. An error if it is no path of the same host.
    pub(crate) fn destination(&self) -> Result<Option<Path<'a>>, Error> {
        let wrong = || denied("Destination must be a URL of the request's host, or a path");
        let Some(value) = self.destination else { return Ok(None) };
        // Some apps take all of it for a path, the query too.
        if value.starts_with(b"/") {
            return Ok(Some(Path::whole(value)));
        }
        let url = std::str::from_utf8(value).map_err(|_| wrong())?;
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (here, there) = self.host().zip(host_of(authority)).ok_or_else(wrong)?;
        let is_web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
        if !is_web || !here.eq_ignore_ascii_case(&there) {
            return Err(wrong());
        }
        Ok(Some(Path::whole(if path.is_empty() { b"/" } else { path.as_bytes() })))
    }

    /// Returns the URL of a page that a browser opens in a tab: the only request that can be answered
    /// with another page. `None` for every other one.
    pub(crate) fn page(&self, request: &Request<'_>, https: bool) -> Option<String> {
        let is = |name: &str, value: &str| {
            request.header(name).is_none_or(|found| found == value.as_bytes())
        };
        let navigates = is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document");
        if self.method != Some("GET") || !takes_page(request) || !navigates {
            return None;
        }
        let target = self.target.filter(|target| target.starts_with('/'))?;
        let scheme = if self.https.unwrap_or(https) { "https" } else { "http" };
        Some(format!("{scheme}://{}{}", self.authority?.to_ascii_lowercase(), target))
    }

    /// Refuses a request that a page of another origin may have made a browser send, if it may change
    /// something or opens a WebSocket.
    pub(crate) fn check_origin(
        &self,
        request: &Request<'_>,
        ambient: Ambient,
    ) -> Result<(), Error> {
        let reads =
            matches!(self.method, Some("GET" | "HEAD" | "OPTIONS")) && !self.overrides_method;
        // No page is kept from opening a WebSocket to another origin and reading from it.
        let opens = |name| request.header(name).is_some();
        if reads && !opens("sec-websocket-key") && !opens("upgrade") {
            return Ok(());
        }
        let mut origins = request.headers("origin").peekable();
        let sites = ["same-origin", "none"].map(str::as_bytes);
        let says_so = || request.header("sec-fetch-site").is_some_and(|site| sites.contains(&site));
        let fine = match origins.peek() {
            Some(_) => origins.all(|origin| self.is_own(origin)),
            // Browsers name the origin wherever something changes; without it, no browser or an old
            // one has sent this.
            None => ambient == Ambient::Basic || reads || self.method.is_none() || says_so(),
        };
        if fine { Ok(()) } else { Err(Error::OriginNotAllowed) }
    }

    /// Whether an origin is that of the request. A page without TLS is not, where there is TLS.
    fn is_own(&self, origin: &[u8]) -> bool {
        let plain = self.https == Some(true) && origin.starts_with(b"http://");
        let at = |authority: &str| origin::is_at(origin, authority.as_bytes());
        !plain && self.authority.is_some_and(at)
    }
}

/// Returns what the fields say, nothing unless they are from a proxy; an error if one comes twice, one of
/// the proxy is not UTF-8, or the request has a refused field. All in one pass over the fields.
fn fields<'a>(request: &Request<'a>, from_proxy: bool) -> Result<Fields<'a>, Error> {
    let mut found = Fields::default();
    let mut refused = RefusedFields::default();
    for (name, value) in request.fields() {
        refused.check(name, value)?;
        if !from_proxy {
            continue;
        }
        // The first letter rules out nearly all fields of a request.
        match name.as_bytes().first() {
            Some(b'X' | b'x') => {
                let Some(at) = names::position(&NAMES, name) else {
                    found.overrides_method |= names::position(&METHODS, name).is_some();
                    continue;
                };
                let value =
                    std::str::from_utf8(value).map_err(|_| denied("The proxy sends no UTF-8"))?;
                if found.said[at].replace(value).is_some() {
                    return Err(denied("The request that the proxy asks about is described twice"));
                }
            }
            Some(b'D' | b'd')
                if names::same(name, "Destination")
                    && found.destination.replace(value).is_some() =>
            {
                return Err(denied("The request has two fields Destination"));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Splits a URL into scheme, authority and target; a path is a target alone. An error for a target that
/// is no path: a client may have put it into its `Host`, as in `a.example?.b.example`.
fn split(url: &str) -> Result<[Option<&str>; 3], Error> {
    let (scheme, authority, target) = match url.split_once("://") {
        Some((scheme, rest)) if !url.starts_with('/') => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, target) = rest.split_at(end);
            (Some(scheme), Some(authority), if target.is_empty() { "/" } else { target })
        }
        _ => (None, None, url),
    };
    match target.starts_with('/') {
        true => Ok([scheme, authority, Some(target)]),
        false => Err(denied("X-Original-URL has no path")),
    }
}

/// Returns what two descriptions say; an error if they differ.
fn same<T: PartialEq>(one: Option<T>, other: Option<T>) -> Result<Option<T>, Error> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => {
            Err(denied("The request that the proxy asks about is described in two ways"))
        }
        (one, other) => Ok(one.or(other)),
    }
}

fn denied(why: &str) -> Error {
    Error::AccessDenied(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Header;

    type Line = (&'static str, &'static str);
    type Lines = &'static [Line];

    fn with<T>(lines: &[Line], use_it: impl FnOnce(&Request<'_>) -> T) -> T {
        let header = |&(name, value): &(&'static str, &'static str)| Header {
            name,
            value: value.as_bytes(),
        };
        let headers: Vec<_> = lines.iter().map(header).collect();
        use_it(&Request::new("GET", "/api/verify", &headers))
    }

    const CADDY: Lines = &[
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "wiki.example.org"),
        ("X-Forwarded-Uri", "/a/b?c=d"),
    ];

    #[test]
    fn what_a_proxy_asks_about() {
        let check = |lines: Lines, expected: Option<&str>| {
            let shown = with(lines, |request| {
                let wanted = Wanted::of(request, true).ok()?;
                let Wanted { method, https, host, target, .. } = wanted;
                let part = |part: Option<&str>| part.unwrap_or("-").to_owned();
                let https = https.map_or("-".to_owned(), |https| https.to_string());
                Some([part(method), https, part(host.as_deref()), part(target)].join(" "))
            });
            assert_eq!(shown.as_deref(), expected, "{lines:?}");
        };
        check(CADDY, Some("GET true wiki.example.org /a/b?c=d"));
        check(&[], Some("- - - -"));
        check(&[("Host", "a.example"), ("X-Original-URI", "/x")], Some("- - - -"));
        check(
            &[("X-Original-Method", "POST"), ("X-Original-URL", "http://a.example:8080/x?y")],
            Some("POST false a.example /x?y"),
        );
        check(&[("X-Original-URL", "https://a.example")], Some("- true a.example /"));
        check(
            &[("X-Original-URL", "/x?y=https://b.example/")],
            Some("- - - /x?y=https://b.example/"),
        );
        check(&[("x-forwarded-proto", "WSS")], Some("- true - -"));
        check(&[("X-Forwarded-Proto", "ws")], Some("- false - -"));
        check(&[("X-Forwarded-Proto", "https, http")], Some("- - - -"));
        check(&[("X-Forwarded-Host", "A.example.:443")], Some("- - A.example -"));
        // Both kinds, which agree or not.
        check(
            &[("X-Forwarded-Host", "a.example"), ("X-Original-URL", "https://a.example:443/x")],
            Some("- true a.example /x"),
        );
        for bad in [
            &[("X-Forwarded-Host", "a.example"), ("X-Original-URL", "https://b.example/x")][..],
            &[("X-Forwarded-Uri", "/public"), ("X-Original-URL", "https://b.example/x")],
            &[("X-Forwarded-Proto", "http"), ("X-Original-URL", "https://b.example/x")],
            &[("X-Forwarded-Method", "GET"), ("X-Original-Method", "POST")],
            &[("X-Forwarded-Host", "a.example"), ("x-forwarded-host", "a.example")],
            &[("X-Forwarded-Uri", "/"), ("X-FORWARDED-URI", "/")],
            &[("X-Forwarded-Method", "GET"), ("X-Forwarded-Method", "GET")],
            &[("X-Original-URL", "https://a.example/"), ("X-Original-Url", "https://a.example/")],
            &[("X-Forwarded-Host", "a.example, b.example")],
            &[("X-Forwarded-Host", "")],
            &[("X-Forwarded-Host", "a.example/x")],
            &[("X-Forwarded-Host", "bücher.example")],
            &[("X-Original-URL", "https://ada@a.example/")],
            &[("X-Original-URL", "https:///x")],
            &[("X-Original-URL", "https://a.example?.b.example/x")],
            &[("X-Original-URL", "https://a.example#.b.example/x")],
            &[("X-Original-URL", "https://a.example?")],
            &[("X-Original-URL", "x")],
        ] {
            check(bad, None);
        }
        let headers = [Header { name: "X-Forwarded-Uri", value: b"/\xff" }];
        assert!(Wanted::of(&Request::new("GET", "/", &headers), true).is_err());
    }

    #[test]
    fn where_a_request_writes_besides() {
        let check = |value: &'static str, expected: Option<&str>| {
            let lines = [CADDY, &[("destination", value)]].concat();
            with(&lines, |request| {
                let found = Wanted::of(request, true).unwrap().destination();
                let path = expected.map(|path| Some(Path::of(path.as_bytes())));
                assert_eq!(found.ok(), path, "{value}");
            });
        };
        for (value, path) in [
            ("https://wiki.example.org/admin/a%20b", "/admin/a b"),
            ("http://WIKI.example.org.:8443/x", "/x"),
            ("HTTPS://wiki.example.org", "/"),
            ("/x/y", "/x/y"),
        ] {
            check(value, Some(path));
        }
        for bad in [
            "",
            "x",
            "x/y",
            "https://cal.example.org/x",
            "https://ada@wiki.example.org/x",
            "https://wiki.example.org, https://cal.example.org/",
            "https://wiki.example.org\\x",
            "https:///x",
            "https:/wiki.example.org/x",
            "davs://wiki.example.org/x",
            "x/https://wiki.example.org/x",
            "wiki.example.org/x",
        ] {
            check(bad, None);
        }
        for doubtful in [
            "//cal.example.org/x",
            "/x/../y",
            "/x?/../y",
            "https://wiki.example.org?/x",
            "https://wiki.example.org/x#y",
            "https://wiki.example.org//x",
        ] {
            let lines = [CADDY, &[("Destination", doubtful)]].concat();
            let found = with(&lines, |request| {
                Wanted::of(request, true).unwrap().destination().unwrap().unwrap().ambiguous
            });
            assert!(found, "{doubtful}");
        }
        assert!(with(CADDY, |request| Wanted::of(request, true)
            .unwrap()
            .destination()
            .unwrap()
            .is_none()));
        let line = ("Destination", "/x");
        assert!(with(&[line, line], |request| Wanted::of(request, true).is_err()));
        // Nobody knows the host.
        let url = [("Destination", "https://wiki.example.org/x")];
        assert!(with(&url, |request| Wanted::of(request, true).unwrap().destination().is_err()));
    }

    #[test]
    fn pages_that_a_browser_opens_in_a_tab() {
        let check = |more: &[Line], expected: Option<&str>| {
            let lines = [CADDY, more].concat();
            let found =
                with(&lines, |request| Wanted::of(request, true).unwrap().page(request, false));
            assert_eq!(found.as_deref(), expected, "{more:?}");
        };
        let url = Some("https://wiki.example.org/a/b?c=d");
        let html = ("Accept", "text/html,application/xhtml+xml;q=0.9");
        check(&[html], url);
        check(&[("Accept", "x, TEXT/HTML")], url);
        check(&[html, ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")], url);
        check(&[], None);
        check(&[("Accept", "*/*")], None);
        check(&[html, ("Sec-Fetch-Mode", "cors")], None);
        check(&[html, ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")], None);
        check(&[html, ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")], None);
        for target in ["", "*", "x", "@evil.example/", ".evil.example/", "?x"] {
            let lines = [&CADDY[..3], &[html, ("X-Forwarded-Uri", target)]].concat();
            let found =
                with(&lines, |request| Wanted::of(request, true).unwrap().page(request, false));
            assert_eq!(found, None, "{target}");
        }
        for (lines, expected) in [
            (&[("X-Forwarded-Method", "POST")][..], None),
            (&[("X-Forwarded-Method", "HEAD")], None),
            (&[], None),
            (&[("X-Forwarded-Method", "GET")], Some("http://A.example/x")),
        ] {
            let rest = [html, ("X-Forwarded-Host", "A.example"), ("X-Forwarded-Uri", "/x")];
            let lines = [lines, &rest].concat();
            let found =
                with(&lines, |request| Wanted::of(request, true).unwrap().page(request, false));
            assert_eq!(found, expected.map(str::to_ascii_lowercase), "{lines:?}");
        }
    }

    #[test]
    fn requests_that_a_page_of_another_origin_may_have_caused() {
        let check = |ambient, method: Option<&'static str>, more: &[Line], expected: bool| {
            let mut lines = [&CADDY[1..], more].concat();
            lines.extend(method.map(|method| ("X-Forwarded-Method", method)));
            let fine = with(&lines, |request| {
                Wanted::of(request, true).unwrap().check_origin(request, ambient).is_ok()
            });
            assert_eq!(fine, expected, "{ambient:?} {method:?} {more:?}");
        };
        let both = [Ambient::Cookie, Ambient::Basic];
        let own = ("Origin", "https://wiki.example.org");
        let websocket = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        let foreign: [&'static str; 8] = [
            "https://evil.example",
            "https://login.example.org",
            "https://wiki.example.org.evil.example",
            "https://wiki.example.org:8443",
            "http://wiki.example.org",
            "https://wiki.example.org/",
            "null",
            "",
        ];
        for ambient in both {
            for origin in foreign {
                let line = &[("Origin", origin)];
                for method in ["GET", "HEAD", "OPTIONS"] {
                    check(ambient, Some(method), line, true);
                }
                for method in
                    ["POST", "PUT", "DELETE", "PROPFIND", "get", "GET,POST", "CONNECT", ""]
                {
                    check(ambient, Some(method), line, false);
                }
                check(ambient, None, line, false);
                check(ambient, Some("GET"), &[("Origin", origin), websocket], false);
            }
            for method in [Some("POST"), Some("GET"), Some("CONNECT"), None] {
                check(ambient, method, &[own], true);
                check(ambient, method, &[own, websocket], true);
                check(ambient, method, &[("Origin", "https://WIKI.example.org:443")], true);
            }
            check(ambient, Some("POST"), &[own, ("Origin", "https://evil.example")], false);
            check(ambient, None, &[], true);
            check(ambient, Some("GET"), &[websocket], true);
            for name in METHODS {
                check(
                    ambient,
                    Some("GET"),
                    &[("Origin", "https://evil.example"), (name, "PUT")],
                    false,
                );
                check(ambient, Some("GET"), &[own, (name, "PUT")], true);
            }
            let upgrade = ("Upgrade", "websocket");
            check(ambient, Some("GET"), &[("Origin", "https://evil.example"), upgrade], false);
        }
        check(Ambient::Basic, Some("PUT"), &[], true);
        for (site, expected) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false)]
        {
            let line = &[("Sec-Fetch-Site", site)];
            check(Ambient::Cookie, Some("POST"), line, expected);
        }
        check(Ambient::Cookie, Some("POST"), &[], false);
        // Nobody knows which origin would be the request's own.
        let unknown = Wanted::default();
        assert!(with(&[own], |request| unknown.check_origin(request, both[0]).is_err()));
    }
}
