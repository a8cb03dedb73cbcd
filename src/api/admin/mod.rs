//! `/api/admin/`: what administrators see and change. No password goes out here: a user who has
//! forgotten it gets a link and chooses another.
//!
//! | file | owns |
//! |---|---|
//! | `users` | accounts: search, show, add |
//! | `user_row` | an account as these endpoints show it |
//! | `account` | what is done to one account |
//! | `sessions` | where a user is logged in |
//! | `reset_link` | a token with which a user sets a new password |
//! | `invitations` | codes that let one person each register |
//! | `mails` | mails that wait or were given up |
//! | `audit` | who did what |
//! | `checklist`, `test_mail` | what is left to do after the first start; whether mail arrives |

pub(super) mod account;
pub(super) mod audit;
pub(super) mod checklist;
pub(super) mod invitations;
pub(super) mod mails;
pub(super) mod reset_link;
pub(super) mod sessions;
pub(super) mod test_mail;
mod user_row;
pub(super) mod users;

use super::done;
use super::query::{Query, number};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Admin;
use crate::store::{Account, Actor};

/// Rows of a page if the request does not say.
const PAGE: i64 = 50;
/// The most rows of most pages.
const MAX_PAGE: i64 = 200;

const NO_USER: Error = Error::NoSuch("user");

/// Returns the account whose id is in the path. Behind it there may be another parameter.
fn subject(call: &Call<'_>) -> Result<Account, Error> {
    let id = call.request.parameter.split('/').next().and_then(number).ok_or(NO_USER)?;
    call.app.store.account_of(id)?.ok_or(NO_USER)
}

/// Returns who acts, for the audit.
fn actor(call: &Call<'_>, admin: &Admin) -> Actor {
    call.caller().admin(admin)
}

/// Returns how many rows the request asks for.
fn page(query: &Query, most: i64) -> Result<u32, Error> {
    let limit = query.number("limit", 1..=most)?.unwrap_or(PAGE);
    u32::try_from(limit).map_err(|_| Error::Internal("a page cannot be that long".into()))
}
