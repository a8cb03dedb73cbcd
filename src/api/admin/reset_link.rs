//! `POST /api/admin/users/ID/reset-link`: what lets a user who has forgotten the password choose
//! another, once. The administrator hands it on, by a way that they trust.

use serde::Serialize;

use super::{actor, private, subject};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Admin, Mailed};
use crate::http::{Request, Response};
use crate::store::{Entry, Event, Ticket};

/// Takes nothing. A link that the user was given before is void.
pub(crate) fn post(
    app: &App,
    admin: &Admin,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        token: &'a str,
        /// The page that takes the token, if it is known.
        link: Option<&'a str>,
        expires: i64,
    }
    let person = subject(app, request)?.person;
    let (id, lifespan) = (person.id, app.reset_lifespan);
    let minted = app.tokens.mail(Mailed::Reset, id, &person.roles, lifespan, now)?;
    let ticket = Ticket { jti: &minted.claims.jti, user: id, expires: minted.claims.exp };
    let entry = Entry::new(Event::ResetLink, id, &person.name, actor(app, admin, request));
    let by = admin.authority(app.recent(now));
    if !app.store.hand_out(&ticket, &by, &entry, now)? {
        return Err(Error::UserInactive);
    }
    let link = app.reset_page.as_ref().map(|page| page.with_token(&minted.token));
    let expires = minted.claims.exp.0;
    Ok(private(&Body { token: &minted.token, link: link.as_deref(), expires }))
}
