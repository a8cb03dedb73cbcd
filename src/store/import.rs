//! Accounts that come from another program: which of them clash with those that are here, and
//! adding them in one transaction. Compiled for the command line.

use super::Store;
use super::entry::Entry;
use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::values::{Email, Language, PasswordHash, Roles, Username};

/// An account that is to be added.
#[derive(Debug, Clone)]
pub struct ImportedUser {
    /// The number of its row in the source.
    pub row: u64,
    /// The id that it keeps; a new one if `None`.
    pub id: Option<i64>,
    /// The name.
    pub name: Username,
    /// The e-mail address.
    pub email: Option<Email>,
    /// The hash as it is stored.
    pub hash: PasswordHash,
    /// The roles.
    pub roles: Roles,
    /// Whether the user may do anything.
    pub active: bool,
    /// When the account was made.
    pub created: Timestamp,
    /// The language of mails to the user.
    pub language: Language,
    /// Names that the user had in the source.
    pub former_names: Vec<String>,
    /// The second factor.
    pub factor: Option<ImportedFactor>,
    /// Hashes of recovery codes.
    pub recovery_codes: Vec<[u8; 32]>,
}

/// A second factor of an account that is to be added.
#[derive(Debug, Clone)]
pub struct ImportedFactor {
    /// The shared secret.
    pub secret: zeroize::Zeroizing<Vec<u8>>,
    /// When it was made.
    pub created: Timestamp,
    /// When the user confirmed it.
    pub confirmed: Option<Timestamp>,
    /// The time step of the last code that was used.
    pub last_step: i64,
}

/// Why an account cannot be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clash {
    /// An account has this id and this name: nothing is to be done.
    AlreadyHere,
    /// The id belongs to another account.
    IdInUse {
        /// The name of that account.
        name: String,
    },
    /// The name belongs to another account, perhaps in other case.
    NameTaken {
        /// The id of that account.
        id: i64,
    },
    /// The e-mail address belongs to another account.
    EmailTaken {
        /// The id of that account.
        id: i64,
    },
    /// The name is the e-mail address of another account, or the e-mail address its name.
    NameIsEmail {
        /// The id of that account.
        id: i64,
    },
}

/// Accounts to be added, page by page.
pub trait ImportPages {
    /// The accounts after this row, in the order of rows; at most 500, none at the end. May be asked
    /// from 0 again.
    fn page(&mut self, after_row: u64) -> Result<Vec<ImportedUser>, Problem>;
}

/// What an import did.
#[derive(Debug, Default)]
pub struct Imported {
    /// Accounts that were added.
    pub added: u64,
    /// Accounts that were here already.
    pub already: u64,
    /// Added accounts whose id had been given out before; foreign tokens of these are not adopted.
    pub reused_ids: u64,
    /// Rows that clash, the first hundred.
    pub clashes: Vec<(u64, Clash)>,
}

impl Store {
    /// For each of these accounts, why it cannot be added.
    pub fn clashes(&self, users: &[ImportedUser]) -> Result<Vec<Option<Clash>>, Error> {
        let _ = users;
        Err(Error::Internal("not yet".into()))
    }

    /// Adds all accounts in one transaction. An account that clashes is left out with `skip`; without,
    /// nothing is added and the clashes are returned. Calls `show` with the number of rows that are
    /// done; it begins again with 0 if the transaction is run again.
    pub fn import(
        &self,
        pages: &mut dyn ImportPages,
        counter: Option<i64>,
        skip: bool,
        entry: &Entry<'_>,
        now: Timestamp,
        show: &mut dyn FnMut(u64),
    ) -> Result<Imported, Problem> {
        let _ = (pages, counter, skip, entry, now, show);
        Err(Problem::new("not yet", "wait"))
    }
}
