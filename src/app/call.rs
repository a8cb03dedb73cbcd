//! One request on its way through the handlers, and what it says of its sender.

use std::net::IpAddr;

use super::{App, origin};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Request;
use crate::ip::Client;
use crate::store::{Actor, ClientInfo, Entry};

/// Bytes of the `User-Agent` field that are stored.
const MAX_AGENT: usize = 200;

/// What a handler works with: the app, the request, and the time at which the request came.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Call<'a> {
    /// What all handlers share.
    pub app: &'a App,
    /// The request, with the parameter of its route.
    pub request: &'a Request<'a>,
    /// The time at which the request is answered.
    pub now: Timestamp,
}

impl<'a> Call<'a> {
    /// For tests of handlers; a [`Site`](crate::Site) makes its own.
    pub fn new(app: &'a App, request: &'a Request<'a>, now: Timestamp) -> Call<'a> {
        Call { app, request, now }
    }

    /// Returns the client's IP address, as [`App::client_ip`] does.
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.app.client_ip(self.request)
    }

    /// Returns who sends the request, for sessions and the audit.
    pub(crate) fn caller(&self) -> Caller {
        let agent = String::from_utf8_lossy(self.request.header("user-agent").unwrap_or_default());
        let mut bytes = 0;
        let printable = agent.chars().filter(|c| !c.is_control()).take_while(|c| {
            bytes += c.len_utf8();
            bytes <= MAX_AGENT
        });
        Caller { client: self.app.client(self.request), agent: printable.collect() }
    }

    /// Returns the earliest time at which a login counts as recent.
    pub(crate) fn recent_since(&self) -> Timestamp {
        let age = self.app.config.reauthenticate.map(|age| age.as_secs());
        let age = age.map(|age| i64::try_from(age).unwrap_or(i64::MAX));
        Timestamp(age.map_or(i64::MIN, |age| self.now.0.saturating_sub(age)))
    }

    /// Stores the audit entry of a refusal. If that fails, the answer is this error and not the
    /// reason of the refusal: while nothing can be written, nothing can be counted, and a right
    /// guess fails with the same error.
    pub(crate) fn record(&self, entry: &Entry<'_>) -> Result<(), Error> {
        self.app.store.record(entry, self.now)
    }

    /// Does the same for a wrong password, and counts it at the entry's user, up to `limit`.
    pub(crate) fn record_failure(&self, entry: &Entry<'_>, limit: u32) -> Result<(), Error> {
        self.app.store.fail(entry, limit, self.now)
    }

    /// Whether the client takes a page for an answer, as browsers do where a person looks at it.
    pub(crate) fn takes_page(&self) -> bool {
        takes_page(self.request)
    }

    /// Whether a page of another origin sends the request. Some browsers are set to name no origin,
    /// and say only this.
    pub(crate) fn is_cross_origin(&self) -> bool {
        let own = |site: &[u8]| site == b"same-origin" || site == b"none";
        self.request.headers("origin").any(|origin| !self.is_own_origin(origin))
            || self.request.headers("sec-fetch-site").any(|site| !own(site))
    }

    /// Whether a page of this server sends the request, as the browser says.
    pub(crate) fn is_own_page(&self) -> bool {
        match self.request.header("origin") {
            Some(_) => !self.is_cross_origin(),
            None => self.request.single_header("sec-fetch-site") == Ok(Some(&b"same-origin"[..])),
        }
    }

    /// Whether an origin is this server's own: that of the public URL, or else that of the host to
    /// which the request was sent. If the public URL has a host name, of the other hosts only IP
    /// addresses and `localhost` count: anyone can let a name of theirs point here (DNS rebinding).
    pub(crate) fn is_own_origin(&self, origin: &[u8]) -> bool {
        let url = self.public_url();
        let named = url.is_some_and(origin::has_name);
        let is_here = |host| origin::is_at(origin, host) && (!named || origin::is_no_name(host));
        url.is_some_and(|url| origin::is_of(origin, url))
            || self.request.header("host").is_some_and(is_here)
            || self.forwarded_hosts().any(is_here)
    }

    /// Whether the client reached the server by HTTPS, through a proxy: by the origin of a page of
    /// this server, or else by what a trusted proxy says, or else by the public URL.
    pub(crate) fn is_https(&self) -> bool {
        let is_https = |url: &[u8]| url.starts_with(b"https://");
        let origin = self.request.header("origin").filter(|origin| self.is_own_origin(origin));
        if let Some(origin) = origin {
            return is_https(origin);
        }
        match self.forwarded("x-forwarded-proto").next() {
            Some(scheme) => scheme.eq_ignore_ascii_case(b"https"),
            None => self.public_url().is_some_and(is_https),
        }
    }

    fn public_url(&self) -> Option<&'a [u8]> {
        self.app.config.public_url.as_ref().map(|url| url.as_str().as_bytes())
    }

    /// The hosts in `X-Forwarded-Host`, if a trusted proxy sends it.
    pub(super) fn forwarded_hosts(&self) -> impl Iterator<Item = &'a [u8]> {
        self.forwarded("x-forwarded-host")
    }

    /// Whether the request comes from a trusted proxy.
    pub(crate) fn is_from_proxy(&self) -> bool {
        self.request.peer.is_some_and(|peer| self.app.proxies.trusts(peer))
    }

    /// The values of a field that a proxy adds, if a trusted one sends it; the client's comes first.
    /// No page can send it: a browser asks first whether it may, and the answer is no.
    fn forwarded(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        let trusted = self.is_from_proxy();
        self.request.list(name).take(if trusted { usize::MAX } else { 0 })
    }

    /// Returns the fields of the body ([`Fields::of`](super::Fields::of)).
    pub(crate) fn fields(&self) -> Result<super::Fields, Error> {
        super::Fields::of(self.request)
    }
}

/// Whether a client takes a page for an answer: media types have no case.
pub(super) fn takes_page(request: &Request<'_>) -> bool {
    let page = |part: &[u8]| part.eq_ignore_ascii_case(b"text/html");
    request.headers("accept").any(|accept| accept.windows(9).any(page))
}

/// Who sends a request.
pub(crate) struct Caller {
    client: Option<Client>,
    agent: String,
}

impl Caller {
    /// Where a session begins or goes on. The address of a proxy that is not trusted does not
    /// count: a thief may use the same proxy.
    pub(crate) fn client_info(&self) -> ClientInfo<'_> {
        ClientInfo { ip: self.client.and_then(|client| client.own()), agent: &self.agent }
    }

    /// The IP address.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.client.map(|client| client.ip)
    }

    /// The IP address as text; empty if it is not known.
    pub(crate) fn ip_text(&self) -> String {
        self.ip().map_or_else(String::new, |ip| ip.to_string())
    }

    /// The caller as a user, or as somebody who wants to be one.
    pub(crate) fn user(&self) -> Actor {
        Actor::User(self.ip())
    }

    /// The caller as an administrator.
    pub(crate) fn admin(&self, admin: &Admin) -> Actor {
        Actor::Admin(admin.identity().id(), self.ip())
    }
}
