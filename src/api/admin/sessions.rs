//! `GET /api/admin/users/ID/sessions`: where a user is logged in; `DELETE`: nowhere any more.

use super::{actor, done, subject};
use crate::api::sessions::{open, shown};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::{Request, Response};
use crate::store::{Entry, Event, SessionScope};

pub(crate) fn get(
    app: &App,
    admin: &Admin,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let found = open(app, subject(app, request)?.person.id, now)?;
    Ok(shown(&found, admin.identity().session()))
}

pub(crate) fn delete(
    app: &App,
    admin: &Admin,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let person = subject(app, request)?.person;
    let actor = actor(app, admin, request);
    let entry = Entry::new(Event::LogoutEverywhere, person.id, &person.name, actor);
    let by = admin.authority(app.recent(now));
    app.store.end(person.id, SessionScope::All, &by, &entry, now)?;
    Ok(done("all sessions of the user have ended"))
}
