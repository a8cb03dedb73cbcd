//! The table of routes: the whole truth about every endpoint.
//!
//! A handler's type is its guard: one that takes an [`Identity`] cannot be reached without a good
//! token.

use crate::api;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Identity;
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
    pub(crate) handler: Handler,
}

impl Route {
    /// An endpoint that answers within microseconds. `GET` answers `HEAD` as well.
    pub const fn new(method: &'static str, path: &'static str, handler: Handler) -> Route {
        Route { method, path, lane: Lane::Fast, handler }
    }

    /// The same in the slow lane, for work that takes milliseconds: it then delays no quick
    /// answer, but waits its turn behind the logins.
    pub const fn slow(mut self) -> Route {
        self.lane = Lane::Slow;
        self
    }

    pub(crate) fn takes(&self, method: &str) -> bool {
        self.method == method || (self.method == "GET" && method == "HEAD")
    }
}

use Handler::{Public, User};

/// What every [`App`] answers.
pub(crate) const ROUTES: [Route; 8] = [
    Route::new("GET", "/api/protected", User(api::protected::get)),
    Route::new("GET", "/api/", Public(api::hello::get)),
    Route::new("POST", "/api/refresh", Public(api::refresh::post)),
    Route::new("POST", "/api/login", Public(api::login::post)).slow(),
    Route::new("POST", "/api/registration", Public(api::registration::post)).slow(),
    Route::new("GET", "/.well-known/jwks.json", Public(api::jwks::get)),
    Route::new("GET", "/api/health", Public(api::health::get)),
    Route::new("GET", "/api", Public(api::hello::redirect)),
];
