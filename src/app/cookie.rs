//! The cookie of a browser session in a request: the name that it has there, and reading it.
//!
//! The prefix of a name makes browsers keep the cookie only with the attributes that it stands for,
//! so no page that was loaded without TLS can set it, and with `__Host-` none of another host.

use super::{Call, origin};
use crate::error::Error;
use crate::guard::{Credential, ShownCookie};

/// Which cookie a browser keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CookieKind {
    /// For this host alone, over HTTPS.
    Host,
    /// For all hosts of the cookie domain, over HTTPS.
    Domain,
    /// For this host over plain HTTP: on this machine, or in a private network.
    Plain,
}

impl CookieKind {
    /// The cookie's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            CookieKind::Host => "__Host-lictor",
            CookieKind::Domain => "__Secure-lictor",
            CookieKind::Plain => "lictor",
        }
    }
}

impl<'a> Call<'a> {
    /// Returns what the request shows to say who sends it.
    pub(crate) fn credential(&self) -> Result<Credential<'a>, Error> {
        Credential::of(self.request, || self.session_cookie())
    }

    /// Returns the session whose cookie the request has.
    pub(crate) fn session_cookie(&self) -> ShownCookie<'a> {
        self.app.cookie_keys.read_all(self.session_cookies())
    }

    /// Returns all sessions whose cookies the request has, for ending them.
    pub(crate) fn cookie_sessions(&self) -> Vec<&'a str> {
        self.app.cookie_keys.sessions(self.session_cookies())
    }

    fn session_cookies(&self) -> impl Iterator<Item = &'a [u8]> {
        let secure = self.request.cookies(self.secure_cookie().name());
        let mut plain = self.request.cookies(CookieKind::Plain.name()).peekable();
        // How the request came is asked only if there is such a cookie: hardly any request has one.
        let counts = plain.peek().is_some() && self.may_be_plain();
        secure.chain(plain.take(if counts { usize::MAX } else { 0 }))
    }

    /// Returns the kinds of cookies that count in this request.
    pub(crate) fn cookie_kinds(&self) -> impl Iterator<Item = CookieKind> {
        // Also over plain HTTP, which is how a proxy asks. Only HTTPS has made a browser keep it.
        let secure = std::iter::once(self.secure_cookie());
        secure.chain(self.may_be_plain().then_some(CookieKind::Plain))
    }

    /// Returns the kind of cookie that a browser keeps from the answer; [`Error::InsecureCookie`] if
    /// others could read it on its way.
    pub(crate) fn cookie_kind(&self) -> Result<CookieKind, Error> {
        match (self.is_https(), self.may_be_plain()) {
            (true, _) => Ok(self.secure_cookie()),
            (false, true) => Ok(CookieKind::Plain),
            (false, false) => Err(Error::InsecureCookie),
        }
    }

    fn secure_cookie(&self) -> CookieKind {
        match self.app.config.cookie_domain {
            Some(_) => CookieKind::Domain,
            None => CookieKind::Host,
        }
    }

    /// Whether the client uses plain HTTP, to an IP address of this machine or a private network or
    /// to `localhost`. Names of hosts do not count: nobody knows which way they lead.
    fn may_be_plain(&self) -> bool {
        let mut forwarded = self.forwarded_hosts().peekable();
        let local = match forwarded.peek() {
            Some(_) => forwarded.all(origin::is_local),
            None => self.request.header("host").is_some_and(origin::is_local),
        };
        local && !self.is_https()
    }
}
