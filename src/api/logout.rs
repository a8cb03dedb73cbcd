//! `POST /api/logout`: ends the session in use; `POST /api/logout/all`: ends all of the user's.

use super::done;
use crate::app::Call;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::Response;
use crate::store::{Authority, Entry, Event, SessionScope};

pub(super) fn post(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    let which = SessionScope::One(identity.session());
    match end(call, identity, which, &identity.authority(None), Event::Logout) {
        // Another request was faster, and that is what was wanted.
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
    which: SessionScope<'_>,
    by: &Authority<'_>,
    event: Event,
) -> Result<(), Error> {
    let actor = call.caller().user();
    let entry = Entry::new(event, identity.id(), identity.name(), actor);
    if call.app.store.end(identity.id(), which, by, &entry, call.now)? > 0 {
        entry.log();
    }
    Ok(())
}
