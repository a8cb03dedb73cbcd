//! `GET /api/admin/users/ID/sessions`: where a user is logged in; `DELETE` ends all the sessions.

use super::{actor, done, subject};
use crate::api::session_list;
use crate::app::Call;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Response;
use crate::store::{Entry, Event, SessionScope};

pub(in crate::api) fn get(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    session_list::answer(call, subject(call)?.person.id, admin.identity().session())
}

pub(in crate::api) fn delete(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let person = subject(call)?.person;
    let entry = Entry::new(Event::LogoutEverywhere, person.id, &person.name, actor(call, admin));
    let by = admin.authority(call.recent_since());
    call.app.store.end(person.id, SessionScope::All, &by, &entry, call.now)?;
    Ok(done("all sessions of the user have ended"))
}
