//! The site as the engine sees it: which thread answers a request, and what is refused before a
//! request waits for one.

use super::{Found, Site};
use crate::app::Call;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Throttle;
use crate::http::{Answer, Pool, Queued, Refusal, Request, Response, Service};
use crate::login;
use crate::route::Blocking;

/// The numbers of the pools: for hashes and searches, for writes, and for reads.
const HASH: usize = 0;
const WRITE: usize = 1;
const READ: usize = 2;

impl Site {
    /// Returns the pool that answers what waits like this; `None` is the worker itself.
    fn pool(&self, blocking: Blocking) -> Option<usize> {
        match blocking {
            Blocking::Nothing => None,
            Blocking::Read => self.concurrency.reads.map(|_| READ),
            Blocking::Search => Some(self.concurrency.reads.map_or(HASH, |_| READ)),
            Blocking::Write => Some(WRITE),
            Blocking::Hash => Some(HASH),
        }
    }

    /// Refuses a request that must not wait in a queue.
    fn admit(&self, found: &Found<'_, '_>, now: Timestamp) -> Result<(), Error> {
        let call = Call::new(&self.app, &found.request, now);
        self.check_origin(found.route, &call)?;
        let throttle = found.route.throttle;
        match self.app.attempts.check_ip(throttle, call.client_ip(), now) {
            Err(_) if throttle == Throttle::Login && login::queue::is_familiar(&call) => Ok(()),
            waits => waits,
        }
    }

    /// Returns the route that a ticket names, and the request with the route's parameter.
    fn found<'r>(&self, ticket: u32, request: &Request<'r>) -> Option<Found<'_, 'r>> {
        let route = self.routes.get(ticket as usize)?;
        let mut request = *request;
        request.parameter = route.matches(request.path)?.unwrap_or_default();
        Some(Found { ticket, route, request })
    }
}

impl Service for Site {
    fn pools(&self) -> Vec<Pool> {
        let mut settings = self.app.config.engine;
        if !self.app.config.throttle {
            // Load tests come from one IP address.
            settings.slow_per_ip = settings.slow_queue;
        }
        let hash = settings.pool("hash", settings.slow_workers);
        let write = settings.pool("write", self.concurrency.writes);
        let read = self.concurrency.reads.map(|threads| settings.pool("read", threads));
        [hash, write].into_iter().chain(read).collect()
    }

    fn answer(&self, request: &Request<'_>, now: Timestamp) -> Answer {
        let found = match self.find(request) {
            Ok(found) => found,
            Err(error) => return Answer::Ready(self.without_route(request, error)),
        };
        let Some(pool) = self.pool(found.route.blocking) else {
            let call = Call::new(&self.app, &found.request, now);
            return Answer::Ready(self.run(found.route, &call));
        };
        match self.admit(&found, now) {
            Ok(()) => {
                let client = self.app.client_ip(request);
                Answer::Queue(Queued::new(pool, found.ticket).of(client))
            }
            Err(error) => Answer::Ready(self.finish(request, Response::from(&error))),
        }
    }

    fn answer_queued(&self, request: &Request<'_>, now: Timestamp, ticket: u32) -> Response {
        match self.found(ticket, request) {
            Some(found) => self.run(found.route, &Call::new(&self.app, &found.request, now)),
            None => self.without_route(request, Error::NotFound),
        }
    }

    fn has_priority(&self, request: &Request<'_>, now: Timestamp, ticket: u32) -> Option<u64> {
        let found = self.found(ticket, request)?;
        match found.route.throttle {
            Throttle::Login => {
                let call = Call::new(&self.app, &found.request, now);
                login::queue::known_device(&call).map(|device| device.id())
            }
            _ => None,
        }
    }

    fn refuse(&self, refusal: &Refusal, request: Option<&Request<'_>>) -> Response {
        let response = refusal.response();
        match request {
            Some(request) => self.finish(request, response),
            None => response,
        }
    }

    fn upkeep(&self, busy: bool) {
        self.app.store.upkeep(busy);
    }

    fn idle(&self, pool: usize) {
        if pool == HASH {
            self.app.hasher.release_memory();
        }
    }
}
