//! The site as the engine sees it: which thread answers a request, and what is refused before a
//! request waits for one.

use std::net::IpAddr;

use super::{Found, Site, answer};
use crate::app::Call;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Throttle;
use crate::http::{Answer, Lane, Refusal, Request, Response, Service};
use crate::login;
use crate::route::{Blocking, Route};

fn is_slow(route: &Route) -> bool {
    matches!(route.blocking, Blocking::Search | Blocking::Write | Blocking::Hash)
}

impl Site {
    /// Refuses a request that must not wait in a queue.
    fn admit(&self, found: &Found<'_, '_>, now: Timestamp) -> Result<(), Error> {
        let call = Call::new(&self.app, &found.request, now);
        self.check_origin(found.route, &call)?;
        let throttle = found.route.throttle;
        match self.app.attempts.look(throttle, call.client_ip(), now) {
            Err(_) if throttle == Throttle::Login && login::queue::is_familiar(&call) => Ok(()),
            looked => looked,
        }
    }
}

impl Service for Site {
    fn answer(&self, request: &Request<'_>, now: Timestamp, lane: Lane) -> Answer {
        match self.find(request) {
            Ok(found) if is_slow(found.route) && lane != Lane::Slow => {
                match self.admit(&found, now) {
                    Ok(()) => Answer::Slow,
                    Err(error) => Answer::Ready(self.finish(request, answer::of_error(&error))),
                }
            }
            Ok(found) => {
                let call = Call::new(&self.app, &found.request, now);
                Answer::Ready(self.run(found.route, &call))
            }
            Err(error) => Answer::Ready(self.without_route(request, error)),
        }
    }

    fn refuse(&self, refusal: &Refusal, request: Option<&Request<'_>>) -> Response {
        let response = refusal.response();
        match request {
            Some(request) => self.finish(request, response),
            None => response,
        }
    }

    fn client(&self, request: &Request<'_>) -> Option<IpAddr> {
        self.app.client_ip(request)
    }

    fn favoured(&self, request: &Request<'_>, now: Timestamp) -> Option<u64> {
        let found = self.find(request).ok()?;
        let call = Call::new(&self.app, &found.request, now);
        match found.route.throttle {
            Throttle::Login => login::queue::known_device(&call).map(|device| device.place()),
            _ => None,
        }
    }

    fn brief(&self, request: &Request<'_>) -> bool {
        self.find(request).is_ok_and(|found| found.route.blocking == Blocking::Write)
    }

    fn upkeep(&self, busy: bool) {
        self.app.store.upkeep(busy);
    }

    fn idle(&self) {
        self.app.hasher.release_memory();
    }
}
