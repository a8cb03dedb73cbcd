//! `/api/admin/test-mail`: `POST` sends a mail that shows whether mail arrives; `GET …/ID` says how far
//! it is.

use serde::Serialize;

use super::{actor, number};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Response;
use crate::store::{Entry, Event, MailState};
use crate::values::Email;

/// Takes `{email}`; without it, the mail goes to the administrator's own address.
pub(in crate::api) fn post(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        id: i64,
        email: &'a str,
    }
    let (app, own) = (call.app, admin.identity());
    app.require_mail()?;
    let typed = call.fields()?.optional("email")?;
    let known = match typed {
        Some(_) => None,
        None => app.store.account_of(own.id())?.and_then(|account| account.email),
    };
    let email = typed.as_ref().map(|typed| typed.as_str()).or(known.as_deref());
    let email = email.ok_or_else(|| Error::BadRequest("email: is missing".into()))?;
    let email = Email::parse(email)?;
    app.attempts.mail(&email, call.client_ip(), call.now)?;
    let entry = Entry::new(Event::TestMail, own.id(), own.name(), actor(call, admin));
    let entry = Entry { detail: email.as_str(), ..entry };
    let by = admin.authority(call.recent_since());
    let id = app.store.test_mail(own.id(), &email, &by, &entry, call.now)?;
    Ok(Response::private(&Body { id, email: email.as_str() }))
}

/// Says how far a test mail is that the caller has asked for.
pub(in crate::api) fn get(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        state: &'a str,
        failure: &'a str,
        due: Option<i64>,
    }
    let missing = Error::NoSuch("mail");
    let Some(id) = number(call.request.parameter) else { return Err(missing) };
    let found = call.app.store.test_mail_state(id, admin.identity().id())?.ok_or(missing)?;
    let (state, failure, due) = match &found {
        MailState::Sent => ("sent", "", None),
        MailState::Queued { due: Some(due), failure } => ("waits", &**failure, Some(due.0)),
        MailState::Queued { due: None, failure } => ("failed", &**failure, None),
    };
    Ok(Response::private(&Body { state, failure, due }))
}
