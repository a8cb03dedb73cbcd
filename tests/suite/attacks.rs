//! What a client can do to a server that it wants to hurt: one named case each, against the real
//! binary. After every case [`vitals::Target::unharmed`] must hold: a fresh client gets its answer
//! within 250 ms, memory is back within bounds, no descriptor is lost, and nothing panicked.
//!
//! A panicking handler needs a handler of its own, and so stands in `engine.rs`.

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
