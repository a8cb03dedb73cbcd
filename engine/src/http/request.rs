//! A request as a handler sees it: checked, and borrowed from the bytes of the connection.

use std::net::IpAddr;

use super::Header;

/// One complete request. Other servers can build one with [`Request::new`] to hand it to a
/// `Site` of lictor.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, as sent (methods are case-sensitive, RFC 9110 section 9.1).
    pub method: &'a str,
    /// The path of the target, percent-encoding kept; `*` for `OPTIONS *`.
    pub path: &'a str,
    /// What follows the first `?` of the target.
    pub query: Option<&'a str>,
    /// The body, transfer coding removed.
    pub body: &'a [u8],
    /// The IP at the other end of the connection.
    pub peer: Option<IpAddr>,
    /// The value of the route's parameter in the path, percent-encoding kept; empty if the route
    /// has none.
    pub parameter: &'a str,
    headers: &'a [Header<'a>],
}

/// A header field that may come once came more often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated;

impl<'a> Request<'a> {
    /// A request without body, query or peer; set those fields afterwards.
    ///
    /// ```
    /// # use lictor_engine as lictor;
    /// use lictor::http::{Header, Request};
    /// let headers = [Header { name: "Authorization", value: b"Bearer abc" }];
    /// let request = Request::new("GET", "/api/protected?x=1", &headers);
    /// assert_eq!(request.path, "/api/protected");
    /// assert_eq!(request.query, Some("x=1"));
    /// assert_eq!(request.header("authorization"), Some(&b"Bearer abc"[..]));
    /// ```
    pub fn new(method: &'a str, target: &'a str, headers: &'a [Header<'a>]) -> Request<'a> {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        Request { method, path, query, body: &[], peer: None, parameter: "", headers }
    }

    /// The first value of a header field; the case of its name does not matter.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value)
    }

    /// The value of a header field that may come once.
    ///
    /// # Errors
    ///
    /// [`Repeated`], if it comes more often.
    pub fn single_header(&self, name: &str) -> Result<Option<&'a [u8]>, Repeated> {
        let mut values = self.headers(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Repeated),
            (value, None) => Ok(value),
        }
    }

    /// All values of a header field, in order.
    pub fn headers(&self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value)
    }

    /// The names of all header fields, as sent and in order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.headers.iter().map(|h| h.name)
    }

    /// The value of the first cookie of that name (RFC 6265 section 4.2), its surrounding quotes
    /// removed.
    pub fn cookie(&self, name: &str) -> Option<&'a [u8]> {
        self.cookies(name).next()
    }

    /// The values of all cookies of that name, in order.
    pub fn cookies(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers("cookie")
            .flat_map(|line| line.split(|&b| b == b';'))
            .map(<[u8]>::trim_ascii)
            .filter_map(move |pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
            .map(|value| {
                value
                    .strip_prefix(b"\"")
                    .and_then(|inner| inner.strip_suffix(b"\""))
                    .unwrap_or(value)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies() {
        let check = |line: &[u8], expected: Option<&[u8]>| {
            let headers = [Header { name: "Cookie", value: line }];
            let request = Request::new("GET", "/", &headers);
            assert_eq!(request.cookie("access_token"), expected, "{line:?}");
        };
        check(b"access_token=abc", Some(b"abc"));
        check(b"a=1; access_token=abc; b=2", Some(b"abc"));
        check(b"a=1;access_token=\"abc\"", Some(b"abc"));
        check(b"access_token=", Some(b""));
        check(b"xaccess_token=abc", None);
        check(b"access_token_2=abc", None);
        check(b"access_token", None);
        check(b"", None);
        check(b"access_token=\"", Some(b"\""));
        let headers = [
            Header { name: "Cookie", value: b"a=1; b=x; a=\"2\"" },
            Header { name: "Cookie", value: b"a=" },
        ];
        let request = Request::new("GET", "/", &headers);
        assert_eq!(request.cookies("a").collect::<Vec<_>>(), [&b"1"[..], b"2", b""]);
    }
}
