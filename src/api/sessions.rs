//! `GET /api/sessions`: where the user is logged in; `DELETE /api/sessions/ID` ends a session.

use super::query::percent_decoded;
use super::{done, session_list};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::Response;
use crate::store::{Entry, Event, SessionScope};

pub(super) fn get(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    session_list::answer(call, identity.id(), identity.session())
}

/// Ends the session in use, as a logout does, or any other, for which the login must be recent.
pub(super) fn delete(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    let jti = percent_decoded(call.request.parameter).ok_or(Error::NoSuch("session"))?;
    let actor = call.caller().user();
    let entry = Entry::new(Event::SessionEnded, identity.id(), identity.name(), actor);
    let by = match jti == identity.session() {
        true => identity.authority(None),
        false => identity.recent_authority(call.recent_since()),
    };
    match call.app.store.end(identity.id(), SessionScope::One(&jti), &by, &entry, call.now)? {
        0 => Err(Error::NoSuch("session")),
        _ => Ok(done("session ended")),
    }
}
