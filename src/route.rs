//! The table of routes: the whole truth about every endpoint.
//!
//! A handler's type is its guard: one that takes an [`Identity`] cannot be reached without a good
//! token.

use crate::api;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Identity, Throttle};
use crate::http::{Lane, Request, Response};

/// Who may call, and what happens then.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Handler {
    /// Anyone.
    Public(fn(&App, &Request<'_>, Timestamp) -> Result<Response, Error>),
    /// Whoever has a good token.
    User(fn(&App, &Identity, &Request<'_>, Timestamp) -> Result<Response, Error>),
}

/// One endpoint.
#[derive(Clone, Copy)]
pub struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) lane: Lane,
    pub(crate) throttle: Throttle,
    pub(crate) handler: Handler,
}

impl Route {
    /// An endpoint that answers within microseconds. `GET` answers `HEAD` as well.
    pub const fn new(method: &'static str, path: &'static str, handler: Handler) -> Route {
        Route { method, path, lane: Lane::Fast, throttle: Throttle::None, handler }
    }

    /// The same in the slow lane, for work that takes milliseconds: it then delays no quick
    /// answer, but waits its turn behind the logins.
    pub const fn slow(mut self) -> Route {
        self.lane = Lane::Slow;
        self
    }

    /// The same in the slow lane, where something can be guessed: whoever has tried too much has
    /// to wait before it even gets a place in the queue. The handler counts the attempts.
    const fn throttled(mut self, throttle: Throttle) -> Route {
        self.throttle = throttle;
        self.slow()
    }

    /// Refuses a request whose sender has to wait.
    pub(crate) fn admit(
        &self,
        app: &App,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let looked = app.attempts.look(self.throttle, app.client(request), now);
        match self.throttle {
            Throttle::Login if looked.is_err() && api::login::is_familiar(app, request) => Ok(()),
            _ => looked,
        }
    }

    pub(crate) fn takes(&self, method: &str) -> bool {
        self.method == method || (self.method == "GET" && method == "HEAD")
    }
}

use Handler::{Public, User};
use Throttle::{Login, Registration};

/// What every [`App`] answers.
pub(crate) const ROUTES: [Route; 7] = [
    Route::new("GET", "/api/protected", User(api::protected::get)),
    Route::new("GET", "/api/", Public(api::hello::get)),
    Route::new("POST", "/api/refresh", Public(api::refresh::post)),
    Route::new("POST", "/api/login", Public(api::login::post)).throttled(Login),
    Route::new("POST", "/api/registration", Public(api::registration::post))
        .throttled(Registration),
    Route::new("GET", "/api/health", Public(api::health::get)),
    Route::new("GET", "/api", Public(api::hello::redirect)),
];
