//! `GET /api/me`: the account of the caller; `DELETE /api/me` deletes it.

use serde::Serialize;

use super::done;
use crate::app::Call;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::Response;
use crate::login::second_factor;
use crate::store::{Entry, Event};

pub(super) fn get(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        id: i64,
        username: &'a str,
        email: Option<&'a str>,
        roles: Vec<&'a str>,
        created: i64,
        second_factor: bool,
        recovery_codes: u32,
        second_factor_required: bool,
    }
    let account = call.app.store.account_of(identity.id())?.ok_or(Error::MissingUser)?;
    let factor = call.app.store.second_factor(identity.id())?.filter(|factor| factor.confirmed);
    Ok(Response::private(&Body {
        id: identity.id(),
        username: &account.person.name,
        email: account.email.as_deref(),
        roles: account.person.roles.iter().collect(),
        created: account.created.0,
        second_factor: factor.is_some(),
        recovery_codes: factor.map_or(0, |factor| factor.codes_left),
        second_factor_required: call.app.requires_second_factor(&account.person.roles),
    }))
}

/// Takes `{password}`, and `otp` from users with a second factor. The audit keeps the name.
pub(super) fn delete(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    let mut fields = call.fields()?;
    let password = fields.text("password")?;
    let otp = fields.optional("otp")?;
    let verified = second_factor::verify(call, identity, &password, otp.as_ref())?;
    let actor = call.caller().user();
    let entry = Entry::new(Event::UserDeleted, identity.id(), identity.name(), actor);
    if !call.app.store.delete(identity.id(), &verified.authority(identity), &entry, call.now)? {
        return Err(Error::MissingUser);
    }
    Ok(done("account deleted"))
}
