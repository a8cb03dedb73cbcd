//! `GET /api/sessions`: where the user is logged in; `DELETE /api/sessions/ID`: no longer there.

use serde::Serialize;

use super::query::percent_decoded;
use super::{done, private};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::{Request, Response};
use crate::store::{Entry, Event, Session, SessionScope};

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    created: i64,
    last_refreshed: i64,
    expires: i64,
    address: &'a str,
    user_agent: &'a str,
    current: bool,
}

impl<'a> Row<'a> {
    fn of(session: &'a Session, current: &str) -> Row<'a> {
        Row {
            id: &session.jti,
            created: session.created.0,
            last_refreshed: session.refreshed.0,
            expires: session.expires.0,
            address: &session.ip,
            user_agent: &session.agent,
            current: session.jti == current,
        }
    }
}

pub(crate) fn get(
    app: &App,
    identity: &Identity,
    _: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    Ok(shown(&open(app, identity.id(), now)?, identity.session()))
}

/// A user's sessions that can still be refreshed, the newest first.
pub(super) fn open(app: &App, user: i64, now: Timestamp) -> Result<Vec<Session>, Error> {
    let mut found = app.store.sessions(user, now)?;
    found.retain(|session| !app.rotation.is_idle(session.refreshed, now));
    Ok(found)
}

/// Sessions as an answer; `current` is the one that asks.
pub(super) fn shown(found: &[Session], current: &str) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        sessions: Vec<Row<'a>>,
    }
    private(&Body { sessions: found.iter().map(|session| Row::of(session, current)).collect() })
}

/// The one in use can be ended too, which is then the same as a logout. Any other wants a recent
/// login.
pub(crate) fn delete(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let jti = percent_decoded(request.parameter).ok_or(Error::NotFound)?;
    let actor = app.caller(request).user();
    let entry = Entry::new(Event::SessionEnded, identity.id(), identity.name(), actor);
    let by = match jti == identity.session() {
        true => identity.authority(None),
        false => identity.recent_authority(app.recent(now)),
    };
    match app.store.end(identity.id(), SessionScope::One(&jti), &by, &entry, now)? {
        0 => Err(Error::NotFound),
        _ => Ok(done("session ended")),
    }
}
