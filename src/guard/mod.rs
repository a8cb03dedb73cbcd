//! The rules: what a good name, password and token are, and who is behind a request.
//!
//! | file | owns |
//! |---|---|
//! | `name` | names, e-mail addresses, roles |
//! | `password` | password rules and hashes |
//! | `token` | tokens: minting, reading, their times |
//! | `identity` | who is behind a request |
//! | `second_factor` | codes of an authenticator app |
//! | `code` | codes that people copy: recovery codes, invitations |

mod base32;
mod code;
mod identity;
mod name;
mod password;
mod second_factor;
mod token;

pub use code::{Code, CodeHash};
pub(crate) use identity::Door;
pub use identity::{Admin, Identity, bearer};
pub use name::{Email, Fragment, Role, Roles, Username};
pub use password::{Hasher, Password, PasswordHash, Verdict};
pub use second_factor::{Otp, Spend, Step, TotpSecret};
#[cfg(feature = "cli")]
pub(crate) use token::key_id;
pub use token::{Beginning, Claims, Lifespans, Mailed, Minted, Tokens};
