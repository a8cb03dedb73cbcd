//! `/api/admin/invitations`: `GET` lists those that can be used, `POST` makes one, and
//! `DELETE …/ID` takes one back. Where registration is by invitation, each lets one person in.

use serde::Serialize;

use super::{actor, done, private};
use crate::api::fields::Fields;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::{Request, Response};
use crate::store::{Entry, Event, Invitation, NewInvitation};
use crate::values::{Code, Roles};

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    roles: Vec<&'a str>,
    created: i64,
    expires: i64,
    creator: Option<i64>,
}

impl<'a> Row<'a> {
    fn of(found: &'a Invitation) -> Row<'a> {
        Row {
            id: &found.id,
            roles: found.roles.iter().collect(),
            created: found.created.0,
            expires: found.expires.0,
            creator: found.creator,
        }
    }
}

pub(crate) fn get(
    app: &App,
    _: &Admin,
    _: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        invitations: Vec<Row<'a>>,
    }
    let found = app.store.invitations(now)?;
    Ok(private(&Body { invitations: found.iter().map(Row::of).collect() }))
}

/// Takes `{roles, expires_in}`, both of which can be left out. The answer has the code, which is
/// not kept and cannot be shown again.
pub(crate) fn post(
    app: &App,
    admin: &Admin,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        id: &'a str,
        code: &'a str,
        expires: i64,
    }
    let fields = Fields::of(request)?;
    let roles = Roles::of(fields.list("roles")?.unwrap_or_default())?;
    let lifespan = fields.number("expires_in", 1..=NewInvitation::MAX_LIFESPAN)?;
    let lifespan = lifespan.unwrap_or(NewInvitation::LIFESPAN);
    let code = Code::generate()?;
    let invitation = NewInvitation {
        hash: code.hash(),
        roles: &roles,
        expires: Timestamp(now.0.saturating_add(lifespan)),
    };
    let detail = invitation.detail();
    let entry = entry(app, admin, request, Event::Invited, &detail);
    app.store.invite(&invitation, &admin.authority(app.recent(now)), &entry, now)?;
    Ok(private(&Body {
        id: &invitation.hash.name(),
        code: &code.shown(),
        expires: invitation.expires.0,
    }))
}

pub(crate) fn delete(
    app: &App,
    admin: &Admin,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let entry = entry(app, admin, request, Event::InvitationRevoked, request.parameter);
    let by = admin.authority(app.recent(now));
    if !app.store.revoke_invitation(request.parameter, &by, &entry, now)? {
        return Err(Error::NoSuch("invitation"));
    }
    Ok(done("invitation taken back"))
}

fn entry<'a>(
    app: &App,
    admin: &Admin,
    request: &Request<'_>,
    event: Event,
    detail: &'a str,
) -> Entry<'a> {
    Entry { event, user: None, name: None, actor: actor(app, admin, request), detail }
}
