//! The slow functions that turn a password into bytes (key derivation functions). They know no text of a
//! hash: parameters, password, salt in, bytes out.
//!
//! They are here, where code is built for speed, and not inlined: a caller that is built for size would
//! make slow code of them.
//!
//! | file | owns |
//! |---|---|
//! | `argon2` | Argon2, the portable kernel |
//! | `bcrypt` | bcrypt |
//! | `pbkdf2` | PBKDF2 with HMAC |
//! | `scrypt` | scrypt, in memory that returns to the system |

mod argon2;
#[cfg(feature = "foreign-hashes")]
mod bcrypt;
#[cfg(feature = "foreign-hashes")]
mod pbkdf2;
#[cfg(feature = "foreign-hashes")]
mod scrypt;

pub use self::argon2::argon2;
#[cfg(feature = "foreign-hashes")]
pub use self::{
    bcrypt::{BCRYPT_KEY, BCRYPT_OUTPUT, bcrypt},
    pbkdf2::{Digest, pbkdf2},
    scrypt::{ScryptCost, scrypt},
};

/// Minimum bytes of an allocation for a hash. An allocation of more than 32 MiB, the maximum of
/// glibc's dynamic mmap threshold, is always a mapping of its own, and so returns to the system when
/// it is freed; a smaller one may stay in the heap for ever. The unused part takes address space,
/// not memory.
pub const ALWAYS_MAPPED: usize = 33 * 1024 * 1024;
