//! Accounts on their way out, page by page. Compiled for the command line.

use std::collections::HashMap;

use super::Store;
use super::driver::{Fault, Queries};
use super::imported::ExportedUser;
use super::operator::PAGE;
use super::rows::export;
use crate::error::Error;

/// Some accounts, in the order of their ids.
#[derive(Debug)]
pub struct ExportPage {
    /// The accounts.
    pub users: Vec<ExportedUser>,
    /// Accounts among them that were left out: they wait for the confirmation of an e-mail address.
    pub waiting: u64,
    /// The id to ask for the next page with; `None` if this one is empty, and so the end.
    pub last: Option<i64>,
}

impl Store {
    /// The accounts after this id, with hashes and secrets. Between two pages nothing is held open.
    pub fn export(&self, after: i64) -> Result<ExportPage, Error> {
        self.read(|queries| page(queries, after))
    }
}

fn page(queries: &mut dyn Queries, after: i64) -> Result<ExportPage, Fault> {
    let found = export::users(queries, after, PAGE)?;
    let Some(last) = found.last().map(|(user, _)| user.id) else {
        return Ok(ExportPage { users: Vec::new(), waiting: 0, last: None });
    };
    let all = found.len();
    let mut users: Vec<ExportedUser> =
        found.into_iter().filter(|(_, waits)| !waits).map(|(user, _)| user).collect();
    let waiting = (all - users.len()) as u64;
    let places: HashMap<i64, usize> =
        users.iter().enumerate().map(|(place, user)| (user.id, place)).collect();
    let ids = [after, last];
    // What belongs to an account that is not on the page is left out with it.
    let mut give = |id: i64, give: &mut dyn FnMut(&mut ExportedUser)| {
        if let Some(user) = places.get(&id).and_then(|place| users.get_mut(*place)) {
            give(user);
        }
    };
    for (id, factor) in export::factors(queries, ids)? {
        give(id, &mut |user| user.factor = Some(factor.clone()));
    }
    for (id, code) in export::codes(queries, ids)? {
        give(id, &mut |user| user.recovery_codes.push(code));
    }
    for (id, name) in export::former_names(queries, ids)? {
        give(id, &mut |user| user.former_names.push(name.clone()));
    }
    Ok(ExportPage { users, waiting, last: Some(last) })
}
