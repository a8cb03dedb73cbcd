//! The rules: what a good name, password and token are, and who is behind a request.
//!
//! | file | owns |
//! |---|---|
//! | `name` | names, e-mail addresses, roles |
//! | `password` | password rules and hashes |
//! | `token` | tokens: minting, reading, their times |
//! | `identity` | who is behind a request |

mod identity;
mod name;
mod password;
mod token;

pub(crate) use identity::Door;
pub use identity::{Admin, Identity, bearer};
pub use name::{Email, Role, Roles, Username};
pub use password::{Hasher, Password, PasswordHash, Verdict};
#[cfg(feature = "cli")]
pub(crate) use token::key_id;
pub use token::{Beginning, Claims, Lifespans, Tokens};
