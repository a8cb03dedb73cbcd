//! Shared by the endpoints that log a user in or ask for the password again.
//!
//! | file | owns |
//! |---|---|
//! | `device` | the secret by which a browser is known: read from a request |
//! | `session` | the session that begins, and the answer with its token |
//! | `password` | the password of a user who is logged in, asked for again |
//! | `second_factor` | the second factor: what a login or a change asks of it |
//! | `queue` | which logins may wait for a hashing thread |

mod device;
mod password;
pub(crate) mod queue;
pub(crate) mod second_factor;
mod session;

pub(crate) use device::DeviceProof;
pub(crate) use password::{Verified, verify_password};
pub(crate) use session::{begun, new_session};
