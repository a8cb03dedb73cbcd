//! What administrators do to one account: `DELETE /api/admin/users/ID`, `PUT …/active`, `…/roles` and
//! `…/email`, `DELETE …/second-factor`, `POST …/unlock`.

use super::user_row::Row;
use super::{NO_USER, actor, done, subject};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Response;
use crate::store::{Account, Authority, Change, Entry, Event};
use crate::values::{Email, Roles};

/// Deletes the user; the audit keeps the name.
pub(in crate::api) fn delete(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    act(call, admin, (Event::UserDeleted, ""), NO_USER, &|account, by, entry| {
        call.app.store.delete(account.person.id, by, entry, call.now)
    })?;
    Ok(done("user deleted"))
}

/// Takes `{active}`. A user who becomes inactive is logged out everywhere.
pub(in crate::api) fn put_active(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let active = call.fields()?.flag("active")?;
    let event = if active { Event::Activated } else { Event::Deactivated };
    change(call, admin, (event, ""), &Change::Active(active))
}

/// Takes `{roles}`, a list that replaces the roles there were.
pub(in crate::api) fn put_roles(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let fields = call.fields()?;
    let roles = fields.list("roles")?;
    let roles = roles.ok_or_else(|| Error::BadRequest("roles: is missing".into()))?;
    let roles = Roles::of(roles)?;
    change(call, admin, (Event::RolesChanged, roles.as_str()), &Change::Roles(&roles))
}

fn change(
    call: &Call<'_>,
    admin: &Admin,
    event: (Event, &str),
    change: &Change<'_>,
) -> Result<Response, Error> {
    let account = act(call, admin, event, NO_USER, &|account, by, entry| {
        call.app.store.change(account.person.id, change, by, entry, call.now)
    })?;
    shown(call, account.person.id)
}

/// Takes `{email}`, null for none. It counts at once: the administrator answers for it.
pub(in crate::api) fn put_email(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let mut fields = call.fields()?;
    if !fields.has("email") {
        return Err(Error::BadRequest("email: is missing".into()));
    }
    let email = fields.optional("email")?.map(|email| Email::parse(&email)).transpose()?;
    let account = act(call, admin, (Event::EmailSet, ""), NO_USER, &|account, by, entry| {
        call.app.store.set_email(account.person.id, email.as_ref(), by, entry, call.now)
    })?;
    shown(call, account.person.id)
}

/// Turns the second factor off, for a user who has lost it and the recovery codes.
pub(in crate::api) fn delete_factor(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let missing = Error::NoSuch("second factor");
    let account =
        act(call, admin, (Event::SecondFactorReset, ""), missing, &|account, by, entry| {
            call.app.store.remove_second_factor(account.person.id, by, entry, call.now)
        })?;
    shown(call, account.person.id)
}

/// Forgets failed logins, so that the next login need not wait.
pub(in crate::api) fn post_unlock(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let account = act(call, admin, (Event::Unlocked, ""), NO_USER, &|account, by, entry| {
        call.app.store.unlock(account.person.id, by, entry, call.now)
    })?;
    shown(call, account.person.id)
}

/// A write about an account; false if there is nothing to change.
type Work<'a> = dyn Fn(&Account, &Authority<'_>, &Entry<'_>) -> Result<bool, Error> + 'a;

/// Does something to the user whom the path names, with its audit entry; returns the account as it was
/// before. `missing` is the error if there is nothing to change.
pub(super) fn act(
    call: &Call<'_>,
    admin: &Admin,
    (event, detail): (Event, &str),
    missing: Error,
    work: &Work<'_>,
) -> Result<Account, Error> {
    let account = subject(call)?;
    let person = &account.person;
    let entry = Entry { detail, ..Entry::new(event, person.id, &person.name, actor(call, admin)) };
    match work(&account, &admin.authority(call.recent_since()), &entry)? {
        true => Ok(account),
        false => Err(missing),
    }
}

/// Returns the account after a change.
fn shown(call: &Call<'_>, id: i64) -> Result<Response, Error> {
    let account = call.app.store.account_of(id)?.ok_or(NO_USER)?;
    Ok(Response::private(&Row::of(call, &account)))
}
