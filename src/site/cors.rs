//! Which pages of other origins may call, and read the answer (CORS).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Site;
use super::answer::with_methods;
use crate::app::Call;
use crate::config::Cors;
use crate::error::Error;
use crate::http::{HeaderValue, Request, Response};
use crate::route::Route;

/// How long browsers keep the answer to a preflight, in seconds.
const PREFLIGHT_MAX_AGE: &str = "600";
/// The shortest time between two log lines about refused origins.
const LOG_AGAIN: Duration = Duration::from_secs(600);
/// Bytes of an origin that the log shows.
const MAX_SHOWN: usize = 200;

impl Site {
    /// Refuses a page of another origin that may not call, where the request may change something.
    /// A browser sends such a request without asking first if it looks like a form's.
    pub(super) fn check_origin(&self, route: &Route, call: &Call<'_>) -> Result<(), Error> {
        let Cors::Only(allowed) = &call.app.config.cors else { return Ok(()) };
        if !route.changes_something(call.request.method) {
            return Ok(());
        }
        let may_call = |origin: &&[u8]| is_among(allowed, origin) || call.is_own_origin(origin);
        match call.request.headers("origin").find(|origin| !may_call(origin)) {
            None => Ok(()),
            Some(origin) => {
                self.refused_origins.log(origin, Instant::now());
                Err(Error::OriginNotAllowed)
            }
        }
    }

    /// Lets the page that sent the request read the answer, if it may.
    pub(super) fn with_cors(&self, request: &Request<'_>, response: Response) -> Response {
        let Some(origin) = request.header("origin") else { return response };
        let allowed = match &self.app.get().config.cors {
            Cors::Any => true,
            Cors::Only(origins) => is_among(origins, origin),
        };
        let echo = std::str::from_utf8(origin).ok().map(str::to_owned).and_then(HeaderValue::new);
        match echo {
            Some(origin) if allowed => response
                .with_value("Access-Control-Allow-Origin", origin)
                .with("Access-Control-Expose-Headers", "Retry-After"),
            _ => response,
        }
    }
}

fn is_among(allowed: &[crate::config::Origin], origin: &[u8]) -> bool {
    allowed.iter().any(|one| one.as_str().as_bytes() == origin)
}

/// Returns the answer to OPTIONS, given the methods of the path.
pub(super) fn options(request: &Request<'_>, methods: &str) -> Response {
    let response = with_methods("Allow", methods, Response::empty(204));
    let is_preflight = request.header("access-control-request-method").is_some()
        && request.header("origin").is_some();
    if !is_preflight {
        return response;
    }
    with_methods("Access-Control-Allow-Methods", methods, response)
        .with("Access-Control-Allow-Headers", "authorization, content-type")
        .with("Access-Control-Max-Age", PREFLIGHT_MAX_AGE)
}

/// Logs that pages of an origin were refused, and what to do about it; seldom, since any page can
/// cause it.
#[derive(Debug, Default)]
pub(super) struct RefusedOrigins {
    logged: Mutex<Option<Instant>>,
}

impl RefusedOrigins {
    /// Returns whether it logged the origin.
    fn log(&self, origin: &[u8], now: Instant) -> bool {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_some_and(|logged| now.saturating_duration_since(logged) < LOG_AGAIN) {
            return false;
        }
        *logged = Some(now);
        drop(logged);
        let shown = &origin[..origin.len().min(MAX_SHOWN)];
        log::warn!(
            "a page of {} was refused (OriginNotAllowed); if it is one of yours, name the origin \
             with the setting `public_url` or the setting `cors`, or let the proxy pass the \
             browser's Host",
            shown.escape_ascii()
        );
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_origins_are_logged_seldom() {
        let (refused, now) = (RefusedOrigins::default(), Instant::now());
        for (seconds, expected) in [(0, true), (1, false), (599, false), (600, true), (601, false)]
        {
            let at = now + Duration::from_secs(seconds);
            assert_eq!(refused.log(b"https://a.example\n", at), expected, "{seconds}");
        }
    }
}
