//! The rules: what a good name, password and token are, and who is behind a request.
//!
//! | file | owns |
//! |---|---|
//! | `name` | names, roles |
//! | `email` | e-mail addresses |
//! | `password` | passwords and their hashes |
//! | `password_rules` | what a new password must be like |
//! | `blocklist` | passwords that are too common |
//! | `blocklist_file` | passwords that the operator forbids |
//! | `token` | tokens: minting, reading, their times |
//! | `identity` | who is behind a request |
//! | `rotation` | what a refresh leads to |
//! | `second_factor` | codes of an authenticator app |
//! | `code` | codes that people copy: recovery codes, invitations |
//! | `consecutive` | how many passwords may be wrong in a row |
//! | `throttle` | how often what may be tried: the policy |
//! | `tally` | how often something was tried |
//! | `device` | the secret of a device that has logged in |
//! | `familiar` | from where accounts were logged in to |
//! | `table` | what remembers strangers in a fixed amount of memory |

mod base32;
mod blocklist;
mod blocklist_file;
mod code;
mod consecutive;
mod device;
mod email;
mod familiar;
mod identity;
mod name;
mod password;
mod password_rules;
mod rotation;
mod second_factor;
mod table;
mod tally;
mod throttle;
mod token;

pub use blocklist_file::Blocklist;
pub use code::{Code, CodeHash};
pub use consecutive::{Familiarity, GUARDED};
pub(crate) use device::LIFESPAN as DEVICE_LIFESPAN;
pub use device::{Device, DeviceKeys, Devices};
pub use email::{Email, Fragment};
pub(crate) use identity::TokenCheck;
pub use identity::{Admin, Identity, bearer};
pub use name::{Role, Roles, Username};
pub use password::{Hasher, Password, PasswordHash, Verdict};
pub use password_rules::PasswordRules;
pub use rotation::{Decision, LastRefresh, RotationPolicy};
pub use second_factor::{Otp, FactorUse, Step, TotpSecret};
pub use throttle::{Attempts, Throttle};
pub use token::{SessionClaims, Claims, Lifespans, Mailed, MailedClaims, Tokens};
#[cfg(feature = "cli")]
pub(crate) use token::{Minted, key_id, unique};
