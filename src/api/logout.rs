//! `POST /api/logout`: ends the session in use; `POST /api/logout/all`: ends all of the user's.

use super::done;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::{Request, Response};
use crate::store::{Authority, Entry, Event, SessionScope};

pub(crate) fn post(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let which = SessionScope::One(identity.session());
    match end(app, identity, request, now, which, &identity.authority(None), Event::Logout) {
        // Another request was faster, and that is what was wanted.
        Ok(()) | Err(Error::Revoked) => Ok(done("logged out")),
        Err(error) => Err(error),
    }
}

pub(crate) fn post_all(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let by = identity.recent_authority(app.recent(now));
    end(app, identity, request, now, SessionScope::All, &by, Event::LogoutEverywhere)?;
    Ok(done("logged out everywhere"))
}

fn end(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
    which: SessionScope<'_>,
    by: &Authority<'_>,
    event: Event,
) -> Result<(), Error> {
    let actor = app.caller(request).user();
    let entry = Entry::new(event, identity.id(), identity.name(), actor);
    app.store.end(identity.id(), which, by, &entry, now)?;
    Ok(())
}
