//! The rules: what a good name, password and token are, and who is behind a request.
//!
//! | file | owns |
//! |---|---|
//! | `name` | names, e-mail addresses, roles |
//! | `password` | password rules and hashes |
//! | `blocklist` | passwords that are too common |
//! | `token` | tokens: minting, reading, their times |
//! | `identity` | who is behind a request |
//! | `throttle` | how often what may be tried: the policy |
//! | `tally` | how often something was tried |
//! | `familiar` | from where accounts were logged in to |
//! | `table` | what remembers strangers in a fixed amount of memory |

mod blocklist;
mod familiar;
mod identity;
mod name;
mod password;
mod table;
mod tally;
mod throttle;
mod token;

pub(crate) use identity::Door;
pub use identity::{Admin, Identity, bearer};
pub use name::{Email, Roles, Username};
pub use password::{Hasher, Password, PasswordHash, Verdict};
pub use throttle::{Attempts, Throttle};
pub use token::{Beginning, Claims, Tokens};
