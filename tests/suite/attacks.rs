//! Attacks on the real binary, one named case each. After every case [`vitals::Target::unharmed`]
//! must hold: a fresh client gets its answer within 250 ms again, memory is back within bounds, no
//! descriptor is lost, and nothing panicked.
//!
//! The panicking handler is in `engine.rs`, since the binary has none.

mod answers;
mod asleep;
mod bombs;
mod churn;
pub mod crowd;
mod cuts;
mod descriptors;
mod flood;
mod framing;
mod limits;
mod logins;
mod mutations;
mod pieces;
mod soak;
mod stopping;
mod vitals;
