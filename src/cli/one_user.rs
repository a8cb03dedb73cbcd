//! The account that a command works on: its argument, and how it is found.

use clap::Args;

use super::database::{DatabaseFlag, open_existing};
use super::output::failed;
use crate::error::Problem;
use crate::store::{Account, Store};
use crate::values::Username;

#[derive(Args)]
pub(super) struct OneUser {
    /// The username
    name: String,
    #[command(flatten)]
    pub(super) database: DatabaseFlag,
}

impl OneUser {
    /// Opens the database and finds the account.
    pub(super) fn open(&self) -> Result<(Store, Account), Problem> {
        let store = open_existing(self.database.find()?)?;
        let name = Username::parse(&self.name).map_err(failed)?;
        match store.account(&name).map_err(failed)? {
            Some(account) => Ok((store, account)),
            None => Err(Problem::new(
                format!("there is no user {name}"),
                "list the users: lictor user list",
            )),
        }
    }
}
