//! `/api/admin/invitations`: `GET` lists the open ones, `POST` makes one, and `DELETE …/ID` takes
//! one back. Where registration is by invitation, each lets one person register.

use serde::Serialize;

use super::{actor, done};
use crate::app::Call;
use crate::clock::Timestamp;
use crate::config::Registration;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Response;
use crate::store::{Entry, Event, Invitation, InvitationMail, NewInvitation};
use crate::values::{Code, Email, Language, Roles, unique};

/// Characters of a note.
const MAX_NOTE: usize = 500;

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

/// Takes `{roles, expires_in, email, note}`, all optional. With `email` the invitation is mailed there,
/// with the note. The answer has the code, which the server does not store and cannot show again.
pub(in crate::api) fn post(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        id: &'a str,
        code: &'a str,
        expires: i64,
    }
    let mut fields = call.fields()?;
    let email = fields.optional("email")?.map(|email| Email::parse(&email)).transpose()?;
    let note = note(&fields.optional("note")?.unwrap_or_default())?;
    let roles = Roles::of(fields.list("roles")?.unwrap_or_default())?;
    let lifespan = fields.number("expires_in", 1..=NewInvitation::MAX_LIFESPAN)?;
    let lifespan = lifespan.unwrap_or(NewInvitation::LIFESPAN);
    let jti = unique()?;
    let code = match &email {
        Some(_) => mailed(call, &jti)?,
        None => Code::generate()?,
    };
    let invitation = NewInvitation {
        hash: code.hash(),
        roles: &roles,
        expires: Timestamp(call.now.0.saturating_add(lifespan)),
    };
    let language = Language::chosen(call.request.header("accept-language"));
    let mail =
        email.as_ref().map(|email| InvitationMail { email, jti: &jti, language, note: &note });
    let detail = invitation.detail();
    let entry = entry(call, admin, Event::Invited, &detail);
    let by = admin.authority(call.recent_since());
    call.app.store.invite(&invitation, mail.as_ref(), &by, &entry, call.now)?;
    Ok(Response::private(&Body {
        id: &invitation.hash.name(),
        code: &code.shown(),
        expires: invitation.expires.0,
    }))
}

/// Returns the code of an invitation that is mailed. Its link needs the public URL. Where registration
/// is not by invitation, the page behind the link could not use the code.
fn mailed(call: &Call<'_>, jti: &str) -> Result<Code, Error> {
    call.app.require_mail()?;
    if call.app.config.registration != Registration::Invite {
        let why = "email: an invitation is mailed only with --registration invite";
        return Err(Error::BadRequest(why.into()));
    }
    call.app.config.registration_page().ok_or(Error::MailDisabled)?;
    let code = call.app.invitation_keys.code(jti);
    code.ok_or_else(|| Error::Internal("the ring has no key".into()))
}

/// Reads what an administrator writes to the invited person, as one line.
fn note(typed: &str) -> Result<String, Error> {
    let note = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    if note.chars().count() > MAX_NOTE {
        return Err(Error::BadRequest(format!("note: longer than {MAX_NOTE} characters")));
    }
    if note.chars().any(char::is_control) {
        return Err(Error::BadRequest("note: holds a control character".into()));
    }
    Ok(note)
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
