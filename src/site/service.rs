//! The site as the engine sees it: which thread answers a request, and what is refused before a
//! request waits for one.
//!
//! With a database across a network, a route for users whose handler waits for nothing is answered
//! by the pool `check`. See `checks`. A worker reads no such database: it decides from memory, or
//! lets a thread of the pool `read` decide.

use super::pools::{CHECK, HASH, READ, WRITE};
use super::{Found, Site};
use crate::app::Call;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Throttle;
use crate::http::{Answer, Overload, Pool, Queued, Refusal, Request, Response, Service};
use crate::login;

/// The payload of a login from an IP address that has to wait, while a thread of the pool `read` asks
/// the database whether the account knows the client.
struct Unrecognized;

impl Site {
    /// Returns the request as it enters a queue, that of `pool` or the one before it; refuses a
    /// request that must not wait there.
    fn admit(&self, found: &Found<'_, '_>, pool: usize, now: Timestamp) -> Result<Queued, Error> {
        let call = Call::new(&self.app, &found.request, now);
        self.check_origin(found.route, &call)?;
        let queued = |pool| Queued::new(pool, found.ticket).of(call.client_ip());
        let throttle = found.route.throttle;
        let Err(waits) = self.app.attempts.check_ip(throttle, call.client_ip(), now) else {
            return Ok(queued(pool));
        };
        match (throttle, self.concurrency.reads) {
            (Throttle::Login, None) if login::queue::is_familiar(&call) => Ok(queued(pool)),
            (Throttle::Login, Some(_)) if login::queue::may_be_familiar(&call) => {
                Ok(queued(READ).with(Unrecognized))
            }
            _ => Err(waits),
        }
    }

    /// Decides about an [`Unrecognized`] login: refuses it, or sends it on to its pool.
    fn recognize(&self, found: &Found<'_, '_>, call: &Call<'_>) -> Answer {
        let client = call.client_ip();
        match self.app.attempts.check_ip(found.route.throttle, client, call.now) {
            Err(waits) if !login::queue::is_familiar(call) => {
                Answer::Ready(self.finish(call.request, Response::from(&waits)))
            }
            _ => match self.pool(found.route.blocking) {
                Some(pool) if pool != READ => {
                    Answer::Queue(Queued::new(pool, found.ticket).of(client))
                }
                _ => Answer::Ready(self.run(found.route, call)),
            },
        }
    }

    /// Returns the route that a ticket names, and the request with the route's parameter.
    pub(super) fn found<'r>(&self, ticket: u32, request: &Request<'r>) -> Option<Found<'_, 'r>> {
        let route = self.routes.get(ticket as usize)?;
        let mut request = *request;
        request.parameter = route.matches(request.path)?.unwrap_or_default();
        Some(Found { ticket, route, request })
    }
}

impl Service for Site {
    fn pools(&self) -> Vec<Pool> {
        self.all_pools()
    }

    fn answer(&self, request: &Request<'_>, now: Timestamp) -> Answer {
        let found = match self.find(request) {
            Ok(found) => found,
            Err(error) => return Answer::Ready(self.without_route(request, error)),
        };
        let Some(pool) = self.pool(found.route.blocking) else {
            let call = Call::new(&self.app, &found.request, now);
            return match self.concurrency.reads.is_some() && found.route.handler.is_for_users() {
                true => self.queue_check(found.ticket, &call),
                false => Answer::Ready(self.run(found.route, &call)),
            };
        };
        match self.admit(&found, pool, now) {
            Ok(queued) => Answer::Queue(queued),
            Err(error) => Answer::Ready(self.finish(request, Response::from(&error))),
        }
    }

    fn prepare(&self, pool: usize, batch: &mut [Queued], _: Timestamp) {
        if pool == CHECK {
            self.look_up(batch);
        }
    }

    fn answer_queued(&self, request: &Request<'_>, mut queued: Queued, now: Timestamp) -> Answer {
        let Some(found) = self.found(queued.ticket, request) else {
            return Answer::Ready(self.without_route(request, Error::NotFound));
        };
        let call = Call::new(&self.app, &found.request, now);
        if queued.pool == WRITE {
            self.app.store.share_reader();
        }
        if queued.pool == CHECK {
            return self.answer_checked(found.route, &call, queued);
        }
        match queued.take_payload() {
            Some(Unrecognized) => self.recognize(&found, &call),
            None => Answer::Ready(self.run(found.route, &call)),
        }
    }

    fn has_priority(&self, request: &Request<'_>, queued: &Queued, now: Timestamp) -> Option<u64> {
        let found = self.found(queued.ticket, request)?;
        match found.route.throttle {
            Throttle::Login => {
                let call = Call::new(&self.app, &found.request, now);
                let device = match self.concurrency.reads {
                    None => login::queue::known_device(&call),
                    // This runs on a worker. A device of another account counts as well here; it
                    // still has only the few places of one sender.
                    Some(_) => login::queue::shown_device(&call),
                };
                device.map(|device| device.id())
            }
            _ => None,
        }
    }

    fn overloaded(
        &self,
        request: &Request<'_>,
        queued: &Queued,
        _: Timestamp,
        _: Overload,
    ) -> Response {
        let what = match queued.pool {
            HASH => "Too many logins are waiting; try again shortly",
            WRITE => "Too many changes are waiting for the database; try again shortly",
            _ => "Too many requests are waiting for the database; try again shortly",
        };
        self.finish(request, Response::error(503, "Overloaded", what).retry_after(1))
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
