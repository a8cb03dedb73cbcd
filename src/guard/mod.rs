//! The guard: passwords, tokens, the identity behind a request, and the limits for guessing. Reads
//! and writes through the store; knows no route and no endpoint.
//!
//! | file | owns |
//! |---|---|
//! | `password` | a prepared password |
//! | `password_rules` | the rules for a new password |
//! | `argon2_text` | an Argon2 hash as text |
//! | `blocklist` | common passwords |
//! | `blocklist_file` | passwords that the operator forbids |
//! | `foreign/` | hashes that other programs made |
//! | `cost` | memory and passes of a new hash |
//! | `kernel/` | what computes Argon2 |
//! | `hasher` | hashing and verifying passwords |
//! | `decoy` | which account's hash stands in for that of an unknown name |
//! | `derived` | keys that are derived from the key ring |
//! | `token` | tokens: minting and reading |
//! | `credentials` | what a request shows, and the order in which that is looked for |
//! | `cookie` | the value of a browser session's cookie |
//! | `identity` | the user behind a request |
//! | `invitation` | the codes of invitations that are mailed |
//! | `app_password` | app passwords as requests show them |
//! | `known` | clients that an account knows: IP addresses and devices |
//! | `throttle` | counts attempts, and makes clients wait |
//! | `table` | a hash table of fixed size |

mod app_password;
mod argon2_text;
mod blocklist;
mod blocklist_file;
mod cookie;
mod cost;
mod credentials;
mod decoy;
mod derived;
#[cfg(feature = "foreign-hashes")]
mod foreign;
mod hasher;
mod identity;
mod invitation;
pub(crate) mod kernel;
mod known;
mod password;
mod password_rules;
mod table;
mod throttle;
mod token;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;

pub(crate) use app_password::ShownAppPassword;
pub use blocklist_file::Blocklist;
pub use cookie::CookieKeys;
pub(crate) use cookie::ShownCookie;
pub(crate) use cost::HashCost;
#[cfg(feature = "cli")]
pub(crate) use cost::{MAX_KIB_PASSES, MAX_MEMORY_KIB, MAX_PASSES};
pub(crate) use credentials::Credential;
pub use credentials::bearer;
pub use decoy::Decoys;
#[cfg(feature = "foreign-hashes")]
pub(crate) use foreign::scheme_of;
#[cfg(all(feature = "foreign-hashes", any(test, feature = "cli", feature = "fuzzing")))]
pub use foreign::{BadHash, read_foreign};
pub use hasher::{Hasher, Verdict};
pub(crate) use identity::CredentialCheck;
pub use identity::{Admin, Identity, Way};
pub use invitation::InvitationKeys;
pub use kernel::HashKernel;
pub(crate) use known::DEVICE_LIFESPAN;
pub use known::{Device, DeviceKeys, Devices};
pub use password::{Attempt, Password};
pub use password_rules::PasswordRules;
pub use throttle::{Attempts, Throttle};
pub use token::MailedClaims;
pub use token::{AudienceSet, Audiences, Claims, MailPurpose, SessionClaims, Tokens};
#[cfg(feature = "cli")]
pub(crate) use token::{MailedToken, key_id};

/// The scheme of a hash of another program; `None` for one of ours.
#[cfg(not(feature = "foreign-hashes"))]
pub(crate) fn scheme_of(_: &crate::values::PasswordHash) -> Option<&'static str> {
    None
}

/// Locks a mutex. A panic of another thread under the lock leaves nothing half-written that would
/// matter: at worst one count is lost.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a time as 32 bits: seconds since 1970, until 2106.
fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.0.max(0)).unwrap_or(u32::MAX)
}
