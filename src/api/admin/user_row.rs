//! An account as administrators see it.

use serde::Serialize;

use crate::app::Call;
use crate::store::{Account, Familiarity};

/// An account as administrators see it.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    id: i64,
    username: &'a str,
    email: Option<&'a str>,
    pending_email: Option<&'a str>,
    roles: Vec<&'a str>,
    active: bool,
    state: &'static str,
    created: i64,
    second_factor: bool,
    last_login: Option<i64>,
    last_login_address: Option<&'a str>,
    /// Whether strangers' passwords are no longer compared, because too many were wrong.
    locked: bool,
    failures: u32,
}

impl<'a> Row<'a> {
    pub(super) fn of(call: &Call<'_>, account: &'a Account) -> Row<'a> {
        let limit = call.app.attempts.limit(Familiarity::Stranger);
        let guarded = limit.is_some_and(|limit| account.failures >= limit);
        Row {
            id: account.person.id,
            username: &account.person.name,
            email: account.email.as_deref(),
            pending_email: account.pending_email.as_deref(),
            roles: account.person.roles.iter().collect(),
            active: account.person.active,
            state: account.state().name(),
            created: account.created.0,
            second_factor: account.second_factor,
            last_login: account.last_login.map(|time| time.0),
            last_login_address: account.last_login_ip.as_deref(),
            locked: guarded && !account.second_factor,
            failures: account.failures,
        }
    }
}
