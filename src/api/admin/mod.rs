//! `/api/admin/`: what administrators see and do. No password comes in or goes out here: who has
//! forgotten one gets a link and chooses another.
//!
//! | file | owns |
//! |---|---|
//! | `users` | accounts: found, shown, changed, deleted |
//! | `sessions` | where a user is logged in |
//! | `reset_link` | what lets a user set a new password |
//! | `invitations` | codes that let one person each register |
//! | `audit` | who did what |

pub(crate) mod audit;
pub(crate) mod invitations;
pub(crate) mod reset_link;
pub(crate) mod sessions;
pub(crate) mod users;

use super::query::{Query, number};
use super::{done, private};
use crate::app::App;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Request;
use crate::store::{Account, Actor};

/// Rows of a page where the request does not say, and at most.
const PAGE: i64 = 50;
const MAX_PAGE: i64 = 200;

const NO_USER: Error = Error::NoSuch("user");

/// The account whose id stands in the path.
fn subject(app: &App, request: &Request<'_>) -> Result<Account, Error> {
    let id = number(request.parameter).ok_or(NO_USER)?;
    app.store.account_of(id)?.ok_or(NO_USER)
}

/// Who acts, for the audit.
fn actor(app: &App, admin: &Admin, request: &Request<'_>) -> Actor {
    app.caller(request).admin(admin)
}

/// How many rows a page is to have.
fn page(query: &Query) -> Result<u32, Error> {
    let limit = query.number("limit", 1..=MAX_PAGE)?.unwrap_or(PAGE);
    u32::try_from(limit).map_err(|_| Error::Internal("a page cannot be that long".into()))
}

/// Cuts a page out of rows that were asked for with one more, and says where the next begins, if
/// there is one: behind the last row.
fn cut<T>(rows: &mut Vec<T>, page: u32, id: fn(&T) -> i64) -> Option<i64> {
    if rows.len() <= page as usize {
        return None;
    }
    rows.truncate(page as usize);
    rows.last().map(id)
}
