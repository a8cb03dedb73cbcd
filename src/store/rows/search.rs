//! Statements that list accounts, and find them by a part of their name or e-mail address.

use super::users::{Account, account, accounts};
use super::{ByDialect, Page, all, first};
use crate::store::driver::{Fault, Queries};
use crate::values::Fragment;

/// Accounts that one page of a search reads at most; it may be short then, and not the last.
pub(in crate::store) const READ_AT_ONCE: i64 = 20_000;

/// Which accounts a search finds.
#[derive(Debug, Clone, Copy)]
pub struct UserQuery<'a> {
    /// Only those with this in their name or e-mail address.
    pub fragment: Option<&'a Fragment>,
    /// Only those with a greater id: the next page.
    pub after: i64,
    /// At most this many.
    pub limit: u32,
}

/// See [`CONTAINING`].
macro_rules! containing {
    ($position:literal) => {
        accounts!(
            "(SELECT * FROM users WHERE id > $1 ORDER BY id LIMIT $7) AS users WHERE ",
            $position,
            "(name_key, $2) > 0 OR ",
            $position,
            "(email_key, $3) > 0 OR ",
            $position,
            "(email_key, $4) > 0 OR ",
            $position,
            "(email, $5) > 0 ORDER BY id LIMIT $6"
        )
    };
}

/// Accounts with the terms in their name or address, among the `$7` after `$1`. The function that
/// looks for a text has two names; `LIKE` gives some characters a meaning.
pub(in crate::store) const CONTAINING: ByDialect =
    ByDialect { sqlite: containing!("instr"), postgres: containing!("strpos") };

/// The last account that [`CONTAINING`] reads.
pub(in crate::store) const LAST_READ: &str =
    "SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2";

/// Accounts after `$3` whose name is from `$1` on and before `$2`.
pub(in crate::store) const NAME_BEGINS: &str =
    accounts!("WHERE name_key >= $1 AND name_key < $2 AND id > $3 ORDER BY name_key LIMIT $4");
/// Accounts after `$3` whose e-mail address is from `$1` on and before `$2`.
pub(in crate::store) const EMAIL_BEGINS: &str =
    accounts!("WHERE email_key >= $1 AND email_key < $2 AND id > $3 ORDER BY email_key LIMIT $4");

/// The accounts that a search finds, by id. If the first page has room, it also has accounts that are
/// far behind, but begin with the fragment, so that an index finds them; they come again in their
/// place.
pub(in crate::store) fn search(
    queries: &mut dyn Queries,
    query: &UserQuery<'_>,
) -> Result<Page<Account>, Fault> {
    let UserQuery { fragment, after, limit } = *query;
    let (limit, one_more) = (limit as usize, i64::from(limit) + 1);
    // An empty text is in every name.
    let Some(fragment) = fragment.filter(|fragment| !fragment.as_str().is_empty()) else {
        let sql = accounts!("WHERE id > $1 ORDER BY id LIMIT $2");
        let mut rows = all(queries, sql, &[after.into(), one_more.into()], account)?;
        let next = cut(&mut rows, limit);
        return Ok(Page { rows, next });
    };
    let values = [
        after.into(),
        fragment.in_name().into(),
        fragment.in_email().into(),
        fragment.in_domain().into(),
        fragment.as_str().into(),
        one_more.into(),
        READ_AT_ONCE.into(),
    ];
    // Asked first: an account that is deleted in between would move the end of what is read.
    let others = (READ_AT_ONCE - 1).into();
    let last = first(queries, LAST_READ, &[after.into(), others], |row| row.get(0))?;
    let sql = CONTAINING.of(queries);
    let mut rows = all(queries, sql, &values, account)?;
    rows.retain(|account| last.is_none_or(|last: i64| account.person.id <= last));
    if let Some(next) = cut(&mut rows, limit) {
        return Ok(Page { rows, next: Some(next) });
    }
    if let Some(last) = last.filter(|_| after == 0) {
        let room = limit - rows.len();
        rows.append(&mut beginning(queries, fragment, last, room)?);
    }
    Ok(Page { rows, next: last })
}

/// At most `room` accounts after an id whose name or address begins with the fragment, by id.
fn beginning(
    queries: &mut dyn Queries,
    fragment: &Fragment,
    after: i64,
    room: usize,
) -> Result<Vec<Account>, Fault> {
    let mut found: Vec<Account> = Vec::new();
    let rows = i64::try_from(room).unwrap_or(i64::MAX);
    for (sql, text) in [(NAME_BEGINS, fragment.in_name()), (EMAIL_BEGINS, fragment.in_email())] {
        let behind = format!("{text}{}", char::MAX);
        let values = [text.into(), (&*behind).into(), after.into(), rows.into()];
        for account in all(queries, sql, &values, account)? {
            if found.iter().all(|other| other.person.id != account.person.id) {
                found.push(account);
            }
        }
    }
    found.truncate(room);
    found.sort_by_key(|account| account.person.id);
    Ok(found)
}

/// Cuts accounts that are more than a page; returns where the next page begins.
fn cut(accounts: &mut Vec<Account>, limit: usize) -> Option<i64> {
    if accounts.len() <= limit {
        return None;
    }
    accounts.truncate(limit);
    accounts.last().map(|account| account.person.id)
}
