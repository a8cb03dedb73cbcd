//! `POST /api/logout` ends the session in use; `POST /api/logout/all` ends all sessions of the user.

use super::done;
use crate::app::Call;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::Response;
use crate::store::{Authority, Entry, Event, SessionScope};

pub(super) fn post(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    let scope = SessionScope::One(identity.session());
    match end(call, identity, scope, &identity.authority(None), Event::Logout) {
        // Another request was faster; the session has ended, as asked.
        Ok(()) | Err(Error::Revoked) => Ok(done("logged out")),
        Err(error) => Err(error),
    }
}

pub(super) fn post_all(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    let by = identity.recent_authority(call.recent_since());
    end(call, identity, SessionScope::All, &by, Event::LogoutEverywhere)?;
    Ok(done("logged out everywhere"))
}

fn end(
    call: &Call<'_>,
    identity: &Identity,
    scope: SessionScope<'_>,
    by: &Authority<'_>,
    event: Event,
) -> Result<(), Error> {
    let actor = call.caller().user();
    let entry = Entry::new(event, identity.id(), identity.name(), actor);
    call.app.store.end(identity.id(), scope, by, &entry, call.now)?;
    Ok(())
}
