//! Tokens of many requests, checked in one query. Only with a database across a network: a worker
//! never waits for it.
//!
//! The worker reads the token, and refuses it if that is enough to know. A request with a good token
//! enters the queue `check`. One worker takes all that wait there, asks for their sessions at once
//! ([`Store::standings`](crate::store::Store::standings)), and answers. What comes while the query is
//! under way is in the next one. So nobody waits for a timer, and nothing is remembered: a session
//! that has ended is refused in the next query.
//!
//! What needs another query goes on to a thread that may wait for one: a token whose session is not
//! known, and users who must have a second factor, if the query did not ask for it.

use super::pools::{CHECK, READ, WRITE};
use super::{Site, guard};
use crate::app::Call;
use crate::error::Error;
use crate::guard::{Claims, Identity};
use crate::http::{Answer, Queued, Response};
use crate::route::Route;
use crate::store::Standing;

/// A good token on its way through the check.
pub(super) struct Check {
    claims: Claims,
    /// The token's session, as far as it is known; or what all clients are told if the database
    /// fails.
    pub(super) standing: Result<Option<Standing>, Response>,
}

impl Site {
    /// Checks a request's token as far as no database is needed; a good one waits for the rest.
    pub(super) fn queue_check(&self, ticket: u32, call: &Call<'_>) -> Answer {
        match self.app.tokens.access_of(call.request, call.now) {
            Ok(claims) => {
                let check = Check { claims, standing: Ok(None) };
                Answer::Queue(Queued::new(CHECK, ticket).with(check))
            }
            Err(error) => self.refused(call, &error),
        }
    }

    /// Asks for the sessions of all tokens of a batch.
    pub(super) fn look_up(&self, batch: &mut [Queued]) {
        let mut checks: Vec<&mut Check> =
            batch.iter_mut().filter_map(Queued::payload_mut).collect();
        let jtis: Vec<&str> = checks.iter().map(|check| check.claims.jti.as_str()).collect();
        match self.app.store.standings(&jtis) {
            Ok(standings) => {
                for (check, standing) in checks.iter_mut().zip(standings) {
                    check.standing = Ok(standing);
                }
            }
            Err(error) => {
                // Made once, since making it logs the error.
                let response = Response::from(&error);
                for check in checks {
                    check.standing = Err(response.clone());
                }
            }
        }
    }

    /// Answers a request whose token's session was looked up, or sends it on to a pool whose threads
    /// may wait for the database. There the token is checked from the beginning.
    pub(super) fn answer_checked(
        &self,
        route: &Route,
        call: &Call<'_>,
        mut queued: Queued,
    ) -> Answer {
        let ticket = queued.ticket;
        let goes_on = |pool| {
            let client = self.app.client_ip(call.request);
            Answer::Queue(Queued::new(pool, ticket).of(client))
        };
        let Some(Check { claims, standing }) = queued.take_payload() else { return goes_on(READ) };
        let standing = match standing {
            Ok(standing) => standing,
            Err(response) => return Answer::Ready(self.finish(call.request, response)),
        };
        let may_adopt = standing.is_none() && self.app.config.adopt_tokens;
        match Identity::of(claims, standing) {
            Ok(Ok(user)) if guard::asks_more(route, call, &user) => goes_on(READ),
            Ok(Ok(user)) => {
                self.app.let_in(&user);
                match guard::run_for(route, call, user) {
                    Ok(response) => Answer::Ready(self.finish(call.request, response)),
                    Err(error) => self.refused(call, &error),
                }
            }
            Ok(Err(error)) => self.refused(call, &error),
            Err(_) => goes_on(if may_adopt { WRITE } else { READ }),
        }
    }

    fn refused(&self, call: &Call<'_>, error: &Error) -> Answer {
        Answer::Ready(self.finish(call.request, Response::from(error)))
    }
}
