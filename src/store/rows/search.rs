//! Statements that list accounts in an order, and find them by a part of their name or e-mail
//! address and by what they are. A page is read from a place in the order, in either direction.

use super::users::{Account, UserState, account, accounts};
use super::{all, count};
use crate::store::driver::{Fault, Queries, Row, Value};
use crate::values::Fragment;

/// Accounts that one page of a search reads at most; it may be short then, and not the last. So many
/// are counted at most, too.
pub(in crate::store) const READ_AT_ONCE: i64 = 20_000;

/// What accounts are listed by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UserOrder {
    /// The order in which they were made.
    #[default]
    Created,
    /// Their names.
    Name,
    /// Their last logins; before all others those that never logged in.
    LastLogin,
}

/// The place of an account in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserPlace {
    /// The id.
    Created(i64),
    /// The key of the name.
    Name(String),
    /// The time of the last login, and the id.
    LastLogin(i64, i64),
}

/// Which accounts a search finds.
#[derive(Debug, Clone, Default)]
pub struct UserQuery<'a> {
    /// Only those with this in their name or e-mail address.
    pub fragment: Option<&'a Fragment>,
    /// Only those with this role.
    pub role: Option<&'a str>,
    /// Only those in this state.
    pub state: Option<UserState>,
    /// Only those with, or without, a second factor.
    pub second_factor: Option<bool>,
    /// What they are listed by,
    pub order: UserOrder,
    /// the greatest first.
    pub descending: bool,
    /// Only those after this place of the order; the first page has none.
    pub from: Option<UserPlace>,
    /// Those before the place instead, and nearest to it.
    pub backwards: bool,
    /// At most this many.
    pub limit: u32,
}

/// A page of a list of accounts.
#[derive(Debug)]
pub struct UserPage {
    /// Its accounts; there may be fewer than were asked for, and even none, although others follow.
    pub rows: Vec<Account>,
    /// The place after which the next page begins; `None` if this one is the last.
    pub next: Option<UserPlace>,
    /// The place before which the page before ends; `None` if this one is the first.
    pub previous: Option<UserPlace>,
    /// How many accounts the search finds on all pages,
    pub total: i64,
    /// or, if this is false, how many at least.
    pub total_exact: bool,
}

impl UserQuery<'_> {
    /// Whether accounts are left out, so that more are read than are shown.
    fn filters(&self) -> bool {
        let UserQuery { role, state, second_factor, .. } = self;
        self.text().is_some() || role.is_some() || state.is_some() || second_factor.is_some()
    }

    /// The fragment, unless it is in every name.
    fn text(&self) -> Option<&Fragment> {
        self.fragment.filter(|fragment| !fragment.as_str().is_empty())
    }

    fn takes(&self, account: &Account) -> bool {
        let Account { person, email, pending_email, second_factor, .. } = account;
        self.role.is_none_or(|role| person.roles.iter().any(|other| other == role))
            && self.state.is_none_or(|state| account.state() == state)
            && self.second_factor.is_none_or(|on| *second_factor == on)
            && self.text().is_none_or(|fragment| {
                let emails = [email, pending_email].into_iter().flatten();
                fragment.is_in_name(&person.name)
                    || emails.into_iter().any(|email| fragment.is_in_email(email))
            })
    }
}

pub(in crate::store) const BY_ID: [&str; 2] = [
    accounts!("WHERE id > $1 ORDER BY id LIMIT $2"),
    accounts!("WHERE id < $1 ORDER BY id DESC LIMIT $2"),
];
pub(in crate::store) const BY_NAME: [&str; 2] = [
    accounts!("WHERE name_key > $1 ORDER BY name_key LIMIT $2"),
    accounts!("WHERE name_key < $1 ORDER BY name_key DESC LIMIT $2"),
];
pub(in crate::store) const BY_LAST_LOGIN: [&str; 2] = [
    accounts!("WHERE last_login > $1 ORDER BY last_login, id LIMIT $2"),
    accounts!("WHERE last_login < $1 ORDER BY last_login DESC, id DESC LIMIT $2"),
];
/// Accounts with the same last login, which can be many: all that never logged in.
pub(in crate::store) const WITH_LAST_LOGIN: [&str; 2] = [
    accounts!("WHERE last_login = $1 AND id > $3 ORDER BY last_login, id LIMIT $2"),
    accounts!("WHERE last_login = $1 AND id < $3 ORDER BY last_login DESC, id DESC LIMIT $2"),
];

/// Accounts after `$3` whose name is from `$1` on and before `$2`.
pub(in crate::store) const NAME_BEGINS: &str =
    accounts!("WHERE name_key >= $1 AND name_key < $2 AND id > $3 ORDER BY name_key LIMIT $4");
/// Accounts after `$3` whose e-mail address is from `$1` on and before `$2`.
pub(in crate::store) const EMAIL_BEGINS: &str =
    accounts!("WHERE email_key >= $1 AND email_key < $2 AND id > $3 ORDER BY email_key LIMIT $4");

/// How many accounts there are, of the first `$1`.
pub(in crate::store) const COUNT: &str =
    "SELECT count(*) FROM (SELECT id FROM users ORDER BY id LIMIT $1) AS first";

/// What the accounts that were read say of a page.
#[derive(Default)]
struct Seen {
    rows: Vec<(UserPlace, Account)>,
    /// The place of the last one that was read.
    last: Option<UserPlace>,
    read: i64,
    found: i64,
}

/// The accounts that a search finds. If the first page in the order in which they were made has room,
/// it also has accounts that are far behind, but begin with the fragment, so that an index finds
/// them; they come again in their place.
// Long: one page, step by step.
pub(in crate::store) fn search(
    queries: &mut dyn Queries,
    query: &UserQuery<'_>,
) -> Result<UserPage, Fault> {
    let (limit, filters) = (query.limit as usize, query.filters());
    let most = if filters { READ_AT_ONCE } else { i64::from(query.limit) + 1 };
    let mut seen = read(queries, query, query.from.as_ref(), most)?;
    let more = seen.rows.len() > limit;
    seen.rows.truncate(limit);
    let ahead = match more {
        true => seen.rows.last().map(|(place, _)| place.clone()),
        false => seen.last.take().filter(|_| filters && seen.read == most),
    };
    if let Some(UserPlace::Created(last)) = ahead
        && !more
        && query.from.is_none()
        && !query.descending
        && let Some(fragment) = query.text()
    {
        let mut far = beginning(queries, fragment, last, limit - seen.rows.len())?;
        far.retain(|account| query.takes(account));
        let placed = |account: Account| (UserPlace::Created(account.person.id), account);
        seen.rows.extend(far.into_iter().map(placed));
    }
    let (total, total_exact) = match (filters, &query.from) {
        (false, _) => {
            let count = count(queries, COUNT, &[(READ_AT_ONCE + 1).into()])?;
            (count.min(READ_AT_ONCE), count <= READ_AT_ONCE)
        }
        (true, None) => (seen.found, seen.read < READ_AT_ONCE),
        (true, Some(_)) => {
            let all = UserQuery { backwards: false, limit: 0, ..query.clone() };
            let all = read(queries, &all, None, READ_AT_ONCE)?;
            (all.found, all.read < READ_AT_ONCE)
        }
    };
    if query.backwards {
        seen.rows.reverse();
    }
    let edge = |row: Option<&(UserPlace, Account)>| match row {
        Some((place, _)) => query.from.as_ref().map(|_| place.clone()),
        // The way back has the row at the place itself: another page may have shown it last.
        None => query.from.clone().map(|from| beside(from, query.descending == query.backwards)),
    };
    let (next, previous) = match query.backwards {
        false => (ahead, edge(seen.rows.first())),
        true => (edge(seen.rows.last()), ahead),
    };
    let rows = seen.rows.into_iter().map(|(_, account)| account).collect();
    Ok(UserPage { rows, next, previous, total, total_exact })
}

/// Reads at most `most` accounts from a place on, and keeps one more than the page has.
fn read(
    queries: &mut dyn Queries,
    query: &UserQuery<'_>,
    from: Option<&UserPlace>,
    most: i64,
) -> Result<Seen, Fault> {
    let mut seen = Seen::default();
    let down = query.descending != query.backwards;
    let end = if down { i64::MAX } else { i64::MIN };
    let ends = if down { "\u{10ffff}" } else { "" };
    let (statements, start): (_, Value<'_>) = match (query.order, from) {
        (UserOrder::Created, Some(UserPlace::Created(id))) => (BY_ID, (*id).into()),
        (UserOrder::Created, _) => (BY_ID, end.into()),
        (UserOrder::Name, Some(UserPlace::Name(key))) => (BY_NAME, key.as_str().into()),
        (UserOrder::Name, _) => (BY_NAME, ends.into()),
        (UserOrder::LastLogin, Some(UserPlace::LastLogin(time, id))) => {
            let values = [(*time).into(), most.into(), (*id).into()];
            look(queries, query, WITH_LAST_LOGIN[usize::from(down)], &values, &mut seen)?;
            (BY_LAST_LOGIN, (*time).into())
        }
        (UserOrder::LastLogin, _) => (BY_LAST_LOGIN, end.into()),
    };
    let values = [start, (most - seen.read).into()];
    look(queries, query, statements[usize::from(down)], &values, &mut seen)?;
    Ok(seen)
}

fn look(
    queries: &mut dyn Queries,
    query: &UserQuery<'_>,
    sql: &'static str,
    values: &[Value<'_>],
    seen: &mut Seen,
) -> Result<(), Fault> {
    queries.query(sql, values, &mut |row| {
        let (account, place) = (account(row)?, place(row, query.order)?);
        seen.read += 1;
        if query.takes(&account) {
            seen.found += 1;
            if seen.rows.len() <= query.limit as usize {
                seen.rows.push((place.clone(), account));
            }
        }
        seen.last = Some(place);
        Ok(())
    })
}

fn place(row: &dyn Row, order: UserOrder) -> Result<UserPlace, Fault> {
    Ok(match order {
        UserOrder::Created => UserPlace::Created(row.get(0)?),
        UserOrder::Name => UserPlace::Name(row.get(12)?),
        UserOrder::LastLogin => UserPlace::LastLogin(row.get(10)?, row.get(0)?),
    })
}

/// The next place above or below this one: there is no account between the two.
fn beside(place: UserPlace, above: bool) -> UserPlace {
    let step = |id: i64| if above { id.saturating_add(1) } else { id.saturating_sub(1) };
    match place {
        UserPlace::Created(id) => UserPlace::Created(step(id)),
        UserPlace::LastLogin(time, id) => UserPlace::LastLogin(time, step(id)),
        // No key has a control character, or the last of all characters.
        UserPlace::Name(mut key) if above => {
            key.push('\u{1}');
            UserPlace::Name(key)
        }
        UserPlace::Name(mut key) => {
            let before = key.pop().and_then(|last| ('\0'..last).next_back());
            key.extend(before.into_iter().chain([char::MAX]));
            UserPlace::Name(key)
        }
    }
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
    // At most a page: the library's sort would be 4 kB of code for this type.
    let mut sorted: Vec<Account> = Vec::with_capacity(found.len());
    for account in found {
        let place = sorted.partition_point(|other| other.person.id < account.person.id);
        sorted.insert(place, account);
    }
    Ok(sorted)
}
