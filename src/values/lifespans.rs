//! The lifespans of tokens, and the clock skew that they allow for.

use std::time::Duration;

/// The lifespans of tokens, in whole seconds; fractions are cut off.
#[derive(Debug, Clone, Copy)]
pub struct Lifespans {
    /// From `iat` until access ends.
    pub access: Duration,
    /// From the login until the session can no longer be refreshed.
    pub refresh: Duration,
    /// How long before the end of its access a token may be refreshed.
    pub early: Duration,
}

/// Maximum seconds that `iat` and `nbf` may lie in the future. The clocks of two machines differ,
/// and setting a clock back a little must not log everybody out. `exp` and `rf_exp` have no such
/// tolerance.
pub(crate) const MAX_AHEAD: i64 = 60;
