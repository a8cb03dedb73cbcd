//! Tokens and cookies of many requests, checked in one query. Only with a database across a network: a worker
//! never waits for it.
//!
//! The worker reads the token or the MAC of the cookie, and refuses it if that is enough to know. A
//! request with a good one enters the queue `check`. One worker takes all that wait there, asks for their sessions at once
//! ([`Store::standings`](crate::store::Store::standings)), and answers. What comes while the query is
//! under way is in the next one. So nobody waits for a timer, and nothing is remembered: a session
//! that has ended is refused in the next query.
//!
//! What needs another query goes on to a thread that may wait for one: an app password, a token whose
//! session is not known, and users who must have a second factor, if the query did not ask for it.

use super::pools::{CHECK, READ, WRITE};
use super::{Site, guard};
use crate::app::Call;
use crate::error::Error;
use crate::guard::{Claims, Credential, Identity, ShownAppPassword};
use crate::http::{Answer, Queued, Response};
use crate::route::Route;
use crate::store::Standing;

/// What a request shows, good as far as no database is needed.
enum Shown {
    /// A token with these claims.
    Token(Claims),
    /// The cookie of the session with this `jti`.
    Cookie(String),
}

impl Shown {
    fn jti(&self) -> &str {
        match self {
            Shown::Token(claims) => &claims.jti,
            Shown::Cookie(jti) => jti,
        }
    }
}

/// A good token or cookie on its way through the check.
pub(super) struct Check {
    shown: Shown,
    /// Whether the handler asks for the e-mail address.
    told: bool,
    /// The session, as far as it is known; or what all clients are told if the database
    /// fails.
    pub(super) standing: Result<Option<Standing>, Response>,
}

impl Site {
    /// Checks a request's token or cookie as far as no database is needed; a good one waits for the
    /// rest.
    pub(super) fn queue_check(&self, ticket: u32, route: &Route, call: &Call<'_>) -> Answer {
        let shown = match call.credential() {
            Ok(Credential::Token(token)) => {
                call.app.tokens.access(token, call.now).map(Shown::Token)
            }
            Ok(Credential::Cookie(jti)) => Ok(Shown::Cookie(jti.to_owned())),
            Ok(Credential::AppPassword(shown)) => {
                let queued = || Answer::Queue(Queued::new(READ, ticket).of(call.client_ip()));
                return self.refuse_early(route, call, &shown).unwrap_or_else(queued);
            }
            Err(error) => Err(error),
        };
        match shown {
            Ok(shown) => {
                let check = Check { shown, told: route.handler.is_told(), standing: Ok(None) };
                Answer::Queue(Queued::new(CHECK, ticket).with(check))
            }
            Err(error) => self.answer_for(route, call, Err(error)),
        }
    }

    /// Answers a request whose app password cannot be one, or has to wait: a flood of them must not
    /// fill the queue in which good ones wait. `None` for what must be looked up.
    pub(super) fn refuse_early(
        &self,
        route: &Route,
        call: &Call<'_>,
        shown: &ShownAppPassword,
    ) -> Option<Answer> {
        let error = call.app.check(call, |check| check.check_app_password(shown)).err()?;
        Some(self.answer_for(route, call, Err(guard::for_proxies(route, error))))
    }

    /// Asks for the sessions of a batch.
    pub(super) fn look_up(&self, batch: &mut [Queued]) {
        let mut checks: Vec<&mut Check> =
            batch.iter_mut().filter_map(Queued::payload_mut).collect();
        let jtis: Vec<&str> = checks.iter().map(|check| check.shown.jti()).collect();
        // A cookie is good for a time that only the session knows.
        let full =
            |place: usize| checks[place].told || matches!(checks[place].shown, Shown::Cookie(_));
        match self.app.get().store.standings(&jtis, &full) {
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

    /// Answers a request whose session was looked up, or sends it on to a pool whose threads may wait
    /// for the database. There the token or cookie is checked from the beginning.
    pub(super) fn answer_checked(
        &self,
        route: &Route,
        call: &Call<'_>,
        mut queued: Queued,
    ) -> Answer {
        let ticket = queued.ticket;
        let goes_on = |pool| {
            let client = call.client_ip();
            Answer::Queue(Queued::new(pool, ticket).of(client))
        };
        let Some(Check { shown, standing, .. }) = queued.take_payload() else {
            return goes_on(READ);
        };
        let standing = match standing {
            Ok(standing) => standing,
            Err(response) => return Answer::Ready(self.finish(call.request, response)),
        };
        let may_adopt = standing.is_none() && call.app.config.adopt_tokens;
        let checked = match shown {
            Shown::Token(claims) => match Identity::of(claims, standing) {
                Ok(checked) => checked,
                Err(_) => return goes_on(if may_adopt { WRITE } else { READ }),
            },
            Shown::Cookie(jti) => Identity::of_cookie(jti, standing, &call.app.rotation, call.now),
        };
        if let Ok(user) = &checked {
            if guard::asks_more(route, call, user) {
                return goes_on(READ);
            }
            call.app.let_in(user, call);
        }
        self.answer_for(route, call, checked)
    }

    fn answer_for(
        &self,
        route: &Route,
        call: &Call<'_>,
        checked: Result<Identity, Error>,
    ) -> Answer {
        let answered = guard::run_for(route, call, checked);
        Answer::Ready(self.answered(call, answered))
    }
}
