//! Shared by the endpoints that log a user in or ask for the password again.
//!
//! | file | owns |
//! |---|---|
//! | `device` | the secret by which a browser is known: read from a request |
//! | `cookie` | the cookie of a browser session: giving it out, and taking it back |
//! | `session` | the session that begins, and the answer with its token |
//! | `password` | the password of a user who is logged in, asked for again |
//! | `second_factor` | the second factor: what a login or a change asks of it |
//! | `queue` | which logins may wait for a hashing thread |

pub(crate) mod cookie;
mod device;
mod password;
pub(crate) mod queue;
pub(crate) mod second_factor;
mod session;

pub(crate) use cookie::NewCookie;
pub(crate) use device::DeviceProof;
pub(crate) use password::{Verified, verify_password};
pub(crate) use session::{audience, begun, new_session};
