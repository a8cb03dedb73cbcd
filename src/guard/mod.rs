//! The rules: what a good name, password and token are, and who is behind a request.
//!
//! | file | owns |
//! |---|---|
//! | `password` | passwords and their hashes |
//! | `password_rules` | what a new password must be like |
//! | `blocklist` | passwords that are too common |
//! | `blocklist_file` | passwords that the operator forbids |
//! | `token` | tokens: minting, reading, their times |
//! | `identity` | who is behind a request |
//! | `throttle` | how often what may be tried: the policy |
//! | `tally` | how often something was tried |
//! | `device` | the secret of a device that has logged in |
//! | `familiar` | from where accounts were logged in to |
//! | `table` | what remembers strangers in a fixed amount of memory |

mod blocklist;
mod blocklist_file;
mod device;
mod familiar;
mod hasher;
mod identity;
mod password;
mod password_rules;
mod table;
mod tally;
mod throttle;
mod token;

pub use blocklist_file::Blocklist;
pub(crate) use device::LIFESPAN as DEVICE_LIFESPAN;
pub use device::{Device, DeviceKeys, Devices};
pub use hasher::{Hasher, Verdict};
pub(crate) use identity::TokenCheck;
pub use identity::{Admin, Identity, bearer};
pub use password::Password;
pub use password_rules::PasswordRules;
pub use throttle::{Attempts, Throttle};
pub use token::{Claims, Mailed, MailedClaims, SessionClaims, Tokens};
#[cfg(feature = "cli")]
pub(crate) use token::{Minted, key_id};
