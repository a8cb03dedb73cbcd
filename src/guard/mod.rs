//! The rules: what a good name, password and token are, and who is behind a request.
//!
//! | file | owns |
//! |---|---|
//! | `name` | names, e-mail addresses, roles |
//! | `password` | password rules and hashes |
//! | `blocklist` | passwords that are too common |
//! | `token` | tokens: minting, reading, their times |
//! | `identity` | who is behind a request |
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
mod code;
mod consecutive;
mod device;
mod familiar;
mod identity;
mod name;
mod password;
mod second_factor;
mod table;
mod tally;
mod throttle;
mod token;

pub use code::{Code, CodeHash};
pub use consecutive::{Familiarity, GUARDED};
pub(crate) use device::LIFESPAN as DEVICE_LIFESPAN;
pub use device::{Device, DeviceKeys, Devices};
pub(crate) use identity::Door;
pub use identity::{Admin, Identity, bearer};
pub use name::{Email, Fragment, Role, Roles, Username};
pub use password::{Hasher, Password, PasswordHash, Verdict};
pub use second_factor::{Otp, Spend, Step, TotpSecret};
pub use throttle::{Attempts, Throttle};
pub use token::{Beginning, Claims, Lifespans, Mailed, MailedClaims, Tokens};
#[cfg(feature = "cli")]
pub(crate) use token::{Minted, key_id, unique};
