//! `GET /api/admin/users/ID/sessions`: where a user is logged in; `DELETE` ends all the sessions, or
//! with `/SESSION` one.

use super::account::act;
use super::{NO_USER, done, subject};
use crate::api::query::percent_decoded;
use crate::api::session_list;
use crate::app::Call;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Response;
use crate::store::{Event, SessionScope};

pub(in crate::api) fn get(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    session_list::answer(call, subject(call)?.person.id, admin.identity().session())
}

pub(in crate::api) fn delete(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    act(call, admin, (Event::LogoutEverywhere, ""), NO_USER, &|account, by, entry| {
        let ended = call.app.store.end(account.person.id, SessionScope::All, by, entry, call.now);
        ended.map(|_| true)
    })?;
    Ok(done("all sessions of the user have ended"))
}

pub(in crate::api) fn delete_one(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let missing = || Error::NoSuch("session");
    let jti = call.request.parameter.rsplit('/').next().and_then(percent_decoded);
    let jti = jti.ok_or_else(missing)?;
    act(call, admin, (Event::SessionEnded, ""), missing(), &|account, by, entry| {
        let scope = SessionScope::One(&jti);
        Ok(call.app.store.end(account.person.id, scope, by, entry, call.now)? > 0)
    })?;
    Ok(done("session ended"))
}
