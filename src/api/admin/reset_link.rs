//! `POST /api/admin/users/ID/reset-link`: a token with which a user who has forgotten the password
//! sets another, once. The administrator passes it on, by a way that both trust; `…/reset-mail` sends
//! it to the user's e-mail address.

use serde::Serialize;

use super::account::act;
use super::done;
use crate::api::later;
use crate::app::Call;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Admin, MailPurpose, MailedClaims};
use crate::http::Response;
use crate::store::{Event, Person, Ticket};
use crate::values::{Email, Roles};

/// A token that is not yet handed out.
pub(super) struct Planned {
    jti: String,
    expires: Timestamp,
}

/// A token in an answer.
#[derive(Serialize)]
pub(super) struct Handed {
    token: String,
    /// The URL of the page that takes the token, if one is configured.
    link: Option<String>,
    expires: i64,
}

impl Planned {
    pub(super) fn new(call: &Call<'_>) -> Result<Planned, Error> {
        let jti = call.app.tokens.begin(call.now)?.jti;
        Ok(Planned { jti, expires: later(call.now, call.app.config.reset_lifespan) })
    }

    pub(super) fn ticket(&self, user: i64) -> Ticket<'_> {
        Ticket { jti: &self.jti, user, expires: self.expires }
    }

    /// Returns the token of the ticket, which is kept.
    pub(super) fn handed(self, call: &Call<'_>, id: i64, roles: &Roles) -> Result<Handed, Error> {
        let Planned { jti, expires } = self;
        let claims = MailedClaims { jti: &jti, id, issued: call.now, expires };
        let token = call.app.tokens.mint_queued(MailPurpose::Reset, &claims, roles)?;
        let link = call.app.config.reset_page().map(|page| page.with_token(&token));
        Ok(Handed { token, link, expires: expires.0 })
    }
}

/// Takes nothing. Earlier links of the user become void.
pub(in crate::api) fn post(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let planned = Planned::new(call)?;
    let event = (Event::ResetLink, "");
    let account = act(call, admin, event, Error::UserInactive, &|account, by, entry| {
        let ticket = planned.ticket(account.person.id);
        call.app.store.hand_out(&ticket, None, by, entry, call.now)
    })?;
    let Person { id, roles, .. } = &account.person;
    Ok(Response::private(&planned.handed(call, *id, roles)?))
}

/// Takes nothing. Earlier links of the user become void.
pub(in crate::api) fn post_mail(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    call.app.require_mail()?;
    let planned = Planned::new(call)?;
    let event = (Event::ResetMailed, "");
    act(call, admin, event, Error::UserInactive, &|account, by, entry| {
        let none = || Error::BadRequest("email: the user has no e-mail address".into());
        let email = Email::parse(account.email.as_deref().ok_or_else(none)?)?;
        let ticket = planned.ticket(account.person.id);
        call.app.store.hand_out(&ticket, Some(&email), by, entry, call.now)
    })?;
    Ok(done("successfully sent password reset email"))
}
