//! The table of routes: the whole truth about every endpoint.
//!
//! A handler's type is its guard: one that takes an [`Identity`] cannot be reached without a good
//! token.

use crate::api;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{self, Identity, Throttle};
use crate::http::{Lane, Request, Response};

/// Who may call, and what happens then.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Handler {
    /// Anyone.
    Public(fn(&App, &Request<'_>, Timestamp) -> Result<Response, Error>),
    /// Whoever has a good token.
    User(fn(&App, &Identity, &Request<'_>, Timestamp) -> Result<Response, Error>),
    /// Whoever has a good token and the role `admin`.
    Admin(fn(&App, &guard::Admin, &Request<'_>, Timestamp) -> Result<Response, Error>),
}

/// One endpoint.
#[derive(Clone, Copy)]
pub struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) lane: Lane,
    pub(crate) brief: bool,
    pub(crate) throttle: Throttle,
    /// Whether the login must be recent, where the server asks for that (`--reauthenticate`).
    pub(crate) recent: bool,
    /// Whether somebody may call who must have a second factor and has none yet.
    pub(crate) without_factor: bool,
    pub(crate) handler: Handler,
}

impl Route {
    /// An endpoint that answers within microseconds. Pages of any origin may call it: where
    /// `--cors-origin` is narrowed, only the slow lane refuses them, so whatever changes something
    /// belongs there ([`Route::slow`], [`Route::brief`]). `GET` answers `HEAD` as well. One segment
    /// of the path can be a parameter, written `{id}`, which the handler finds in
    /// [`Request::parameter`].
    pub const fn new(method: &'static str, path: &'static str, handler: Handler) -> Route {
        Route {
            method,
            path,
            lane: Lane::Fast,
            brief: false,
            throttle: Throttle::None,
            recent: false,
            without_factor: false,
            handler,
        }
    }

    /// The same in the slow lane, for work that takes milliseconds, such as hashing a password or
    /// writing to the disk: it then delays no quick answer, but waits its turn behind the logins.
    pub const fn slow(mut self) -> Route {
        self.lane = Lane::Slow;
        self
    }

    /// The same in the slow lane, for one write and no hash: it then waits behind others of that
    /// kind, and not behind the logins.
    pub const fn brief(mut self) -> Route {
        self.brief = true;
        self.slow()
    }

    /// The same in the slow lane, where something can be guessed: whoever has tried too much has
    /// to wait before it even gets a place in the queue. The handler counts the attempts.
    const fn throttled(mut self, throttle: Throttle) -> Route {
        self.throttle = throttle;
        self.slow()
    }

    /// The same for whoever has logged in recently, if the server asks for that
    /// (`--reauthenticate`). The handler names the same time to the store.
    const fn recent(mut self) -> Route {
        self.recent = true;
        self
    }

    /// The same for somebody, too, who must have a second factor and has none yet
    /// (`--require-second-factor`). All other endpoints for users refuse them.
    const fn without_factor(mut self) -> Route {
        self.without_factor = true;
        self
    }

    /// Refuses a request whose sender has to wait.
    pub(crate) fn admit(
        &self,
        app: &App,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let looked = app.attempts.check_ip(self.throttle, app.client(request), now);
        match self.throttle {
            Throttle::Login if looked.is_err() && api::login::is_familiar(app, request, now) => {
                Ok(())
            }
            _ => looked,
        }
    }

    /// Whose request it is, if it may wait although its address has its share of the queue.
    pub(crate) fn favoured(&self, app: &App, request: &Request<'_>, now: Timestamp) -> Option<u64> {
        match self.throttle {
            Throttle::Login => api::login::device(app, request, now).map(|device| device.id()),
            _ => None,
        }
    }

    /// Whether a request's path is this route's, and what stands there in the place of the
    /// parameter.
    pub(crate) fn matches<'p>(&self, path: &'p str) -> Option<Option<&'p str>> {
        if path == self.path {
            return Some(None);
        }
        let (before, rest) = self.path.split_once('{')?;
        let (_, after) = rest.split_once('}')?;
        let value = path.strip_prefix(before)?.strip_suffix(after)?;
        (!value.is_empty() && !value.contains('/')).then_some(Some(value))
    }

    pub(crate) fn takes(&self, method: &str) -> bool {
        self.method == method || (self.method == "GET" && method == "HEAD")
    }
}

use Handler::{Admin, Public, User};
use Throttle::{Login, Mail, Password, Registration};
use api::admin;

/// What every [`App`] answers.
pub(crate) const ROUTES: &[Route] = &[
    Route::new("GET", "/api/protected", User(api::protected::get)),
    Route::new("GET", "/api/verify", User(api::verify::get)),
    Route::new("GET", "/api/", Public(api::hello::get)),
    Route::new("POST", "/api/refresh", Public(api::refresh::post)).brief(),
    Route::new("POST", "/api/login", Public(api::login::post)).throttled(Login),
    Route::new("POST", "/api/registration", Public(api::registration::post))
        .throttled(Registration),
    Route::new("GET", "/api/finalize", Public(api::finalize::get)).brief(),
    Route::new("POST", "/api/reset", Public(api::reset::post)).throttled(Mail).brief(),
    Route::new("POST", "/api/reset_finalize", Public(api::reset_finalize::post)).slow(),
    Route::new("POST", "/api/logout", User(api::logout::post)).brief().without_factor(),
    Route::new("POST", "/api/logout/all", User(api::logout::post_all))
        .brief()
        .recent()
        .without_factor(),
    Route::new("GET", "/api/sessions", User(api::sessions::get)),
    Route::new("DELETE", "/api/sessions/{id}", User(api::sessions::delete)).brief(),
    Route::new("GET", "/api/me", User(api::me::get)).without_factor(),
    Route::new("DELETE", "/api/me", User(api::me::delete)).throttled(Password),
    Route::new("PUT", "/api/password", User(api::password::put)).throttled(Password),
    Route::new("PUT", "/api/email", User(api::email::put)).throttled(Password),
    Route::new("GET", "/.well-known/jwks.json", Public(api::jwks::get)),
    Route::new("POST", "/api/second-factor", User(api::second_factor::post))
        .throttled(Password)
        .without_factor(),
    Route::new("PUT", "/api/second-factor", User(api::second_factor::put))
        .throttled(Password)
        .without_factor(),
    Route::new("DELETE", "/api/second-factor", User(api::second_factor::delete))
        .throttled(Password),
    Route::new("POST", "/api/second-factor/recovery-codes", User(api::second_factor::post_codes))
        .throttled(Password),
    Route::new("GET", "/api/admin/users", Admin(admin::users::list)).slow(),
    Route::new("GET", "/api/admin/users/{id}", Admin(admin::users::get)),
    Route::new("DELETE", "/api/admin/users/{id}", Admin(admin::users::delete)).brief().recent(),
    Route::new("PUT", "/api/admin/users/{id}/active", Admin(admin::users::put_active))
        .brief()
        .recent(),
    Route::new("PUT", "/api/admin/users/{id}/roles", Admin(admin::users::put_roles))
        .brief()
        .recent(),
    Route::new("GET", "/api/admin/users/{id}/sessions", Admin(admin::sessions::get)),
    Route::new("DELETE", "/api/admin/users/{id}/sessions", Admin(admin::sessions::delete))
        .brief()
        .recent(),
    Route::new("POST", "/api/admin/users/{id}/reset-link", Admin(admin::reset_link::post))
        .brief()
        .recent(),
    Route::new("GET", "/api/admin/invitations", Admin(admin::invitations::get)),
    Route::new("POST", "/api/admin/invitations", Admin(admin::invitations::post)).brief().recent(),
    Route::new("DELETE", "/api/admin/invitations/{id}", Admin(admin::invitations::delete))
        .brief()
        .recent(),
    Route::new("GET", "/api/admin/audit", Admin(admin::audit::get)).slow(),
    Route::new("GET", "/api/config", Public(api::config::get)),
    Route::new("GET", "/api/health", Public(api::health::get)),
    Route::new("GET", "/api", Public(api::hello::redirect)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hashes_is_not_brief() {
        let brief: Vec<_> = ROUTES.iter().filter(|route| route.brief).collect();
        for route in &brief {
            let Route { path, lane, throttle, .. } = *route;
            assert_eq!(*lane, Lane::Slow, "{path}");
            // The others go with a password, and so with a hash.
            assert!(matches!(throttle, Throttle::None | Throttle::Mail), "{path}");
        }
        let count = |path: &str| brief.iter().filter(|route| route.path == path).count();
        for path in ["/api/reset_finalize", "/api/login", "/api/me"] {
            assert_eq!(count(path), 0, "{path}");
        }
        for path in ["/api/refresh", "/api/logout", "/api/logout/all", "/api/sessions/{id}"] {
            assert_eq!(count(path), 1, "{path}");
        }
    }

    #[test]
    fn what_changes_something_is_in_the_slow_lane_where_foreign_pages_are_refused() {
        for route in ROUTES.iter().filter(|route| route.method != "GET") {
            assert_eq!(route.lane, Lane::Slow, "{} {}", route.method, route.path);
        }
    }

    #[test]
    fn what_wants_a_recent_login_or_no_second_factor() {
        let rows = |which: fn(&Route) -> bool| -> Vec<(&str, &str)> {
            ROUTES
                .iter()
                .filter(|route| which(route))
                .map(|route| (route.method, route.path))
                .collect()
        };
        let mut recent = rows(|route| matches!(route.handler, Admin(_)) && route.method != "GET");
        recent.insert(0, ("POST", "/api/logout/all"));
        // And DELETE /api/sessions/{id}, unless it is the session in use: the handler knows.
        assert_eq!(rows(|route| route.recent), recent);
        assert_eq!(
            rows(|route| route.without_factor),
            [
                ("POST", "/api/logout"),
                ("POST", "/api/logout/all"),
                ("GET", "/api/me"),
                ("POST", "/api/second-factor"),
                ("PUT", "/api/second-factor"),
            ]
        );
    }

    #[test]
    fn parameters() {
        let check = |pattern: &'static str, path: &str, expected: Option<Option<&str>>| {
            let route = Route::new("GET", pattern, Public(api::hello::get));
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
    }
}
