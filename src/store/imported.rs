//! An account that comes from another program or goes to one, and where those that come are read
//! from. Compiled for the command line.

use crate::clock::Timestamp;
use crate::error::Problem;
use crate::values::{Email, Language, PasswordHash, Roles, TotpSecret, Username};

/// The highest id of a user: JavaScript, which many clients of tokens are written in, has no exact
/// integers beyond it.
pub const MAX_ID: i64 = (1 << 53) - 1;

/// Accounts of a page, at most.
pub(super) const PAGE: usize = 500;

/// An account that is to be added.
#[derive(Debug, Clone)]
pub struct ImportedUser {
    /// The number of its row in the source.
    pub row: u64,
    /// The id that it keeps, from 1 to [`MAX_ID`]; a new one if `None`. Either all accounts of an
    /// import have one or none has.
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
    /// When the account was made; the time of the import if the source does not say.
    pub created: Timestamp,
    /// Whether the source says when the account was made.
    pub created_known: bool,
    /// Whether it comes from an export of lictor. The old server may have revoked its tokens, which
    /// an export does not tell, so none that was issued before the import is adopted.
    pub own: bool,
    /// The language of mails to the user.
    pub language: Language,
    /// Names that the user had in the source. One of more than
    /// [`MAX_FORMER_NAME`](super::MAX_FORMER_NAME) bytes is left out.
    pub former_names: Vec<String>,
    /// The second factor.
    pub factor: Option<ImportedFactor>,
    /// Hashes of recovery codes.
    pub recovery_codes: Vec<[u8; 32]>,
}

/// The second factor of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFactor {
    /// The shared secret.
    pub secret: TotpSecret,
    /// When it was made.
    pub created: Timestamp,
    /// When the user confirmed it.
    pub confirmed: Option<Timestamp>,
    /// The time step of the last code that was used.
    pub last_step: i64,
}

/// Accounts to be added, page by page.
pub trait ImportPages {
    /// The accounts after this row, in the order of rows; at most 500, none at the end. May be asked
    /// from 0 again.
    fn page(&mut self, after_row: u64) -> Result<Vec<ImportedUser>, Problem>;
}

/// An account as it is stored. Its texts are not parsed: one that is no longer valid goes out too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedUser {
    /// The id.
    pub id: i64,
    /// The name as the user wrote it.
    pub name: String,
    /// The e-mail address as the user wrote it.
    pub email: Option<String>,
    /// The hash; `!` if there is no password.
    pub hash: PasswordHash,
    /// The roles, joined by commas.
    pub roles: String,
    /// Whether the user may do anything.
    pub active: bool,
    /// When the account was made.
    pub created: Timestamp,
    /// The language of mails to the user.
    pub language: Language,
    /// Names that the user had before an import.
    pub former_names: Vec<String>,
    /// The second factor.
    pub factor: Option<ImportedFactor>,
    /// Hashes of recovery codes.
    pub recovery_codes: Vec<[u8; 32]>,
}
