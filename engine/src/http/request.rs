//! A request as a handler sees it: checked, and borrowed from the bytes of the connection.

use std::net::IpAddr;
use std::slice;

use memchr::memchr;

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

    /// The names and values of all header fields, as sent and in order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.headers.iter().map(|h| (h.name, h.value))
    }

    /// The value of the first cookie of that name (RFC 6265 section 4.2), its surrounding quotes
    /// removed.
    pub fn cookie(&self, name: &str) -> Option<&'a [u8]> {
        self.cookies(name).next()
    }

    /// The values of all cookies of that name, in order.
    pub fn cookies(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        Cookies { pairs: self.parts("cookie", b';'), name }
    }

    /// The members of a header field that holds a list (RFC 9110 section 5.6.1), those of all its
    /// lines in order.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.parts(name, b',')
    }

    fn parts<'n>(&self, name: &'n str, separator: u8) -> Parts<'a, 'n> {
        Parts { headers: self.headers.iter(), name, separator, rest: None }
    }
}

/// The parts of the lines of a header field, without the white space around them.
struct Parts<'a, 'n> {
    /// The fields after the line that is read.
    headers: slice::Iter<'a, Header<'a>>,
    name: &'n str,
    separator: u8,
    /// What follows the last separator of the line that is read.
    rest: Option<&'a [u8]>,
}

// The two functions are not inlined: a caller that is built for size would make slow code of them.
impl<'a> Iterator for Parts<'a, '_> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let line = match self.rest.take() {
            Some(rest) => rest,
            None => self.headers.find(|h| h.name.eq_ignore_ascii_case(self.name))?.value,
        };
        let Some(at) = memchr(self.separator, line) else { return Some(line.trim_ascii()) };
        self.rest = Some(&line[at + 1..]);
        Some(line[..at].trim_ascii())
    }
}

/// The values of the cookies of one name.
struct Cookies<'a, 'n> {
    pairs: Parts<'a, 'static>,
    name: &'n str,
}

impl<'a> Iterator for Cookies<'a, '_> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let name = self.name.as_bytes();
        let value = self.pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))?;
        let inner = value.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\""));
        Some(inner.unwrap_or(value))
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
        assert_eq!(request.cookies("c").count(), 0);
    }

    #[test]
    fn lists() {
        let check = |lines: &[&'static str], expected: &[&str]| {
            let header = |line: &&'static str| Header { name: "x-list", value: line.as_bytes() };
            let mut headers = vec![Header { name: "Other", value: b"z" }];
            headers.extend(lines.iter().map(header));
            let request = Request::new("GET", "/", &headers);
            let found: Vec<_> = request.list("X-List").collect();
            let expected: Vec<_> = expected.iter().map(|member| member.as_bytes()).collect();
            assert_eq!(found, expected, "{lines:?}");
        };
        check(&[], &[]);
        check(&[""], &[""]);
        check(&["a"], &["a"]);
        check(&["a, b\t,c "], &["a", "b", "c"]);
        check(&["a,"], &["a", ""]);
        check(&[",a"], &["", "a"]);
        check(&["a,b", "", "c"], &["a", "b", "", "c"]);
    }
}
