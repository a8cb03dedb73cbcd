//! A route: where an endpoint is, who may call it, and what its answer waits for.
//!
//! A handler's type is its guard: one that takes an [`Identity`] cannot be reached without a good
//! token.

use std::fmt;
use std::sync::Arc;

use crate::app::Call;
use crate::error::Error;
use crate::guard::{Admin, Identity, Throttle};
use crate::http::Response;
use crate::values::Role;

/// A handler for anyone.
type Open = Arc<dyn Fn(&Call<'_>) -> Result<Response, Error> + Send + Sync>;
/// A handler that is told who calls, or why that is not known.
type Told =
    Arc<dyn Fn(&Call<'_>, Result<Identity, Error>) -> Result<Response, Error> + Send + Sync>;
/// A handler that takes the proof of who calls.
type Closed<Proof> = Arc<dyn Fn(&Call<'_>, &Proof) -> Result<Response, Error> + Send + Sync>;

/// Who may call, and what happens then: a function or a closure, with whatever state it has.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use lictor::http::Response;
/// use lictor::{Handler, Role};
///
/// let visits = AtomicU64::new(0);
/// Handler::public(move |_| {
///     Ok(Response::json(200, &visits.fetch_add(1, Ordering::Relaxed)))
/// });
/// Handler::user(|call, user| {
///     Ok(Response::json(200, &format!("Good day, {}, it is {}", user.name(), call.now.0)))
/// });
/// Handler::role(Role::parse("editor")?, |_, editor| Ok(Response::json(200, &editor.id())));
/// # Ok::<(), lictor::Error>(())
/// ```
#[derive(Clone)]
pub struct Handler(pub(crate) Guarded);

/// The guard and the function behind it.
#[derive(Clone)]
pub(crate) enum Guarded {
    /// Anyone.
    Public(Open),
    /// Anyone, and the handler is told who calls, with the e-mail address, or why that is not known.
    /// If the database fails, the answer is that error, without the handler.
    Either(Told),
    /// Users with a good token.
    User(Closed<Identity>),
    /// Those of them who have this role.
    Role(Role, Closed<Identity>),
    /// Those of them who are administrators.
    Admin(Closed<Admin>),
}

impl Handler {
    /// For anyone.
    pub fn public<F>(handler: F) -> Handler
    where
        F: Fn(&Call<'_>) -> Result<Response, Error> + Send + Sync + 'static,
    {
        Handler(Guarded::Public(Arc::new(handler)))
    }

    /// For users with a good token; others are answered 401 or 403.
    pub fn user<F>(handler: F) -> Handler
    where
        F: Fn(&Call<'_>, &Identity) -> Result<Response, Error> + Send + Sync + 'static,
    {
        Handler(Guarded::User(Arc::new(handler)))
    }

    /// For users with a good token and this role, which the database has, whatever the token says;
    /// users without the role are answered 403.
    pub fn role<F>(role: Role, handler: F) -> Handler
    where
        F: Fn(&Call<'_>, &Identity) -> Result<Response, Error> + Send + Sync + 'static,
    {
        Handler(Guarded::Role(role, Arc::new(handler)))
    }

    /// For users with a good token and the role `admin`.
    pub fn admin<F>(handler: F) -> Handler
    where
        F: Fn(&Call<'_>, &Admin) -> Result<Response, Error> + Send + Sync + 'static,
    {
        Handler(Guarded::Admin(Arc::new(handler)))
    }
}

impl Handler {
    /// For anyone, and the handler is told who calls, or why that is not known.
    pub(crate) fn either<F>(handler: F) -> Handler
    where
        F: Fn(&Call<'_>, Result<Identity, Error>) -> Result<Response, Error>
            + Send
            + Sync
            + 'static,
    {
        Handler(Guarded::Either(Arc::new(handler)))
    }

    /// Whether it asks who calls.
    pub(crate) fn is_for_users(&self) -> bool {
        !matches!(self.0, Guarded::Public(_))
    }

    /// Whether it asks for the e-mail address as well.
    pub(crate) fn is_told(&self) -> bool {
        matches!(self.0, Guarded::Either(_))
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Guarded::Public(_) => "Public",
            Guarded::Either(_) => "Either",
            Guarded::User(_) => "User",
            Guarded::Role(..) => "Role",
            Guarded::Admin(_) => "Admin",
        })
    }
}

/// What an answer waits for. It decides which thread runs the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocking {
    /// Nothing but the check of the token: microseconds.
    Nothing,
    /// A few rows of the database, by key.
    Read,
    /// A search through many rows.
    Search,
    /// A write to the database.
    Write,
    /// A password hash, or other work that takes tens of milliseconds.
    Hash,
}

/// One endpoint.
#[derive(Debug, Clone)]
pub struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// What stands before the parameter in the path, after it, and between two of them, if there are
    /// any.
    around: Option<(&'static str, &'static str, Option<&'static str>)>,
    pub(crate) blocking: Blocking,
    pub(crate) throttle: Throttle,
    /// Whether a request with the header `Authorization` guesses nothing here, so that the throttle
    /// does not count for it.
    pub(crate) takes_token: bool,
    /// Whether the login must be recent, if [`Config::reauthenticate`](crate::Config) says how old
    /// it may be.
    pub(crate) recent: bool,
    /// Whether users may call who must have a second factor and have none yet.
    pub(crate) without_factor: bool,
    /// Whether a proxy asks it about a request for an app: an app password is good for it there.
    pub(crate) asked_by_proxies: bool,
    pub(crate) handler: Handler,
}

impl Route {
    /// An endpoint that waits for nothing; say so if it waits ([`Route::reads`], [`searches`],
    /// [`writes`], [`hashes`]). While it runs, other requests wait for the same thread. `GET` answers `HEAD` as well. One segment of the path can be a
    /// parameter, written `{id}`; the handler finds its value in `call.request.parameter`. With two
    /// parameters, what stands between them is a part of the value: `7/sessions/8`.
    ///
    /// If [`Config::cors`](crate::Config::cors) is narrowed, pages of other origins are refused
    /// where a request other than `GET` searches, writes or hashes. So say it of every endpoint
    /// that changes something.
    ///
    /// [`searches`]: Route::searches
    /// [`writes`]: Route::writes
    /// [`hashes`]: Route::hashes
    pub fn new(method: &'static str, path: &'static str, handler: Handler) -> Route {
        Route {
            method,
            path,
            around: around_parameter(path),
            blocking: Blocking::Nothing,
            throttle: Throttle::None,
            takes_token: false,
            recent: false,
            without_factor: false,
            asked_by_proxies: false,
            handler,
        }
    }

    /// The handler reads a few rows of lictor's own database by key. SQLite answers such a read as
    /// fast as memory, so it delays no other request. What reads another database or the network
    /// [`searches`](Route::searches).
    pub fn reads(self) -> Route {
        self.waits_for(Blocking::Read)
    }

    /// The handler searches through many rows, or waits for another program, another database or
    /// the network. It waits behind the logins, and delays no quick answer.
    pub fn searches(self) -> Route {
        self.waits_for(Blocking::Search)
    }

    /// The handler writes to lictor's own database or to the disk, and hashes nothing. It waits
    /// behind other writes, and not behind logins. One that takes long delays every refresh and
    /// logout: it [`hashes`](Route::hashes).
    pub fn writes(self) -> Route {
        self.waits_for(Blocking::Write)
    }

    /// The handler hashes a password or does other work that takes milliseconds. It waits behind
    /// the logins, and delays no quick answer.
    pub fn hashes(self) -> Route {
        self.waits_for(Blocking::Hash)
    }

    fn waits_for(self, blocking: Blocking) -> Route {
        Route { blocking, ..self }
    }

    /// Something can be guessed here: a client that has tried too often is refused before its
    /// request gets a place in a queue. The handler counts the attempts.
    pub(crate) fn throttled(self, throttle: Throttle) -> Route {
        Route { throttle, ..self }.hashes()
    }

    /// Takes a token as bearer instead of a password. The throttle does not count for a request with
    /// the header `Authorization`.
    pub(crate) fn or_token(self) -> Route {
        Route { takes_token: true, ..self }
    }

    /// For users who have logged in recently, if [`Config::reauthenticate`](crate::Config) says how
    /// recently; others are answered 403. Means nothing for a [`Handler::public`].
    // Our own handlers give the store the same time.
    pub fn recent(self) -> Route {
        Route { recent: true, ..self }
    }

    /// Also for users who must have a second factor and have none yet (`--require-second-factor`).
    /// All other endpoints for users refuse them.
    pub(crate) fn without_factor(self) -> Route {
        Route { without_factor: true, ..self }
    }

    /// A proxy asks it about a request for an app. An app password is good for it if it is good for the
    /// app's host; without this, if it is good for reading the API.
    pub(crate) fn asked_by_proxies(self) -> Route {
        Route { asked_by_proxies: true, ..self }
    }

    /// Returns whether this route has the path, and the value of its parameter.
    pub(crate) fn matches<'p>(&self, path: &'p str) -> Option<Option<&'p str>> {
        let Some((before, after, between)) = self.around else {
            return (path == self.path).then_some(None);
        };
        let value = path.strip_prefix(before)?.strip_suffix(after)?;
        let (first, second) = match between {
            Some(between) => value.split_once(between)?,
            None => (value, value),
        };
        let segment = |part: &str| !part.is_empty() && !part.contains('/');
        (segment(first) && segment(second)).then_some(Some(value))
    }

    /// Returns why no request can ever reach this route, whatever other routes there are.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let upper = |b: u8| token(b) && !b.is_ascii_lowercase();
        if self.method.is_empty() || !self.method.bytes().all(upper) {
            return Some("the method is not a token in upper case");
        }
        if !self.path.starts_with('/') {
            return Some("the path does not begin with /");
        }
        if self.path.contains(['?', '#']) {
            return Some("the path holds a query or a fragment");
        }
        let braces = self.path.matches(['{', '}']).count();
        let parameter = |segment: &str| {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            name.is_some_and(|name| !name.contains(['{', '}']))
        };
        match (braces, self.path.split('/').filter(|segment| parameter(segment)).count()) {
            (0, 0) | (2, 1) | (4, 2) => None,
            _ => Some("the path may have two parameters like {name}, each a whole segment"),
        }
    }

    /// Returns whether this route, being the first, takes all requests of the other.
    pub(crate) fn hides(&self, other: &Route) -> bool {
        // A pattern matches its own text, and that of one whose parameter is at the same place.
        self.takes(other.method) && self.matches(other.path).is_some()
    }

    pub(crate) fn takes(&self, method: &str) -> bool {
        self.method == method || (self.method == "GET" && method == "HEAD")
    }

    /// Whether a request with this method may change something. Pages of other origins that may not
    /// call are refused then.
    pub(crate) fn changes_something(&self, method: &str) -> bool {
        let costs = matches!(self.blocking, Blocking::Search | Blocking::Write | Blocking::Hash);
        costs && !matches!(method, "GET" | "HEAD")
    }
}

/// Splits a path at its parameters. A path with a brace that never closes has none, and is faulty.
fn around_parameter(
    path: &'static str,
) -> Option<(&'static str, &'static str, Option<&'static str>)> {
    let (before, rest) = path.split_once('{')?;
    let (_, after) = rest.split_once('}')?;
    match after.split_once('{') {
        Some((between, rest)) => Some((before, rest.split_once('}')?.1, Some(between))),
        None => Some((before, after, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let check = |pattern: &'static str, path: &str, expected: Option<Option<&str>>| {
            let handler = Handler::public(|_| Err(Error::NotFound));
            let route = Route::new("GET", pattern, handler);
            assert_eq!(route.matches(path), expected, "{pattern} {path}");
        };
        check("/a", "/a", Some(None));
        check("/a", "/a/", None);
        check("/a/{id}", "/a/7", Some(Some("7")));
        check("/a/{id}", "/a/", None);
        check("/a/{id}", "/a", None);
        check("/a/{id}", "/a/7/8", None);
        check("/a/{id}/b", "/a/7/b", Some(Some("7")));
        check("/a/{id}/b", "/a//b", None);
        check("/a/{id}/b", "/a/b", None);
        check("/a/{id}/b", "/a/7/c", None);
        let two = "/a/{id}/b/{c}/d";
        check(two, "/a/7/b/8/d", Some(Some("7/b/8")));
        check(two, "/a/b/b/b/d", Some(Some("b/b/b")));
        for other in
            ["/a/7/b/8", "/a/7/c/8/d", "/a//b/8/d", "/a/7/b//d", "/a/7/b/8/9/d", "/a/7/8/d"]
        {
            check(two, other, None);
        }
        // The text of a pattern is a path like any other.
        check("/a/{id}", "/a/{id}", Some(Some("{id}")));
        check("/a/{id}/b", "/a/{id}/b", Some(Some("{id}")));
    }

    #[test]
    fn a_route_that_no_request_can_reach_is_faulty() {
        let check = |method: &'static str, path: &'static str, expected: bool| {
            let route = Route::new(method, path, Handler::public(|_| Err(Error::NotFound)));
            assert_eq!(route.fault().is_none(), expected, "{method} {path}");
        };
        check("GET", "/", true);
        check("M-SEARCH", "/a/b", true);
        check("GET", "/a/{id}", true);
        check("GET", "/{id}/b", true);
        check("GET", "/{a}/{b}", true);
        for method in ["", "get", "Get", "GET ", "GE\u{301}T"] {
            check(method, "/a", false);
        }
        for path in [
            "",
            "a",
            "*",
            "/a?b",
            "/a#b",
            "/{a",
            "/a}",
            "/}a{",
            "/{a}/{b}/{c}",
            "/x{a}",
            "/{a}x",
            "/{{a}}",
            "/{a}}",
            "/{a/b}",
        ] {
            check("GET", path, false);
        }
    }

    #[test]
    fn a_route_hides_those_that_it_answers_for() {
        let check = |first: (&'static str, &'static str),
                     second: (&'static str, &'static str),
                     expected| {
            let [first, second] = [first, second].map(|(method, path)| {
                Route::new(method, path, Handler::public(|_| Err(Error::NotFound)))
            });
            assert_eq!(first.hides(&second), expected, "{first:?} {second:?}");
        };
        check(("GET", "/a"), ("GET", "/a"), true);
        check(("GET", "/a"), ("HEAD", "/a"), true);
        check(("HEAD", "/a"), ("GET", "/a"), false);
        check(("GET", "/a"), ("POST", "/a"), false);
        check(("GET", "/a/{id}"), ("GET", "/a/{name}"), true);
        check(("GET", "/a/{id}"), ("GET", "/a/b"), true);
        check(("GET", "/a/b"), ("GET", "/a/{id}"), false);
        check(("GET", "/{id}/b"), ("GET", "/a/{id}"), false);
    }
}
