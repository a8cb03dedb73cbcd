//! The account that a command works on: its argument, and how it is found.

use super::args::Args;
use super::database::{self, DatabaseFlag, open_existing, placed};
use super::flag::{Row, flag, group};
use super::kind::Kind;
use super::output::{failed, print};
use crate::error::Problem;
use crate::store::{Account, Store};
use crate::values::Username;

pub(super) const FLAGS: &[Row] =
    &[flag("NAME", Kind::Text).help("The username"), group(database::FLAGS)];

pub(super) struct OneUser<'a> {
    name: &'a str,
    pub(super) database: DatabaseFlag<'a>,
}

impl OneUser<'_> {
    pub(super) fn of(args: &Args) -> OneUser<'_> {
        OneUser { name: args.value("NAME"), database: DatabaseFlag::of(args) }
    }

    /// Opens the database and finds the account.
    pub(super) fn open(&self) -> Result<(Store, Account), Problem> {
        let store = open_existing(self.database.find()?)?;
        let name = Username::parse(self.name).map_err(failed)?;
        match store.account(&name).map_err(failed)? {
            Some(account) => Ok((store, account)),
            None => Err(Problem::new(
                format!("there is no user {name}"),
                "list the users: lictor user list",
            )),
        }
    }

    /// Says what was changed, and in which database.
    pub(super) fn say(&self, done: &str) -> Result<(), Problem> {
        print(&placed(done, self.database.find()?))
    }
}
