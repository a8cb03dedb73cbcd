//! How long tokens are good.

use std::time::Duration;

/// How long tokens are good; cut to whole seconds.
#[derive(Debug, Clone, Copy)]
pub struct Lifespans {
    /// For access.
    pub access: Duration,
    /// For refreshing.
    pub refresh: Duration,
    /// How long before its end a token may be refreshed already.
    pub early: Duration,
}

/// Seconds that `iat` and `nbf` may lie ahead: two machines' clocks differ, and a clock that is
/// set back a little must not log everybody out. `exp` and `rf_exp` have no such tolerance.
pub(crate) const MAX_AHEAD: i64 = 60;
