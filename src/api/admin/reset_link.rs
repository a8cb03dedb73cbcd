//! `POST /api/admin/users/ID/reset-link`: a token with which a user who has forgotten the password
//! sets another, once. The administrator passes it on, by a way that both trust.

use serde::Serialize;

use super::{actor, subject};
use crate::app::Call;
use crate::error::Error;
use crate::guard::{Admin, MailPurpose};
use crate::http::Response;
use crate::store::{Entry, Event, Ticket};

/// Takes nothing. Earlier links of the user become void.
pub(in crate::api) fn post(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        token: &'a str,
        /// The URL of the page that takes the token, if one is configured.
        link: Option<&'a str>,
        expires: i64,
    }
    let person = subject(call)?.person;
    let (id, lifespan) = (person.id, call.app.config.reset_lifespan);
    let minted =
        call.app.tokens.mint_mailed(MailPurpose::Reset, id, &person.roles, lifespan, call.now)?;
    let ticket = Ticket { jti: &minted.claims.jti, user: id, expires: minted.claims.exp };
    let entry = Entry::new(Event::ResetLink, id, &person.name, actor(call, admin));
    let by = admin.authority(call.recent_since());
    if !call.app.store.hand_out(&ticket, &by, &entry, call.now)? {
        return Err(Error::UserInactive);
    }
    let link = call.app.config.reset_page().map(|page| page.with_token(&minted.token));
    let expires = minted.claims.exp.0;
    Ok(Response::private(&Body { token: &minted.token, link: link.as_deref(), expires }))
}
