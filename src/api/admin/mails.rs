//! `/api/admin/mails`: `GET` lists the mails that wait to be sent and those that were given up,
//! `POST …/ID/retry` has one tried again now, and `DELETE …/ID` deletes one.

use serde::Serialize;

use super::{MAX_PAGE, Query, actor, done, number, page};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Response;
use crate::store::{Entry, Event, MailChange, QueuedMail};

#[derive(Serialize)]
struct Row<'a> {
    id: i64,
    kind: &'a str,
    email: &'a str,
    user: Option<i64>,
    name: Option<&'a str>,
    created: i64,
    attempts: u32,
    /// When it is tried next; null if it was given up.
    due: Option<i64>,
    failure: &'a str,
}

impl<'a> Row<'a> {
    fn of(mail: &'a QueuedMail) -> Row<'a> {
        Row {
            id: mail.id,
            kind: &mail.kind,
            email: &mail.email,
            user: mail.user,
            name: mail.name.as_deref(),
            created: mail.created.0,
            attempts: mail.attempts,
            due: mail.due.map(|due| due.0),
            failure: &mail.failure,
        }
    }
}

/// Takes `after`, the `next` of the page before, and `limit`.
pub(in crate::api) fn get(call: &Call<'_>, _: &Admin) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        mails: Vec<Row<'a>>,
        next: Option<i64>,
    }
    let typed = Query::of(call.request, &["after", "limit"])?;
    let after = typed.number("after", 0..=i64::MAX)?.unwrap_or(0);
    let found = call.app.store.mails_after(after, page(&typed, MAX_PAGE)?)?;
    let mails = found.rows.iter().map(Row::of).collect();
    Ok(Response::private(&Body { mails, next: found.next }))
}

pub(in crate::api) fn post_retry(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    change(call, admin, MailChange::Retry, Event::MailRetried)?;
    Ok(done("the mail is tried again now"))
}

pub(in crate::api) fn delete(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    change(call, admin, MailChange::Drop, Event::MailDropped)?;
    Ok(done("mail deleted"))
}

fn change(call: &Call<'_>, admin: &Admin, change: MailChange, event: Event) -> Result<(), Error> {
    let missing = || Error::NoSuch("mail");
    let id = number(call.request.parameter).ok_or_else(missing)?;
    let entry = Entry { event, user: None, name: None, actor: actor(call, admin), detail: "" };
    let by = admin.authority(call.recent_since());
    match call.app.store.change_mail(id, change, &by, &entry, call.now)? {
        true => Ok(()),
        false => Err(missing()),
    }
}
