//! `/api/admin/`: what administrators see and change. No password comes in or goes out here: a user
//! who has forgotten it gets a link and chooses another.
//!
//! | file | owns |
//! |---|---|
//! | `users` | accounts: search, show, change, delete |
//! | `sessions` | where a user is logged in |
//! | `reset_link` | a token with which a user sets a new password |
//! | `invitations` | codes that let one person each register |
//! | `audit` | who did what |

pub(super) mod audit;
pub(super) mod invitations;
pub(super) mod reset_link;
pub(super) mod sessions;
pub(super) mod users;

use super::done;
use super::query::{Query, number};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Admin;
use crate::store::{Account, Actor};

/// Rows of a page if the request does not say.
const PAGE: i64 = 50;
/// The most rows of a page.
const MAX_PAGE: i64 = 200;

const NO_USER: Error = Error::NoSuch("user");

/// Returns the account whose id is in the path.
fn subject(call: &Call<'_>) -> Result<Account, Error> {
    let id = number(call.request.parameter).ok_or(NO_USER)?;
    call.app.store.account_of(id)?.ok_or(NO_USER)
}

/// Returns who acts, for the audit.
fn actor(call: &Call<'_>, admin: &Admin) -> Actor {
    call.caller().admin(admin)
}

/// Returns how many rows the request asks for.
fn page(query: &Query) -> Result<u32, Error> {
    let limit = query.number("limit", 1..=MAX_PAGE)?.unwrap_or(PAGE);
    u32::try_from(limit).map_err(|_| Error::Internal("a page cannot be that long".into()))
}
