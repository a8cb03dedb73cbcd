//! The site: from a request to its answer. Finds the route, guards it, runs its handler; serves
//! pages where there is no route; and gives every answer what all answers carry.
//!
//! | file | owns |
//! |---|---|
//! | `guard` | who may call a route |
//! | `cors` | which pages of other origins may call, and read the answer |
//! | `figures` | what is counted and logged of every answer |
//! | `answer` | errors as answers, and what every answer carries |
//! | `pages` | answers where there is no route |
//! | `service` | the site as the engine sees it: which thread answers |
//! | `pools` | the pools, and which of them answers a route |
//! | `checks` | tokens of many requests, checked in one query |

mod answer;
mod checks;
mod cors;
mod figures;
mod guard;
mod pages;
mod pools;
mod service;

use std::sync::Arc;

use crate::api;
use crate::app::{App, Call, Current};
use crate::assets::Assets;
use crate::clock::Timestamp;
use crate::error::{Cause, Error, Problem};
use crate::http::{Request, Response};
use crate::route::Route;
use crate::store::Concurrency;
pub(crate) use figures::Figures;
use figures::Timing;
pub(crate) use pools::NAMES as POOLS;

/// Answers requests: the endpoints under `/api/`, routes of your own, and pages. One is enough for
/// all threads.
///
/// ```
/// use lictor::clock::Timestamp;
/// use lictor::http::Request;
/// use lictor::{App, Config, Secret, Site};
/// # let dir = std::env::temp_dir().join(format!("lictor-doc-site-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let file = dir.join("app.db");
/// let secret = Secret::new("correct horse battery staple, and more")?;
/// let site = Site::new(App::open(Config::new(&file, secret))?)?;
/// let response = site.handle(&Request::new("GET", "/api/", &[]), Timestamp::now());
/// assert_eq!(response.status, 200);
/// assert_eq!(response.body(), br#"{"Hello":"World"}"#);
/// # drop(site);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Site {
    app: Arc<Current>,
    routes: Vec<Route>,
    assets: Assets,
    refused_origins: cors::RefusedOrigins,
    /// How many threads can usefully wait for the database.
    concurrency: Concurrency,
    /// The figures of the answers, if somebody may ask for them.
    figures: Option<Figures>,
}

/// What a request asks for: a route, and the request with the route's parameter.
struct Found<'s, 'r> {
    /// The route's place in the table.
    ticket: u32,
    route: &'s Route,
    request: Request<'r>,
}

impl Site {
    /// Opens the pages that the app's configuration names ([`Config::web`](crate::Config::web)).
    ///
    /// # Errors
    ///
    /// If the folder of pages cannot be read or has no `index.html`, or if the database lies in it.
    pub fn new(app: impl Into<Arc<App>>) -> Result<Site, Problem> {
        let app = app.into();
        let assets = Assets::open(&app.config.web, &app.config.database.private_files())?;
        let refused_origins = cors::RefusedOrigins::default();
        let concurrency = app.store.concurrency();
        let (routes, figures) = (api::routes(), None);
        let app = Current::new(app);
        Ok(Site { app, routes, assets, refused_origins, concurrency, figures })
    }

    /// Adds an endpoint of your own.
    ///
    /// # Panics
    ///
    /// If no request can ever reach it: the method is not a token in upper case, the path does not
    /// begin with `/` or holds `?` or `#`, its braces are not those of one parameter that is a
    /// whole segment, or an earlier route, of lictor's or of yours, answers the same method and
    /// path.
    #[track_caller]
    pub fn with_route(mut self, route: Route) -> Site {
        let hidden = || self.routes.iter().any(|earlier| earlier.hides(&route));
        let fault = route.fault();
        if let Some(fault) = fault.or_else(|| hidden().then_some("an earlier route answers it")) {
            panic!("the route {} {} is not allowed: {fault}", route.method, route.path);
        }
        self.routes.push(route);
        self
    }

    /// Returns the app that the handlers share.
    pub fn app(&self) -> Arc<App> {
        self.app.keep()
    }

    /// Returns the place of that app, in which a reload puts another one.
    pub(crate) fn current(&self) -> &Arc<Current> {
        &self.app
    }

    /// Answers a request. Takes as long as the handler does: tens of milliseconds where a password
    /// is hashed. In an async program call it with `spawn_blocking`.
    ///
    /// At most `slow_workers` hashes ([`Settings`](crate::net::Settings)) run at once; other calls
    /// that hash wait for them, so threads that may block can all be taken by logins.
    ///
    /// The surrounding server must do the rest:
    ///
    /// - It limits the size of bodies, and time.
    /// - It says who the client is ([`Request::peer`]), or guessing passwords is not slowed down by
    ///   IP address.
    /// - It gives the target in origin form, `/path?query`, also if the client sent an absolute
    ///   one.
    /// - It leaves out the body of an answer to `HEAD`; this returns it.
    /// - It sends all of [`Response::headers`], and [`Response::content_type`] if there is one.
    ///
    /// A panic of a handler unwinds through this call. lictor's own engine answers 500 then.
    pub fn handle(&self, request: &Request<'_>, now: Timestamp) -> Response {
        let app = self.app.get();
        app.set_busy();
        let mut timing = Timing { begun: self.begin(), ..Timing::default() };
        let response = match self.find(request) {
            Ok(found) => {
                timing.row = Some(found.ticket);
                let call = Call::new(&app, &found.request, now);
                match self.check_origin(found.route, &call) {
                    Ok(()) => self.run(found.route, &call),
                    Err(error) => self.finish(&found.request, Response::from(&error)),
                }
            }
            Err(error) => self.without_route(request, error),
        };
        self.observe(Some(request), &timing, &response);
        // The surrounding server sends bytes, not files.
        response.loaded().unwrap_or_else(|error| {
            Response::from(&Error::Internal(Cause::new(error.to_string(), error)))
        })
    }

    /// Returns the route of a request. Of two routes with the same method and path, the first.
    fn find<'r>(&self, request: &Request<'r>) -> Result<Found<'_, 'r>, Error> {
        let mut path_exists = false;
        for (ticket, route) in (0..).zip(&self.routes) {
            if let Some(parameter) = route.matches(request.path) {
                if route.takes(request.method) {
                    let mut request = *request;
                    request.parameter = parameter.unwrap_or_default();
                    return Ok(Found { ticket, route, request });
                }
                path_exists = true;
            }
        }
        match path_exists || request.path == "*" || request.method == "TRACE" {
            true => Err(Error::MethodNotAllowed { allow: self.allowed(request.path) }),
            false => Err(Error::NotFound),
        }
    }

    /// Returns the methods of a path, or of all paths for `*`.
    fn allowed(&self, path: &str) -> String {
        let mut methods: Vec<&str> = Vec::new();
        let here = |route: &&Route| path == "*" || route.matches(path).is_some();
        for route in self.routes.iter().filter(here) {
            let also = if route.method == "GET" { &["GET", "HEAD"][..] } else { &[route.method] };
            for method in also {
                if !methods.contains(method) {
                    methods.push(method);
                }
            }
        }
        if methods.is_empty() && self.has_page(path) {
            methods.extend(["GET", "HEAD"]);
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }

    /// Runs a route's handler, if the caller may call it.
    fn run(&self, route: &Route, call: &Call<'_>) -> Response {
        self.answered(call, guard::run(route, call))
    }
}

#[cfg(test)]
mod tests;
