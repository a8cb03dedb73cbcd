//! The values that everything speaks of, each of which can only hold good ones. Knows no store, no
//! request and no rule about people.
//!
//! | file | owns |
//! |---|---|
//! | `name` | usernames, roles |
//! | `email` | e-mail addresses |
//! | `domain` | a domain in its ASCII form |
//! | `password_hash` | a password's hash, as text |
//! | `code` | recovery codes and invitation codes |
//! | `totp` | codes of authenticator apps (RFC 6238) |
//! | `base32` | the two alphabets in which such secrets are shown |
//! | `lifespans` | how long tokens are good |
//! | `language` | the languages of mails |
//! | `random` | randomness, and ids made of it |

mod base32;
mod code;
pub(crate) mod domain;
mod email;
mod language;
mod lifespans;
mod name;
mod password_hash;
mod random;
mod totp;

pub use code::{Code, CodeHash};
pub use email::{Email, Fragment};
pub use language::Language;
pub use lifespans::Lifespans;
pub(crate) use lifespans::MAX_AHEAD;
pub use name::{Role, Roles, Username};
pub use password_hash::PasswordHash;
pub(crate) use random::{random, unique};
pub use totp::{FactorUse, Otp, Step, TotpSecret};
