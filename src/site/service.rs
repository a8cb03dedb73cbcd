//! The site as the engine sees it: which thread answers a request, and what is refused before a
//! request waits for one.
//!
//! With a database across a network, a route for users whose handler waits for nothing is answered
//! by the pool `check`. See `checks`. A worker reads no such database: it decides from memory, or
//! lets a thread of the pool `read` decide.

use super::answer::request_id;
use super::figures::Timing;
use super::pools::{CHECK, HASH, READ, WRITE};
use super::{Found, Site};
use crate::app::Call;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Credential, Throttle};
use crate::http::{Answer, Overload, Pool, Queued, Refusal, Request, Response, Service};
use crate::login;
use crate::notify::notify;
use crate::stats::Gauges;

/// The payload of a login from an IP address that has to wait, while a thread of the pool `read` asks
/// the database whether the account knows the client.
struct Unrecognized;

impl Site {
    /// Returns the request as it enters a queue, that of `pool` or the one before it; refuses a
    /// request that must not wait there.
    fn admit(&self, found: &Found<'_, '_>, pool: usize, call: &Call<'_>) -> Result<Queued, Error> {
        self.check_origin(found.route, call)?;
        if found.route.throttle == Throttle::NewAppPassword {
            check_new_app_password(call)?;
        }
        let queued = |pool| Queued::new(pool, found.ticket).of(call.client_ip());
        if found.route.takes_token && call.request.header("authorization").is_some() {
            return Ok(queued(pool));
        }
        let throttle = found.route.throttle;
        let Err(waits) = call.app.attempts.check_ip(throttle, call.client_ip(), call.now) else {
            return Ok(queued(pool));
        };
        match (throttle, self.concurrency.reads) {
            (Throttle::Login, None) if login::queue::is_familiar(call) => Ok(queued(pool)),
            (Throttle::Login, Some(_)) if login::queue::may_be_familiar(call) => {
                Ok(queued(READ).with(Unrecognized))
            }
            _ => Err(waits),
        }
    }

    /// Decides about an [`Unrecognized`] login: refuses it, or sends it on to its pool.
    fn recognize(&self, found: &Found<'_, '_>, call: &Call<'_>) -> Answer {
        let client = call.client_ip();
        match call.app.attempts.check_ip(found.route.throttle, client, call.now) {
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

    /// Answers a request that has a route, or says which pool does.
    fn answer_found(&self, found: &Found<'_, '_>, now: Timestamp) -> Answer {
        let app = self.app.get();
        let call = Call::new(&app, &found.request, now);
        let checks = self.concurrency.reads.is_some() && found.route.handler.is_for_users();
        let Some(pool) = self.pool(found.route.blocking) else {
            return match checks {
                true => self.queue_check(found.ticket, found.route, &call),
                false => Answer::Ready(self.run(found.route, &call)),
            };
        };
        if checks
            && let Ok(Credential::AppPassword(shown)) = call.credential()
            && let Some(refused) = self.refuse_early(found.route, &call, &shown)
        {
            return refused;
        }
        match self.admit(found, pool, &call) {
            Ok(queued) => Answer::Queue(queued),
            Err(error) => Answer::Ready(self.finish(&found.request, Response::from(&error))),
        }
    }

    /// Answers a request that a thread of a pool has taken.
    fn answer_taken(&self, request: &Request<'_>, mut queued: Queued, now: Timestamp) -> Answer {
        let Some(found) = self.found(queued.ticket, request) else {
            return Answer::Ready(self.without_route(request, Error::NotFound));
        };
        let app = self.app.get();
        let call = Call::new(&app, &found.request, now);
        if queued.pool == WRITE {
            app.store.share_reader();
        }
        if queued.pool == CHECK {
            return self.answer_checked(found.route, &call, queued);
        }
        match queued.take_payload() {
            Some(Unrecognized) => self.recognize(&found, &call),
            None => Answer::Ready(self.run(found.route, &call)),
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

/// Refuses a user who has to wait before making another app password. Of the token only the signature
/// and the time are checked here; the rest follows before anything is counted.
fn check_new_app_password(call: &Call<'_>) -> Result<(), Error> {
    let Ok(Credential::Token(token)) = call.credential() else { return Ok(()) };
    match call.app.tokens.access(token, call.now) {
        Ok(claims) => call.app.attempts.check_new_app_password(claims.id, call.now),
        Err(_) => Ok(()),
    }
}

impl Service for Site {
    fn pools(&self) -> Vec<Pool> {
        self.all_pools()
    }

    fn answer(&self, request: &Request<'_>, now: Timestamp) -> Answer {
        let (begun, mut row) = (self.begin(), None);
        let mut answer = match self.find(request) {
            Ok(found) => {
                row = Some(found.ticket);
                self.answer_found(&found, now)
            }
            Err(error) => Answer::Ready(self.without_route(request, error)),
        };
        if begun.is_some() {
            self.note(request, &Timing { begun, row, ..Timing::default() }, &mut answer);
        }
        answer
    }

    fn prepare(&self, pool: usize, batch: &mut [Queued], _: Timestamp) {
        self.note_waits(pool, batch);
        if pool == CHECK {
            self.look_up(batch);
        }
    }

    fn answer_queued(&self, request: &Request<'_>, queued: Queued, now: Timestamp) -> Answer {
        let Queued { ticket, begun, waited, pool, .. } = queued;
        let timing = Timing { begun, row: Some(ticket), pool: Some(pool), waited };
        let mut answer = self.answer_taken(request, queued, now);
        self.note(request, &timing, &mut answer);
        answer
    }

    fn has_priority(&self, request: &Request<'_>, queued: &Queued, now: Timestamp) -> Option<u64> {
        let found = self.found(queued.ticket, request)?;
        match found.route.throttle {
            Throttle::Login => {
                let app = self.app.get();
                let call = Call::new(&app, &found.request, now);
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
        overload: Overload,
    ) -> Response {
        self.note_overload(queued.pool, overload);
        let what = match queued.pool {
            HASH => "Too many logins are waiting; try again shortly",
            WRITE => "Too many changes are waiting for the database; try again shortly",
            _ => "Too many requests are waiting for the database; try again shortly",
        };
        let response = Response::error(503, "Overloaded", what).retry_after(1);
        let response = self.finish(request, response);
        let (begun, row, pool) = (queued.begun, Some(queued.ticket), Some(queued.pool));
        self.observe(Some(request), &Timing { begun, row, pool, waited: None }, &response);
        response
    }

    fn refuse(&self, refusal: &Refusal, request: Option<&Request<'_>>) -> Response {
        let Some(request) = request else {
            let response = refusal.response();
            self.observe(None, &Timing::default(), &response);
            return response;
        };
        let mut timing = Timing::default();
        let response = if refusal.status == 500 {
            timing.row = self.row_of(request);
            let id = request_id();
            log::error!("the request {id} is answered 500 because of that");
            Response::logged_error(refusal.status, refusal.name, refusal.message, &id)
        } else {
            refusal.response()
        };
        let response = self.finish(request, response);
        self.observe(Some(request), &timing, &response);
        response
    }

    fn stopping(&self) {
        self.app.get().set_stopping();
        notify("STOPPING=1");
    }

    fn gauges(&self) -> Option<&Gauges> {
        self.figures().map(|figures| &figures.gauges)
    }

    fn upkeep(&self, busy: bool) {
        self.app.get().store.upkeep(busy);
    }

    fn idle(&self, pool: usize) {
        if pool == HASH {
            self.app.get().hasher.release_memory();
        }
    }
}
