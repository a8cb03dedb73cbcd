//! `/api/admin/invitations`: `GET` lists the open ones, `POST` makes one, and `DELETE …/ID` takes
//! one back. Where registration is by invitation, each lets one person register.

use serde::Serialize;

use super::{actor, done};
use crate::app::Call;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Response;
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

pub(in crate::api) fn get(call: &Call<'_>, _: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        invitations: Vec<Row<'a>>,
    }
    let found = call.app.store.invitations(call.now)?;
    Ok(Response::private(&Body { invitations: found.iter().map(Row::of).collect() }))
}

/// Takes `{roles, expires_in}`, both optional. The answer has the code, which the server does not
/// store and cannot show again.
pub(in crate::api) fn post(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        id: &'a str,
        code: &'a str,
        expires: i64,
    }
    let fields = call.fields()?;
    let roles = Roles::of(fields.list("roles")?.unwrap_or_default())?;
    let lifespan = fields.number("expires_in", 1..=NewInvitation::MAX_LIFESPAN)?;
    let lifespan = lifespan.unwrap_or(NewInvitation::LIFESPAN);
    let code = Code::generate()?;
    let invitation = NewInvitation {
        hash: code.hash(),
        roles: &roles,
        expires: Timestamp(call.now.0.saturating_add(lifespan)),
    };
    let detail = invitation.detail();
    let entry = entry(call, admin, Event::Invited, &detail);
    call.app.store.invite(&invitation, &admin.authority(call.recent_since()), &entry, call.now)?;
    Ok(Response::private(&Body {
        id: &invitation.hash.name(),
        code: &code.shown(),
        expires: invitation.expires.0,
    }))
}

pub(in crate::api) fn delete(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let entry = entry(call, admin, Event::InvitationRevoked, call.request.parameter);
    let by = admin.authority(call.recent_since());
    if !call.app.store.revoke_invitation(call.request.parameter, &by, &entry, call.now)? {
        return Err(Error::NoSuch("invitation"));
    }
    Ok(done("invitation taken back"))
}

fn entry<'a>(call: &Call<'_>, admin: &Admin, event: Event, detail: &'a str) -> Entry<'a> {
    Entry { event, user: None, name: None, actor: actor(call, admin), detail }
}
