//! `POST /api/logout`: ends the session in use; `POST /api/logout/all`: ends all of the user's.

use super::done;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::{Request, Response};
use crate::store::{Entry, Event, Which};

pub(crate) fn post(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    end(app, identity, request, now, Which::One(identity.session()), Event::Logout)?;
    Ok(done("logged out"))
}

pub(crate) fn post_all(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    end(app, identity, request, now, Which::All, Event::LogoutEverywhere)?;
    Ok(done("logged out everywhere"))
}

fn end(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
    which: Which<'_>,
    event: Event,
) -> Result<(), Error> {
    let actor = app.caller(request).user();
    let entry = Entry::new(event, identity.id(), identity.name(), actor);
    // None is left if another request was faster, and that is what was wanted.
    if app.store.end(identity.id(), which, &entry, now)? > 0 {
        entry.log();
    }
    Ok(())
}
