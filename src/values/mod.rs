//! Value types that can only hold valid values, shared by all modules. Knows no store, no request
//! and no rule about people.
//!
//! | file | owns |
//! |---|---|
//! | `username` | usernames |
//! | `roles` | roles |
//! | `email` | e-mail addresses |
//! | `fragment` | search terms for names and addresses |
//! | `domain` | a domain in its ASCII form |
//! | `password_hash` | a password's hash as text |
//! | `code` | recovery codes and invitation codes |
//! | `app_password` | app passwords, and their names |
//! | `hosts` | the hosts for which an app password is good |
//! | `printable` | characters that can be shown as what they are |
//! | `totp` | codes of authenticator apps (RFC 6238) |
//! | `base32` | base 32, in which codes and TOTP secrets are shown |
//! | `lifespans` | the lifespans of tokens |
//! | `language` | the languages of mails |
//! | `skeleton` | a text without what some programs ignore when they compare |
//! | `spelling` | what a misspelt word may have meant |
//! | `random` | random bytes and UUIDs |

mod app_password;
mod base32;
mod code;
pub(crate) mod domain;
mod email;
mod fragment;
mod hosts;
mod language;
mod lifespans;
mod password_hash;
mod printable;
mod random;
mod roles;
mod skeleton;
mod spelling;
mod totp;
mod username;

pub use app_password::{AppPassword, app_password_name};
pub use code::{Code, CodeHash};
pub use email::Email;
pub use fragment::Fragment;
pub use hosts::Hosts;
pub use language::Language;
pub use lifespans::Lifespans;
pub(crate) use lifespans::MAX_AHEAD;
pub use password_hash::PasswordHash;
#[cfg(feature = "cli")]
pub(crate) use printable::steers;
pub(crate) use random::{random, unique};
pub use roles::{Role, Roles};
pub(crate) use skeleton::skeleton;
pub(crate) use spelling::nearest;
pub use totp::{FactorUse, Otp, Step, TotpSecret};
pub use username::Username;
