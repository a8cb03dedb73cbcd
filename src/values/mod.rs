//! Value types that can only hold valid values, shared by all modules. Knows no store, no request
//! and no rule about people.
//!
//! | file | owns |
//! |---|---|
//! | `username` | usernames |
//! | `roles` | roles |
//! | `email` | e-mail addresses |
//! | `domain` | a domain in its ASCII form |
//! | `password_hash` | a password's hash as text |
//! | `code` | recovery codes and invitation codes |
//! | `totp` | codes of authenticator apps (RFC 6238) |
//! | `base32` | base 32, in which codes and TOTP secrets are shown |
//! | `lifespans` | the lifespans of tokens |
//! | `language` | the languages of mails |
//! | `random` | random bytes and UUIDs |

mod base32;
mod code;
pub(crate) mod domain;
mod email;
mod language;
mod lifespans;
mod password_hash;
mod random;
mod roles;
mod totp;
mod username;

pub use code::{Code, CodeHash};
pub use email::{Email, Fragment};
pub use language::Language;
pub use lifespans::Lifespans;
pub(crate) use lifespans::MAX_AHEAD;
pub use password_hash::PasswordHash;
pub(crate) use random::{random, unique};
pub use roles::{Role, Roles};
pub use totp::{FactorUse, Otp, Step, TotpSecret};
pub use username::Username;
